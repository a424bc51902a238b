"""VFIMamba and VFIMamba-S: frames between two, by state-space scans over both.

Source: Zhang et al., "VFIMamba: Video Frame Interpolation with State Space Models", NeurIPS 2024. A network
of ComfyUI's INTERP_MODEL protocol, in the published weights' names. Convolutions and projections take the
weights' dtype; scans, flow and warping take float32. Shapes: B pairs, H×W pixels.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import NamedTuple

import torch
from torch import Tensor, nn

from .halving import Halving, Moment
from .vfimamba_features import FRAME_STAGES, Both, PairFeatures
from .vfimamba_flow import (
    CoarseHead,
    LocalBlock,
    RefiningUNet,
    resized,
    resized_flow,
    warped_features,
    warped_pair,
)

HALF = 0.5
LOCAL_SHRINKS = 2, 1
NUMBERS_OF_A_PIXEL = 25
"""In memory at a time, for each channel of the first stage; measured, 20 to 25."""


class Sizes(NamedTuple):
    """What differs between VFIMamba (width 32) and VFIMamba-S (16).

    width: channels of the features at full size.
    depths: convolutions of the first three stages, mixed blocks of the other two.
    """

    width: int
    depths: tuple[int, ...] = (2, 2, 2, 3, 3)


class Pair(NamedTuple):
    """Two frames, [B,3,H,W] float32 each, and both one's features, stage by stage."""

    first: Tensor
    second: Tensor
    features: Sequence[Both]


class Motion(NamedTuple):
    """From a frame between two to both: flow [B,4,H,W] in pixels, mask [B,1,H,W]; float32."""

    flow: Tensor
    mask: Tensor

    def plus(self, flow: Tensor, mask: Tensor) -> Motion:
        """With a correction."""
        return Motion(self.flow + flow, self.mask + mask)

    def followed_to(self, share: float) -> Motion:
        """The middle frame's, taken for steady, as that of a frame at another share of the way."""
        to_first, to_second = self.flow.split(2, 1)
        return Motion(torch.cat([to_first * (share / HALF), to_second * ((1 - share) / HALF)], 1), self.mask)


