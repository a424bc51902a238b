"""Train a RIFE further on procedural clips, with an eye for people.

    python -m kinograph.training.train_interpolation rife_4.14.safetensors --people people.safetensors

The loss is that of SportsSloMo's baselines, Charbonnier and a tenth of a census loss, with its two
human-aware terms where `--people` names a network of `train_people`. The weights are written in the published
layout, every three minutes and at the end, so that any program that runs RIFE takes them, this one too.
"""

from __future__ import annotations

import argparse
import json
import random
import time
from collections.abc import Mapping
from pathlib import Path

import torch
from safetensors.torch import save_file
from torch import Tensor, nn
from torch.nn import functional as F

from ..nodes.evaluation.human_loss import KEYPOINTS, SEGMENTATION, HumanAwareLoss, HumanTerms
from ..nodes.evaluation.quality import psnr
from ..nodes.interpolation.ncnn_weights import read_weights_or_ncnn
from ..nodes.interpolation.rife import Rife
from ..nodes.interpolation.rife_layouts import to_published, unfolded
from ..nodes.interpolation.rife_load import rife
from .bridge_clips import triplet_pixels, unseen_triplets
from .people import Answer, load_people

CENSUS = 0.1
"""Weight of the census loss."""
REACH = 3
"""Of its patches, in pixels around each one."""
WARM_UP = 100
"""Steps until the learning rate is reached: the optimizer knows nothing of the weights yet."""
LUMA = (0.299, 0.587, 0.114)


def own_loss(made: Tensor, true: Tensor) -> Tensor:
    """Of frames [B,3,H,W] in 0..1: Charbonnier, and census with its weight."""
    return ((made - true).square() + 1e-6).sqrt().mean() + CENSUS * census_loss(made, true)


def census_loss(made: Tensor, true: Tensor) -> Tensor:
    """How differently pixels stand out from their neighbours (Meister et al., "UnFlow", 2018); no matter how
    bright all of them are."""
    apart = (_census(made) - _census(true)).square()
    return (apart / (0.1 + apart)).mean()


def _census(frames: Tensor) -> Tensor:
    """Each pixel's 48 neighbours' differences, soft signs: [B,3,H,W] → [B,49,H−6,W−6]."""
    luma = torch.tensor(LUMA).to(frames).view(1, 3, 1, 1)
    grey = (frames * luma).sum(dim=1, keepdim=True) * 255
    side = 2 * REACH + 1
    patches = F.unfold(grey, side).unflatten(2, (grey.shape[2] - 2 * REACH, grey.shape[3] - 2 * REACH))
    apart = patches - grey[:, :, REACH:-REACH, REACH:-REACH]
    return apart / (0.81 + apart.square()).sqrt()


def in_the_middle(network: Rife, before: Tensor, after: Tensor) -> Tensor:
    """The frame half way between two [B,3,H,W], whatever their size."""
    height, width = before.shape[2:]
    right, below = -width % network.pad_align, -height % network.pad_align
    ends = [F.pad(end, (0, right, 0, below), mode="replicate") for end in (before, after)]
    return network(*ends, timestep=0.5)[..., :height, :width]


class Tuning:
    """A RIFE that is trained further.

    Args:
        published: its weights under the published keys.
    """

    def __init__(
        self, network: Rife, published: Mapping[str, Tensor], judge: HumanAwareLoss, rate: float
    ) -> None:
        self.network, self.published, self.judge = network.float().requires_grad_(True), published, judge
        self.optimizer = torch.optim.AdamW(self.network.parameters(), lr=rate, weight_decay=1e-4)
        self.warm_up = torch.optim.lr_scheduler.LinearLR(self.optimizer, 1 / WARM_UP, total_iters=WARM_UP)

    @classmethod
    def of(cls, model: Path, judge: HumanAwareLoss, rate: float) -> Tuning:
        """From a file in any layout that Load Interpolation Model takes."""
        weights = read_weights_or_ncnn(model)
        return cls(rife(weights), to_published(weights.tensors), judge, rate)

    def advance(self, triplets: Tensor) -> tuple[float, HumanTerms]:
        """One step on [B,3 pictures,3,H,W] in 0..1; returns its own loss and the human terms."""
        before, true, after = triplets.unbind(1)
        made = in_the_middle(self.network, before, after)
        own, terms = own_loss(made, true), self.judge(made, true)
        self.optimizer.zero_grad(set_to_none=True)
        (own + sum(terms)).backward()
        nn.utils.clip_grad_norm_(self.network.parameters(), 1.0, error_if_nonfinite=True)
        self.optimizer.step()
        self.warm_up.step()
        return own.item(), terms

    @torch.no_grad()
    def decibels(self, triplets: Tensor) -> float:
        """Mean PSNR of the frames in the middle."""
        before, true, after = triplets.unbind(1)
        return psnr(in_the_middle(self.network, before, after), true).mean().item()

    def save(self, path: Path) -> None:
        made = unfolded(self.network.state_dict(), self.published, self.network.config)
        save_file({key: tensor.contiguous() for key, tensor in made.items()}, path)


def drawn(step: int, size: int) -> Tensor:
    """The triplets of a step, a half of them backwards: [B,3,3,H,W] in 0..1."""
    triplets = (triplet_pixels(range(step * size, (step + 1) * size)) + 1) / 2
    chance = random.Random(step)
    back = torch.tensor([chance.random() < 0.5 for _ in range(size)])
    triplets[back] = triplets[back].flip(1)
    return triplets


def judge_of(people: Path | None, segmentation: float, keypoints: float) -> HumanAwareLoss:
    """The human-aware terms by a network of `train_people`; without one there are none."""
    if people is None:
        return HumanAwareLoss(None, None)
    network = load_people(people)
    return HumanAwareLoss(Answer(network, 0), Answer(network, 1), segmentation, keypoints)


def train(tuning: Tuning, steps: int, size: int, path: Path) -> None:
    """Print a line every 50 steps."""
    unseen, saved = (unseen_triplets(32) + 1) / 2, time.monotonic()
    print(json.dumps({"step": 0, "unseen_db": tuning.decibels(unseen)}), flush=True)
    for step in range(1, steps + 1):
        own, terms = tuning.advance(drawn(step, size))
        if step % 50 == 0 or step == steps:
            said = {"own": own, **{name: term.item() for name, term in terms._asdict().items()}}
            print(json.dumps({"step": step, **said, "unseen_db": tuning.decibels(unseen)}), flush=True)
        if time.monotonic() - saved > 180 or step == steps:
            tuning.save(path)
            saved = time.monotonic()


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    add = parser.add_argument
    add("model", type=Path, help="weights to begin with, RIFE 4.0 to 4.26")
    add("--people", type=Path, help="a network of train_people, for the human-aware terms")
    add("--segmentation", type=float, default=SEGMENTATION, help="weight of the term of segments")
    add("--keypoints", type=float, default=KEYPOINTS, help="weight of the term of keypoints")
    add("--steps", type=int, default=1000)
    add("--batch", type=int, default=8)
    add("--rate", type=float, default=1e-5, help="learning rate")
    add("--out", type=Path, default=Path("training/runs/rife.safetensors"))
    args = parser.parse_args()
    args.out.parent.mkdir(parents=True, exist_ok=True)
    judge = judge_of(args.people, args.segmentation, args.keypoints)
    train(Tuning.of(args.model, judge, args.rate), args.steps, args.batch, args.out)


if __name__ == "__main__":
    main()
