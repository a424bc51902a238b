"""`comfy.cli_args`: the options with which the host was started; the embedded host sets what it knows."""

from __future__ import annotations

from types import SimpleNamespace
from typing import NoReturn

from ..absent import refusal


class _Options(SimpleNamespace):
    def __getattr__(self, name: str) -> NoReturn:
        raise AttributeError(refusal(f"comfy.cli_args.args.{name}"), name=name)


args = _Options(
    listen="127.0.0.1",
    port=8188,
    base_directory=None,
    input_directory=None,
    output_directory=None,
    temp_directory=None,
    user_directory=None,
    cpu=False,
    gpu_only=False,
    highvram=False,
    normalvram=False,
    lowvram=False,
    novram=False,
    cpu_vae=False,
    force_fp16=False,
    force_fp32=False,
    reserve_vram=None,
    disable_smart_memory=False,
    deterministic=False,
    disable_metadata=False,
    disable_mmap=False,
    preview_method=None,
    preview_size=512,
    cache_classic=False,
    cache_lru=0,
    cache_none=False,
    disable_xformers=False,
    use_sage_attention=False,
    use_flash_attention=False,
    use_pytorch_cross_attention=False,
    fast=set(),
    multi_user=False,
    verbose="INFO",
)
