"""`comfy.model_management`: devices, dtypes, cancelling, and which models are loaded."""

from __future__ import annotations

import sys
import threading
from enum import Enum
from typing import Any

from ..absent import missing_attribute
from .cli_args import args
from .devices import (
    cast_to_device,
    dtype_size,
    get_autocast_device,
    get_free_memory,
    get_torch_device,
    get_total_memory,
    intermediate_device,
    is_amd,
    is_device_cpu,
    is_device_cuda,
    is_device_mps,
    is_device_type,
    is_intel_xpu,
    is_nvidia,
    should_use_bf16,
    should_use_fp16,
    soft_empty_cache,
    text_encoder_device,
    text_encoder_dtype,
    text_encoder_offload_device,
    unet_dtype,
    unet_inital_load_device,
    unet_offload_device,
    vae_device,
    vae_dtype,
    vae_offload_device,
)
from .loaded_models import (
    cleanup_models,
    cleanup_models_gc,
    current_loaded_models,
    extra_reserved_memory,
    free_memory,
    load_model_gpu,
    load_models_gpu,
    loaded_models,
    minimum_inference_memory,
    module_size,
    unload_all_models,
)

__all__ = [
    "CPUState",
    "InterruptProcessingException",
    "args",
    "cast_to_device",
    "cleanup_models",
    "cleanup_models_gc",
    "current_loaded_models",
    "dtype_size",
    "extra_reserved_memory",
    "free_memory",
    "get_autocast_device",
    "get_free_memory",
    "get_torch_device",
    "get_total_memory",
    "intermediate_device",
    "interrupt_current_processing",
    "is_amd",
    "is_device_cpu",
    "is_device_cuda",
    "is_device_mps",
    "is_device_type",
    "is_intel_xpu",
    "is_nvidia",
    "load_model_gpu",
    "load_models_gpu",
    "loaded_models",
    "minimum_inference_memory",
    "module_size",
    "processing_interrupted",
    "should_use_bf16",
    "should_use_fp16",
    "soft_empty_cache",
    "text_encoder_device",
    "text_encoder_dtype",
    "text_encoder_offload_device",
    "throw_exception_if_processing_interrupted",
    "unet_dtype",
    "unet_inital_load_device",
    "unet_offload_device",
    "unload_all_models",
    "vae_device",
    "vae_dtype",
    "vae_offload_device",
]


class CPUState(Enum):
    """What kind of device computes."""

    GPU = 0
    CPU = 1
    MPS = 2


class InterruptProcessingException(Exception):
    """The user has cancelled the running prompt."""


_interrupted = threading.Event()


def interrupt_current_processing(value: bool = True) -> None:
    """Ask the running prompt to stop, or take the wish back."""
    if value:
        _interrupted.set()
    else:
        _interrupted.clear()


def processing_interrupted() -> bool:
    return _interrupted.is_set()


def throw_exception_if_processing_interrupted() -> None:
    """Raise InterruptProcessingException, once per wish to stop."""
    if _interrupted.is_set():
        _interrupted.clear()
        raise InterruptProcessingException()


def __getattr__(name: str) -> Any:
    # These exist in torch only, and naming them must not import it before a node needs it.
    if name == "OOM_EXCEPTION":
        import torch

        return torch.OutOfMemoryError
    if name == "cpu_state":
        kind = get_torch_device().type
        return {"cpu": CPUState.CPU, "mps": CPUState.MPS}.get(kind, CPUState.GPU)
    return missing_attribute("comfy.model_management", name, sys._getframe(1))
