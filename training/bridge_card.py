"""The weights of the pack's Brownian bridges, what they reach, their card and its picture."""

from __future__ import annotations

import platform
from pathlib import Path
from typing import NamedTuple

import torch
from safetensors.torch import save_file
from torch import Tensor

from ..nodes.evaluation.quality import psnr
from ..nodes.interpolation.bridge import between
from ..nodes.interpolation.bridge_frames import BridgeSettings
from ..nodes.interpolation.bridge_network import BridgeNetwork
from ..nodes.vae.streaming import VideoAutoencoder
from .bridge_clips import triplet_latents, unseen_triplets

NAME = "kinograph_tiny_bridge"
COUNT = 64
"""Unseen triplets that are measured."""
SETTINGS = BridgeSettings()
SHOWN = 4


class Middles(NamedTuple):
    """Pictures in the middle of unseen triplets, [N,3,H,W] in 0..1.

    true: as drawn. possible: what the autoencoder makes of these. made: by bridges. noisy: with all their
    noise. blend: half of each neighbour.
    """

    true: Tensor
    possible: Tensor
    made: Tensor
    noisy: Tensor
    blend: Tensor

    def decibels(self, name: str) -> float:
        """Mean PSNR of the pictures of that name."""
        pictures = getattr(self, name)
        return psnr(pictures[:, :, None], self.true[:, :, None]).clamp(max=100).mean().item()


@torch.no_grad()
def middles(network: BridgeNetwork, vae: VideoAutoencoder, pixels: Tensor, seed: int = 0) -> Middles:
    """Of triplets [N,3,3,H,W] in −1..1."""
    before, middle, after = triplet_latents(vae, pixels).unbind(1)
    made, noisy = (
        between(network, before, after, SETTINGS.steps, eta, torch.Generator().manual_seed(seed))
        for eta in (SETTINGS.eta, 1.0)
    )

    def decoded(latents: Tensor) -> Tensor:
        chunks = [vae.decode_chunk(vae.facts.raw(one)[:, :, None], None)[0] for one in latents.split(16)]
        return _unit(torch.cat(chunks)[:, :, 0])

    blend = (pixels[:, 0] + pixels[:, 2]) / 2
    return Middles(_unit(pixels[:, 1]), decoded(middle), decoded(made), decoded(noisy), _unit(blend))


def _unit(pixels: Tensor) -> Tensor:
    return ((pixels + 1) / 2).clamp(0, 1)


def export(
    network: BridgeNetwork,
    vae: VideoAutoencoder,
    vae_name: str,
    progress: tuple[int, float],
    command: str,
    folder: Path,
) -> tuple[Path, Path]:
    """Write weights where the node looks for them, and their card; returns both paths.

    Args:
        progress: steps and seconds of training.
        command: that trained them.
    """
    path, cards = folder / "kinograph" / "bridge" / f"{NAME}.safetensors", folder / "cards"
    for place in (path.parent, cards):
        place.mkdir(parents=True, exist_ok=True)
    tensors = {name: tensor.half().contiguous().cpu() for name, tensor in network.state_dict().items()}
    save_file(tensors, path, {"format": "pt", "latents_of": vae_name})
    found = middles(network.cpu(), vae, unseen_triplets(COUNT))
    _draw(found, cards / f"{NAME}.jpg")
    card = cards / f"{NAME}.md"
    card.write_text(_card(path, network, vae_name, progress, command, found), encoding="utf-8")
    return path, card


def _draw(found: Middles, path: Path) -> None:
    """Save the first pictures, a row for each: true, by bridges, blend."""
    from PIL import Image

    rows = torch.stack([found.true[:SHOWN], found.made[:SHOWN], found.blend[:SHOWN]], dim=1)  # [N,3,3,H,W]
    pixels = (rows * 255).round().byte().permute(0, 3, 1, 4, 2)  # [N,H,3,W,3]
    Image.fromarray(pixels.flatten(2, 3).flatten(0, 1).numpy()).save(path, quality=88)


def _card(
    path: Path,
    network: BridgeNetwork,
    vae_name: str,
    progress: tuple[int, float],
    command: str,
    found: Middles,
) -> str:
    steps, seconds = progress
    count = sum(weight.nelement() for weight in network.state_dict().values()) / 1e6
    return f"""# {NAME}

Consecutive Brownian bridges between pictures (Lyu et al. 2024) in the latents of {vae_name}: a U-Net of
{count:.1f} M parameters, {path.stat().st_size / 1e6:.1f} MB.

It comes with the pack so that the node Load Brownian Bridge runs before anything is trained. It has learnt
drawn shapes and faces only, and no picture is sharper than the autoencoder makes it.

| the picture in the middle, {COUNT} triplets never trained on, 96 × 96 | PSNR |
|---|---|
| by bridges, {SETTINGS.steps} steps, eta {SETTINGS.eta:g} | {found.decibels("made"):.1f} dB |
| the same with eta 1 | {found.decibels("noisy"):.1f} dB |
| half of each neighbour | {found.decibels("blend"):.1f} dB |
| the true picture through the autoencoder | {found.decibels("possible"):.1f} dB |

![left: true; middle: by bridges; right: half of each neighbour]({NAME}.jpg)

## Training

- Data: triplets of procedural pictures 1/24 to 4/24 s apart (`training/bridge_clips.py`), a half of them
  backwards.
- Command: `{command}`; then the same with `--export`,
  which also wrote this card.
- {steps:,} steps in {seconds / 3600:.1f} hours; seed 0.
- Hardware: {platform.machine()} processor; PyTorch {torch.__version__.split("+")[0]}.
- Loss: squared error of the distance to the middle, over the bridge's deviation; bfloat16 arithmetic,
  averaged weights.
"""
