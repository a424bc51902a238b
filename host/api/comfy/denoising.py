"""What a model predicts under guidance: conditioning in batches, and functions that patch the result."""

from __future__ import annotations

import math
from typing import Any

import torch
from torch import Tensor

from . import model_management
from .patcher_extension import WrapperExecutor, WrappersMP, get_all_wrappers

Conds = list[dict[str, Any]]
"""A CONDITIONING's entries, each one dictionary with its text under "cross_attn"."""


def _is_active(cond: dict[str, Any], sigma: float) -> bool:
    return cond.get("timestep_end", 0.0) <= sigma <= cond.get("timestep_start", math.inf)


def calc_cond_batch(
    model: Any, conds: list[Conds | None], x_in: Tensor, timestep: Tensor, model_options: dict[str, Any]
) -> list[Tensor]:
    """The model's denoised x for each conditioning; entries of one are averaged by their strengths.

    Args:
        x_in: [B, C, …] with noise.
        timestep: its noise level, [B].
    """
    wrappers = get_all_wrappers(WrappersMP.CALC_COND_BATCH, model_options, is_model_options=True)
    executor = WrapperExecutor.new_executor(_calc_cond_batch, wrappers)
    return executor.execute(model, conds, x_in, timestep, model_options)


def _calc_cond_batch(
    model: Any, conds: list[Conds | None], x_in: Tensor, timestep: Tensor, model_options: dict[str, Any]
) -> list[Tensor]:
    sigma = float(timestep[0])
    waiting = [
        (index, cond) for index, group in enumerate(conds) for cond in group or () if _is_active(cond, sigma)
    ]
    sums = [torch.zeros_like(x_in) for _ in conds]
    weights = [0.0] * len(conds)
    while waiting:
        batch = _of_one_shape(model, waiting, x_in)
        waiting = [entry for entry in waiting if not any(entry is one for one in batch)]
        results = _forward(model, batch, x_in, timestep, model_options)
        for (index, cond), denoised in zip(batch, results, strict=True):
            strength = cond.get("strength", 1.0)
            sums[index] += denoised * strength
            weights[index] += strength
    return [total / weight if weight else total for total, weight in zip(sums, weights, strict=True)]


def _of_one_shape(model: Any, waiting: list, x_in: Tensor) -> list:
    """The first entry and those of its shapes, where memory has room for them; they run as one batch."""
    alike = [entry for entry in waiting if _shapes(entry[1]) == _shapes(waiting[0][1])]
    needed = 1.5 * model.memory_required([len(alike) * x_in.shape[0], *x_in.shape[1:]])
    return alike if needed < model_management.get_free_memory(x_in.device) else alike[:1]


def _shapes(cond: dict[str, Any]) -> dict[str, Any]:
    return {name: getattr(value, "shape", value) for name, value in cond["model_conds"].items()}


def _forward(model: Any, batch: list, x_in: Tensor, timestep: Tensor, model_options: dict) -> list[Tensor]:
    """Denoised x of each entry, one forward for all."""
    count = len(batch)
    options = dict(model_options.get("transformer_options", {}))
    options |= {
        "cond_or_uncond": [index for index, _ in batch],
        "uuids": [cond["uuid"] for _, cond in batch],
        "sigmas": timestep,
    }
    c = {"transformer_options": options}
    for name, value in batch[0][1]["model_conds"].items():
        values = [cond["model_conds"][name] for _, cond in batch]
        c[name] = torch.cat([_of_batch(one, x_in) for one in values]) if torch.is_tensor(value) else value
    x, level = torch.cat([x_in] * count), torch.cat([timestep] * count)
    wrapper = model_options.get("model_function_wrapper")
    if wrapper is None:
        return list(model.apply_model(x, level, **c).chunk(count))
    given = {"input": x, "timestep": level, "c": c, "cond_or_uncond": options["cond_or_uncond"]}
    return list(wrapper(model.apply_model, given).chunk(count))


def _of_batch(value: Tensor, x_in: Tensor) -> Tensor:
    value = value.to(x_in.device)
    return value if value.shape[0] == x_in.shape[0] else value.expand(x_in.shape[0], *value.shape[1:])


def cfg_function(
    model: Any,
    cond_pred: Tensor,
    uncond_pred: Tensor,
    cond_scale: float,
    x: Tensor,
    timestep: Tensor,
    model_options: dict[str, Any],
    cond: Conds | None = None,
    uncond: Conds | None = None,
) -> Tensor:
    """Classifier-free guidance, or what replaces it, and the functions after it."""
    shared = {"cond_scale": cond_scale, "sigma": timestep, "input": x, "model": model}
    shared |= {"cond_denoised": cond_pred, "uncond_denoised": uncond_pred, "model_options": model_options}
    if replaced := model_options.get("sampler_cfg_function"):
        residuals = {"cond": x - cond_pred, "uncond": x - uncond_pred, "timestep": timestep}
        guided = x - replaced({**shared, **residuals, "input_cond": cond, "input_uncond": uncond})
    else:
        guided = uncond_pred + (cond_pred - uncond_pred) * cond_scale
    for function in model_options.get("sampler_post_cfg_function", []):
        guided = function({**shared, "denoised": guided, "cond": cond, "uncond": uncond})
    return guided


def sampling_function(
    model: Any,
    x: Tensor,
    timestep: Tensor,
    uncond: Conds | None,
    cond: Conds | None,
    cond_scale: float,
    model_options: dict[str, Any],
    seed: int | None = None,
) -> Tensor:
    """x → its guided denoised prediction; at scale 1 the negative is left out unless a patch asks for it."""
    unguided = math.isclose(cond_scale, 1.0) and not model_options.get("disable_cfg1_optimization", False)
    conds = [cond, None if unguided else uncond]
    out = calc_cond_batch(model, conds, x, timestep, model_options)
    for function in model_options.get("sampler_pre_cfg_function", []):
        given = {"conds": conds, "conds_out": out, "cond_scale": cond_scale, "timestep": timestep}
        out = function(
            {**given, "input": x, "sigma": timestep, "model": model, "model_options": model_options}
        )
    return cfg_function(model, out[0], out[1], cond_scale, x, timestep, model_options, conds[0], conds[1])
