"""The subgraph blueprints: `python scripts/blueprints.py` writes `subgraphs/*.json` from the list at the end.

The editor offers each under its file's name, as one node that may be opened. Nodes are written in a line
each and get their slots and widget values from the schemas, so a changed schema only needs another run.
"""

from __future__ import annotations

import argparse
import json
import sys
import uuid
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from node_texts import DYNAMIC_COMBO

FOLDER = Path(__file__).resolve().parents[1] / "subgraphs"
NAMESPACE = uuid.UUID("7d1f0f0e-3c1f-5a3a-9d5e-0b9f5c2f6a10")
WIDGETS = {"INT", "FLOAT", "STRING", "BOOLEAN", "COMBO", DYNAMIC_COMBO}
INPUT_NODE, OUTPUT_NODE = -10, -20
COLUMN, WIDTH = 420, 340


@dataclass(frozen=True)
class Blueprint:
    """A subgraph in short.

    nodes: name → (type, widget values), in columns from left to right.
    wires: "node.output" → "node.input" for every wire inside.
    inputs: the subgraph's own, name → "node.input", or several with spaces between.
    outputs: the same, name → "node.output".
    """

    name: str
    description: str
    nodes: dict[str, tuple[str, dict[str, Any]]]
    wires: list[tuple[str, str]]
    inputs: dict[str, str]
    outputs: dict[str, str]


@dataclass
class _Slots:
    """A node's slots and widget values as the editor saves them."""

    inputs: list[dict[str, Any]] = field(default_factory=list)
    values: list[Any] = field(default_factory=list)


def _slots(info: dict[str, Any], values: dict[str, Any]) -> _Slots:
    slots = _Slots()
    for section in ("required", "optional"):
        for name, spec in info["input"].get(section, {}).items():
            _add_slot(slots, name, spec, values)
    return slots


def _add_slot(slots: _Slots, name: str, spec: list[Any], values: dict[str, Any]) -> None:
    kind, facts = spec[0], spec[1] if len(spec) > 1 else {}
    kind, facts = ("COMBO", facts | {"options": kind}) if isinstance(kind, list) else (kind, facts)
    slot = {"name": name, "type": kind, "link": None}
    slots.inputs.append(slot)
    if kind not in WIDGETS:
        return
    slot["widget"] = {"name": name}
    options = facts.get("options") or [None]
    first = options[0]["key"] if kind == DYNAMIC_COMBO else options[0]
    value = values.get(name, facts.get("default", first))
    slots.values.append(value)
    if facts.get("control_after_generate"):
        slots.values.append("randomize")
    for option in options if kind == DYNAMIC_COMBO else ():
        if option["key"] == value:
            for entries in option["inputs"].values():
                for inner, inner_spec in entries.items():
                    _add_slot(slots, f"{name}.{inner}", inner_spec, values)


