"""A node for a real ComfyUI: core's own VAE object around a network of small width.

Core takes the width of Wan 2.2's and LTX-Video's networks for granted, gigabytes of it.
"""

from __future__ import annotations

from contextlib import ExitStack
from typing import Any
from unittest.mock import patch

import comfy.sd
import comfy.utils
import folder_paths

WIDTHS: dict[str, dict[str, Any]] = {
    "comfy.ldm.wan.vae2_2.WanVAE": {"dim": 8, "dec_dim": 12},
    "comfy.ldm.lightricks.vae.causal_video_autoencoder.Encoder": {"base_channels": 8},
    "comfy.ldm.lightricks.vae.causal_video_autoencoder.Decoder": {"base_channels": 8},
}


class SmallCoreVAE:
    """What core's loader would make of the file, were its network of these widths."""

    RETURN_TYPES = ("VAE",)
    FUNCTION = "made"
    CATEGORY = "tests"

    @classmethod
    def INPUT_TYPES(cls) -> dict:
        return {"required": {"vae_name": (folder_paths.get_filename_list("vae"),)}}

    def made(self, vae_name: str) -> tuple:
        path = folder_paths.get_full_path_or_raise("vae", vae_name)
        weights, metadata = comfy.utils.load_torch_file(path, return_metadata=True)
        with ExitStack() as patches:
            for name, widths in WIDTHS.items():
                patches.enter_context(patch(name, _of_width(name, widths)))
            return (comfy.sd.VAE(sd=weights, metadata=metadata),)


def _of_width(name: str, widths: dict[str, Any]) -> Any:
    module, _, kind = name.rpartition(".")
    network = getattr(__import__(module, fromlist=[kind]), kind)
    return lambda **settings: network(**{**settings, **widths})


NODE_CLASS_MAPPINGS = {"SmallCoreVAE": SmallCoreVAE}
