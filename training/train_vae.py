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

from ..nodes.evaluation import quality
from ..nodes.vae.causal import ResidualBlock
from ..nodes.vae.wan21 import Wan21Config, Wan21VAE
from .muon import Muon
from .pictures_first import inflated, picture_network
from .vae_clips import clip_batch, hard_unseen_clips, read_film

KL_WEIGHT = 1e-4
FIRST_LOG_VARIANCE = -6.0
"""Of the latents: noise enough to keep them smooth, too little to be in the way of learning."""

PICTURES = (1, 64, 8)
FILMS = ((5, 64, 2), (9, 64, 1), (17, 48, 1), (17, 96, 1))
"""Frames, pixels along a side, clips in a batch. A network that meets short clips alone forgets what to do
after them; the last shape costs four times the others."""
SHARES = ((0.8, (0.5, 0.25, 0.25, 0.0)), (1.0, (0.3, 0.2, 0.2, 0.3)))
"""(until this share of the training on films, how often each shape is drawn)."""
SQUARE_WEIGHT, EDGE_WEIGHT, MOTION_WEIGHT = 0.03, 0.0075, 0.0075
"""Of the errors' logarithms: with absolute errors alone the rare bright colours are left out, and a plain
sum is all about the few hard clips."""
LEAST_ERROR = 1e-4
"""Below it an error (a square, or a difference in space or time) gains nothing more."""
PEAK_RATES = {"matrices": 0.007, "others": 1.5e-3}
"""Highest learning rates: of Muon for the convolutions, of AdamW for gains and biases."""
FILM_SHARE = 0.4
"""Of those rates is the highest for films: at more, pictures are unlearnt (36 dB became 31)."""


@dataclass
class Run:
    """A training run: what a checkpoint holds.

    Attributes:
        of_films: whether the network has its kernels in time; it begins without.
        step: in all; `films_from` is the one at which films began.
    """

    network: Wan21VAE
    average: dict[str, Tensor]
    optimizers: dict[str, torch.optim.Optimizer]
    of_films: bool = False
    step: int = 0
    films_from: int = 0
    clips: int = 0
    seconds: float = 0.0

    @classmethod
    def start(cls, width: int) -> Run:
        torch.manual_seed(0)
        network = picture_network(Wan21Config(width=width))
        make_nearly_linear(network)
        return cls.around(network)

    @classmethod
    def around(cls, network: Wan21VAE) -> Run:
        """A run that has not made a step."""
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

    def inflated(self) -> Run:
        """The same run, going on with films."""
        run = Run.around(inflated(self.average, self.network.config))
        run.of_films, run.step, run.films_from = True, self.step, self.step
        run.clips, run.seconds = self.clips, self.seconds
        return run

    def averaged(self) -> Wan21VAE:
        """The network with the averaged weights, for inference on films."""
        if self.of_films:
            network = Wan21VAE(self.network.config)
            network.load_state_dict(self.average)
        else:
            network = inflated(self.average, self.network.config)
        return network.eval().requires_grad_(False)

    def save(self, path: Path) -> None:
        state = {
            "width": self.network.config.width,
            "network": self.network.state_dict(),
            "average": self.average,
            "optimizers": {name: optimizer.state_dict() for name, optimizer in self.optimizers.items()},
        } | {name: getattr(self, name) for name in COUNTERS}
        torch.save(state, path.with_suffix(".part"))
        path.with_suffix(".part").replace(path)

    @classmethod
    def resume(cls, path: Path) -> Run:
        state = torch.load(path, weights_only=True)
        config = Wan21Config(width=state["width"])
        run = cls.around(Wan21VAE(config) if state["of_films"] else picture_network(config))
        run.network.load_state_dict(state["network"])
        for name, optimizer in state["optimizers"].items():
            run.optimizers[name].load_state_dict(optimizer)
        run.average = {name: tensor.float() for name, tensor in state["average"].items()}
        for name in COUNTERS:
            setattr(run, name, state[name])
        return run


COUNTERS = ("of_films", "step", "films_from", "clips", "seconds")


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
    """Share of the peak rate: up over 100 steps, then down to nothing in a line."""
    return min(1.0, (step + 1) / 100, max(0.0, 1 - progress))


