"""Loading node packs as ComfyUI loads them: this pack, the host's own core nodes, and foreign ones.

A foreign pack may be broken or ask for more of ComfyUI than is here. It never stops the host: what could
not be loaded is told in `Pack.problems`.
"""

from __future__ import annotations

import asyncio
import importlib
import importlib.util
import re
import sys
import traceback
from collections.abc import Iterator
from dataclasses import dataclass, field
from inspect import isawaitable
from pathlib import Path
from types import ModuleType
from typing import Any

from .api import nodes as registry
from .api.absent import is_refusal
from .api.install import install
from .api.path_names import OutsideFolderError, path_inside

_PACKAGE = __package__.rpartition(".")[0]
_CORE_MODULE = "nodes"


@dataclass
class Pack:
    """What a pack brought.

    nodes: id → V1 or V3 class. display_names: id → title, where the pack gives one.
    web: the folder of its browser modules. problems: a sentence for each thing left out.
    """

    name: str
    nodes: dict[str, type] = field(default_factory=dict)
    web: Path | None = None
    problems: list[str] = field(default_factory=list)
    display_names: dict[str, str] = field(default_factory=dict)


def load_kinograph() -> Pack:
    """Load this pack, as ComfyUI would."""
    _require_stand_ins()
    return _read_module(importlib.import_module(_PACKAGE), "kinograph", "custom_nodes.kinograph")


def load_core() -> Pack:
    """Load the host's nodes that carry ComfyUI's own ids."""
    _require_stand_ins()
    return _read_module(importlib.import_module(f"{__package__}.core"), "core", _CORE_MODULE)


def load_pack(directory: str | Path) -> Pack:
    """Load a foreign pack: a folder with an `__init__.py`, or a single Python file.

    Its `NODE_CLASS_MAPPINGS` count first; without them its `comfy_entrypoint` is asked. Ids of core nodes
    that are loaded already stay theirs.
    """
    _require_stand_ins()
    place = Path(directory).resolve()
    name = place.stem if place.is_file() else place.name
    try:
        module = _imported(place)
    except (Exception, SystemExit) as error:
        return Pack(name, problems=[f"The pack {name} cannot be loaded: {_told(error)}"])
    return _read_module(module, name, f"custom_nodes.{name}")


def _require_stand_ins() -> None:
    if not install():
        raise RuntimeError(
            "ComfyUI itself can be imported in this process, and the embedded host stays out of its way: "
            "run the graph in that ComfyUI, or start from a directory and environment without it"
        )


def _imported(place: Path) -> ModuleType:
    """The pack's module, under the name that ComfyUI would give it."""
    file = place / "__init__.py" if place.is_dir() else place
    if not file.is_file() or file.suffix != ".py":
        raise FileNotFoundError(f"{place} is neither a folder with an __init__.py nor a Python file")
    name = str(place).replace(".", "_x_") if place.is_dir() else str(place.with_suffix(""))
    spec = importlib.util.spec_from_file_location(name, file)
    module = sys.modules[name] = importlib.util.module_from_spec(spec)
    try:
        spec.loader.exec_module(module)
    except BaseException:
        del sys.modules[name]
        raise
    return module


def _read_module(module: ModuleType, name: str, python_module: str) -> Pack:
    """Take the nodes of an imported pack and enter them in `nodes.NODE_CLASS_MAPPINGS`."""
    pack = Pack(name)
    found = _v1_nodes(module, pack) if _mappings(module) is not None else _v3_nodes(module, pack)
    for node_id, node in found:
        owner = getattr(registry.NODE_CLASS_MAPPINGS.get(node_id), "RELATIVE_PYTHON_MODULE", None)
        if owner == _CORE_MODULE != python_module:
            pack.problems.append(
                f"{name}: the node {node_id} is left out, because ComfyUI has one of that id"
            )
            continue
        node.RELATIVE_PYTHON_MODULE = python_module
        pack.nodes[node_id] = node
    pack.web = _web_folder(module, pack)
    _register(module, pack)
    return pack


def _register(module: ModuleType, pack: Pack) -> None:
    registry.NODE_CLASS_MAPPINGS.update(pack.nodes)
    registry.NODE_DISPLAY_NAME_MAPPINGS.update(pack.display_names)
    registry.LOADED_MODULE_DIRS[pack.name] = str(Path(module.__file__).parent)
    if pack.web is not None:
        registry.EXTENSION_WEB_DIRS[pack.name] = str(pack.web)


