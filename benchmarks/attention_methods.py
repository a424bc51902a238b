"""The methods of sparse attention on queries, keys and values of a sampling step of the embedded model."""

from __future__ import annotations

import time
from dataclasses import replace
from statistics import median
from typing import TYPE_CHECKING, Any

from .interleave import interleave, median_ratio, seconds

if TYPE_CHECKING:
    import torch
    from torch import Tensor

    from ..kernels.attention.block_mask import BlockMask
    from ..kernels.attention.dispatch import AttentionSite
    from ..nodes.attention.plan import AttentionMethod
    from ..nodes.generation.pipeline import Pipeline

    Tensors = tuple[Tensor, Tensor, Tensor]

CLIP = (29, 128, 128)
"""Frames, height and width of the clip whose latents are laid side by side until the film is large enough."""
TIMES = 4
"""How often it is repeated along height and width: 8192 tokens in all."""
GRID = (8, 32, 32)
LAYERS = (1, 2, 3)
LEVEL = 0.6
"""Noise level of the step."""


def methods() -> dict[str, AttentionMethod]:
    """By name, at about a quarter to a half of all pairs."""
    from ..nodes.attention.methods.block_top_k import BlockTopK
    from ..nodes.attention.methods.freeswim import FreeSwim
    from ..nodes.attention.methods.radial_attention import RadialAttention
    from ..nodes.attention.methods.sliding_tile import SlidingTile
    from ..nodes.attention.methods.vmoba import VMoBA

    return {
        "radial": RadialAttention(decay=0.2),
        "vmoba": VMoBA(),
        "freeswim": FreeSwim(native_height=256, native_width=256),
        "sliding_tile": SlidingTile(),
        "block_top_k": BlockTopK(),
    }


def captured_rows(quick: bool) -> list[dict[str, Any]]:
    """A row for each method, layer and number type; none while there are no weights."""
    import torch

    from ..nodes.generation.pipeline import Pipeline
    from .embedded_films import FILES

    if not all(path.is_file() for path in FILES):
        return []
    tensors = captured(Pipeline.load(*FILES))
    rounds = 3 if quick else 5
    return [
        _row(name, method, layer, tuple(x.to(dtype) for x in tensors[layer]), rounds)
        for layer in (LAYERS[:1] if quick else LAYERS)
        for dtype in (torch.float32, torch.bfloat16)
        for name, method in methods().items()
    ]


def captured(pipeline: Pipeline) -> dict[int, Tensors]:
    """Queries, keys and values [1,H,8192,128] by layer."""
    import torch

    from ..kernels.attention.dispatch import attend
    from ..nodes.synthetic.captions import canonical_caption
    from ..nodes.synthetic.sampling import ClipOptions, sample_clip
    from ..training.t2v_clips import normalised_latents
    from ..training.vae_clips import drawn, to_pixels

    frames, height, width = CLIP
    spec = sample_clip(0, ClipOptions(width, height, seconds=frames / 24))
    latents = normalised_latents(pipeline.vae, to_pixels(drawn(spec, frames)[None]))
    latents = latents.repeat(1, 1, 1, TIMES, TIMES)
    found: dict[int, Tensors] = {}

    def attention(query: Tensor, key: Tensor, value: Tensor, site: AttentionSite | None = None) -> Tensor:
        if site.kind == "self" and site.block in LAYERS:
            found[site.block] = (query.contiguous(), key.contiguous(), value.contiguous())
        return attend(query, key, value, site)

    noise = torch.randn(latents.shape, generator=torch.Generator().manual_seed(0))
    text = pipeline.text.encode([canonical_caption(spec)])
    noisy = torch.lerp(latents, noise, LEVEL)
    pipeline.transformer(noisy, torch.tensor([1000 * LEVEL]), text, attention=attention)
    return found


def _row(name: str, method: AttentionMethod, layer: int, tensors: Tensors, rounds: int) -> dict[str, Any]:
    from torch.nn import functional as F

    from ..kernels.attention import block_dispatch, tiles
    from ..nodes.attention.token_grid import TokenGrid
    from .attention import extra_memory

    query, key, value = tensors
    began = time.perf_counter()
    plan = method.plan(TokenGrid(*GRID), layer)
    planned = time.perf_counter() - began
    mask = plan.mask(query, key)
    jobs = {
        "sdpa": lambda: F.scaled_dot_product_attention(query, key, value),
        "dense": lambda: tiles.attend(query, key, value),
        "sparse": lambda: block_dispatch.attend(query, key, value, mask),
        "gate": lambda: plan.mask(query, key),
    }
    samples = interleave({job: lambda work=work: seconds(work) for job, work in jobs.items()}, rounds)
    gate, attention = median(samples["gate"]), median(samples["sparse"])
    made, dense = jobs["sparse"](), jobs["sdpa"]()
    return {
        "method": name,
        "layer": layer,
        "tokens": query.shape[2],
        "dtype": str(query.dtype).removeprefix("torch."),
        "density": round(mask.density, 3),
        "plan_ms": round(1000 * planned, 2),
        "gate_ms": round(1000 * gate, 2) if plan.gated else 0.0,
        "attention_ms": round(1000 * attention, 1),
        "over_sdpa": round(median_ratio(samples, "sdpa", "sparse"), 2),
        "over_own_dense": round(median_ratio(samples, "dense", "sparse"), 2),
        "memory_vs_q": round(extra_memory(jobs["sparse"]) / query.nbytes, 2),
        "distance_to_dense": distance(made, dense),
        "relative_error": distance(made, reference(tensors, mask)),
    }


def reference(tensors: Tensors, mask: BlockMask) -> Tensor:
    """The masked attention in float32, head by head, in the tokens' own order."""
    import torch

    from ..kernels.attention import naive

    query, key, value = (x.float() if mask.order is None else x.float()[:, :, mask.order] for x in tensors)
    heads = [
        naive.attend_blocks(*(x[:, head : head + 1] for x in (query, key, value)), _mask_of(mask, head))
        for head in range(query.shape[1])
    ]
    made = torch.cat(heads, dim=1)
    return made if mask.order is None else torch.empty_like(made).index_copy_(2, mask.order, made)


def _mask_of(mask: BlockMask, head: int) -> BlockMask:
    if len(mask.counts) == 1:
        return mask
    return replace(mask, lists=mask.lists[head : head + 1], counts=mask.counts[head : head + 1])


def distance(made: torch.Tensor, wanted: torch.Tensor) -> float:
    """Relative L2."""
    return float(f"{float((made.float() - wanted.float()).norm() / wanted.float().norm()):.2e}")


def method_figures(rows: list[dict[str, Any]]) -> dict[str, float | None]:
    """Of the captured rows; null where there are none."""
    from .attention import LAYERS as RUN_LAYERS
    from .attention import STEPS

    if not rows:
        return dict.fromkeys(("plan_share", "gate_share", "worst_rel_err_bf16_captured"))
    run = STEPS * RUN_LAYERS
    return {
        "plan_share": max(
            row["plan_ms"] / (row["plan_ms"] + run * row["attention_ms"])
            for row in rows
            if not row["gate_ms"]
        ),
        "gate_share": max(row["gate_ms"] / (row["gate_ms"] + row["attention_ms"]) for row in rows),
        "worst_rel_err_bf16_captured": max(
            row["relative_error"] for row in rows if row["dtype"] == "bfloat16"
        ),
    }
