"""Frames in between of pictures with transparency, by a network that knows colours only.

The colours are interpolated as they lie on black, so that an outline moves with what it outlines; the matte
goes through the network as a grey picture of its own. Where both mattes are the same, it stays.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import torch
from torch import Tensor

from .pair_runner import Job, PairRunner, Picture

FAINT = 1 / 512
"""Below this opacity a colour cannot be told, and is given as it lies on black."""


class Layers(NamedTuple):
    """A frame ready for the network: colours, and where it is not opaque everywhere the matte.

    given: the matte as it was, [1, 1, H, W]; None without transparency.
    """

    colours: Picture
    matte: Picture | None
    given: Tensor | None


class Mixture(NamedTuple):
    """One frame to make: `share` of the way from one to another."""

    before: Layers
    after: Layers
    share: float


def layers(runner: PairRunner, image: Tensor) -> Layers:
    """From [1, 3 or 4, H, W] in 0..1, the fourth channel opacity."""
    if image.shape[1] == 3:
        return Layers(runner.picture(image), None, None)
    matte = image[:, 3:]
    return Layers(runner.picture(image[:, :3] * matte), runner.picture(matte.expand(-1, 3, -1, -1)), matte)


def mixed(runner: PairRunner, mixtures: Sequence[Mixture]) -> list[Tensor]:
    """Each frame as [3 or 4, H, W] float in 0..1, as its neighbours are."""
    jobs = [Job(one.before.colours, one.after.colours, one.share) for one in mixtures]
    moving = [one for one in mixtures if _matte_moves(one)]
    jobs += [Job(one.before.matte, one.after.matte, one.share) for one in moving]
    made = runner.between(jobs)
    mattes = iter(made[len(mixtures) :])
    return [_one_picture(colours, one, mattes) for colours, one in zip(made, mixtures, strict=False)]


def _matte_moves(mixture: Mixture) -> bool:
    before, after = mixture.before.given, mixture.after.given
    return before is not None and not torch.equal(before, after)


def _one_picture(colours: Tensor, mixture: Mixture, mattes: Iterator[Tensor]) -> Tensor:
    if mixture.before.given is None:
        return colours
    matte = next(mattes).mean(0, keepdim=True) if _matte_moves(mixture) else mixture.before.given[0]
    matte = matte.to(colours)
    straight = torch.where(matte > FAINT, colours / matte.clamp(min=FAINT), colours)
    return torch.cat([straight.clamp(0, 1), matte])
