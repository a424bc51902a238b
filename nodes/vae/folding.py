"""Pixels folded into channels and back.

Shapes: B batch, C channels, T frames, H height, W width; `factors` (t, h, w) say how many frames, rows and
columns one folded place holds.
"""

from __future__ import annotations

from torch import Tensor

Factors = tuple[int, int, int]


def fold(x: Tensor, factors: Factors) -> Tensor:
    """[B,C,T·t,H·h,W·w] → [B,C·t·h·w,T,H,W]; the new channels run through C, t, h, w, the last fastest."""
    t, h, w = factors
    x = x.unflatten(4, (-1, w)).unflatten(3, (-1, h)).unflatten(2, (-1, t))  # [B, C, T, t, H, h, W, w]
    return x.permute(0, 1, 3, 5, 7, 2, 4, 6).flatten(1, 4)


def unfold(x: Tensor, factors: Factors) -> Tensor:
    """[B,C·t·h·w,T,H,W] → [B,C,T·t,H·h,W·w]: what `fold` did, undone."""
    x = x.unflatten(1, (-1, *factors))  # [B, C, t, h, w, T, H, W]
    return x.permute(0, 1, 5, 2, 6, 3, 7, 4).flatten(6, 7).flatten(4, 5).flatten(2, 3)


def patchify(x: Tensor, size: int) -> Tensor:
    """Fold squares of `size` pixels into channels, columns before rows: [B,C,T,H,W] → [B,C·size²,T,…]."""
    return fold(x.transpose(3, 4), (1, size, size)).transpose(3, 4)


def unpatchify(x: Tensor, size: int) -> Tensor:
    """What `patchify` did, undone."""
    return unfold(x.transpose(3, 4), (1, size, size)).transpose(3, 4)
