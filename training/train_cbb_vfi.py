"""Train consecutive Brownian bridges on the latents of the pack's video autoencoder.

    python -m kinograph.training.train_cbb_vfi

Computes the latents of its pictures first, and goes on from its last checkpoint when called again. With
`--export` it writes the averaged weights of that checkpoint instead, and their card.
"""

from __future__ import annotations

import argparse
import json
import random
import time
from pathlib import Path

import torch
from torch import Tensor, nn

from ..nodes.interpolation.bridge import bridge_variance, on_bridge
from ..nodes.interpolation.bridge_network import BridgeConfig, BridgeNetwork
from ..nodes.vae.load import load_vae
from .bridge_card import export
from .bridge_clips import LatentTriplets, triplet_latents, unseen_triplets
from .t2v_clips import fingerprint
from .train_t2v import VAE, WEIGHTS

PEAK_RATE = 1e-3
DECAY_FROM = 0.5
"""Share of the training after which the learning rate falls to zero."""
MOST_WEIGHT = 5.0
"""Errors count by 1/deviation of the state, up to this: near its ends a bridge has hardly any noise."""
LEAST_VARIANCE = 1e-6
KEEP = 0.999
"""Of the weights' moving average, at each step."""


class Run:
    """A training run: what a checkpoint holds.

    Args:
        vae: fingerprint of the autoencoder whose latents it learns.
    """

    def __init__(self, config: BridgeConfig, vae: str, device: torch.device) -> None:
        torch.manual_seed(0)
        self.config, self.vae, self.device = config, vae, device
        self.network = BridgeNetwork(config).to(device)
        self.average = {name: tensor.clone() for name, tensor in self.network.state_dict().items()}
        self.optimizer = torch.optim.AdamW(
            self.network.parameters(), lr=0.0, betas=(0.9, 0.99), weight_decay=0.01
        )
        self.step, self.seconds = 0, 0.0

    def save(self, path: Path) -> None:
        state = {
            "config": (self.config.channels, self.config.width, self.config.factors),
            "vae": self.vae,
            "network": self.network.state_dict(),
            "average": self.average,
            "optimizer": self.optimizer.state_dict(),
            "progress": (self.step, self.seconds),
        }
        torch.save(state, path.with_suffix(".part"))
        path.with_suffix(".part").replace(path)

    @classmethod
    def resume(cls, path: Path, device: torch.device) -> Run:
        state = torch.load(path, weights_only=True, map_location=device)
        channels, width, factors = state["config"]
        run = cls(BridgeConfig(channels, width, tuple(factors)), state["vae"], device)
        run.network.load_state_dict(state["network"])
        run.optimizer.load_state_dict(state["optimizer"])
        run.average = state["average"]
        run.step, run.seconds = state["progress"]
        return run

    def averaged(self) -> BridgeNetwork:
        """A network with the averaged weights, for inference."""
        network = BridgeNetwork(self.config).to(self.device)
        network.load_state_dict(self.average)
        return network.eval().requires_grad_(False)

    def advance(self, triplets: Tensor, rate: float) -> float:
        """One step on [B,3,Z,h,w] at a share of the peak rate; returns the loss."""
        drawn = torch.Generator().manual_seed(self.step)
        loss = bridge_loss(self.network, triplets.to(self.device), drawn)
        self.network.zero_grad(set_to_none=True)
        loss.backward()
        nn.utils.clip_grad_norm_(self.network.parameters(), 1.0, error_if_nonfinite=True)
        for group in self.optimizer.param_groups:
            group["lr"] = PEAK_RATE * rate
        self.optimizer.step()
        self.step += 1
        keep = min(KEEP, self.step / (self.step + 10))
        state = self.network.state_dict()
        torch._foreach_lerp_(list(self.average.values()), [state[name] for name in self.average], 1 - keep)
        return loss.item()