def _mappings(module: ModuleType) -> dict[str, type] | None:
    return getattr(module, "NODE_CLASS_MAPPINGS", None)


def _v1_nodes(module: ModuleType, pack: Pack) -> Iterator[tuple[str, type]]:
    pack.display_names = dict(getattr(module, "NODE_DISPLAY_NAME_MAPPINGS", None) or {})
    for node_id, node in _mappings(module).items():
        try:
            _check_v1(node)
        except Exception as error:
            pack.problems.append(f"{pack.name}: the node {node_id} is left out: {_told(error)}")
        else:
            yield node_id, node


def _check_v1(node: Any) -> None:
    missing = [name for name in ("INPUT_TYPES", "FUNCTION", "RETURN_TYPES") if not hasattr(node, name)]
    if missing:
        raise TypeError(f"its class has no {', '.join(missing)}")
    if not callable(getattr(node, node.FUNCTION, None)):
        raise TypeError(f"its class has no method {node.FUNCTION}, which its FUNCTION names")
    node.INPUT_TYPES()


def _v3_nodes(module: ModuleType, pack: Pack) -> Iterator[tuple[str, type]]:
    try:
        nodes = asyncio.run(_node_list(module))
    except Exception as error:
        pack.problems.append(f"The pack {pack.name} cannot be loaded: {_told(error)}")
        return
    for node in nodes:
        try:
            schema = node.GET_SCHEMA()
        except Exception as error:
            node_name = getattr(node, "__name__", node)
            pack.problems.append(f"{pack.name}: the node {node_name} is left out: {_told(error)}")
            continue
        if schema.display_name is not None:
            pack.display_names[schema.node_id] = schema.display_name
        yield schema.node_id, node


async def _node_list(module: ModuleType) -> list[type]:
    from .api.comfy_api.latest import ComfyExtension

    entrypoint = getattr(module, "comfy_entrypoint", None)
    if not callable(entrypoint):
        raise TypeError("it has neither NODE_CLASS_MAPPINGS nor a comfy_entrypoint function")
    extension = entrypoint()
    if isawaitable(extension):
        extension = await extension
    if not isinstance(extension, ComfyExtension):
        raise TypeError(f"its comfy_entrypoint returned a {type(extension).__name__}, not a ComfyExtension")
    await extension.on_load()
    nodes = await extension.get_node_list()
    if not isinstance(nodes, list):
        raise TypeError(f"its get_node_list returned a {type(nodes).__name__}, not a list")
    return nodes


def _web_folder(module: ModuleType, pack: Pack) -> Path | None:
    """The folder named by WEB_DIRECTORY, or by `web` in pyproject.toml's [tool.comfy]."""
    root = Path(module.__file__).parent
    named = getattr(module, "WEB_DIRECTORY", None) or _web_in_pyproject(root / "pyproject.toml")
    if not named:
        return None
    try:
        folder = Path(path_inside(str(root), str(named))).resolve()
    except OutsideFolderError as error:
        pack.problems.append(f"{pack.name}: its browser modules are left out: {error}")
        return None
    return folder if folder.is_dir() else None


def _web_in_pyproject(file: Path) -> str | None:
    # Python 3.10 has no TOML reader, and this one string needs none.
    text = file.read_text(encoding="utf-8", errors="replace") if file.is_file() else ""
    section = re.search(r"^\[tool\.comfy\]\s*$(.*?)(?=^\[|\Z)", text, re.MULTILINE | re.DOTALL)
    entry = section and re.search(r"""^web\s*=\s*["']([^"']+)["']""", section[1], re.MULTILINE)
    return entry[1] if entry else None


def _told(error: BaseException) -> str:
    """An error of a pack in one sentence, with the pack's own line where it arose."""
    if is_refusal(error):
        return str(error)
    if isinstance(error, ModuleNotFoundError) and re.fullmatch(r"[\w.]+", error.name or ""):
        return f"it needs the Python package {error.name.partition('.')[0]}, which is not installed"
    frames = traceback.extract_tb(error.__traceback__)
    own = [frame for frame in frames if frame.filename != __file__ and "importlib" not in frame.filename]
    line = f" (line {own[-1].lineno} of {own[-1].filename})" if own else ""
    return f"{type(error).__name__}: {error}{line}"
