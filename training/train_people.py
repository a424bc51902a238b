"""Train the judge of the human-aware loss terms on procedural clips.

    python -m kinograph.training.train_people

Writes its weights every three minutes and at the end; a thousand steps take some ten minutes on two cores.
"""

from __future__ import annotations

import argparse
import json
import time
from pathlib import Path

import torch
from safetensors.torch import save_file
from torch import Tensor
from torch.nn import functional as F

from .people import PeopleNetwork, Seen, seen
from .vae_clips import FIRST_UNSEEN_SEED

PEAK_RATE = 2e-3
SPOTS = 20.0
"""Weight of the heatmaps, nearly all of which is 0."""


def batch(first_seed: int, count: int) -> Seen:
    """Pictures of consecutive seeds, [B,…] each."""
    return Seen(
        *(torch.stack(part) for part in zip(*map(seen, range(first_seed, first_seed + count)), strict=True))
    )


def people_loss(network: PeopleNetwork, given: Seen) -> Tensor:
    """Cross entropy of the segments and squared error of the heatmaps."""
    segments, heatmaps = network(given.picture)
    entropy = F.binary_cross_entropy_with_logits(segments, given.segments)
    return entropy + SPOTS * F.mse_loss(heatmaps, given.heatmaps)


def train(network: PeopleNetwork, steps: int, size: int, path: Path) -> None:
    """Print a line every 50 steps."""
    optimizer = torch.optim.AdamW(network.parameters(), lr=PEAK_RATE)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, PEAK_RATE, total_steps=steps)
    unseen, saved = batch(FIRST_UNSEEN_SEED, 32), time.monotonic()
    for step in range(steps):
        loss = people_loss(network, batch(step * size, size))
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        optimizer.step()
        schedule.step()
        if step % 50 == 0 or step + 1 == steps:
            with torch.no_grad():
                found = people_loss(network, unseen).item()
            print(json.dumps({"step": step, "loss": loss.item(), "unseen": found}), flush=True)
        if time.monotonic() - saved > 180 or step + 1 == steps:
            save_file(network.state_dict(), path)
            saved = time.monotonic()


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    add = parser.add_argument
    add("--steps", type=int, default=1000)
    add("--batch", type=int, default=32)
    add("--width", type=int, default=24, help="channels of the network's first level")
    add("--out", type=Path, default=Path("training/runs/people.safetensors"))
    args = parser.parse_args()
    args.out.parent.mkdir(parents=True, exist_ok=True)
    torch.manual_seed(0)
    train(PeopleNetwork(args.width), args.steps, args.batch, args.out)


if __name__ == "__main__":
    main()
