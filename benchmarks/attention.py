"""Block-sparse attention against PyTorch's dense and compiled attention.

Efficiency is the speed-up over `F.scaled_dot_product_attention` times the density: 1 is as fast, pair for
pair, as PyTorch's dense attention. `efficiency_fp32_median` and `_lowest`, `efficiency_bf16_median` and
`_lowest`: over band and random masks of densities up to 0.5, head dimensions 64 and 128, 8k and 16k tokens
with 8 heads and 32k with 2. `dense_speedup_bf16`: of the pack's own dense attention, the median.
`time_at_0.75`: of a mask of that density over the pack's dense attention, the greatest. `speedup_vs_flex`:
over compiled FlexAttention with the same mask. Interleaved, medians of the rounds.

`plan_share`: planning a Radial mask, of the attention of a run of 20 steps in 6 layers. `gate_share`: the
greatest share of a gated method's attention that its gate takes. `worst_rel_err_fp32`: against the reference.
Queries, keys and values of one row are those of a sampling step of the embedded model:
`worst_rel_err_bf16_captured`, and each method's distance to dense attention. `memory_vs_q`: what attention
allocates beyond its output, over the size of the queries, the greatest.

`radial_density`, `radial_oracle_loss`, `vmoba_density`, `vmoba_oracle_loss`: films of the embedded model from
the same seeds, dense and sparse: the density, and by how many points the share of films falls in which
colour, shape and motion are right. Null until there are weights.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from statistics import median
from typing import TYPE_CHECKING, Any

from .interleave import interleave, median_ratio, seconds
from .machine import machine

if TYPE_CHECKING:
    import torch
    from torch import Tensor

    from ..kernels.attention.block_mask import BlockMask

BLOCK = 128
DENSITIES = (0.125, 0.25, 0.5)
STEPS, LAYERS = 20, 6
"""Of the run that planning is set against."""


@dataclass(frozen=True)
class Size:
    """Tokens, heads and channels of a head."""

    tokens: int
    heads: int
    channels: int


SIZES = [
    Size(tokens, heads, channels)
    for tokens, heads in ((8192, 8), (16384, 8), (32768, 2))
    for channels in (64, 128)
]


def run(quick: bool) -> dict[str, Any]:
    """Measure speed, memory, errors and films; `quick` takes the smallest size and fewer rounds."""
    import torch

    from .attention_films import film_figures, film_rows
    from .attention_methods import captured_rows, method_figures

    torch.set_grad_enabled(False)
    sizes, rounds = (SIZES[:2], 3) if quick else (SIZES, 5)
    rows = [
        row
        for size in sizes
        for dtype in (torch.float32, torch.bfloat16)
        for row in speed_rows(size, dtype, rounds)
    ]
    captured, films = captured_rows(quick), film_rows(quick)
    figures = {
        **_efficiency(rows, "float32", "fp32"),
        **_efficiency(rows, "bfloat16", "bf16"),
        "dense_speedup_bf16": median(
            row["over_sdpa"] for row in rows if row["mask"] == "dense" and row["dtype"] == "bfloat16"
        ),
        "time_at_0.75": max(row["time_vs_own_dense"] for row in rows if row["asked"] == 0.75),
        "speedup_vs_flex": median(row["over_flex"] for row in rows if "over_flex" in row),
        "worst_rel_err_fp32": max(
            row["relative_error"] for row in rows if row["dtype"] == "float32" and "relative_error" in row
        ),
        "memory_vs_q": max(row["memory_vs_q"] for row in rows + captured if "memory_vs_q" in row),
        **method_figures(captured),
        **film_figures(films),
    }
    rows += captured + films
    return {"name": "attention", "machine": machine(), "figures": figures, "rows": rows}


def _efficiency(rows: list[dict[str, Any]], dtype: str, name: str) -> dict[str, float]:
    found = [row["efficiency"] for row in rows if row["dtype"] == dtype and 0 < row["asked"] <= 0.5]
    return {f"efficiency_{name}_median": median(found), f"efficiency_{name}_lowest": min(found)}


def masks_of(size: Size) -> dict[tuple[str, float], BlockMask]:
    """Band and random masks by kind and the density asked for."""
    import torch

    from ..kernels.attention.block_mask import BlockMask, even_edges

    count = size.tokens // BLOCK
    number = torch.arange(count)
    apart = (number[:, None] - number).abs()
    generator = torch.Generator().manual_seed(0)
    found = {}
    for density in (*DENSITIES, 0.75):
        reach = next(reach for reach in range(count) if (apart <= reach).double().mean() >= density)
        chance = torch.rand(count, count, generator=generator).masked_fill(apart == 0, 0)
        for kind, kept in (("band", apart <= reach), ("random", chance < density)):
            found[kind, density] = BlockMask.of(kept, even_edges(size.tokens, BLOCK))
    return found


def speed_rows(size: Size, dtype: torch.dtype, rounds: int) -> list[dict[str, Any]]:
    """A row for each mask and one for dense attention, all in the same rounds."""
    import torch
    from torch.nn import functional as F

    from ..kernels.attention import gathered, tiles
    from .attention_methods import distance, reference

    generator = torch.Generator().manual_seed(1)
    query, key, value = (
        torch.randn(1, size.heads, size.tokens, size.channels, generator=generator).to(dtype)
        for _ in range(3)
    )
    masks = masks_of(size)
    jobs: dict[Any, Callable[[], Tensor]] = {
        "sdpa": lambda: F.scaled_dot_product_attention(query, key, value),
        "dense": lambda: tiles.attend(query, key, value),
        **{name: lambda mask=mask: gathered.attend(query, key, value, mask) for name, mask in masks.items()},
    }
    flex_of = ("random", 0.25) if size.tokens == SIZES[0].tokens else None
    if flex_of:
        jobs["flex"] = flex_job(query, key, value, masks[flex_of])
    samples = interleave({name: lambda job=job: seconds(job) for name, job in jobs.items()}, rounds)
    about = {"tokens": size.tokens, "heads": size.heads, "channels": size.channels}
    about["dtype"] = str(dtype).removeprefix("torch.")
    rows = [_row("dense", 0.0, 1.0, "dense", samples) | about]
    for (kind, asked), mask in masks.items():
        row = _row(kind, asked, mask.density, (kind, asked), samples) | about
        if (kind, asked) == flex_of:
            row["over_flex"] = round(median_ratio(samples, "flex", flex_of), 2)
        if asked == 0.25:
            row["memory_vs_q"] = round(extra_memory(jobs[kind, asked]) / query.nbytes, 2)
            if size.tokens == SIZES[0].tokens:
                row["relative_error"] = distance(jobs[kind, asked](), reference((query, key, value), mask))
        rows.append(row)
    return rows


def _row(
    kind: str, asked: float, density: float, name: Any, samples: dict[Any, list[float]]
) -> dict[str, Any]:
    faster = median_ratio(samples, "sdpa", name)
    return {
        "mask": kind,
        "asked": asked,
        "density": round(density, 3),
        "milliseconds": round(1000 * median(samples[name]), 1),
        "over_sdpa": round(faster, 2),
        "time_vs_own_dense": round(median_ratio(samples, name, "dense"), 3),
        "efficiency": round(faster * density, 3),
    }


def flex_job(query: Tensor, key: Tensor, value: Tensor, mask: BlockMask) -> Callable[[], Tensor]:
    """Compiled FlexAttention, compiled."""
    from ..kernels.attention import flex

    flex.attend(query, key, value, mask)
    return lambda: flex.attend(query, key, value, mask)


def extra_memory(job: Callable[[], Tensor]) -> int:
    """Bytes that a job holds at most beyond its result, counted from the profiler's allocations."""
    from torch.profiler import ProfilerActivity, profile

    with profile(activities=[ProfilerActivity.CPU], profile_memory=True) as profiler:
        made = job()
    held = peak = 0
    moments = [event for event in profiler.profiler.kineto_results.events() if event.name() == "[memory]"]
    for event in sorted(moments, key=lambda event: event.start_ns()):
        held += event.nbytes()
        peak = max(peak, held)
    return peak - made.nbytes
