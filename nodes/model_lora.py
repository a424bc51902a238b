"""LoRAs on a MODEL, in either host."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import torch
from comfy.patcher_extension import CallbacksMP
from torch import Tensor

from .generation.lora import Lora, OtherKindError, live, read_lora
from .generation.wan_layouts import is_known
from .model import Loaded, core

KEY = "kinograph_lora"
WITHIN_MODEL = "diffusion_model."


def with_lora(model: Any, path: str, strength: float) -> Loaded:
    """A MODEL with a LoRA's changes, at a strength; its weights on the device change when it is loaded.

    Raises:
        WeightsError: the LoRA cannot be read, or is for a model of another kind or size.
    """
    network = model.model.diffusion_model
    weights = network.state_dict()
    name = Path(path).name
    by_core = not is_known(weights)  # of another family: core's own names for it are the ones that count
    if not by_core:
        try:
            lora = read_lora(path, weights)
        except OtherKindError:
            if core is None:
                raise
            by_core = True
    if by_core:
        return Loaded(_with_core_lora(model, _read_by_core(path), strength), f"{name}: loaded by ComfyUI")
    return _patched(model, lora, name, strength)


def with_lora_tensors(model: Any, tensors: Mapping[str, Tensor], name: str, strength: float) -> Loaded:
    """The same with a LoRA that is part of a file; a Wan MODEL only.

    Args:
        name: of the file, for the report.
    """
    return _patched(model, read_lora(tensors, model.model.diffusion_model.state_dict()), name, strength)


def _patched(model: Any, lora: Lora, name: str, strength: float) -> Loaded:
    patched = (
        _with_live_lora(model, lora, strength)
        if core is None
        else _with_core_lora(model, core_names(lora), strength)
    )
    report = f"{name}: changes {len(lora.patches)} weights at strength {strength:g}"
    return Loaded(patched, "\n".join([report, *([lora.complaint] if lora.complaint else [])]))


def _read_by_core(path: str) -> dict[str, Tensor]:
    import comfy.utils

    return comfy.utils.load_torch_file(path, safe_load=True)


def _with_core_lora(model: Any, tensors: dict[str, Tensor], strength: float) -> Any:
    patched, _ = core.load_lora_for_models(model, None, tensors, strength, 0)
    return patched


def core_names(lora: Lora) -> dict[str, Tensor]:
    """A LoRA under the names that core's loader reads for any model."""
    named: dict[str, Tensor] = {}
    for name, patch in lora.patches.items():
        layer, _, kind = f"{WITHIN_MODEL}{name}".rpartition(".")
        if kind == "modulation":
            layer = f"{layer}.{kind}"
        if patch.up is not None and patch.down is not None:
            alpha = torch.tensor(patch.factor * len(patch.down))
            named |= {f"{layer}.lora_up.weight": patch.up, f"{layer}.lora_down.weight": patch.down}
            named[f"{layer}.alpha"] = alpha
        if patch.difference is not None:
            named[f"{layer}.{'diff_b' if kind == 'bias' else 'diff'}"] = patch.difference
    return named


def _with_live_lora(model: Any, lora: Lora, strength: float) -> Any:
    """The embedded host's way: the patches are on while the model runs."""
    running = ExitStack()

    def begin(patcher: Any) -> None:
        running.enter_context(live(patcher.model.diffusion_model, lora.patches, strength))

    patched = model.clone()
    patched.add_callback_with_key(CallbacksMP.ON_PRE_RUN, KEY, begin)
    patched.add_callback_with_key(CallbacksMP.ON_CLEANUP, KEY, lambda patcher: running.close())
    return patched
