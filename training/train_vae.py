"""Train the embedded video autoencoder: Wan 2.1's architecture at a small width.

    python -m kinograph.training.train_vae

Goes on from its last checkpoint when called again.
"""

from __future__ import annotations

import argparse
import json
import random
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn

from ..nodes.vae.causal import ResidualBlock
from ..nodes.vae.wan21 import Wan21Config, Wan21VAE
from .muon import Muon
from .vae_clips import clip_batch, read_film, unseen_clips

KL_WEIGHT = 2e-4
FIRST_LOG_VARIANCE = -6.0
"""Of the latents: noise enough to keep them smooth, too little to be in the way of learning."""

SHAPES = ((5, 64, 2), (9, 64, 1), (17, 48, 1), (17, 96, 1))
"""Frames, pixels along a side, clips in a batch. A network that meets short clips alone forgets what to do
after them; the last shape costs four times the others."""
SHARES = ((0.8, (0.5, 0.25, 0.25, 0.0)), (1.0, (0.3, 0.2, 0.2, 0.3)))
"""(until this share of the training, how often each shape is drawn)."""
EDGE_WEIGHT = 0.5
MOTION_WEIGHT = 0.5
DECAY_FROM = 0.05
"""Share of the training after which the learning rate falls, in a line, to zero."""
PEAK_RATES = {"matrices": 0.01, "others": 2e-3}
"""Highest learning rates: of Muon for the convolutions, of AdamW for gains and biases."""


@dataclass
class Run:
    """A training run: what a checkpoint holds."""

    network: Wan21VAE
    average: dict[str, Tensor]
    optimizers: dict[str, torch.optim.Optimizer]
    step: int = 0
    clips: int = 0
    seconds: float = 0.0

    @classmethod
    def start(cls, width: int) -> Run:
        torch.manual_seed(0)
        network = Wan21VAE(Wan21Config(width=width))
        make_nearly_linear(network)
        parameters = list(network.parameters())
        matrices = [p for p in parameters if p.dim() > 3 and min(len(p), p[0].numel()) >= 8]
        ids = set(map(id, matrices))
        others = [p for p in parameters if id(p) not in ids]
        optimizers = {
            "matrices": Muon(matrices),
            "others": torch.optim.AdamW(others, lr=0.0, betas=(0.9, 0.99), weight_decay=0.0),
        }
        average = {name: tensor.clone() for name, tensor in network.state_dict().items()}
        return cls(network, average, optimizers)

    def save(self, path: Path) -> None:
        state = {
            "width": self.network.config.width,
            "network": self.network.state_dict(),
            "average": self.average,
            "optimizers": {name: optimizer.state_dict() for name, optimizer in self.optimizers.items()},
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
        for name, optimizer in run.optimizers.items():
            optimizer.load_state_dict(state["optimizers"][name])
        run.average, run.step, run.clips = state["average"], state["step"], state["clips"]
        run.seconds = state["seconds"]
        return run


def make_nearly_linear(network: Wan21VAE) -> None:
    """Start as a chain of orthogonal maps: every residual branch silent, no direction lost on the way.

    With the usual random weights the chain of strides squeezes most of the picture away: after 400 steps
    reconstructions were 2.7 dB worse.
    """
    blocks = [block for block in network.modules() if isinstance(block, ResidualBlock)]
    for block in blocks:
        nn.init.zeros_(block.residual[-1].weight)
        nn.init.zeros_(block.residual[-1].bias)
    inside = {id(conv) for block in blocks for conv in block.residual.modules()}
    for name, conv in network.named_modules():
        if isinstance(conv, (nn.Conv2d, nn.Conv3d)) and id(conv) not in inside and ".middle." not in name:
            conv.weight.data.copy_(nn.init.orthogonal_(conv.weight.data.flatten(1)).view_as(conv.weight))
            nn.init.zeros_(conv.bias)
    nn.init.constant_(network.conv1.bias.data[network.config.latent_channels :], FIRST_LOG_VARIANCE)


def learning_rate(progress: float, step: int) -> float:
    """Share of the peak rate: up over 100 steps, level, then down to nothing from `DECAY_FROM` on."""
    return min(1.0, (step + 1) / 100, max(0.0, 1 - progress) / (1 - DECAY_FROM))


def drawn_shape(step: int, progress: float) -> tuple[int, int, int]:
    """Frames, side and batch of a step, the same whenever the step is run."""
    shares = next(shares for until, shares in SHARES if progress < until)
    return random.Random(step).choices(SHAPES, shares)[0]


def reconstruction_loss(made: Tensor, true: Tensor) -> Tensor:
    """L1 of pixels, of their differences in space, and of their differences in time. Both [B,3,T,H,W]."""
    error = made - true
    edges = sum((error.diff(dim=axis)).abs().mean() for axis in (3, 4))
    motion = error.diff(dim=2).abs().mean() if error.shape[2] > 1 else 0.0
    return error.abs().mean() + EDGE_WEIGHT * edges + MOTION_WEIGHT * motion


def training_step(run: Run, pixels: Tensor, progress: float) -> dict[str, float]:
    """One step on [B,3,T,H,W]; returns the losses."""
    with torch.autocast(pixels.device.type, torch.bfloat16):
        mean, log_variance, _ = run.network.encode_chunk(pixels, None)
        mean, log_variance = mean.float(), log_variance.float().clamp(-20, 10)
        noise = torch.randn_like(mean) * (0.5 * log_variance).exp()
        made, _ = run.network.decode_chunk(mean + noise, None)
    reconstruction = reconstruction_loss(made.float(), pixels)
    kl = 0.5 * (mean.square() + log_variance.exp() - 1 - log_variance).mean()
    run.network.zero_grad(set_to_none=True)
    (reconstruction + KL_WEIGHT * kl).backward()
    torch.nn.utils.clip_grad_norm_(run.network.parameters(), 1.0)
    for name, optimizer in run.optimizers.items():
        for group in optimizer.param_groups:
            group["lr"] = PEAK_RATES[name] * learning_rate(progress, run.step)
        optimizer.step()
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
        frames, size, batch = drawn_shape(run.step, progress)
        pixels = clip_batch(run.clips, batch, frames, size, films, args.real_share)
        losses = training_step(run, pixels, progress)
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
    add("--steps", type=int, default=30_000, help="training steps in all, over every call")
    add("--width", type=int, default=16, help="channels at full resolution")
    add("--film", type=Path, action="append", default=[], help="a real film to learn from as well")
    add("--real-share", type=float, default=0.15, help="share of clips that are real")
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
