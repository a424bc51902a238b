"""Small video autoencoders with weights of a seed, tame like trained ones."""

from __future__ import annotations

import pytest
import torch
from kinograph.nodes.vae.causal import ResidualBlock
from kinograph.nodes.vae.wan21 import Wan21Config, Wan21VAE


@pytest.fixture(scope="session")
def tame_network() -> Wan21VAE:
    """Wan 2.1's VAE at width 8. Its residual branches are weak, as they are in trained networks: random
    ones would let every pixel depend on all others."""
    torch.manual_seed(0)
    network = Wan21VAE(Wan21Config(width=8))
    with torch.no_grad():
        for block in network.modules():
            if isinstance(block, ResidualBlock):
                block.residual[-1].weight *= 0.1
    return network.eval().requires_grad_(False)


@pytest.fixture(scope="session")
def moving_picture() -> torch.Tensor:
    """Five frames of a smooth, moving pattern: [1,3,5,H,W] in −1..1, 144 × 208 pixels."""
    frames, rows, columns = torch.meshgrid(
        torch.arange(5.0), torch.arange(144.0), torch.arange(208.0), indexing="ij"
    )
    waves = [torch.sin(rows / a + columns / b + frames / 4) for a, b in ((23, 31), (37, -19), (11, 53))]
    return torch.stack(waves)[None]
