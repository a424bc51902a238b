"""The editor's own `graphToPrompt` against `kinograph convert`, on the same graphs and node types."""

from __future__ import annotations

import hashlib
import json
import os
import urllib.request
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest
from kinograph.host.graph import MissingNodes, read_workflow, to_prompt

from browser.conftest import NEWEST, Server
from browser.editor import Editor

WORKFLOWS = sorted((Path(__file__).parents[2] / "workflows").glob("*.json"))
RECORDED = Path(__file__).parents[1] / "graph" / "data"
LEAST_KNOWN = 3
"""So many of core's templates need no node that the server does not know."""
LEAST_OF_CORE = 400
"""Of the templates that were recorded, so many at least are still the same in newer packages."""
NOT_OPENED = {"basic_image_color_adjustment"}
"""The editor fails to copy the curves in it."""
PAINTED = {"Painter": {"mask"}}
"""Pictures that the editor uploads under a new name whenever it is asked for a prompt."""
SHARE = 1 if os.environ.get("KINOGRAPH_ALL_TEMPLATES") else 20
"""Of core's templates each SHAREth is compared in the browser; the others are against recorded prompts."""


@pytest.fixture(scope="module")
def known(server: Server) -> dict[str, Any]:
    """The node types that both sides see."""
    with urllib.request.urlopen(f"{server.url}/object_info") as answer:
        return json.load(answer)


def templates() -> Iterator[tuple[str, bytes]]:
    """Name and content of ComfyUI's official graphs."""
    package = find_spec("comfyui_workflow_templates_json")
    if package is None:
        pytest.skip("needs the package comfyui-workflow-templates-json")
    for path in sorted((Path(package.submodule_search_locations[0]) / "templates").glob("*.json")):
        content = path.read_bytes()
        if content.lstrip().startswith(b"{") and b'"nodes"' in content:
            yield path.stem, content


@pytest.mark.both_editors
@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.stem)
def test_a_workflow_of_the_pack_converts_as_in_the_editor_and_back(
    editor: Editor, known: dict[str, Any], version: str, path: Path
):
    """An older editor does not say which pack a node is of, and sends the widgets of its own previews."""
    expected = to_prompt(read_workflow(path), known)
    editor.load(json.loads(path.read_text(encoding="utf-8")))
    shown = editor.prompt()
    editor.load(expected)
    back = editor.prompt()
    if version == NEWEST:
        assert (shown, untraced(back)) == (expected, untraced(expected))
    else:
        assert declared(shown, known) == declared(back, known) == declared(expected, known)


def test_templates_of_known_nodes_convert_as_in_the_editor(editor: Editor, known: dict[str, Any]):
    compared = 0
    for name, content in templates():
        graph = json.loads(content)
        try:
            expected = to_prompt(read_workflow(graph), known)
        except MissingNodes:
            continue
        editor.load(graph)
        assert editor.prompt() == expected, name
        compared += 1
    assert compared >= LEAST_KNOWN


def test_templates_convert_as_where_cores_nodes_are_known(
    context: Any, server: Server, known: dict[str, Any]
):
    """A tab that is told of core's node types, as recorded, beside those of the server."""
    types = known | recorded_types()
    digests = json.loads((RECORDED / "editor_digests.json").read_text(encoding="utf-8"))
    editor = Editor(context.new_page(), server.url)
    editor.page.route("**/object_info", lambda route: route.fulfill(json=types))
    editor.open()
    same = {name: content for name, content in templates() if digest(content) == digests.get(name, [""])[0]}
    compared = {name: same[name] for name in list(same)[::SHARE] if name not in NOT_OPENED}
    for name, content in compared.items():
        graph = json.loads(content)
        editor.blank()  # many open graphs make it slow
        editor.load(graph)
        expected = to_prompt(read_workflow(graph), types)
        assert declared(editor.prompt(), types) == declared(expected, types), name
    editor.page.close()
    assert len(compared) >= LEAST_OF_CORE // SHARE


def digest(content: bytes) -> str:
    """As the recording names a template's content."""
    return hashlib.sha256(content).hexdigest()[:12]


def recorded_types() -> dict[str, Any]:
    """Core's declarations with what the recording leaves out and the editor asks for."""
    recorded = json.loads((RECORDED / "core_nodes.json").read_text(encoding="utf-8"))
    return {
        name: entry
        | {"name": name, "display_name": name, "description": "", "category": "core", "output_node": False}
        | {"python_module": "nodes", "output_name": entry["output"]}
        | {"output_is_list": [False] * len(entry["output"])}
        for name, entry in recorded.items()
    }


def untraced(prompt: dict[str, Any]) -> dict[str, Any]:
    """Without the packs that the nodes are of, which a graph in API format forgets."""
    return {key: entry | {"_meta": {"title": entry["_meta"]["title"]}} for key, entry in prompt.items()}


def declared(prompt: dict[str, Any], types: dict[str, Any]) -> dict[str, Any]:
    """Types and declared inputs: 3D views add inputs of their own, and the recording has no titles."""
    names = {
        kind: {name for section in entry["input"].values() for name in section} - PAINTED.get(kind, set())
        for kind, entry in types.items()
    }
    return {
        key: [
            entry["class_type"],
            {
                name: value
                for name, value in entry["inputs"].items()
                if name.split(".")[0] in names[entry["class_type"]]
            },
        ]
        for key, entry in prompt.items()
    }
