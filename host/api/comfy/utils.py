"""`comfy.utils`: progress bars, weight files and image scaling."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any

from ...whole_file import whole_file
from .scaling import (
    bislerp,
    common_upscale,
    get_tiled_scale_steps,
    lanczos,
    reshape_mask,
    tiled_scale,
    tiled_scale_multidim,
)

__all__ = [
    "PROGRESS_BAR_HOOK",
    "ProgressBar",
    "bislerp",
    "calculate_parameters",
    "common_upscale",
    "get_tiled_scale_steps",
    "lanczos",
    "load_torch_file",
    "repeat_to_batch_size",
    "reshape_mask",
    "save_torch_file",
    "set_progress_bar_enabled",
    "set_progress_bar_global_hook",
    "state_dict_key_replace",
    "state_dict_prefix_replace",
    "tiled_scale",
    "tiled_scale_multidim",
    "weight_dtype",
]

PROGRESS_BAR_ENABLED = True
PROGRESS_BAR_HOOK: Callable[..., None] | None = None


def set_progress_bar_enabled(enabled: bool) -> None:
    """Whether samplers draw bars in the terminal."""
    global PROGRESS_BAR_ENABLED
    PROGRESS_BAR_ENABLED = enabled


def set_progress_bar_global_hook(hook: Callable[..., None] | None) -> None:
    """Set what bars made from now on report to: `hook(value, total, preview, node_id=…)`."""
    global PROGRESS_BAR_HOOK
    PROGRESS_BAR_HOOK = hook


class ProgressBar:
    """A node's progress; the hook raises `InterruptProcessingException` when the user has cancelled."""

    def __init__(self, total: float, node_id: str | None = None) -> None:
        self.total = total
        self.current = 0
        self.node_id = node_id
        self.hook = PROGRESS_BAR_HOOK

    def update_absolute(self, value: float, total: float | None = None, preview: Any = None) -> None:
        """Set the progress; `preview` is (format, PIL image, largest side in pixels) or None."""
        if total is not None:
            self.total = total
        self.current = min(value, self.total)
        if self.hook is not None:
            self.hook(self.current, self.total, preview, node_id=self.node_id)

    def update(self, value: float) -> None:
        """Add to the progress."""
        self.update_absolute(self.current + value)


def load_torch_file(
    ckpt: str, safe_load: bool = False, device: Any = None, return_metadata: bool = False
) -> Any:
    """Tensors by name from a safetensors file, or from a checkpoint that holds nothing but tensors.

    Checkpoints are always loaded with `weights_only=True`, whatever `safe_load` says.

    Returns:
        The state dict, or (state dict, the safetensors file's metadata) with `return_metadata`.

    Raises:
        ValueError: a broken safetensors file.
    """
    if os.path.splitext(ckpt)[1].lower() in (".safetensors", ".sft"):
        tensors, metadata = _load_safetensors(ckpt, device)
    else:
        tensors, metadata = _load_checkpoint(ckpt, device), None
    return (tensors, metadata) if return_metadata else tensors


def _load_safetensors(path: str, device: Any) -> tuple[dict, dict | None]:
    import safetensors

    try:
        with safetensors.safe_open(path, framework="pt", device=str(device or "cpu")) as weights:
            return {name: weights.get_tensor(name) for name in weights.keys()}, weights.metadata()  # noqa: SIM118
    except safetensors.SafetensorError as error:
        raise ValueError(
            f"{path} is not a whole safetensors file ({error}); download or copy it again"
        ) from error


def _load_checkpoint(path: str, device: Any) -> dict:
    import torch

    loaded = torch.load(path, map_location=device or "cpu", weights_only=True)
    if "state_dict" in loaded:
        return loaded["state_dict"]
    only = next(iter(loaded.values())) if len(loaded) == 1 else None
    return only if isinstance(only, dict) else loaded


def save_torch_file(sd: dict, ckpt: str, metadata: dict[str, str] | None = None) -> None:
    """Write tensors as safetensors; the file appears whole or not at all."""
    import safetensors.torch

    with whole_file(ckpt) as part:
        safetensors.torch.save_file(sd, part, metadata=metadata)


def calculate_parameters(sd: dict, prefix: str = "") -> int:
    """The number of weights under a prefix."""
    return sum(tensor.nelement() for name, tensor in sd.items() if name.startswith(prefix))


def weight_dtype(sd: dict, prefix: str = "") -> Any:
    """The dtype that most weights under a prefix have; None without weights."""
    counts: dict[Any, int] = {}
    for name, tensor in sd.items():
        if name.startswith(prefix):
            counts[tensor.dtype] = counts.get(tensor.dtype, 0) + tensor.numel()
    return max(counts, key=counts.get, default=None)


def state_dict_key_replace(state_dict: dict, keys_to_replace: dict[str, str]) -> dict:
    """Rename keys in place; absent ones are passed over."""
    for old, new in keys_to_replace.items():
        if old in state_dict:
            state_dict[new] = state_dict.pop(old)
    return state_dict


def state_dict_prefix_replace(
    state_dict: dict, replace_prefix: dict[str, str], filter_keys: bool = False
) -> dict:
    """Replace prefixes of keys, in place or, with `filter_keys`, moving the matching ones to a new dict."""
    replaced = {} if filter_keys else state_dict
    for old, new in replace_prefix.items():
        for name in [name for name in state_dict if name.startswith(old)]:
            replaced[new + name[len(old) :]] = state_dict.pop(name)
    return replaced


def repeat_to_batch_size(tensor: Any, batch_size: int, dim: int = 0) -> Any:
    """Repeat or cut a tensor along `dim` to the batch size."""
    size = tensor.shape[dim]
    if size > batch_size:
        return tensor.narrow(dim, 0, batch_size)
    if size < batch_size:
        repeats = [1] * tensor.ndim
        repeats[dim] = -(-batch_size // size)
        return tensor.repeat(repeats).narrow(dim, 0, batch_size)
    return tensor
