"""Graphs of the nodes that make frames inside a video model or in latents."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch
from comfyui.client import node
from kinograph.nodes.interpolation.bridge_network import BridgeConfig, BridgeNetwork
from safetensors.torch import save_file

BRIDGE = "random_bridge.safetensors"


def write_bridge(folder: Path) -> None:
    """A small random network, below a models folder."""
    path = folder / "kinograph" / "bridge" / BRIDGE
    path.parent.mkdir(parents=True, exist_ok=True)
    torch.manual_seed(0)
    save_file(BridgeNetwork(BridgeConfig(width=8, factors=(1, 2))).state_dict(), path)


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
