"""Which models lie on the compute device, and making room there."""

from __future__ import annotations

import gc
import logging
import weakref
from typing import Any

from .cli_args import args
from .devices import get_free_memory, get_torch_device, is_device_cpu, soft_empty_cache

_RESERVE = 400 * 2**20
_LEAST_WORKING_ROOM = int(0.8 * 2**30)


class LoadedModel:
    """A model on its compute device; it is forgotten when nothing else holds its patchers."""

    def __init__(self, patcher: Any) -> None:
        self._patcher = weakref.ref(patcher.root)
        self.device = patcher.load_device

    @property
    def model(self) -> Any:
        """The original patcher, None once it is gone."""
        return self._patcher()

    def holds(self, patcher: Any) -> bool:
        return self.model is patcher.root

    def unload(self) -> None:
        self.model.detach()


current_loaded_models: list[LoadedModel] = []
"""The most recently used first."""


def extra_reserved_memory() -> float:
    """Bytes of the compute device that are left to other programs."""
    return _RESERVE if args.reserve_vram is None else args.reserve_vram * 2**30


def minimum_inference_memory() -> float:
    """Bytes that any work on the compute device may need."""
    return _LEAST_WORKING_ROOM + extra_reserved_memory()


def loaded_models(only_currently_used: bool = False) -> list[Any]:
    """The patchers of the loaded models, the most recently used first."""
    _forget_gone_models()
    return [loaded.model for loaded in current_loaded_models]


def _forget_gone_models() -> None:
    current_loaded_models[:] = [loaded for loaded in current_loaded_models if loaded.model is not None]


def free_memory(memory_required: float, device: Any, keep_loaded: list | tuple = ()) -> list[LoadedModel]:
    """Unload models, the longest unused first, until that many bytes are free on the device.

    Args:
        memory_required: bytes.
        device: the device to make room on.
        keep_loaded: `LoadedModel`s that must stay.

    Returns:
        What was unloaded.
    """
    _forget_gone_models()
    unloaded = []
    for loaded in reversed(current_loaded_models.copy()):
        if get_free_memory(device) >= memory_required:
            break
        if loaded.device == device and loaded not in keep_loaded:
            logging.debug("Unloading %s", type(loaded.model.model).__name__)
            loaded.unload()
            current_loaded_models.remove(loaded)
            unloaded.append(loaded)
            soft_empty_cache()
    return unloaded


def load_models_gpu(
    models: list[Any],
    memory_required: float = 0,
    force_patch_weights: bool = False,
    minimum_memory_required: float | None = None,
    force_full_load: bool = False,
) -> None:
    """Bring models to their compute devices, after unloading others where room is short.

    Args:
        models: patchers.
        memory_required: bytes of working room beside the weights.
    """
    wanted = list(
        dict.fromkeys([*models, *(other for model in models for other in model.model_patches_models())])
    )
    room = max(minimum_inference_memory(), memory_required + extra_reserved_memory())
    _forget_gone_models()
    kept = [loaded for loaded in current_loaded_models if any(loaded.holds(patcher) for patcher in wanted)]
    for patcher in wanted:
        if not is_device_cpu(patcher.load_device):
            missing = patcher.model_size() - patcher.loaded_size()
            free_memory(missing * 1.1 + room, patcher.load_device, kept)
        patcher.partially_load(patcher.load_device)
        current_loaded_models[:] = [other for other in current_loaded_models if not other.holds(patcher)]
        current_loaded_models.insert(0, LoadedModel(patcher))
        kept.append(current_loaded_models[0])


def load_model_gpu(model: Any) -> None:
    """`load_models_gpu` for one model."""
    load_models_gpu([model])


def unload_all_models() -> None:
    """Take every model off the compute device."""
    free_memory(float("inf"), get_torch_device())


def cleanup_models() -> None:
    """Forget models that nothing holds any more."""
    _forget_gone_models()


def cleanup_models_gc() -> None:
    """Collect garbage, then forget models that nothing holds any more."""
    gc.collect()
    _forget_gone_models()


def module_size(module: Any) -> int:
    """Bytes of a module's weights and buffers."""
    return sum(tensor.nbytes for tensor in module.state_dict().values())
