"""Key layouts in which the weights of a UMT5 encoder are found, all turned into transformers'.

ComfyUI's single files have transformers' keys; Wan's own file has names of its own. Either may lie under a
prefix.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from torch import Tensor

from ..vae.recognise import what_else
from ..vae.weights_file import Weights, WeightsError
from .scaled_fp8 import unscaled
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
ENCODER = ("shared.", "encoder.block.", "encoder.final_layer_norm.")


def is_known(tensors: Mapping[str, Tensor]) -> bool:
    """Whether a UMT5 encoder's keys are among these, in any of the layouts."""
    return any(key.endswith(("encoder." + FIRST, WAN_FIRST)) for key in tensors)


def to_published(weights: Weights) -> dict[str, Tensor]:
    """The encoder's weights with transformers' keys; those of 8 bits become bfloat16.

    Raises:
        WeightsError: they are not a UMT5 encoder's, or quantised in a way that is not known here.
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
    plain = unscaled(tensors, weights.metadata, None)
    return {key: tensor for key, tensor in plain.items() if key.startswith(ENCODER)}


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
