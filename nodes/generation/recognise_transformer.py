"""What a file holds that is not a Wan transformer we know."""

from __future__ import annotations

import re
from collections.abc import Mapping

from torch import Tensor

from ..vae.recognise import what_else

RELATIVES = (
    (r"^vace_", "VACE (control by video)"),
    (r"^control_adapter\.", "Wan Fun Camera (control by camera)"),
    (r"^casual_audio_encoder\.", "Wan S2V (speech to video)"),
    (r"^audio_proj\.", "HuMo (people by text, picture and sound)"),
    (r"^face_adapter\.|^motion_encoder\.", "Wan Animate (characters by video)"),
    (r"^patch_embedding_(mask|pose|global)\.", "a Wan with further pictures to look at"),
    (r"^ref_conv\.", "Wan Fun Control (control by video and a reference picture)"),
)
"""By the keys that they have beside a plain Wan's."""
OTHERS = (
    (r"lora_(up|down|A|B)\b|\.lora\.|^lora_|\.diff_b$", "a LoRA: load it with a LoRA loader"),
    (r"txt_in\.individual_token_refiner\.|context_embedder\.token_refiner\.", "HunyuanVideo"),
    (r"adaln_single\.emb\.timestep_embedder\.|^time_embed\.emb\.timestep_embedder", "LTX-Video"),
    (r"t5_yproj\.|^transformer_blocks\.0\.norm1_context\.linear_1", "Mochi"),
    (r"blocks\.0\.norm1\.linear\.weight", "CogVideoX"),
    (r"blocks\.block0\.blocks\.0\.", "Cosmos"),
    (r"time_stack\.|temporal_transformer_blocks\.", "Stable Video Diffusion"),
    (r"joint_blocks\.0\.", "Stable Diffusion 3"),
    (r"double_blocks\.0\.img_attn|single_transformer_blocks\.0\.", "Flux"),
    (r"input_blocks\.0\.0\.|^down_blocks\.0\.resnets\.", "a U-Net like Stable Diffusion's"),
)
"""By what the keys of other models match, the most telling first."""


def relative(weights: Mapping[str, Tensor]) -> str | None:
    """The name of a model built upon Wan whose extra layers ours has not; None for a plain one."""
    return _first_match(RELATIVES, weights)


def what_model(weights: Mapping[str, Tensor]) -> str:
    """What the weights look like, and their first keys: for a message."""
    if name := _first_match(OTHERS, weights):
        return f"it looks like {name} ({len(weights)} tensors, first {', '.join(sorted(weights)[:3])})"
    return what_else(weights)


def _first_match(signs: tuple[tuple[str, str], ...], weights: Mapping[str, Tensor]) -> str | None:
    for pattern, name in signs:
        if any(re.search(pattern, key) for key in weights):
            return name
    return None