def drawn_shape(step: int, progress: float) -> tuple[int, int, int]:
    """Frames, side and batch of a step on films, the same whenever the step is run."""
    shares = next(shares for until, shares in SHARES if progress < until)
    return random.Random(step).choices(FILMS, shares)[0]


def reconstruction_loss(made: Tensor, true: Tensor) -> Tensor:
    """Logarithms of each clip's squared error and of its differences in space and time. Both [B,3,T,H,W].

    The first is the negative PSNR (Chen et al. 2022): each clip counts alike, however hard it is.
    """
    error = made - true
    squares = error.square().flatten(1).mean(dim=1)
    edges = sum(error.diff(dim=axis).abs().flatten(1).mean(dim=1) for axis in (3, 4))
    loss = SQUARE_WEIGHT * (squares + LEAST_ERROR).log() + EDGE_WEIGHT * (edges + LEAST_ERROR).log()
    if error.shape[2] > 1:
        motion = error.diff(dim=2).abs().flatten(1).mean(dim=1)
        loss = loss + MOTION_WEIGHT * (motion + LEAST_ERROR).log()
    return loss.mean()


def training_step(run: Run, pixels: Tensor, rate: float) -> dict[str, float]:
    """One step on [B,3,T,H,W] at a share of the peak rate; returns the losses."""
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
            group["lr"] = PEAK_RATES[name] * rate
        optimizer.step()
    keep = min(0.999, (run.step + 1) / (run.step + 10))
    for name, tensor in run.network.state_dict().items():
        run.average[name].lerp_(tensor, 1 - keep)
    run.step += 1
    return {"reconstruction": reconstruction.item(), "kl": kl.item()}


@torch.no_grad()
def psnr(run: Run, pixels: Tensor) -> float:
    """Mean PSNR in dB of the averaged weights' reconstructions of [B,3,T,H,W]."""
    network = run.averaged()
    made = [network.decode_chunk(network.encode_chunk(clip[None], None)[0], None)[0] for clip in pixels]
    return quality.psnr(*((film.clamp(-1, 1) + 1) / 2 for film in (torch.cat(made), pixels))).mean().item()


def train(run: Run, checkpoint: Path, films: list[np.ndarray], args: argparse.Namespace) -> Run:
    """Train on pictures, then on films; print a line every 50 steps, save every 3 minutes and at the end."""
    unseen = hard_unseen_clips(12, 17, 96)
    began, saved = time.monotonic() - run.seconds, time.monotonic()
    steps = args.pictures + args.films
    while run.step < steps:
        if run.step >= args.pictures and not run.of_films:
            run = run.inflated()
        step = run.step - run.films_from
        progress = step / (args.films if run.of_films else args.pictures)
        frames, size, batch = drawn_shape(step, progress) if run.of_films else PICTURES
        pixels = clip_batch(run.clips, batch, frames, size, films, args.real_share)
        rate = learning_rate(progress, step) * (FILM_SHARE if run.of_films else 1.0)
        losses = training_step(run, pixels, rate)
        run.clips += batch
        run.seconds = time.monotonic() - began
        if run.step % 50 == 0:
            print(json.dumps({"step": run.step, "seconds": round(run.seconds), **losses}), flush=True)
        if time.monotonic() - saved > 180 or run.step in (args.pictures, steps):
            run.save(checkpoint)
            saved = time.monotonic()
            score = psnr(run, unseen if run.of_films else unseen[:, :, :1])
            print(json.dumps({"step": run.step, "seconds": round(run.seconds), "psnr": score}), flush=True)
    return run


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    add = parser.add_argument
    add("--pictures", type=int, default=10_000, help="training steps on pictures, over every call")
    add("--films", type=int, default=20_000, help="training steps on films after them")
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
    if run.network.config.width != args.width:
        parser.error(f"{checkpoint} is of width {run.network.config.width}; choose that, or another --run")
    films = [read_film(path) for path in args.film]
    train(run, checkpoint, films, args)


if __name__ == "__main__":
    main()