class _Builder:
    """Puts one blueprint together; `document` is what the editor would have saved."""

    def __init__(self, blueprint: Blueprint, object_info: dict[str, Any]) -> None:
        self.blueprint, self.info = blueprint, object_info
        self.ids = {name: number for number, name in enumerate(blueprint.nodes, 1)}
        self.links: list[dict[str, Any]] = []
        self.nodes = {name: self._node(name) for name in blueprint.nodes}
        for source, target in blueprint.wires:
            self._wire(self._output(source), self._input(target))
        self.inputs = [self._own_input(index, *pair) for index, pair in enumerate(blueprint.inputs.items())]
        self.outputs = [
            self._own_output(index, *pair) for index, pair in enumerate(blueprint.outputs.items())
        ]

    def _node(self, name: str) -> dict[str, Any]:
        kind, values = self.blueprint.nodes[name]
        info, number = self.info[kind], self.ids[name]
        slots = _slots(info, values)
        outputs = zip(info["output_name"], info["output"], strict=True)
        return {
            "id": number,
            "type": kind,
            "pos": [COLUMN * number, 0],
            "size": [WIDTH, 60 + 24 * len(slots.inputs)],
            "flags": {},
            "order": number - 1,
            "mode": 0,
            "inputs": slots.inputs,
            "outputs": [{"name": shown, "type": type_, "links": None} for shown, type_ in outputs],
            "properties": {"Node name for S&R": kind},
            "widgets_values": slots.values,
        }

    def _output(self, where: str) -> tuple[int, int, dict[str, Any]]:
        name, _, slot = where.partition(".")
        outputs = self.nodes[name]["outputs"]
        index = next(index for index, output in enumerate(outputs) if output["name"] == slot)
        return self.ids[name], index, outputs[index]

    def _input(self, where: str) -> tuple[int, int, dict[str, Any]]:
        name, _, slot = where.partition(".")
        inputs = self.nodes[name]["inputs"]
        index = next(index for index, given in enumerate(inputs) if given["name"] == slot)
        return self.ids[name], index, inputs[index]

    def _wire(self, source: tuple[int, int, Any], target: tuple[int, int, Any]) -> int:
        (origin, origin_slot, output), (node, slot, given) = source, target
        number = len(self.links) + 1
        kind = given["type"] if given else output["type"]
        facts = (number, origin, origin_slot, node, slot, kind)
        keys = ("id", "origin_id", "origin_slot", "target_id", "target_slot", "type")
        self.links.append(dict(zip(keys, facts, strict=True)))
        if output:
            output["links"] = [*(output["links"] or []), number]
        if given:
            given["link"] = number
        return number

    def _own_input(self, index: int, name: str, targets: str) -> dict[str, Any]:
        ends = [self._input(target) for target in targets.split()]
        wires = [self._wire((INPUT_NODE, index, None), end) for end in ends]
        return self._port(name, ends[0][2]["type"], wires, 0, index)

    def _own_output(self, index: int, name: str, source: str) -> dict[str, Any]:
        output = self._output(source)
        wire = self._wire(output, (OUTPUT_NODE, index, None))
        return self._port(name, output[2]["type"], [wire], COLUMN * (len(self.nodes) + 1), index)

    def _port(self, name: str, kind: str, wires: list[int], left: int, index: int) -> dict[str, Any]:
        identity = str(uuid.uuid5(NAMESPACE, f"{self.blueprint.name}/{name}/{left}"))
        return {"id": identity, "name": name, "type": kind, "linkIds": wires, "pos": [left + 100, 20 * index]}

    def document(self) -> dict[str, Any]:
        blueprint = self.blueprint
        identity = str(uuid.uuid5(NAMESPACE, blueprint.name))
        own = {name: self._input(targets.split()[0])[2] for name, targets in blueprint.inputs.items()}
        inputs = [
            {"name": name, "type": slot["type"], "link": None}
            | ({"widget": {"name": name}} if "widget" in slot else {})
            for name, slot in own.items()
        ]
        outputs = [{"name": port["name"], "type": port["type"], "links": []} for port in self.outputs]
        number = len(self.nodes) + 1  # the editor renumbers inner nodes that share the outer one's id
        host = {
            "id": number,
            "type": identity,
            "title": blueprint.name,
            "pos": [0, 0],
            "size": [WIDTH, 40 + 24 * max(len(inputs), len(outputs))],
            "flags": {},
            "order": 0,
            "mode": 0,
            "inputs": inputs,
            "outputs": outputs,
            "properties": {},
            "widgets_values": [],
        }
        return {
            "revision": 0,
            "last_node_id": number,
            "last_link_id": 0,
            "nodes": [host],
            "links": [],
            "version": 0.4,
            "definitions": {"subgraphs": [self._definition(identity)]},
            "extra": {"BlueprintDescription": blueprint.description},
        }

    def _definition(self, identity: str) -> dict[str, Any]:
        blueprint, count = self.blueprint, len(self.nodes)
        state = {"lastGroupId": 0, "lastNodeId": count, "lastLinkId": len(self.links), "lastRerouteId": 0}
        return {
            "id": identity,
            "version": 1,
            "state": state,
            "revision": 0,
            "config": {},
            "name": blueprint.name,
            "inputNode": {"id": INPUT_NODE, "bounding": [0, -40, 120, 40 + 20 * len(self.inputs)]},
            "outputNode": {
                "id": OUTPUT_NODE,
                "bounding": [COLUMN * (count + 1), -40, 120, 40 + 20 * len(self.outputs)],
            },
            "inputs": self.inputs,
            "outputs": self.outputs,
            "widgets": [],
            "nodes": list(self.nodes.values()),
            "groups": [],
            "links": self.links,
            "extra": {},
            "category": "Kinograph",
            "description": blueprint.description,
        }


def documents() -> dict[Path, dict[str, Any]]:
    """Every blueprint's file and what it holds."""
    from blueprint_list import BLUEPRINTS
    from kinograph.host.session import open_session

    info = open_session().object_info()
    return {FOLDER / f"{one.name}.json": _Builder(one, info).document() for one in BLUEPRINTS}


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.parse_args()
    for path, document in documents().items():
        path.write_text(json.dumps(document, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
        print(path.name)
    return 0


if __name__ == "__main__":
    sys.exit(main())
