"""RIFE 4.x (Huang et al. 2022, weights of 2022 to 2024): a frame at any time between two, by their motion.

Blocks from coarse to fine each correct the flow from the frame in between to both of its neighbours, and a
mask that says which of the two, moved along the flow, shows each pixel. The result is
mask · warp(frame 0, flow 0) + (1 - mask) · warp(frame 1, flow 1).

Frames are warped only where a block looks: at level 8 that sees the means of 2 × 2 pixels, one for every
8 × 8 of them. What blocks hand on stays at their level. `rife_reference` has the published, plain way.
Convolutions take the weights' dtype, channels last; flow and warping take float32.

Shapes: B pairs, H × W pixels, F channels of features, S of the state that blocks hand on, L a block's level.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import NamedTuple

import torch
from torch import Tensor, nn

from ...kernels.channels_last import channels_last
from ...kernels.warp.dispatch import warp
from .rife_blocks import Block, head
from .rife_config import RifeConfig
from .sizes import enlarged, resized, shrunk

LARGE_MOTION = 32
"""Pixels by which the second block corrects the flow of a motion that 4.0 starts again for."""
MARGIN = 1.15
"""On the memory that tensors take, for what convolutions need out of sight."""
SCALES = (0.25, 0.5, 1.0, 2.0, 4.0)


class _Pairs(NamedTuple):
    """What is known of pairs of frames.

    sources: [2B,3+F,H,W] float32, each frame with its features, those of a pair one after the other.
    time: [B,1,H,W] float32.
    """

    sources: Tensor
    time: Tensor


@dataclass
class _Guess:
    """What the blocks so far make of it.

    flow: [B,4,H,W] float32 in pixels, from the frame in between to frame 0 and to frame 1.
    rest: [B,1+S,H/level,W/level] float32, the mask (before its sigmoid) and the state.
    """

    flow: Tensor
    rest: Tensor
    level: float


class Rife(nn.Module):
    """The network, in ComfyUI's protocol for INTERP_MODEL; `rife_load` makes one of weights."""

    def __init__(self, config: RifeConfig) -> None:
        super().__init__()
        self.config = config
        for index, width in enumerate(config.widths):
            seen = config.later_channels if index else config.first_channels
            setattr(self, f"block{index}", Block(seen, width, config))
        if config.features:
            self.encode = head(config)

    @property
    def blocks(self) -> list[Block]:
        """From coarse to fine."""
        return [getattr(self, f"block{index}") for index in range(len(self.config.widths))]

    @property
    def told(self) -> str:
        """Name and version, for the user."""
        return f"RIFE {self.config.versions}"

    @property
    def convolution_dtype(self) -> torch.dtype:
        """The weights'."""
        return self.block0.lastconv.weight.dtype

    def get_dtype(self) -> torch.dtype:
        """In which frames are wanted: they are warped in it, whatever the weights' dtype."""
        return torch.float32

    @property
    def pad_align(self) -> int:
        """Of what the sides of frames must be multiples."""
        return self.pad_align_at(1.0)

    def pad_align_at(self, scale: float) -> int:
        """The same for a `scale` of `forward`."""
        coarsest = 4 * self.config.levels[0] * (2 if self.config.prelu else 1)
        return max(coarsest, int(coarsest / scale))

    def memory_used_forward(self, shape: tuple[int, ...], dtype: torch.dtype) -> int:
        """Bytes that one frame in between takes while it is made, for frames [N,H,W,C]."""
        return self.bytes_per_pixel * shape[1] * shape[2]

    @property
    def bytes_per_pixel(self) -> int:
        """Memory of a forward, per pixel of a pair: fitted to what the published versions take."""
        config, size = self.config, self.convolution_dtype.itemsize
        taken = 113 + 21 * size + (22 + 2 * size) * config.features + 10 * config.state
        return int(MARGIN * taken)

    def extract_features(self, img: Tensor) -> Tensor:
        """Features [B,F,H,W] float32 of frames [B,3,H,W] in 0..1, to be kept for both pairs of a frame."""
        if not self.config.features:
            return img[:, :0].float()
        frames = channels_last(img.clamp(0, 1).to(self.convolution_dtype))
        return self.encode(frames).float().contiguous()

    def forward(
        self,
        img0: Tensor,
        img1: Tensor,
        timestep: float | Tensor = 0.5,
        cache: Mapping[str, Tensor] | None = None,
        scale: float = 1.0,
    ) -> Tensor:
        """Frames in between.

        Args:
            img0, img1: [B,3,H,W] in 0..1, their sides multiples of `pad_align_at(scale)`.
            timestep: how far from frame 0 to frame 1, 0 to 1: a number, or [B], [B,1,1,1] or [B,1,H,W].
            cache: features of the frames by "img0" and "img1", [1,F,H,W] or [B,F,H,W], as
                `extract_features` gives them.
            scale: one of `SCALES`; below 1 motion is sought in smaller pictures, for large motion or 4K.

        Returns:
            [B,3,H,W] in img0's dtype.

        Raises:
            ValueError: the frames' sides or `scale` do not fit.
        """
        self._check(img0, scale)
        pairs = self._pairs(img0, img1, timestep, cache or {})
        levels = tuple(_whole(level / scale) for level in self.config.levels)
        if not self.config.prelu:
            return self._shown(pairs, self._guessed(pairs, levels)).to(img0.dtype)
        each = zip(pairs.sources.split(2), pairs.time.split(1), strict=True)
        single = [_Pairs(*one) for one in each]  # which decides for itself whether its motion is large
        made = [self._shown(one, self._guessed(one, levels, restarts=True)) for one in single]
        return torch.cat(made).to(img0.dtype)

    def _check(self, frames: Tensor, scale: float) -> None:
        if scale not in SCALES:
            raise ValueError(f"a scale of {scale} is not possible; choose one of {SCALES}")
        height, width = frames.shape[2:]
        align = self.pad_align_at(scale)
        if height % align or width % align:
            raise ValueError(
                f"frames of {width} × {height} pixels do not fit {self.told} at scale "
                f"{scale}; pad their sides to multiples of {align}"
            )

    def _pairs(
        self, img0: Tensor, img1: Tensor, timestep: float | Tensor, cache: Mapping[str, Tensor]
    ) -> _Pairs:
        b, _, h, w = img0.shape
        planes = []
        for name, image in (("img0", img0), ("img1", img1)):
            features = cache[name] if name in cache else self.extract_features(image)
            planes += [image.float().clamp(0, 1), features.float().expand(b, -1, -1, -1)]
        sources = torch.cat(planes, 1).unflatten(1, (2, -1)).flatten(0, 1)
        time = torch.as_tensor(timestep, dtype=torch.float32, device=img0.device)
        time = time if time.dim() == 4 else time.view(-1, 1, 1, 1)
        return _Pairs(sources, time.expand(b, 1, h, w))

    def _guessed(self, pairs: _Pairs, levels: tuple[float, ...], restarts: bool = False) -> _Guess:
        """What the blocks make of pairs; where it `restarts`, on coarser levels when the motion is large."""
        guess = None
        for index, (level, block) in enumerate(zip(levels, self.blocks, strict=True)):
            made = block(self._seen(pairs, guess, level))
            made_at = level if self.config.shuffles else 2 * level
            change = enlarged(made[:, :4] * made_at, made_at)
            if restarts and index == 1 and _is_large(change):
                return self._guessed(pairs, tuple(2 * level for level in levels))
            guess = self._corrected(guess, change, made[:, 4:], made_at)
        return guess

    def _corrected(self, guess: _Guess | None, change: Tensor, rest: Tensor, level: float) -> _Guess:
        """The guess after a block: `change` of the flow, and mask and state at a level."""
        if self.config.adds_masks or level < 1:
            rest, level = enlarged(rest, level), 1
        if guess is None:
            return _Guess(change, rest, level)
        return _Guess(
            change.add_(guess.flow), rest.add_(guess.rest) if self.config.adds_masks else rest, level
        )

    def _seen(self, pairs: _Pairs, guess: _Guess | None, level: float) -> Tensor:
        """What a block is given, [B,C,H/level,W/level] in the convolutions' dtype, channels last."""
        b, _, h, w = pairs.time.shape
        channels = self.config.first_channels if guess is None else self.config.later_channels
        sides = (int(h / level), int(w / level))
        whole = pairs.sources.new_empty(b, channels, *sides, dtype=self.convolution_dtype)
        filled = 0
        for part in _parts(pairs, guess, level):
            whole[:, filled : filled + part.shape[1]] = part
            filled += part.shape[1]
        return channels_last(whole)

    def _shown(self, pairs: _Pairs, guess: _Guess) -> Tensor:
        """[B,3,H,W] float32."""
        both = warp(pairs.sources[:, :3], _per_frame(guess.flow)).unflatten(0, (-1, 2))
        mask = enlarged(guess.rest[:, :1], guess.level).sigmoid()
        return torch.lerp(both[:, 1], both[:, 0], mask)


