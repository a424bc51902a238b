"""What a file holds that is not a video autoencoder we know."""

from __future__ import annotations

import re
from collections.abc import Mapping

from torch import Tensor

SIGNS = (
    (r"lora_(up|down|A|B)\b|\.lora\.|^lora_|\.diff_b$", "a LoRA"),
    (r"\.SelfAttention\.|^token_embedding\.weight|^blocks\.0\.pos_embedding", "a T5 text encoder"),
    (r"text_model\.|transformer\.resblocks|text_projection", "a CLIP text encoder"),
    (r"vision_model\.|^visual\.", "an image encoder (CLIP or SigLIP)"),
    (r"layers\.0\.self_attn\.q_proj", "a language model (text encoder)"),
    (r"control_|controlnet", "a ControlNet"),
    (r"blocks\.0\.(self_attn|attn1|cross_attn)|double_blocks\.|joint_blocks\.", "a diffusion transformer"),
    (r"input_blocks\.0\.|(^|\.)diffusion_model\.", "a diffusion model"),
    (r"vocoder\.|weight_v$|decoder\.layers\.\d+\.layers", "an audio autoencoder"),
    (r"taesd|^decoder\.layers\.|^1\.weight$", "a tiny image autoencoder"),
    (r"decoder\.(up|up_blocks)\.\d.*\.conv\.conv\.|decoder\.conv_in\.conv\.", "another video VAE"),
    (r"decoder\.conv_in\.weight", "an image VAE"),
)
"""By what the keys match, the most telling first."""


def what_else(weights: Mapping[str, Tensor]) -> str:
    """What the weights look like, and their first keys: for a message."""
    first = ", ".join(sorted(weights)[:3])
    for pattern, name in SIGNS:
        if any(re.search(pattern, key) for key in weights):
            return f"it looks like {name} ({len(weights)} tensors, first {first})"
    return f"it has {len(weights)} tensors, first {first}"
