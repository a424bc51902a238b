"""A video's pictures as a network takes and gives them, the film's own format around it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..video.blend import blended
from ..video.pixels import (
    Converter,
    copy_colour,
    frames_of_images,
    has_alpha,
    images_of_frames,
    is_plain,
    rgb_format,
)
from ..video.recipe import Frame, VideoSpec
from ..video.scene_cuts import detection_size

if TYPE_CHECKING:
    import av
    import numpy as np
    from torch import Tensor


class VideoPictures:
    """For one pull of a video; see `nodes.interpolation.in_between.Pictures`."""

    def __init__(self, spec: VideoSpec) -> None:
        self._format = spec.pixel_format
        self._rgb = rgb_format(self._format)
        self._transparent = has_alpha(self._rgb)
        self._to_small = Converter(*detection_size(spec), "rgba" if self._transparent else "rgb24", "area")
        self._to_rgb = Converter(pixel_format=self._rgb)
        self._to_given = Converter(pixel_format=self._format)

    def small(self, frame: Frame) -> np.ndarray:
        """uint8 RGB [H, W, 3], on black where it is transparent."""
        small = self._to_small(frame.image).to_ndarray()
        if not self._transparent:
            return small
        return (small[..., :3] * (small[..., 3:] / 255)).astype(small.dtype)

    def tensor(self, frame: Frame) -> Tensor:
        """[1, 3 or 4, H, W] in 0..1."""
        return images_of_frames([self._to_rgb(frame.image)]).permute(0, 3, 1, 2)

    def picture(self, made: Tensor, like: Frame) -> av.VideoFrame:
        """In the video's format, with the colour tags of a frame beside it."""
        (rgb,) = frames_of_images(made.permute(1, 2, 0)[None], self._rgb)
        return self._to_given(copy_colour(like.image, rgb))

    def blend(self, before: Frame, after: Frame, share: float) -> av.VideoFrame:
        """A mix, or the nearer one where the format's samples cannot be mixed."""
        if is_plain(self._format):
            return blended(before.image, after.image, share)
        return before.image if share <= 0.5 else after.image
