"""Key layouts in which the weights of a Wan transformer are found, all turned into the published one."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import TypeVar

from torch import Tensor

Value = TypeVar("Value")

OUTER = {
    "condition_embedder.time_embedder.linear_1": "time_embedding.0",
    "condition_embedder.time_embedder.linear_2": "time_embedding.2",
    "condition_embedder.time_proj": "time_projection.1",
    "condition_embedder.text_embedder.linear_1": "text_embedding.0",
    "condition_embedder.text_embedder.linear_2": "text_embedding.2",
    "condition_embedder.image_embedder.norm1": "img_emb.proj.0",
    "condition_embedder.image_embedder.ff.net.0.proj": "img_emb.proj.1",
    "condition_embedder.image_embedder.ff.net.2": "img_emb.proj.3",
    "condition_embedder.image_embedder.norm2": "img_emb.proj.4",
    "condition_embedder.image_embedder.pos_embed": "img_emb.emb_pos",
    "scale_shift_table": "head.modulation",
    "proj_out": "head.head",
}
"""By diffusers' name, the published one: what lies outside the blocks."""
BLOCK = {
    "attn1": "self_attn",
    "attn2": "cross_attn",
    "norm2": "norm3",
    "ffn.net.0.proj": "ffn.0",
    "ffn.net.2": "ffn.2",
    "scale_shift_table": "modulation",
}
ATTENTION = {
    "to_q": "q",
    "to_k": "k",
    "to_v": "v",
    "to_out.0": "o",
    "add_k_proj": "k_img",
    "add_v_proj": "v_img",
    "norm_added_k": "norm_k_img",
}


def is_known(weights: Mapping[str, Tensor]) -> bool:
    """Whether these are a Wan transformer's, in any of the layouts."""
    return "head.modulation" in weights or is_diffusers(weights)


def is_diffusers(weights: Mapping[str, Tensor]) -> bool:
    """Whether the keys are those of diffusers' `WanTransformer3DModel`."""
    return "scale_shift_table" in weights and "condition_embedder.time_proj.weight" in weights


def to_published(weights: Mapping[str, Value]) -> dict[str, Value]:
    """Rename diffusers' keys to the published layout; other layouts come back unchanged.

    Norms of the picture's queries are dropped: there are none, but some of diffusers' files have them.
    """
    if not is_diffusers(weights):
        return dict(weights)
    return {published(key): value for key, value in weights.items() if ".norm_added_q." not in key}


def published(key: str) -> str:
    """The published name of a weight or a layer that diffusers names."""
    if found := re.fullmatch(r"blocks\.(\d+)\.(.+)", key):
        name = renamed(found[2], BLOCK)
        if attention := re.fullmatch(r"(self_attn|cross_attn)\.(.+)", name):
            name = f"{attention[1]}.{renamed(attention[2], ATTENTION)}"
        return f"blocks.{found[1]}.{name}"
    return renamed(key, OUTER)


def diffusers_name(key: str) -> str:
    """What diffusers calls a weight or a layer that has this published name."""
    if found := re.fullmatch(r"blocks\.(\d+)\.(.+)", key):
        name = found[2]
        if attention := re.fullmatch(r"(self_attn|cross_attn)\.(.+)", name):
            name = f"{attention[1]}.{renamed(attention[2], _inverse(ATTENTION))}"
        return f"blocks.{found[1]}.{renamed(name, _inverse(BLOCK))}"
    return renamed(key, _inverse(OUTER))


def _inverse(names: Mapping[str, str]) -> dict[str, str]:
    return {ours: theirs for theirs, ours in names.items()}


def renamed(key: str, names: Mapping[str, str]) -> str:
    """The key with its beginning, up to a dot, replaced by another name where there is one."""
    for theirs, ours in names.items():
        if key == theirs or key.startswith(theirs + "."):
            return ours + key[len(theirs) :]
    return key
