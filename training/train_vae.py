"""Train the embedded video autoencoder: Wan 2.1's architecture at a small width.

    python -m kinograph.training.train_vae

Goes on from its last checkpoint when called again.
"""

from __future__ import annotations

import argparse
import json
import math
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn

from ..nodes.vae.causal import ResidualBlock
from ..nodes.vae.wan21 import Wan21Config, Wan21VAE
from .vae_clips import clip_batch, read_film, unseen_clips

KL_WEIGHT = 2e-4
KL_FROM = 0.1
"""Share of the training after which the latents are noised and held near a unit normal: earlier, the
network would find it easier to ignore them."""

SHAPES = ((0.1, 1, 64, 12), (0.6, 5, 64, 3), (0.9, 9, 64, 2), (1.0, 17, 96, 1))
"""(until this share of the training, frames, pixels along a side, clips in a batch): easy clips first."""
EDGE_WEIGHT = 0.5
MOTION_WEIGHT = 0.5


@dataclass
class Run:
    """A training run: what a checkpoint holds."""

    network: Wan21VAE
    average: dict[str, Tensor]
    optimizer: torch.optim.Optimizer
    step: int = 0
    clips: int = 0
    seconds: float = 0.0

    @classmethod
    def start(cls, width: int) -> Run:
        torch.manual_seed(0)
        network = Wan21VAE(Wan21Config(width=width))
        for block in network.modules():
            if isinstance(block, ResidualBlock):  # start as the identity
                nn.init.zeros_(block.residual[-1].weight)
                nn.init.zeros_(block.residual[-1].bias)
        optimizer = torch.optim.AdamW(network.parameters(), lr=0.0, betas=(0.9, 0.99), weight_decay=0.0)
        average = {name: tensor.clone() for name, tensor in network.state_dict().items()}
        return cls(network, average, optimizer)

    def save(self, path: Path) -> None:
        state = {
            "width": self.network.config.width,
            "network": self.network.state_dict(),
            "average": self.average,
            "optimizer": self.optimizer.state_dict(),
            "step": self.step,
            "clips": self.clips,
            "seconds": self.seconds,
        }
        torch.save(state, path.with_suffix(".part"))
        path.with_suffix(".part").replace(path)

    @classmethod
    def resume(cls, path: Path) -> Run:
        state = torch.load(path, weights_only=True)
        run = cls.start(state["width"])
        run.network.load_state_dict(state["network"])
        run.optimizer.load_state_dict(state["optimizer"])
        run.average, run.step, run.clips = state["average"], state["step"], state["clips"]
        run.seconds = state["seconds"]
        return run


def learning_rate(progress: float, step: int, peak: float) -> float:
    """Linear warm-up over 200 steps, then a cosine down to a twentieth of the peak."""
    return (
        peak * min(1.0, (step + 1) / 200) * (0.05 + 0.95 * 0.5 * (1 + math.cos(math.pi * min(progress, 1.0))))
    )


def reconstruction_loss(made: Tensor, true: Tensor) -> Tensor:
    """L1 of pixels, of their differences in space, and of their differences in time. Both [B,3,T,H,W]."""
    error = made - true
    edges = sum((error.diff(dim=axis)).abs().mean() for axis in (3, 4))
    motion = error.diff(dim=2).abs().mean() if error.shape[2] > 1 else 0.0
    return error.abs().mean() + EDGE_WEIGHT * edges + MOTION_WEIGHT * motion


def training_step(run: Run, pixels: Tensor, rate: float, progress: float) -> dict[str, float]:
    """One step on [B,3,T,H,W]; returns the losses."""
    with torch.autocast(pixels.device.type, torch.bfloat16):
        mean, log_variance, _ = run.network.encode_chunk(pixels, None)
        mean, log_variance = mean.float(), log_variance.float().clamp(-20, 10)
        noise = torch.randn_like(mean) * (0.5 * log_variance).exp()
        made, _ = run.network.decode_chunk(mean + noise if progress > KL_FROM else mean, None)
    reconstruction = reconstruction_loss(made.float(), pixels)
    kl = 0.5 * (mean.square() + log_variance.exp() - 1 - log_variance).mean()
    run.optimizer.zero_grad(set_to_none=True)
    (reconstruction + (KL_WEIGHT * kl if progress > KL_FROM else 0.0)).backward()
    torch.nn.utils.clip_grad_norm_(run.network.parameters(), 1.0)
    for group in run.optimizer.param_groups:
        group["lr"] = rate
    run.optimizer.step()
    keep = min(0.999, (run.step + 1) / (run.step + 10))
    for name, tensor in run.network.state_dict().items():
        run.average[name].lerp_(tensor, 1 - keep)
    run.step += 1
    return {"reconstruction": reconstruction.item(), "kl": kl.item()}


@torch.no_grad()
def psnr(run: Run, pixels: Tensor) -> float:
    """Mean PSNR in dB of the averaged weights' reconstructions of [B,3,T,H,W]."""
    network = Wan21VAE(run.network.config).to(pixels.device)
    network.load_state_dict(run.average)
    made = [network.decode_chunk(network.encode_chunk(clip[None], None)[0], None)[0] for clip in pixels]
    error = ((torch.cat(made).clamp(-1, 1) - pixels) / 2).square().mean(dim=(1, 2, 3, 4))
    return (-10 * error.log10()).mean().item()


def train(run: Run, checkpoint: Path, steps: int, films: list[np.ndarray], args: argparse.Namespace) -> None:
    """Train up to `steps` in all; print a line every 50 steps, save every 3 minutes and at the end."""
    unseen = unseen_clips(12, 17, 96)
    began, saved = time.monotonic() - run.seconds, time.monotonic()
    while run.step < steps:
        progress = run.step / steps
        _, frames, size, batch = next(shape for shape in SHAPES if progress < shape[0])
        pixels = clip_batch(run.clips, batch, frames, size, films, args.real_share)
        losses = training_step(run, pixels, learning_rate(progress, run.step, args.peak_rate), progress)
        run.clips += batch
        run.seconds = time.monotonic() - began
        if run.step % 50 == 0:
            print(json.dumps({"step": run.step, "seconds": round(run.seconds), **losses}), flush=True)
        if time.monotonic() - saved > 180 or run.step == steps:
            run.save(checkpoint)
            saved = time.monotonic()
            quality = {"step": run.step, "seconds": round(run.seconds), "psnr": psnr(run, unseen)}
            print(json.dumps(quality), flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    add = parser.add_argument
    add("--steps", type=int, default=40_000, help="training steps in all, over every call")
    add("--width", type=int, default=16, help="channels at full resolution")
    add("--peak-rate", type=float, default=1e-3, help="highest learning rate")
    add("--film", type=Path, action="append", default=[], help="a real film to learn from as well")
    add("--real-share", type=float, default=0.2, help="share of clips that are real")
    add("--threads", type=int, default=torch.get_num_threads())
    add("--run", type=Path, default=Path("training/runs/vae"), help="folder of the checkpoint")
    args = parser.parse_args()
    torch.set_num_threads(args.threads)
    args.run.mkdir(parents=True, exist_ok=True)
    checkpoint = args.run / "checkpoint.pt"
    run = Run.resume(checkpoint) if checkpoint.exists() else Run.start(args.width)
    films = [read_film(path) for path in args.film]
    train(run, checkpoint, args.steps, films, args)


if __name__ == "__main__":
    main()
