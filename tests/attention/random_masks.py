"""Blocks kept at random."""

from __future__ import annotations

import torch


def some_blocks(rows: int, columns: int, groups: int = 1, seed: int = 0) -> torch.Tensor:
    """bool [groups,rows,columns], four in ten, and one at least in each row."""
    generator = torch.Generator().manual_seed(seed)
    kept = torch.rand(groups, rows, columns, generator=generator) < 0.4
    kept[..., 0] |= ~kept.any(dim=-1)
    return kept
