"""Make the pack's video autoencoder of a training checkpoint, measure it, and write its card.

    python -m kinograph.training.export_vae --film carphone.mp4

Latents get Wan 2.1's published mean and deviation: each channel's affine map is folded into the encoder's
last and the decoder's first convolution, which changes no reconstruction.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
import torch
from safetensors.torch import save_file
from torch import Tensor

from ..nodes.evaluation.quality import flicker, psnr, ssim
from ..nodes.synthetic.sampling import sample_clip
from ..nodes.vae.load import load_vae
from ..nodes.vae.streaming import decode_frames, encode_frames
from ..nodes.vae.wan21 import LATENT_MEAN, LATENT_STD, Wan21VAE
from .train_vae import Run
from .vae_card import Measured, Quality, side_by_side, vae_card
from .vae_clips import drawn, hard_unseen_clips, read_film, to_pixels, unseen_clips

NAME = "kinograph_tiny_wan21_vae"
WEIGHTS = Path(__file__).resolve().parents[1] / "weights"
STATISTICS = 96
"""Clips over which the latents' mean and deviation are taken."""
LARGEST_FLOAT32 = 25_000_000
"""Bytes of a file; larger weights are kept as half floats."""


@torch.no_grad()
def latent_statistics(network: Wan21VAE, clips: Tensor) -> tuple[Tensor, Tensor]:
    """Mean and deviation of each latent channel over clips [B,3,T,H,W], each [Z]."""
    latents = torch.cat([network.encode_chunk(clip[None], None)[0] for clip in clips])
    channels = latents.transpose(0, 1).flatten(1)  # [Z, everything else]
    return channels.mean(dim=1), channels.std(dim=1)


def folded(network: Wan21VAE, mean: Tensor, deviation: Tensor) -> dict[str, Tensor]:
    """The weights with latents z turned into (z − mean) / deviation · LATENT_STD + LATENT_MEAN.

    Args:
        mean, deviation: of each latent channel now, [Z].
    """
    weights = {name: tensor.clone() for name, tensor in network.state_dict().items()}
    z = len(mean)
    scale = torch.tensor(LATENT_STD) / deviation
    shift = torch.tensor(LATENT_MEAN) - mean * scale
    weights["conv1.weight"][:z] *= scale.view(-1, 1, 1, 1, 1)
    weights["conv1.bias"][:z] = weights["conv1.bias"][:z] * scale + shift
    weights["conv1.bias"][z:] += 2 * scale.log()  # of the log variance
    taken = weights["conv2.weight"] / scale.view(1, -1, 1, 1, 1)
    weights["conv2.bias"] -= (taken[:, :, 0, 0, 0] * shift).sum(dim=1)
    weights["conv2.weight"] = taken
    return weights


@torch.no_grad()
def measured(network: Wan21VAE, clips: Tensor) -> tuple[Measured, Tensor]:
    """The quality of the reconstructions of [B,3,T,H,W] in −1..1, mean over clips, and themselves."""
    made = torch.cat([reconstructed(network, clip[None]) for clip in clips])
    pair = [((film.clamp(-1, 1) + 1) / 2) for film in (made, clips)]
    return Measured(*(measure(*pair).mean().item() for measure in (psnr, ssim, flicker))), made


def reconstructed(network: Wan21VAE, film: Tensor) -> Tensor:
    """[1,3,T,H,W] through the network, chunk by chunk."""
    encoded = encode_frames(network, film.split(network.time, dim=2))
    return torch.cat(list(decode_frames(network, encoded.latents, size=encoded.size)), dim=2)


def real_frames(film: Path) -> Tensor:
    """The first 33 frames of a film, 288 rows high: [1,3,33,H,W] in −1..1."""
    return to_pixels(read_film(film, height=288)[None, :33])


def write_weights(path: Path, weights: dict[str, Tensor]) -> None:
    """Save them as float32, or as half floats where that is too large."""
    size = sum(tensor.nbytes for tensor in weights.values())
    dtype = torch.float32 if size <= LARGEST_FLOAT32 else torch.float16
    path.parent.mkdir(parents=True, exist_ok=True)
    save_file({name: tensor.to(dtype).contiguous() for name, tensor in weights.items()}, path)


def export(checkpoint: Path, folder: Path, film: Path | None, clips: int, command: str, note: str) -> Path:
    """Write weights, card and picture below `folder`; returns the weights' path.

    Args:
        film: a real film that was not trained on.
        clips: procedural clips to measure on.
        command, note: how the network was trained, and what else is to be said of that, for the card.
    """
    run = Run.resume(checkpoint)
    network = run.averaged()
    seen = to_pixels(np.stack([drawn(sample_clip(seed), 17) for seed in range(STATISTICS)]))
    path = folder / "vae" / f"{NAME}.safetensors"
    write_weights(path, folded(network, *latent_statistics(network, seen)))
    network = load_vae(path, dtype=torch.float32)  # measured as users get it
    cards = folder / "cards"
    cards.mkdir(parents=True, exist_ok=True)
    quality, films = all_measured(network, clips, film)
    side_by_side(films, cards / f"{NAME}.jpg")
    (cards / f"{NAME}.md").write_text(vae_card(NAME, path, run, command, quality, note), encoding="utf-8")
    return path


def all_measured(
    network: Wan21VAE, clips: int, film: Path | None
) -> tuple[Quality, list[tuple[Tensor, Tensor]]]:
    """Everything that the card tells, and films beside their reconstructions."""
    unseen = unseen_clips(clips, 17, 96)
    procedural, made = measured(network, unseen)
    films, real = [(unseen[:1], made[:1])], None
    if film is not None:
        frames = real_frames(film)
        real, made = measured(network, frames)
        films.append((frames, made))
    mean, deviation = latent_statistics(network, unseen)
    off = (mean - torch.tensor(LATENT_MEAN)) / torch.tensor(LATENT_STD)
    spread = (deviation / torch.tensor(LATENT_STD)).tolist()
    harder, _ = measured(network, hard_unseen_clips(clips, 17, 96))
    quality = Quality(clips, procedural, harder, real, off.abs().max().item(), (min(spread), max(spread)))
    return quality, films


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    add = parser.add_argument
    add("--checkpoint", type=Path, default=Path("training/runs/vae/checkpoint.pt"))
    add("--film", type=Path, help="a real film that was not trained on, to measure on as well")
    add("--clips", type=int, default=32, help="procedural clips to measure on")
    add("--command", default="python -m kinograph.training.train_vae", help="how it was trained")
    add("--note", default="", help="a sentence on the training for the card")
    add("--weights", type=Path, default=WEIGHTS, help="folder that gets vae/ and cards/")
    args = parser.parse_args()
    print(export(args.checkpoint, args.weights, args.film, args.clips, args.command, args.note))


if __name__ == "__main__":
    main()
