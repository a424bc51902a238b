"""Core's own VAE objects stream through our nodes, with what core itself makes of the same latents."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import torch
from comfyui.client import ComfyUI, node
from kinograph.nodes.vae.ltx import LTXVideoVAE
from kinograph.nodes.vae.ltx_config import Block, LTXConfig
from kinograph.nodes.vae.taehv import TaehvConfig, TaehvVAE
from kinograph.nodes.vae.wan21 import LATENTS
from kinograph.nodes.vae.wan22 import Wan22Config, Wan22VAE
from PIL import Image
from safetensors.torch import save_file

BLOCKS = [["res_x", 1], ["compress_all", 1], ["compress_all", 1], ["compress_all", 1], ["res_x", 1]]
LTX = {
    "_class_name": "CausalVideoAutoencoder",
    "dims": 3,
    "latent_channels": 128,
    "blocks": BLOCKS,
    "norm_layer": "pixel_norm",
    "patch_size": 4,
    "latent_log_var": "uniform",
    "use_quant_conv": False,
}


def write_wan22(path: Path) -> None:
    save_file(Wan22VAE(Wan22Config(encoder_width=8, decoder_width=12)).state_dict(), path)


def write_ltx(path: Path) -> None:
    stack, factors = Block("stack", 8, 8), (2, 2, 2)
    encoder = (stack, *[Block("stride", 8, 8, factors=factors)] * 3, stack)
    decoder = (stack, *[Block("unfold", 8, 8, factors=factors)] * 3, stack)
    network = LTXVideoVAE(LTXConfig(encoder, decoder))
    save_file(network.state_dict(), path, {"config": json.dumps({"vae": LTX})})


def write_tiny(path: Path) -> None:
    save_file(tiny_weights(), path)


def write_tiny_hunyuan(path: Path) -> None:
    save_file({key: tensor.half() for key, tensor in tiny_weights().items()}, path)  # how core tells it


def tiny_weights() -> dict[str, torch.Tensor]:
    weights = TaehvVAE(TaehvConfig(), LATENTS).state_dict()
    weights["decoder.22.bias"] += 0.5  # grey, not black
    return weights


WRITERS = {
    "small_wan22": write_wan22,
    "small_ltx": write_ltx,
    "lighttaew2_1": write_tiny,
    "taehv": write_tiny_hunyuan,
}


@pytest.fixture(scope="module", params=list(WRITERS))
def vae_name(request: pytest.FixtureRequest, comfyui: ComfyUI) -> str:
    torch.manual_seed(0)
    name = f"{request.param}.safetensors"
    WRITERS[request.param](comfyui.base / "models" / "vae" / name)
    return name


def pictures(comfyui: ComfyUI, output: dict) -> np.ndarray:
    return np.stack([np.asarray(Image.open(path)).astype(int) for path in comfyui.saved(output)])


def test_cores_vae_streams_and_decodes_as_core_does(comfyui: ComfyUI, vae_name: str) -> None:
    graph = {
        "clip": node("KinoSyntheticClip", seed=3, width=64, height=64, seconds=0.375),
        "vae": node("SmallCoreVAE", vae_name=vae_name),
        "latent": node("KinoEncodeVideoToLatent", video=["clip", 0], vae=["vae", 0]),
        "decode": node("KinoDecodeToVideo", samples=["latent", 0], vae=["vae", 0], fps=24.0),
        "report": node("PreviewAny", source=["decode", 1]),
        "parts": node("GetVideoComponents", video=["decode", 0]),
        "ours": node("PreviewImage", images=["parts", 0]),
        "decoded": node("VAEDecode", samples=["latent", 0], vae=["vae", 0]),
        "cores": node("PreviewImage", images=["decoded", 0]),
    }
    outputs = comfyui.run(graph)
    assert "by itself" not in outputs["report"]["text"][0]
    ours, cores = pictures(comfyui, outputs["ours"]), pictures(comfyui, outputs["cores"])
    assert ours.shape == (9, 64, 64, 3)
    assert ours.std() > 1, "a grey film tells nothing"
    assert np.abs(ours - cores).max() <= 1