class VFIMamba(nn.Module):
    """A frame between two, [B,3,H,W] each in 0..1, at any time between them.

    The published weights were trained on middle frames alone, so other times are come at by halving
    (`Halving`).

    Args:
        any_time: the weights were trained on other times too, and get the time itself.
    """

    pad_align = 16
    """What sides of frames must be multiples of, at a scale of 1; at others, divided by the scale."""

    def __init__(self, sizes: Sizes, *, any_time: bool = False) -> None:
        super().__init__()
        self.sizes, self.any_time = sizes, any_time
        width, stages = sizes.width, len(sizes.depths)
        self.feature_bone = PairFeatures(width, sizes.depths)
        self.block = nn.ModuleList(
            CoarseHead(width << stage, 18 if index else 7, 4 * width, 1 << stage)
            for index, stage in enumerate(reversed(range(FRAME_STAGES, stages)))
        )
        self.local_block = nn.ModuleList(LocalBlock(4 * width, shrink) for shrink in LOCAL_SHRINKS)
        self.unet = RefiningUNet(width)

    @property
    def told(self) -> str:
        """Its name, for the user."""
        return "VFIMamba-S" if self.sizes.width < 32 else "VFIMamba"

    @property
    def convolution_dtype(self) -> torch.dtype:
        """The weights'."""
        return self.unet.conv.weight.dtype

    def get_dtype(self) -> torch.dtype:
        """In which frames are wanted: they are warped in it, whatever the weights' dtype."""
        return torch.float32

    def memory_used_forward(self, shape: Sequence[int], dtype: torch.dtype) -> int:
        """Bytes that one frame in between takes while it is made, for frames [N,H,W,C]."""
        numbers = NUMBERS_OF_A_PIXEL * self.sizes.width
        return numbers * self.convolution_dtype.itemsize * shape[1] * shape[2]

    def extract_features(self, image: Tensor) -> list[Tensor]:
        """What depends on one frame [B,3,H,W] only: the first three stages."""
        return self.feature_bone.of_frames(image.to(self.convolution_dtype))

    def forward(
        self,
        img0: Tensor,
        img1: Tensor,
        timestep: Tensor | float = HALF,
        cache: Mapping[str, list[Tensor]] | None = None,
        scale: float = 1.0,
    ) -> Tensor:
        """The frame at `timestep`.

        Args:
            img0, img1: [B,3,H,W] in 0..1.
            timestep: between 0 and 1: a number, or [B], [B,1,1,1] or [B,1,H,W], the same all over a frame.
            cache: `extract_features` of either frame as "img0" and "img1", for each pair or one for all.
            scale: of the frames in which motion is looked for; 0.5 suits 2K and 0.25 suits 4K.

        Raises:
            ValueError: the sides of the frames are no multiples of `pad_align` / scale.
        """
        if not torch.is_tensor(timestep):
            return self.forward_multi_timestep(img0, img1, [timestep], cache, scale)
        times = timestep.reshape(len(img0), -1)[:, 0].tolist()
        if len(set(times)) == 1:
            return self.forward_multi_timestep(img0, img1, times[:1], cache, scale)
        known = {key: _for_each(features, len(img0)) for key, features in (cache or {}).items()}
        made = []
        for at, time in enumerate(times):
            one = slice(at, at + 1)
            own = {key: [x[one] for x in features] for key, features in known.items()}
            made.append(self.forward_multi_timestep(img0[one], img1[one], [time], own, scale))
        return torch.cat(made)

    def forward_multi_timestep(
        self,
        img0: Tensor,
        img1: Tensor,
        timesteps: Sequence[float],
        cache: Mapping[str, list[Tensor]] | None = None,
        scale: float = 1.0,
    ) -> Tensor:
        """The frames of several times; as `forward`, [times·B,3,H,W], time by time."""
        self._check(img0, scale)
        cache = cache or {}
        first, last = Moment(0.0, img0, cache.get("img0")), Moment(1.0, img1, cache.get("img1"))
        pair = lru_cache(maxsize=1)(self._pair)  # several times often lie between the same two frames

        @lru_cache(maxsize=1)
        def motion(before: Moment, after: Moment, time: float) -> Motion:
            return self.motion(pair(before, after), time, scale)

        def between(before: Moment, after: Moment, share: float) -> Tensor:
            if self.any_time:
                found = motion(before, after, share)
            else:
                found = motion(before, after, HALF).followed_to(share)
            return self.blend(pair(before, after), found).to(img0.dtype)

        made = between if self.any_time else Halving(between).frame
        return torch.cat([made(first, last, time) for time in timesteps])

    def _check(self, image: Tensor, scale: float) -> None:
        height, width = image.shape[2:]
        if height * scale % self.pad_align or width * scale % self.pad_align:
            raise ValueError(
                f"frames of {width}×{height} pixels; VFIMamba at a scale of {scale:g} needs sides that are "
                f"multiples of {self.pad_align / scale:g}: pad the frames"
            )

    def _pair(self, before: Moment, after: Moment) -> Pair:
        for moment in (before, after):
            if moment.found is None:
                moment.found = self.extract_features(moment.picture)
        found = (_for_each(moment.found, len(before.picture)) for moment in (before, after))
        features = self.feature_bone.of_pairs(*found)
        return Pair(before.picture.float(), after.picture.float(), features)

    def motion(self, pair: Pair, time: float, scale: float = 1.0) -> Motion:
        """From the frame at a time to a pair, looked for in frames of `scale` times the size first."""
        if scale == 1:
            return self._corrected(pair, self._coarse_motion(pair, time))
        smaller = [resized(image, scale) for image in (pair.first, pair.second)]
        features = self.feature_bone.of_pairs(*map(self.extract_features, smaller))
        flow, mask = self._coarse_motion(Pair(*smaller, features), time)
        return self._corrected(pair, Motion(resized_flow(flow, 1 / scale), resized(mask, 1 / scale)))

    def _coarse_motion(self, pair: Pair, time: float) -> Motion:
        """From the features of both frames, the smallest first."""
        images = pair.first, pair.second
        when = torch.full_like(pair.first[:, :1], time)
        seen, motion = torch.cat([*images, when], 1), None
        for head, stage in zip(self.block, reversed(pair.features[FRAME_STAGES:]), strict=True):
            change = head(torch.cat(stage, 1), seen, motion and motion.flow)
            motion = motion.plus(*change) if motion else Motion(*change)
            seen = torch.cat([*images, *warped_pair(*images, motion.flow), motion.mask, when], 1)
        return motion

    def _corrected(self, pair: Pair, motion: Motion) -> Motion:
        """Where the warped frames do not agree."""
        images = pair.first, pair.second
        for block in self.local_block:
            seen = torch.cat([*images, *warped_pair(*images, motion.flow), motion.mask], 1)
            motion = motion.plus(*block(seen, motion.flow))
        return motion

    def blend(self, pair: Pair, motion: Motion) -> Tensor:
        """The warped frames, mixed as the mask says and repaired, [B,3,H,W] in 0..1."""
        images, (flow, mask) = (pair.first, pair.second), motion
        warped = warped_pair(*images, flow)
        lacking = self.unet(
            torch.cat([*images, *warped, mask], 1), flow, warped_features(pair.features, flow)
        )
        return (torch.lerp(warped[1], warped[0], mask.sigmoid()) + lacking).clamp(0, 1)


def _for_each(features: Sequence[Tensor], pairs: int) -> list[Tensor]:
    """Features of one frame for several pairs, or as they are."""
    return [x.expand(pairs, -1, -1, -1) for x in features]
