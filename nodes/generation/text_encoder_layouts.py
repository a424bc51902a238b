"""Key layouts in which the weights of a UMT5 encoder are found, all turned into transformers'.

ComfyUI's single files have transformers' keys; Wan's own file has names of its own. Either may lie under a
prefix, or be kept as scaled float8.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from torch import Tensor

from ..vae.recognise import what_else
from ..vae.weights_file import Weights, WeightsError
from .text_encoder_network import BIAS

FIRST = "block.0.layer.0.SelfAttention.q.weight"
WAN_FIRST = "blocks.0.pos_embedding.embedding.weight"
WAN_OUTER = {"token_embedding.weight": "shared.weight", "norm.weight": "encoder.final_layer_norm.weight"}
WAN_BLOCK = {
    "norm1": "layer.0.layer_norm",
    "attn.q": "layer.0.SelfAttention.q",
    "attn.k": "layer.0.SelfAttention.k",
    "attn.v": "layer.0.SelfAttention.v",
    "attn.o": "layer.0.SelfAttention.o",
    "pos_embedding.embedding": "layer.0.SelfAttention.relative_attention_bias",
    "norm2": "layer.1.layer_norm",
    "ffn.gate.0": "layer.1.DenseReluDense.wi_0",
    "ffn.fc1": "layer.1.DenseReluDense.wi_1",
    "ffn.fc2": "layer.1.DenseReluDense.wo",
}
OURS = ("shared.", "encoder.block.", "encoder.final_layer_norm.")
SCALES = (".scale_weight", ".weight_scale")
"""After a layer's name: what its float8 weights were divided by."""
BESIDES = (*SCALES, ".scale_input", ".input_scale", ".comfy_quant")
"""How keys end that lie among a layer's weights and are none."""


def is_known(tensors: Mapping[str, Tensor]) -> bool:
    """Whether a UMT5 encoder's keys are among these, in any of the layouts."""
    return any(key.endswith(("encoder." + FIRST, WAN_FIRST)) for key in tensors)


def to_published(weights: Weights) -> dict[str, Tensor]:
    """The encoder's weights with transformers' keys; what was float8 with scales is bfloat16.

    Raises:
        WeightsError: they are not a UMT5 encoder's, or of a number type that is not known here.
    """
    if not is_known(weights.tensors):
        raise WeightsError(
            f"{weights.name} is no text encoder that can be loaded: {what_else(weights.tensors)}; "
            "needed is UMT5, as in umt5_xxl_fp16.safetensors"
        )
    tensors = _without_prefix(weights.tensors)
    if WAN_FIRST in tensors:
        tensors = {_renamed(key): tensor for key, tensor in tensors.items()}
    if "encoder.embed_tokens.weight" in tensors:  # the same as the other; some files have just one of them
        tensors.setdefault("shared.weight", tensors.pop("encoder.embed_tokens.weight"))
    _refuse_other_kinds(weights.name, tensors)
    return {
        key: _unscaled(weights.name, key, tensors)
        for key in tensors
        if key.startswith(OURS) and not key.endswith(BESIDES)
    }


def _without_prefix(tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """The text encoder's part, without what its keys begin with in a whole checkpoint."""
    signs = ("encoder." + FIRST, WAN_FIRST)
    key, sign = next((key, sign) for key in tensors for sign in signs if key.endswith(sign))
    prefix = key.removesuffix(sign)
    return {key[len(prefix) :]: tensor for key, tensor in tensors.items() if key.startswith(prefix)}


def _renamed(key: str) -> str:
    """Wan's own name of a weight → transformers'."""
    if found := re.fullmatch(r"blocks\.(\d+)\.(.+)\.(\w+)", key):
        return f"encoder.block.{found[1]}.{WAN_BLOCK.get(found[2], found[2])}.{found[3]}"
    return WAN_OUTER.get(key, key)


def _refuse_other_kinds(name: str, tensors: Mapping[str, Tensor]) -> None:
    """Refuse the relatives of UMT5."""
    other = ""
    if "encoder.block.0.layer.1.DenseReluDense.wi.weight" in tensors:
        other = "the first T5 (its feed-forward layers are not gated)"
    elif "encoder.block.1.layer.0.layer_norm.weight" in tensors and BIAS.format(1) not in tensors:
        other = "a T5 v1.1 or mT5 (only its first layer has a table of positions)"
    if other:
        raise WeightsError(f"{name} is {other}; Wan listens to UMT5, as in umt5_xxl_fp16.safetensors")


def _unscaled(name: str, key: str, tensors: Mapping[str, Tensor]) -> Tensor:
    """A weight, multiplied by its scale where it has one."""
    weight, layer = tensors[key], key.removesuffix(".weight")
    scale = next((tensors[layer + end] for end in SCALES if layer + end in tensors), None)
    if not weight.is_floating_point() or (scale is not None and scale.numel() != 1):
        raise WeightsError(
            f"{name} is quantised in a way that is not known here ({key} is {weight.dtype}); choose "
            "the file in fp16, bf16 or fp8, or load it with ComfyUI's Load CLIP"
        )
    return weight if scale is None else (weight.float() * scale.float()).bfloat16()
