"""What a RIFE 4.x network is made of, read off its weights: which of the published versions it is.

Versions that share a structure cannot be told apart, and need not be: only their numbers differ.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from torch import Tensor

FRAMES_AND_TIME = 7
"""Channels that the first block sees beside features: two pictures and the time."""
LATER = 12
"""Channels that later blocks see beside features and state: two pictures, time, mask and a flow both ways."""
COARSE_LEVELS = {(192, 128, 96, 64, 24): (32, 16, 8, 4, 1)}
"""Widths of networks whose blocks lie further apart than a factor of two."""


@dataclass(frozen=True)
class RifeConfig:
    """Structure of the network; the defaults are those of 4.6.

    Attributes:
        widths: channels of each block, the coarsest first.
        levels: how many pixels of the picture, per side, are one pixel of a block's.
        features: channels of the features that a head takes from each frame; 0 without a head.
        head: channels of the head's layers.
        head_layers: 2 or 4.
        state: channels that blocks hand on beside flow and mask.
        groups: of the blocks' inner convolutions.
        residual: whether these add to what they see.
        prelu: whether slopes are trained, the whole of a block's convolutions adds to what they see, and a
            large motion makes it start again on coarser levels.
        shuffles: whether blocks unfold their last channels into pixels.
    """

    widths: tuple[int, ...] = (192, 128, 96, 64)
    levels: tuple[int, ...] = (8, 4, 2, 1)
    features: int = 0
    head: int = 0
    head_layers: int = 0
    state: int = 0
    groups: int = 1
    residual: bool = True
    prelu: bool = False
    shuffles: bool = True

    @property
    def adds_masks(self) -> bool:
        """Whether each block corrects the mask, and not only the flow; later versions make it anew."""
        return not self.features

    @property
    def first_channels(self) -> int:
        """Channels that the first block sees."""
        return FRAMES_AND_TIME + 2 * self.features

    @property
    def later_channels(self) -> int:
        """Channels that the other blocks see."""
        return LATER + 2 * self.features + self.state

    @classmethod
    def of(cls, weights: Mapping[str, Tensor]) -> RifeConfig:
        """Read the structure off weights in the published key layout.

        Raises:
            KeyError: they are incomplete.
        """
        blocks = sum(f"block{index}.conv0.0.0.weight" in weights for index in range(len(weights)))
        widths = tuple(len(weights[f"block{index}.conv0.1.0.weight"]) for index in range(blocks))
        levels = COARSE_LEVELS.get(widths, tuple(2**index for index in reversed(range(blocks))))
        residual = "block0.convblock.0.beta" in weights
        inner = weights["block0.convblock.0.conv.weight" if residual else "block0.convblock.0.0.weight"]
        first, later = (weights[f"block{index}.conv0.0.0.weight"].shape[1] for index in (0, 1))
        features = (first - FRAMES_AND_TIME) // 2
        return cls(
            widths=widths,
            levels=levels,
            features=features,
            state=later - LATER - 2 * features,
            groups=widths[0] // inner.shape[1],
            residual=residual,
            prelu="block0.conv0.0.1.weight" in weights,
            shuffles="block0.lastconv.0.weight" in weights,
            **_head(weights),
        )

    @property
    def versions(self) -> str:
        """The published versions of this structure; "unpublished" where it is of none."""
        return next((name for name, known in VERSIONS.items() if known == self), "of no published version")


def _head(weights: Mapping[str, Tensor]) -> dict[str, int]:
    for key, layers in (("encode.cnn0.weight", 4), ("encode.0.weight", 2)):
        if key in weights:
            return {"head": len(weights[key]), "head_layers": layers}
    return {}


_PLAIN = RifeConfig()
_FEATURES = replace(_PLAIN, features=8, head=32, head_layers=4)
_LITE = replace(_PLAIN, widths=(128, 96, 64, 48), features=4, head_layers=4)
_STATE = replace(_FEATURES, widths=(256, 192, 96, 48), state=8)
_FIVE = RifeConfig(
    widths=(192, 128, 96, 64, 32), levels=(16, 8, 4, 2, 1), features=4, head=16, head_layers=4, state=8
)
VERSIONS: dict[str, RifeConfig] = {
    "4.0–4.1": replace(_PLAIN, residual=False, prelu=True, shuffles=False),
    "4.2–4.4": replace(_PLAIN, residual=False, shuffles=False),
    "4.5–4.6": _PLAIN,
    "4.7–4.9": replace(_PLAIN, features=4, head=16, head_layers=2),
    "4.10–4.19, 4.24": _FEATURES,
    "4.12 lite, 4.13 lite": replace(_LITE, head=32),
    "4.14 lite": replace(_FEATURES, groups=2),
    "4.15 lite–4.17 lite": replace(_LITE, head=16),
    "4.20": replace(_FEATURES, widths=(384, 192, 96, 48)),
    "4.21–4.23": _STATE,
    "4.22 lite": replace(_STATE, widths=(192, 128, 64, 32), features=4, head=16),
    "4.25, 4.26": _FIVE,
    "4.25 lite": replace(_FIVE, widths=(192, 128, 96, 64, 24), levels=(32, 16, 8, 4, 1)),
    "4.25 heavy": replace(_FIVE, widths=(384, 256, 192, 128, 64)),
    "4.26 heavy": replace(_FIVE, features=16),
}
"""Published versions, those of one structure together."""
