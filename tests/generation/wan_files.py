"""Small random Wan transformers, and prompts for them."""

from __future__ import annotations

import json
from pathlib import Path

import torch
from kinograph.nodes.generation.wan import WanTransformer
from kinograph.nodes.generation.wan_config import WanConfig
from safetensors.torch import save_file
from torch import Tensor

TEXT_WIDTH = 64


def tiny_config(text_width: int = TEXT_WIDTH, **sizes: int) -> WanConfig:
    """Two blocks of two heads, as wide as core's detection needs."""
    return WanConfig(256, 2, 2, 512, text_width=text_width, **sizes)


def random_weights(config: WanConfig, seed: int = 0) -> dict[str, Tensor]:
    """Weights of a network whose output is about as large as its input."""
    torch.manual_seed(seed)
    weights = WanTransformer(config).state_dict()
    for name, weight in weights.items():
        if weight.ndim > 1 and "modulation" not in name:
            weights[name] = torch.randn(weight.shape) * weight[0].numel() ** -0.5
    return weights


def write_wan(path: Path, text_width: int = TEXT_WIDTH, seed: int = 0, **metadata: str) -> Path:
    """A file of such weights, with its text width in the metadata."""
    config = json.dumps({"transformer": {"text_dim": text_width}})
    path.parent.mkdir(parents=True, exist_ok=True)
    weights = random_weights(tiny_config(text_width), seed)
    save_file(weights, path, metadata={"config": config, **metadata})
    return path


def prompt(seed: int, tokens: int = 6, width: int = TEXT_WIDTH) -> list:
    """CONDITIONING of random tokens."""
    generator = torch.Generator().manual_seed(seed)
    return [[torch.randn(1, tokens, width, generator=generator), {}]]
