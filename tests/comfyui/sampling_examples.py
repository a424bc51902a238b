"""The graphs of the sampling nodes, on a small Wan with random weights."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch
from comfyui.client import node
from comfyui.inside_examples import write_networks
from generation.wan_files import write_wan
from safetensors.torch import save_file

TEXT_WIDTH = 128
"""Of the tokens of the tests' text encoder."""
WAN, LOW_NOISE, LORA = "random_wan.safetensors", "random_wan_low.safetensors", "random_lora.safetensors"


def write_models(folder: Path) -> None:
    """The files that the graphs load, below a models folder."""
    write_wan(folder / "diffusion_models" / WAN, TEXT_WIDTH)
    write_wan(folder / "diffusion_models" / LOW_NOISE, TEXT_WIDTH, seed=1)
    write_networks(folder)
    (folder / "loras").mkdir(parents=True, exist_ok=True)
    up, down = torch.ones(256, 1) / 16, torch.ones(1, 256) / 16
    layer = "diffusion_model.blocks.0.self_attn.v"
    save_file({f"{layer}.lora_up.weight": up, f"{layer}.lora_down.weight": down}, folder / "loras" / LORA)


def examples(vae: str, text_encoder: str) -> dict[str, dict]:
    """One graph for each node; what they sample is saved, and no picture of it shown."""
    start = {
        "model": node("KinoLoadVideoModel", file=WAN),
        "clip": node("KinoLoadTextEncoder", text_encoder=text_encoder),
        "positive": node("CLIPTextEncode", clip=["clip", 0], text="a red circle moving right"),
        "negative": node("CLIPTextEncode", clip=["clip", 0], text=""),
        "vae": node("KinoLoadVideoVAE", vae_name=vae),
        "latent": node("KinoVideoLatent", width=48, height=32, frames=9),
    }

    def saved(**nodes: dict) -> dict:
        video = node("KinoDecodeToVideo", samples=["film", 0], vae=["vae", 0])
        return {**start, **nodes, "video": video, "save": node("SaveVideo", video=["video", 0])}

    film = sampled("KSampler", sampler_name="euler", latent_image=["latent", 0])
    return {
        "KinoLoadVideoModel": saved(film=film, show=node("PreviewAny", source=["latent", 3])),
        "KinoLoadLora": saved(
            lora=node("KinoLoadLora", model=["model", 0], lora=LORA, strength=0.5),
            film={**film, "inputs": {**film["inputs"], "model": ["lora", 0]}},
            show=node("PreviewAny", source=["lora", 1]),
        ),
        "KinoNoiseExperts": saved(
            low=node("KinoLoadVideoModel", file=LOW_NOISE),
            both=node("KinoNoiseExperts", high_noise=["model", 0], low_noise=["low", 0]),
            film={**film, "inputs": {**film["inputs"], "model": ["both", 0]}},
        ),
        "KinoVideoLatent": saved(
            image=node("EmptyImage", width=40, height=40, color=0xFF8000),
            latent=node(
                "KinoVideoLatent",
                width=50,
                height=32,
                frames=13,
                vae=["vae", 0],
                start=["image", 0],
                end=["image", 0],
            ),
            film=sampled("KinoSampler", latent=["latent", 0], method="in_between"),
            show=node("PreviewAny", source=["latent", 3]),
        ),
        "KinoSampler": saved(film=sampled("KinoSampler", latent=["latent", 0], preview_every=1)),
        "KinoSamplerSelect": saved(**custom()),
        "KinoFlowSigmas": saved(**custom()),
        "KinoGuider": saved(**custom()),
        "KinoGuidance": saved(
            guided=node("KinoGuidance", model=["model", 0], guidance="cfg_zero_star", zero_steps=1),
            film={**film, "inputs": {**film["inputs"], "model": ["guided", 0]}},
        ),
        "KinoStepCache": saved(
            cached=node("KinoStepCache", model=["model", 0], threshold=0.5),
            film={**film, "inputs": {**film["inputs"], "model": ["cached", 0]}},
        ),
        **{name: saved(**nodes) for name, nodes in attention(film).items()},
    }


def attention(film: dict) -> dict[str, dict]:
    """What the graph of each node on attention adds to a film."""
    maps = node(
        "KinoAttentionMap", model=["sparse", 0], positive=["positive", 0], latent=["film", 0], side=96
    )
    return {
        "KinoSparseAttention": sparse(film),
        "KinoQuantizedAttention": {
            "quantised": node("KinoQuantizedAttention", model=["model", 0], method="sageattention2"),
            "film": {**film, "inputs": {**film["inputs"], "model": ["quantised", 0]}},
        },
        "KinoAttentionReport": {
            **sparse(film),
            "report": node("KinoAttentionReport", model=["sparse", 0], latent=["film", 0]),
            "show": node("PreviewAny", source=["report", 1]),
        },
        "KinoAttentionMap": {
            **sparse(film),
            "maps": maps,
            "show": node("PreviewImage", images=["maps", 0]),
        },
    }


def sparse(film: dict) -> dict:
    """A film under sparse attention."""
    return {
        "sparse": node("KinoSparseAttention", model=["model", 0], start_percent=0.0, method="radial"),
        "film": {**film, "inputs": {**film["inputs"], "model": ["sparse", 0]}},
    }


def sampled(class_type: str, **inputs: Any) -> dict:
    """A node that samples three steps."""
    given = {"model": ["model", 0], "positive": ["positive", 0], "negative": ["negative", 0]}
    return node(class_type, **given, **{"seed": 1, "steps": 3, "cfg": 3.0, "scheduler": "simple", **inputs})


def custom() -> dict:
    """The parts for core's SamplerCustomAdvanced."""
    return {
        "noise": node("RandomNoise", noise_seed=1),
        "guider": node(
            "KinoGuider",
            model=["model", 0],
            positive=["positive", 0],
            negative=["negative", 0],
            guidance="over_steps",
        ),
        "sampler": node("KinoSamplerSelect", sampler="dpmpp_2m", method="pyramid"),
        "sigmas": node("KinoFlowSigmas", model=["model", 0], steps=3),
        "film": node(
            "SamplerCustomAdvanced",
            noise=["noise", 0],
            guider=["guider", 0],
            sampler=["sampler", 0],
            sigmas=["sigmas", 0],
            latent_image=["latent", 0],
        ),
    }
