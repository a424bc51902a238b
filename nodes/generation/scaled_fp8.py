"""Weights kept in 8 bits with a scale, as the numbers they stand for.

ComfyUI's older files have a key "scaled_fp8" and a `.scale_weight` beside each such weight; its newer ones
tell each layer's format in `.comfy_quant` (JSON as bytes) or in the metadata, and have `.weight_scale`.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

import torch
from torch import Tensor

from ..vae.weights_file import WeightsError

MARKER = "scaled_fp8"
SCALES = (".scale_weight", ".weight_scale")
BESIDES = (*SCALES, ".scale_input", ".input_scale", ".comfy_quant")
"""How keys end that stand beside a layer's weights; the scales of inputs are for products in 8 bits."""
FORMATS = ("float8_e4m3fn", "float8_e5m2", "int8_tensorwise")
EIGHT_BITS = (torch.float8_e4m3fn, torch.float8_e5m2, torch.int8)


def unscaled(
    tensors: Mapping[str, Tensor], metadata: Mapping[str, str], dtype: torch.dtype | None
) -> dict[str, Tensor]:
    """Multiply weights by their scales and drop these.

    Args:
        dtype: of the weights that were in 8 bits; bfloat16 when None. Others stay as they are.

    Raises:
        WeightsError: a weight is in a format that is more than a number and a scale.
    """
    for layer, told in (*_told_beside(tensors), *_told_in(metadata)):
        if told.get("format") not in FORMATS or told.get("convrot"):
            raise WeightsError(
                f"{layer} is quantised as {told.get('format')!r}; known are {', '.join(FORMATS)} (without "
                "rotation): choose a file in one of these, or in bf16 or fp16"
            )
    return {
        key: _plain(key, tensor, tensors, dtype or torch.bfloat16)
        for key, tensor in tensors.items()
        if key != MARKER and not key.endswith(BESIDES)
    }


def _plain(key: str, tensor: Tensor, tensors: Mapping[str, Tensor], dtype: torch.dtype) -> Tensor:
    """A weight as itself, or out of 8 bits."""
    if tensor.dtype not in EIGHT_BITS:
        return tensor
    layer = key.removesuffix(".weight")
    scale = next((tensors[layer + name] for name in SCALES if layer + name in tensors), None)
    if scale is None and tensor.dtype == torch.int8:
        raise WeightsError(f"{key} is in whole numbers without the scale that they are to be multiplied by")
    if scale is None:
        return tensor.to(dtype)
    if scale.numel() not in (1, len(tensor)):
        raise WeightsError(
            f"{key} of {list(tensor.shape)} has {scale.numel()} scales; known are one, or one for each row"
        )
    return (tensor.float() * scale.float().view(-1, *[1] * (tensor.dim() - 1))).to(dtype)


def _told_beside(tensors: Mapping[str, Tensor]) -> Iterator[tuple[str, dict[str, Any]]]:
    for key, tensor in tensors.items():
        if key.endswith(".comfy_quant"):
            yield key.removesuffix(".comfy_quant"), _settings(tensor.cpu().numpy().tobytes())


def _told_in(metadata: Mapping[str, str]) -> Iterator[tuple[str, dict[str, Any]]]:
    layers = _settings(metadata.get("_quantization_metadata", "{}")).get("layers", {})
    for layer, told in layers.items() if isinstance(layers, dict) else ():
        yield layer, told if isinstance(told, dict) else {}


def _settings(text: str | bytes) -> dict[str, Any]:
    try:
        found = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise WeightsError("the file tells how it is quantised in no JSON; fetch it again") from error
    return found if isinstance(found, dict) else {}
