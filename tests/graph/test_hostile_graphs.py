"""Random and broken graphs: a prompt never names what is not in it, and conversion always ends."""

from __future__ import annotations

import copy

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from kinograph.host.graph import WorkflowError, read_workflow, to_prompt

DEFINITIONS = {
    "Make": {"input": {"required": {"size": ["INT", {}]}}, "output": ["IMAGE", "INT"]},
    "Join": {
        "input": {"required": {"a": ["IMAGE", {}], "b": ["IMAGE", {}], "size": ["INT", {"default": 1}]}},
        "output": ["IMAGE"],
    },
}
INPUTS = {
    "Make": ("size",),
    "Join": ("a", "b", "size"),
    "Reroute": ("",),
    "PrimitiveNode": (),
    "SetNode": ("v",),
}
SUBGRAPHS = ("first", "second")
TYPES = (*INPUTS, "Make", "Join", "GetNode", "Note")


@st.composite
def graphs(draw, inside: bool, types: tuple[str, ...]):
    """A graph of up to eight nodes with arbitrary wires, also backwards, in circles and to nowhere."""
    ends = st.sampled_from([-20, -10, *range(9)] if inside else range(9))
    nodes, links = [], []
    for identity in range(draw(st.integers(0, 8))):
        kind = draw(st.sampled_from(types))
        slots = []
        for name in INPUTS.get(kind, ("in0", "in1")):
            wire = None
            if draw(st.booleans()):
                wire = len(links)
                origin = draw(ends)
                links.append([wire, origin, draw(st.integers(-1, 3)), identity, len(slots), "*"])
            slots.append({"name": name, "type": draw(st.sampled_from(["*", "IMAGE", "INT"])), "link": wire})
        nodes.append(
            {
                "id": identity,
                "type": kind,
                "mode": draw(st.sampled_from([0, 0, 0, 2, 4])),
                "inputs": slots,
                "outputs": [{"name": "o", "type": "IMAGE"}],
                "widgets_values": draw(st.lists(st.sampled_from([1, "x", None, [2], {"y": 3}]), max_size=3)),
                "properties": {"proxyWidgets": draw(st.sampled_from([None, [["1", "size"], ["-1", "in0"]]]))},
            }
        )
    return nodes, links


@st.composite
def workflows(draw):
    unheard = draw(st.sampled_from([(), (), (), (), ("Unheard",)]))
    nodes, links = draw(graphs(inside=False, types=(*TYPES, *SUBGRAPHS, *unheard)))
    definitions = []
    for depth, name in enumerate(SUBGRAPHS):
        inner, wires = draw(graphs(inside=True, types=(*TYPES, *SUBGRAPHS[depth + 1 :])))
        last = len(wires)
        wires.append([last, draw(st.integers(0, 8)), 0, -20, 0, "*"])
        ports = [
            {
                "name": f"in{port}",
                "type": "IMAGE",
                "linkIds": [wire[0] for wire in wires if wire[1:3] == [-10, port]],
            }
            for port in (0, 1)
        ]
        output = {"name": "out", "type": "IMAGE", "linkIds": draw(st.sampled_from([[last], [], [999]]))}
        definitions.append({"id": name, "nodes": inner, "links": wires, "inputs": ports, "outputs": [output]})
    return {"nodes": nodes, "links": links, "definitions": {"subgraphs": definitions}}


@settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))
@given(workflows())
def test_a_prompt_holds_running_nodes_only_and_wires_between_them(saved):
    before = copy.deepcopy(saved)
    try:
        prompt = to_prompt(read_workflow(saved), DEFINITIONS)
    except WorkflowError as error:
        assert error.problems
        return
    assert saved == before
    for identity, entry in prompt.items():
        assert entry["class_type"] in DEFINITIONS
        assert runs(saved, identity)
        for value in entry["inputs"].values():
            if isinstance(value, list):
                assert value[0] in prompt
                assert isinstance(value[1], int)


def runs(saved, identity: str) -> bool:
    """Whether the node of that execution id and every subgraph node around it runs."""
    nodes = saved["nodes"]
    definitions = {entry["id"]: entry["nodes"] for entry in saved["definitions"]["subgraphs"]}
    for step in identity.split(":"):
        node = next(node for node in nodes if str(node["id"]) == step)
        if node["mode"] != 0:
            return False
        nodes = definitions.get(node["type"], [])
    return True


VALID = {
    "nodes": [
        {"id": 1, "type": "Make", "widgets_values": [3]},
        {"id": 2, "type": "Join", "inputs": [{"name": "a", "type": "IMAGE", "link": 1}], "properties": {}},
        {"id": 3, "type": "inside", "properties": {"proxyWidgets": [["1", "size"]]}, "widgets_values": [4]},
        {"id": 4, "type": "workflow>group"},
    ],
    "links": [[1, 1, 0, 2, 0, "IMAGE"]],
    "definitions": {
        "subgraphs": [
            {
                "id": "inside",
                "nodes": [{"id": 1, "type": "Make", "inputs": [{"name": "size", "link": 1}]}],
                "links": [{"id": 1, "origin_id": -10, "origin_slot": 0, "target_id": 1, "target_slot": 0}],
                "inputs": [{"name": "size", "type": "INT", "linkIds": [1]}],
                "outputs": [],
            }
        ]
    },
    "extra": {"groupNodes": {"group": {"nodes": [{"type": "Make"}], "links": [], "external": [[0, 0]]}}},
}


def places(value, path=()):
    """Every path into a JSON value."""
    yield path
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, item in items:
        yield from places(item, (*path, key))


@settings(max_examples=500, deadline=None)
@given(
    st.sampled_from([path for path in places(VALID) if path]),
    st.sampled_from(
        [None, 0, -1, 2**70, 1.5, float("nan"), "", "x", "../x", True, [], [[]], [1], {}, {"a": 1}]
    ),
)
def test_any_part_replaced_by_anything_converts_or_is_refused(path, value):
    damaged = copy.deepcopy(VALID)
    part = damaged
    for key in path[:-1]:
        part = part[key]
    part[path[-1]] = value
    try:
        prompt = to_prompt(read_workflow(damaged), DEFINITIONS)
    except WorkflowError as error:
        assert str(error)
    else:
        assert all(entry["class_type"] in DEFINITIONS for entry in prompt.values())