def bridge_loss(network: BridgeNetwork, triplets: Tensor, generator: torch.Generator) -> Tensor:
    """Squared error of what is told of x_t − x0, for one of the two bridges of each triplet [B,3,Z,h,w]."""
    before, middle, after = triplets.unbind(1)
    count, device = len(triplets), triplets.device
    time_left = torch.rand(count, generator=generator).to(device)
    noise = torch.randn(2, *middle.shape, generator=generator).to(device)
    states = [on_bridge(middle, end, time_left, one) for end, one in zip((before, after), noise, strict=True)]
    later = torch.rand(count, generator=generator).to(device) < 0.5
    side = later.view(-1, 1, 1, 1)
    state, other = torch.where(side, states[1], states[0]), torch.where(side, states[0], states[1])
    signed = torch.where(later, time_left, -time_left)
    with torch.autocast(device.type, torch.bfloat16):
        told = network(state, other, torch.cat([before, after], dim=1), signed)
    weight = bridge_variance(time_left).clamp(min=LEAST_VARIANCE).rsqrt().clamp(max=MOST_WEIGHT)
    error = (told.float() - (state - middle)).square().flatten(1).mean(dim=1)
    return (weight * error).mean()


def learning_rate(progress: float, step: int) -> float:
    """Share of the peak rate: up over 200 steps, level, then down to nothing from `DECAY_FROM` on."""
    return min(1.0, (step + 1) / 200, max(0.0, 1 - progress) / (1 - DECAY_FROM))


def train(run: Run, triplets: LatentTriplets, unseen: Tensor, args: argparse.Namespace, path: Path) -> None:
    """Print a line every 100 steps, save every 3 minutes and at the end."""
    began, saved, losses = time.monotonic() - run.seconds, time.monotonic(), []
    while run.step < args.steps:
        batch = triplets.batch(random.Random(run.step), args.batch)
        losses.append(run.advance(batch, learning_rate(run.step / args.steps, run.step)))
        run.seconds = time.monotonic() - began
        if run.step % 100 == 0:
            said = {"step": run.step, "seconds": round(run.seconds), "loss": sum(losses) / len(losses)}
            print(json.dumps(said), flush=True)
            losses.clear()
        if time.monotonic() - saved > 180 or run.step == args.steps:
            run.save(path)
            saved = time.monotonic()
            with torch.no_grad():
                loss = bridge_loss(run.averaged(), unseen.to(run.device), torch.Generator().manual_seed(0))
            print(json.dumps({"step": run.step, "unseen": loss.item()}), flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    add = parser.add_argument
    add("--steps", type=int, default=20_000, help="training steps, over every call")
    add("--triplets", type=int, default=16_384, help="to learn from; their latents stay on disk")
    add("--batch", type=int, default=32)
    add("--width", type=int, default=48, help="channels of the network's first level")
    add("--threads", type=int, default=torch.get_num_threads())
    add("--vae", type=Path, default=VAE, help="gives the latents")
    add("--run", type=Path, default=Path("training/runs/cbb_vfi"), help="folder of latents and checkpoint")
    add("--export", action="store_true", help="write the weights and their card instead")
    add("--weights", type=Path, default=WEIGHTS, help="folder that gets them")
    args = parser.parse_args()
    torch.set_num_threads(args.threads)
    args.run.mkdir(parents=True, exist_ok=True)
    vae, network = fingerprint(args.vae), load_vae(args.vae, dtype=torch.float32)
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    checkpoint, config = args.run / "checkpoint.pt", BridgeConfig(network.facts.channels, args.width)
    run = Run.resume(checkpoint, device) if checkpoint.exists() else Run(config, vae, device)
    if (run.config, run.vae) != (config, vae):
        parser.error(
            f"the run so far is of {run.config} on the latents of autoencoder {run.vae}, asked for are "
            f"{config} and {vae}; ask for its own, or name another --run"
        )
    if args.export:
        command = (
            f"python -m kinograph.training.train_cbb_vfi --steps {run.step} --triplets {args.triplets} "
            f"--batch {args.batch}"
        )
        progress = run.step, run.seconds
        print(*export(run.averaged(), network, args.vae.stem, progress, command, args.weights), sep="\n")
        return
    triplets = LatentTriplets(args.run / "latents" / vae, network)
    for ready in triplets.load(args.triplets):
        print(json.dumps({"latents": ready, "of": args.triplets}), flush=True)
    unseen = triplet_latents(network, unseen_triplets(64))
    train(run, triplets, unseen, args, checkpoint)


if __name__ == "__main__":
    main()
