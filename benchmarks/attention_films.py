"""Whole films of the embedded model with sparse attention, against dense ones of the same seeds."""

from __future__ import annotations

from functools import partial
from statistics import fmean
from typing import TYPE_CHECKING, Any

from .quality import SEEDS, decibels, embedded_model, judged

if TYPE_CHECKING:
    import numpy as np
    from torch import Tensor

    from ..nodes.attention.attending import MethodAttention
    from ..nodes.attention.plan import AttentionMethod
    from ..nodes.generation.wan import WanTransformer
    from .quality import Cases

FIGURES = ("radial_density", "radial_oracle_loss", "vmoba_density", "vmoba_oracle_loss")


def methods() -> dict[str, AttentionMethod]:
    """By name, at sizes that suit 5 × 6 × 6 tokens and at most 0.4 of all pairs."""
    from ..nodes.attention.methods.block_top_k import BlockTopK
    from ..nodes.attention.methods.freeswim import FreeSwim
    from ..nodes.attention.methods.radial_attention import RadialAttention
    from ..nodes.attention.methods.sliding_tile import SlidingTile
    from ..nodes.attention.methods.vmoba import VMoBA

    return {
        "radial": RadialAttention(decay=0.1, block=2, rule="even"),
        "vmoba": VMoBA(1, 2, 3, 2, 3, 3, query_block=4),
        "freeswim": FreeSwim(native_height=48, native_width=48),
        "sliding_tile": SlidingTile(1, 2, 2, 1, 1, 1),
        "block_top_k": BlockTopK(0.35, 6),
    }


def film_rows(quick: bool) -> list[dict[str, Any]]:
    """What the oracle reads, and PSNR to the dense films, for each method; none without weights."""
    from ..nodes.attention.attending import MethodAttention
    from ..nodes.attention.schedule import Schedule
    from ..nodes.generation.flow_sigmas import flow_sigmas
    from ..nodes.generation.pipeline import DEFAULT
    from ..nodes.synthetic.held_back import held_back_prompts

    model = embedded_model()
    if model is None:
        return []
    prompts = held_back_prompts(6 if quick else 100)
    cases = [(prompt, seed) for prompt in prompts for seed in (SEEDS[:1] if quick else SEEDS)]
    transformer = model.pipeline.transformer
    dense = [model.from_text(*case) for case in cases]
    sigmas = flow_sigmas(DEFAULT.scheduler, DEFAULT.steps, shift=DEFAULT.shift)
    rows = [{"films": "dense", "density": 1.0, **_shares(dense, cases)}]
    for name, method in methods().items():
        attention = MethodAttention(method, Schedule())
        transformer.forward = partial(_forward, transformer, attention, sigmas)
        films = [model.from_text(*case) for case in cases]
        del transformer.forward
        psnr = fmean(decibels(film, other) for film, other in zip(films, dense, strict=True))
        rows.append(
            {
                "films": name,
                "density": round(fmean(attention.densities), 3),
                "psnr_to_dense": round(psnr, 2),
                **_shares(films, cases),
            }
        )
    return rows


def _shares(films: list[np.ndarray], cases: Cases) -> dict[str, float | None]:
    return {name: figure.value for name, figure in judged(films, cases).items()}


def _forward(
    transformer: WanTransformer,
    attention: MethodAttention,
    sigmas: Tensor,
    latents: Tensor,
    timestep: Tensor,
    text: Tensor,
) -> Tensor:
    """The network's forward under an attention that is told how far sampling is."""
    from ..nodes.attention.schedule import progress

    attention.done = progress(float(timestep.max()) / 1000, sigmas)
    return type(transformer).forward(transformer, latents, timestep, text, attention=attention)


def film_figures(rows: list[dict[str, Any]]) -> dict[str, float | None]:
    """Densities, and points lost in the share of films that are right in all three."""
    if not rows:
        return dict.fromkeys(FIGURES)
    by_name = {row["films"]: row for row in rows}
    found = {}
    for name in ("radial", "vmoba"):
        found[f"{name}_density"] = by_name[name]["density"]
        lost = by_name["dense"]["all_three"] - by_name[name]["all_three"]
        found[f"{name}_oracle_loss"] = round(100 * lost, 1)
    return found
