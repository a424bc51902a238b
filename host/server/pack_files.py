"""What packs bring beside nodes: browser modules, templates, subgraph blueprints, translations."""

from __future__ import annotations

import hashlib
import json
import logging
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote

from ..api import nodes as registry

_LOG = logging.getLogger(__name__)

_TEMPLATE_FOLDERS = ("example_workflows", "example", "examples", "workflow", "workflows")
_LOCALE_PARTS = ("nodeDefs", "commands", "settings")


def browser_modules(front_end: Path) -> list[str]:
    """Addresses of every JavaScript module that the editor is to load: its own, then the packs'."""
    own = _below(front_end / "extensions", ".js")
    modules = [f"/extensions/{path}" for path in own]
    for pack, folder in registry.EXTENSION_WEB_DIRS.items():
        modules += [f"/extensions/{quote(pack)}/{path}" for path in _below(Path(folder), ".js")]
    return modules


def web_folder(pack: str) -> str | None:
    """A pack's folder of browser modules and help pages."""
    return registry.EXTENSION_WEB_DIRS.get(pack)


def templates() -> dict[str, list[str]]:
    """Names of the workflows that each pack offers as templates."""
    found = {}
    for pack in registry.LOADED_MODULE_DIRS:
        names = sorted(path.stem for folder in template_folders(pack) for path in folder.glob("*.json"))
        if names:
            found[pack] = names
    return found


def template_folders(pack: str) -> list[Path]:
    """A pack's folders of templates and their thumbnails."""
    root = registry.LOADED_MODULE_DIRS.get(pack)
    folders = [Path(root, name) for name in _TEMPLATE_FOLDERS] if root else []
    return [folder for folder in folders if folder.is_dir()]


@dataclass(frozen=True)
class Blueprint:
    """A subgraph that a pack offers as one node."""

    path: Path
    pack: str

    @property
    def facts(self) -> dict[str, Any]:
        pack = {"node_pack": f"custom_nodes.{self.pack}"}
        return {"source": "custom_node", "name": self.path.stem, "info": pack}


def blueprints() -> dict[str, Blueprint]:
    """Every pack's subgraphs by an id that stays the same from start to start."""
    found = {}
    for pack, root in registry.LOADED_MODULE_DIRS.items():
        for path in sorted(Path(root, "subgraphs").glob("*.json")):
            key = hashlib.sha256(f"{pack}/subgraphs/{path.name}".encode()).hexdigest()
            found[key] = Blueprint(path, pack)
    return found


def translations() -> dict[str, Any]:
    """Every pack's texts by language: main.json at the top, nodeDefs, commands and settings below it."""
    merged: dict[str, Any] = {}
    for root in registry.LOADED_MODULE_DIRS.values():
        for folder in sorted(path for path in Path(root, "locales").glob("*") if path.is_dir()):
            texts = _texts(folder / "main.json")
            for part in _LOCALE_PARTS:
                if found := _texts(folder / f"{part}.json"):
                    texts[part] = found
            if texts:
                _merge(merged.setdefault(folder.name, {}), texts)
    return merged


def _texts(path: Path) -> dict[str, Any]:
    if not path.is_file():
        return {}
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:
        _LOG.error("The translations %s cannot be read: %s", path, error)
        return {}


def _merge(into: dict[str, Any], texts: dict[str, Any]) -> None:
    for key, value in texts.items():
        if isinstance(value, dict) and isinstance(into.get(key), dict):
            _merge(into[key], value)
        else:
            into[key] = value


def _below(folder: Path, suffix: str) -> Iterator[str]:
    for place, folders, names in os.walk(folder):
        folders.sort()
        for name in sorted(names):
            if name.endswith(suffix):
                yield Path(place, name).relative_to(folder).as_posix()
