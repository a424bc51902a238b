"""A node for a real ComfyUI: conditioning without a text encoder."""

from __future__ import annotations

import torch


class EmptyConditioning:
    """One token of zeros."""

    RETURN_TYPES = ("CONDITIONING",)
    FUNCTION = "made"
    CATEGORY = "tests"

    @classmethod
    def INPUT_TYPES(cls) -> dict:
        return {"required": {}}

    def made(self) -> tuple:
        return ([[torch.zeros(1, 1, 8), {}]],)


NODE_CLASS_MAPPINGS = {"EmptyConditioning": EmptyConditioning}
