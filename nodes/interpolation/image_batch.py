"""Images with more in between, from the first to the last at even distances."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from typing import TYPE_CHECKING

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from ..video.recipe import Frame
from ..video.scene_cuts import DETECTION_WIDTH
from .in_between import in_between
from .instants import instants
from .links import Rules, linked
from .pairs import pairs
from .record import InterpolationRecord

if TYPE_CHECKING:
    from .pair_runner import PairRunner


class ImagePictures:
    """Of an IMAGE batch; see `nodes.interpolation.in_between.Pictures`."""

    def small(self, frame: Frame) -> np.ndarray:
        """uint8 RGB [H, W, 3], on black where it is transparent."""
        image = frame.image.float()
        colours = image[..., :3] * image[..., 3:] if image.shape[-1] == 4 else image
        height, width = colours.shape[:2]
        size = (max(1, round(height * DETECTION_WIDTH / width)), DETECTION_WIDTH)
        if width > DETECTION_WIDTH:
            colours = F.interpolate(colours.permute(2, 0, 1)[None], size, mode="area")[0].permute(1, 2, 0)
        return (colours.clamp(0, 1) * 255).round().byte().cpu().numpy()

    def tensor(self, frame: Frame) -> Tensor:
        """[1, 3 or 4, H, W]."""
        return frame.image.permute(2, 0, 1)[None].float()

    def picture(self, made: Tensor, like: Frame) -> Tensor:
        return made.permute(1, 2, 0)

    def blend(self, before: Frame, after: Frame, share: float) -> Tensor:
        return torch.lerp(before.image.float(), after.image.float(), share)


def interpolated_images(
    images: Tensor,
    count: int,
    rules: Rules,
    runner: PairRunner,
    record: InterpolationRecord,
    tick: Callable[[int], None] = lambda frames: None,
) -> Tensor:
    """`count` images, the first and the last as given, the others evenly between.

    Args:
        images: [B, H, W, 3 or 4] in 0..1; one image is repeated.
        rules: how cuts and repeats are found; its seconds are images here.
        tick: called with 1 after each image.

    Returns:
        [count, H, W, 3 or 4], where the given ones are.
    """
    step = Fraction(len(images) - 1, max(1, count - 1))
    pictures = ImagePictures()
    given = (Frame(image, Fraction(index)) for index, image in enumerate(images))
    found = record.of_pairs(pairs(linked(given, rules, pictures.small), rules.longest_hold))
    shown = instants(found, (index * step for index in range(count)))
    made = images.new_empty(count, *images.shape[1:])
    for index, frame in enumerate(in_between(shown, pictures, runner, record)):
        made[index] = frame.image
        tick(1)
    record.complete = True
    return made