def _whole(level: float) -> float:
    return int(level) if level >= 1 else level


def _is_large(change: Tensor) -> bool:
    return all(part.abs().max() > LARGE_MOTION for part in change.split(2, 1))


def _per_frame(flow: Tensor) -> Tensor:
    """[B,4,H,W] → [2B,2,H,W], in the order of the sources."""
    return flow.unflatten(1, (2, 2)).flatten(0, 1)


def _parts(pairs: _Pairs, guess: _Guess | None, level: float) -> Iterator[Tensor]:
    """What blocks see, one after another so that little is held: [B,C,H/level,W/level] float32 each."""
    if guess is None:
        yield from _by_kind(shrunk(pairs.sources, level))
        yield shrunk(pairs.time, level)
        return
    yield from _by_kind(_warped_at(pairs.sources, guess.flow, level))
    yield shrunk(pairs.time, level)
    yield resized(guess.rest, guess.level, level)
    yield shrunk(guess.flow, level) / level


def _by_kind(sources: Tensor) -> list[Tensor]:
    """[2B,3+F,H,W] → both frames, then the features of both, [B,3,H,W] and [B,F,H,W] each."""
    pairs = sources.unflatten(0, (-1, 2))
    return [pairs[:, 0, :3], pairs[:, 1, :3], pairs[:, 0, 3:], pairs[:, 1, 3:]]


def _warped_at(sources: Tensor, flow: Tensor, level: float) -> Tensor:
    """Warp [2B,C,H,W] and shrink to [2B,C,H/level,W/level]; pixels that shrinking skips are not warped."""
    both = _per_frame(flow)
    if level < 4:
        return shrunk(warp(sources, both), level)
    rows, columns = (_centres(length, level, flow.device) for length in flow.shape[2:])
    wanted = both.index_select(2, rows).index_select(3, columns)
    return shrunk(warp(sources, wanted, rows.float(), columns.float()), 2)


def _centres(length: int, level: int, device: torch.device) -> Tensor:
    """Of every `level` pixels the two in the middle, which are all that bilinear shrinking reads."""
    before = torch.arange(level // 2 - 1, length, level, device=device)
    return torch.stack((before, before + 1), 1).flatten()
