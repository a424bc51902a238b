"""Graphs of the nodes that make frames inside a video model or in latents."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch
from comfyui.client import node
from kinograph.nodes.interpolation.bridge_network import BridgeConfig, BridgeNetwork
from kinograph.nodes.interpolation.end_frame_net import EndFrameConfig, EndFrameNet
from kinograph.nodes.interpolation.sketch_adapter import AdapterConfig, SketchAdapter
from safetensors.torch import save_file

BRIDGE, ADAPTER = "random_bridge.safetensors", "random_sketches.safetensors"
END_FRAME, END_FRAME_WIDE = "random_end_frame.safetensors", "random_end_frame_4096.safetensors"
"""For texts as wide as the tests' text encoder makes them, and as Wan's does."""


def write_networks(folder: Path) -> None:
    """Small random networks, below a models folder."""
    torch.manual_seed(0)
    networks = {
        f"bridge/{BRIDGE}": BridgeNetwork(BridgeConfig(width=8, factors=(1, 2))),
        f"tooncomposer/{ADAPTER}": SketchAdapter(AdapterConfig(width=256, rank=24, blocks=2)),
        f"ef_net/{END_FRAME}": EndFrameNet(EndFrameConfig(256, 64, 1, 3, 16, 32, 128)),
        f"ef_net/{END_FRAME_WIDE}": EndFrameNet(EndFrameConfig(256, 64, 1, 3, 16, 32, 4096)),
    }
    for name, network in networks.items():
        path = folder / "kinograph" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        save_file({key: weight + 0.02 for key, weight in network.state_dict().items()}, path)


def examples(film: dict[str, Any]) -> dict[str, dict]:
    """One graph for each node.

    Args:
        film: a graph that samples a film of three latent frames and saves it.
    """
    sampler = film["film"]
    return {
        "KinoHighFrameRate": {
            **film,
            "rate": node(
                "KinoHighFrameRate", model=["model", 0], method="zerosmooth", **{"method.factor": 2}
            ),
            "film": {**sampler, "inputs": {**sampler["inputs"], "model": ["rate", 0]}},
            "show": node("PreviewAny", source=["rate", 1]),
        },
        "KinoLatentInterpolation": {
            **film,
            "more": node("KinoLatentInterpolation", latent=["film", 0], method="latent_flow"),
            "video": node("KinoDecodeToVideo", samples=["more", 0], vae=["vae", 0]),
            "show": node("PreviewAny", source=["more", 1]),
        },
        "KinoEndFrame": {
            **film,
            "picture": node("EmptyImage", width=48, height=32, color=0xFF8000),
            "end": node("VAEEncode", pixels=["picture", 0], vae=["vae", 0]),
            "ending": node("KinoEndFrame", model=["model", 0], file=END_FRAME, end_latent=["end", 0]),
            "film": {**sampler, "inputs": {**sampler["inputs"], "model": ["ending", 0]}},
            "show": node("PreviewAny", source=["ending", 1]),
        },
        "KinoSketchKeyframes": {
            **film,
            "sketch": node("EmptyImage", width=48, height=32, color=0xFFFFFF),
            "drawn": sketched(),
            "film": {**sampler, "inputs": {**sampler["inputs"], "model": ["drawn", 0]}},
            "show": node("PreviewAny", source=["drawn", 1]),
        },
        "KinoBrownianBridge": {
            "vae": film["vae"],
            "bridge": node("KinoBrownianBridge", vae=["vae", 0], file=BRIDGE, steps=2),
            "load": node("KinoLoadVideo", file="clip.mp4"),
            "frames": node("KinoFramesFromVideo", video=["load", 0], count=2),
            "more": node("KinoInterpolateFrames", interp_model=["bridge", 0], images=["frames", 0], count=5),
            "save": node("SaveImage", images=["more", 0]),
            "show": node("PreviewAny", source=["bridge", 1]),
        },
    }


def sketched(**inputs: Any) -> dict:
    """A model that follows one sketch."""
    wired = {name: [name, 0] for name in ("model", "vae", "latent")} | {"sketches": ["sketch", 0]}
    return node("KinoSketchKeyframes", **wired, file=ADAPTER, frames="5", **inputs)
