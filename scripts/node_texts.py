"""What the pack's nodes say of themselves, read from their schemas: for locale files and help pages."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

COMBO = "COMBO"
DYNAMIC_COMBO = "COMFY_DYNAMICCOMBO_V3"
WRAPPED_SEED = "control_after_generate"
UPLOAD = "upload"
UPLOADS = ("image_upload", "video_upload", "audio_upload")


@dataclass(frozen=True)
class Input:
    """One input of a node.

    id: as it stands in a graph; a method's parameter has a dot, e.g. "method.window".
    options: its choices; for `method` the methods' keys.
    method: the method it belongs to, None for the node's own inputs.
    """

    id: str
    type: str
    facts: dict[str, Any]
    optional: bool
    options: tuple[Any, ...] = ()
    method: str | None = None

    @property
    def tooltip(self) -> str:
        return self.facts.get("tooltip", "")


@dataclass(frozen=True)
class Node:
    """A node's texts: `outputs` are (name, type, tooltip)."""

    id: str
    display_name: str
    description: str
    category: str
    inputs: tuple[Input, ...]
    outputs: tuple[tuple[str, str, str], ...]


def kinograph_nodes() -> list[Node]:
    """Every node of the pack, in the order of the pack's list."""
    from kinograph.host.session import open_session

    info = open_session().object_info()
    return [_node(key, facts) for key, facts in info.items() if key.startswith("Kino")]


def _node(key: str, facts: dict[str, Any]) -> Node:
    given = {section: facts["input"].get(section, {}) for section in ("required", "optional")}
    inputs = [
        one
        for section, entries in given.items()
        for name, spec in entries.items()
        for one in _inputs(name, spec, section == "optional")
    ]
    outputs = zip(facts["output_name"], facts["output"], facts["output_tooltips"], strict=True)
    return Node(
        key, facts["display_name"], facts["description"], facts["category"], tuple(inputs), tuple(outputs)
    )


def _inputs(name: str, spec: list[Any], optional: bool, method: str | None = None) -> Iterator[Input]:
    """The input itself and, of a dynamic combo, every option's own inputs."""
    kind, facts = spec[0], spec[1] if len(spec) > 1 else {}
    if isinstance(kind, list):  # the old form of a combo
        kind, facts = COMBO, facts | {"options": kind}
    if kind != DYNAMIC_COMBO:
        yield Input(name, kind, facts, optional, tuple(facts.get("options", ())), method)
        return
    yield Input(name, kind, facts, optional, tuple(option["key"] for option in facts["options"]), method)
    for option in facts["options"]:
        for section, entries in option["inputs"].items():
            for inner, inner_spec in entries.items():
                yield from _inputs(f"{name}.{inner}", inner_spec, section == "optional", option["key"])
