"""Optional fast paths: each is there, or refused for a reason."""

from __future__ import annotations

import importlib
import importlib.util
import shutil
from collections.abc import Iterator

from .finding import Finding

PACKAGES = {
    "xformers": "xformers.ops",
    "Triton": "triton",
    "FlashInfer": "flashinfer",
    "comfy-kitchen": "comfy_kitchen",
}
"""Name shown → module whose import proves that it works."""


def findings() -> Iterator[Finding]:
    """Every optional attention back end."""
    if importlib.util.find_spec("torch") is None:
        yield Finding("fast attention", "absent", "torch is not installed")
        return
    for name, module in PACKAGES.items():
        yield _package(name, module)
    yield _flex_attention()


def _package(name: str, module: str) -> Finding:
    root = module.partition(".")[0]
    if importlib.util.find_spec(root) is None:
        return Finding(name, "absent", f"{root} is not installed; other back ends are used")
    try:
        importlib.import_module(module)
    except (
        Exception
    ) as error:  # a wheel for another torch or GPU fails in many ways; the reason is the finding
        return Finding(name, "absent", f"installed, but its import fails: {error}", f"reinstall {root}")
    if not _has_gpu():
        return Finding(name, "absent", "installed, but its kernels need a GPU and torch sees none")
    return Finding(name, "ok", "available")


def _has_gpu() -> bool:
    import torch

    return torch.cuda.is_available()


def _flex_attention() -> Finding:
    name = "FlexAttention"
    try:
        importlib.import_module("torch.nn.attention.flex_attention")
    except ImportError as error:
        return Finding(name, "absent", str(error), "install torch 2.5 or newer")
    if _has_gpu():
        return Finding(name, "ok", "available")
    compilers = [found for found in map(shutil.which, ("c++", "g++", "clang++", "cl")) if found]
    if not compilers:
        return Finding(
            name, "absent", "on the CPU it needs a C++ compiler, none is in PATH", "install g++ or clang"
        )
    return Finding(name, "ok", f"available, compiled for the CPU with {compilers[0]}")
