"""Locale files from the schemas: `python scripts/locale_files.py` writes English and checks the others.

The editor shows `locales/<language>/nodeDefs.json` and `main.json` in place of the schemas' own texts, and
`commands.json` in place of the web extension's. In its keys a dot of an id becomes `_`. English is generated;
every other language is written by hand and has to have the same keys. Where a method's parameter means
something else in each method, English leaves its tooltip to the schema, and other languages tell all meanings
in one.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from node_texts import UPLOAD, UPLOADS, WRAPPED_SEED, Node, kinograph_nodes

LOCALES = Path(__file__).resolve().parents[1] / "locales"
SOCKETS = {
    "KINO_SPANS": "spans",
    "KINO_CLIP": "clip description",
    "KINO_FLOW": "optical flow",
    "KINO_LINE_GRAPH": "line graphs",
}
COMMANDS = {"Kinograph_WireSelected": {"label": "Wire the selected nodes"}}
SYNTAX = set("{}@|")
"""Characters that the editor's translations compile: a text with one would show garbled or fail."""

Tree = dict[str, Any]


def english(nodes: list[Node]) -> dict[str, Tree]:
    """The English files by name."""
    parts = dict.fromkeys(part for node in nodes for part in node.category.split("/"))
    main = {"nodeCategories": {part: part for part in parts}, "dataTypes": SOCKETS}
    definitions = {node.id: _definition(node) for node in nodes}
    return {"nodeDefs.json": definitions, "main.json": main, "commands.json": COMMANDS}


def _definition(node: Node) -> Tree:
    outputs = {
        str(index): {"name": name, "tooltip": tooltip}
        for index, (name, _, tooltip) in enumerate(node.outputs)
    }
    return {
        "display_name": node.display_name,
        "description": node.description,
        "inputs": _inputs(node),
        "outputs": outputs,
    }


def _inputs(node: Node) -> Tree:
    found: Tree = {}
    for given in node.inputs:
        key = given.id.replace(".", "_")
        entry = {"name": given.id.rpartition(".")[2], "tooltip": given.tooltip}
        if found.get(key, entry) != entry:
            entry = {"name": entry["name"]}  # two methods mean different things by it
        found[key] = entry
        if given.facts.get(WRAPPED_SEED):
            found[WRAPPED_SEED] = {"name": "control after generate"}
        if any(given.facts.get(upload) for upload in UPLOADS):
            found[UPLOAD] = {"name": "choose file to upload"}
    return found


def leaves(tree: Tree, path: str = "") -> Iterator[tuple[str, str]]:
    """Every text with the path of its keys."""
    for key, value in tree.items():
        here = f"{path}/{key}" if path else key
        if isinstance(value, dict):
            yield from leaves(value, here)
        else:
            yield here, value


def faults(wanted: Tree, given: Tree) -> list[str]:
    """What a translation lacks, has too much, left empty, or writes in characters that do not show."""
    paths, texts = dict(leaves(wanted)), dict(leaves(given))
    several = {
        path for path in texts if path.endswith("/tooltip") and path.rpartition("/")[0] + "/name" in paths
    }
    return [
        *(f"lacks {path}" for path in paths if path not in texts),
        *(f"has {path}, which no node has" for path in texts if path not in paths and path not in several),
        *(f"leaves {path} empty" for path, text in texts.items() if not str(text).strip()),
        *(f"writes {path} with one of {{ }} @ |" for path, text in texts.items() if SYNTAX & set(str(text))),
    ]


def read(language: str, name: str) -> Tree:
    return json.loads((LOCALES / language / name).read_text(encoding="utf-8"))


def _write(files: dict[str, Tree]) -> list[str]:
    """Write the English files; returns the paths of texts that changed, which translations have to follow."""
    changed = []
    for name, tree in files.items():
        path = LOCALES / "en" / name
        before = dict(leaves(read("en", name))) if path.exists() else {}
        changed += [where for where, text in leaves(tree) if before.get(where, text) != text]
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(tree, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
    return changed


def main() -> int:
    files = english(kinograph_nodes())
    for where in _write(files):
        print(f"changed, translate anew: {where}")
    found = 0
    for folder in sorted(path for path in LOCALES.iterdir() if path.is_dir()):
        for name, wanted in files.items():
            for fault in faults(wanted, read(folder.name, name)):
                print(f"locales/{folder.name}/{name} {fault}")
                found += 1
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
