"""Puts the modules of this folder in reach of `import`, under ComfyUI's own names."""

from __future__ import annotations

import importlib
import importlib.machinery
import importlib.util
import sys
from collections.abc import Callable
from types import ModuleType
from typing import Any

from .absent import missing_attribute, missing_module

_HERE = __package__

_ROOTS = (
    "comfy",
    "comfy_api",
    "comfy_api_nodes",
    "comfy_config",
    "comfy_execution",
    "comfy_extras",
    "folder_paths",
    "latent_preview",
    "node_helpers",
    "nodes",
    "server",
)
"""ComfyUI's top-level names; what is not in `_MODULES` below them is refused."""

_MODULES = {
    name: name
    for name in (
        "comfy",
        "comfy.cli_args",
        "comfy.comfy_types",
        "comfy.comfy_types.node_typing",
        "comfy.model_management",
        "comfy.model_patcher",
        "comfy.model_sampling",
        "comfy.patcher_extension",
        "comfy.sample",
        "comfy.samplers",
        "comfy.utils",
        "comfy_api",
        "comfy_api.input",
        "comfy_api.input_impl",
        "comfy_api.internal",
        "comfy_api.latest",
        "comfy_api.latest.io",
        "comfy_api.latest.ui",
        "comfy_api.util",
        "comfy_api.v0_0_2",
        "comfy_execution",
        "comfy_execution.graph",
        "comfy_execution.graph_utils",
        "comfy_execution.progress",
        "comfy_execution.utils",
        "folder_paths",
        "latent_preview",
        "nodes",
        "server",
    )
} | {
    "comfy_api.input.basic_types": "comfy_api.input",
    "comfy_api.input.video_types": "comfy_api.input",
    "comfy_api.input_impl.video_types": "comfy_api.input_impl",
    "comfy_api.util.video_types": "comfy_api.util",
    "comfy_api.latest._input": "comfy_api.input",
    "comfy_api.latest._input.basic_types": "comfy_api.input",
    "comfy_api.latest._input.video_types": "comfy_api.input",
    "comfy_api.latest._input_impl": "comfy_api.input_impl",
    "comfy_api.latest._input_impl.video_types": "comfy_api.input_impl",
    "comfy_api.latest._io": "comfy_api.latest.io",
    "comfy_api.latest._ui": "comfy_api.latest.ui",
    "comfy_api.latest._util": "comfy_api.util",
    "comfy_api.latest._util.video_types": "comfy_api.util",
    "comfy_api.v0_0_1": "comfy_api.v0_0_2",
    "comfy_api.v0_0_2.io": "comfy_api.latest.io",
    "comfy_api.v0_0_2.ui": "comfy_api.latest.ui",
}
"""ComfyUI's module name → the module here that stands for it."""


def install() -> bool:
    """Make ComfyUI's public modules importable in this process.

    Returns:
        True where the stand-ins serve (also when they already did), False where the real ComfyUI can
        be imported: then nothing changes.
    """
    if any(isinstance(finder, _Finder) for finder in sys.meta_path):
        return True
    if "comfy_api" in sys.modules or importlib.util.find_spec("comfy_api") is not None:
        return False
    sys.meta_path.insert(0, _Finder())
    return True


class _Finder:
    """Answers for ComfyUI's names: a known one with its stand-in, any other with `BeyondTheHost`."""

    def find_spec(
        self, name: str, path: Any = None, target: Any = None
    ) -> importlib.machinery.ModuleSpec | None:
        if name.partition(".")[0] not in _ROOTS:
            return None
        if name not in _MODULES:
            missing_module(name, sys._getframe(1))
        is_package = any(other.startswith(f"{name}.") for other in _MODULES)
        return importlib.machinery.ModuleSpec(name, _Loader(name), is_package=is_package)


class _Loader:
    """Gives the stand-in itself, so that both names are one module object."""

    def __init__(self, name: str) -> None:
        self.name = name

    def create_module(self, spec: importlib.machinery.ModuleSpec) -> ModuleType:
        module = importlib.import_module(f"{_HERE}.{_MODULES[self.name]}")
        self.own_spec = module.__spec__
        return module

    def exec_module(self, module: ModuleType) -> None:
        module.__spec__ = self.own_spec  # importlib has just replaced it by the alias's
        _answer_for_attributes()


def _answer_for_attributes() -> None:
    """Give every stand-in imported by now a `__getattr__` for submodules and for what is missing."""
    for name, stand_in in _MODULES.items():
        module = sys.modules.get(f"{_HERE}.{stand_in}")
        if module is not None and "__getattr__" not in vars(module):
            module.__getattr__ = _submodule_or_refusal(name)


def _submodule_or_refusal(module_name: str) -> Callable[[str], ModuleType]:
    def look_up(name: str) -> ModuleType:
        # In ComfyUI every module is imported by the time a pack is: `import comfy` makes `comfy.utils` work.
        if f"{module_name}.{name}" in _MODULES:
            return importlib.import_module(f"{module_name}.{name}")
        return missing_attribute(module_name, name, sys._getframe(1))

    return look_up
