"""Small node definitions and a short way to write saved graphs."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from kinograph.host.graph import read_workflow, to_prompt

IMAGE = ["IMAGE", {}]
DEFINITIONS = {
    "Load": {
        "input": {"required": {"image": [["a.png", "sub/b.png"], {"image_upload": True}]}},
        "output": ["IMAGE", "MASK"],
    },
    "Text": {
        "input": {"required": {"text": ["STRING", {"multiline": True, "dynamicPrompts": True}]}},
        "output": ["STRING"],
    },
    "Noise": {
        "input": {
            "required": {
                "seed": ["INT", {"default": 0, "min": 0, "max": 2**64 - 1}],
                "steps": ["INT", {"default": 20, "min": 1, "max": 100}],
                "cfg": ["FLOAT", {"default": 8.0, "min": 0.0, "max": 100.0, "step": 0.1}],
                "sampler": [["euler", "heun"]],
            }
        },
        "output": ["LATENT"],
        "display_name": "Noise Sampler",
    },
    "Blur": {
        "input": {"required": {"image": IMAGE, "radius": ["INT", {"default": 3, "min": 0, "max": 64}]}},
        "output": ["IMAGE"],
    },
    "Mix": {
        "input": {
            "required": {"first": IMAGE, "second": IMAGE},
            "optional": {"mask": ["MASK", {}], "amount": ["FLOAT", {"default": 0.5}]},
        },
        "output": ["IMAGE", "MASK"],
    },
    "Resize": {
        "input": {
            "required": {
                "image": IMAGE,
                "mode": [
                    "COMFY_DYNAMICCOMBO_V3",
                    {
                        "options": [
                            {
                                "key": "size",
                                "inputs": {
                                    "required": {
                                        "width": ["INT", {"default": 512, "max": 4096}],
                                        "height": ["INT", {"default": 512, "max": 4096}],
                                    }
                                },
                            },
                            {"key": "factor", "inputs": {"required": {"by": ["FLOAT", {"default": 2.0}]}}},
                            {"key": "like", "inputs": {"required": {"image": IMAGE}}},
                        ]
                    },
                ],
                "filter": ["COMBO", {"options": ["area", "lanczos"]}],
            }
        },
        "output": ["IMAGE"],
    },
    "Batch": {
        "input": {
            "required": {
                "images": [
                    "COMFY_AUTOGROW_V3",
                    {
                        "template": {
                            "input": {"required": {"image": IMAGE}},
                            "prefix": "image",
                            "min": 2,
                            "max": 9,
                        }
                    },
                ]
            }
        },
        "output": ["IMAGE"],
    },
    "Curve": {"input": {"required": {"curve": ["CURVE", {}]}}, "output": ["CURVE"]},
    "Boxes": {"input": {"required": {"boxes": ["BOUNDING_BOXES", {}]}}, "output": ["BOUNDING_BOX"]},
    "Show": {
        "input": {"required": {"text": ["STRING", {"forceInput": True}], "lines": ["INT", {"default": 1}]}},
        "output": [],
    },
    "Shuffle": {
        "input": {"required": {"text": ["STRING", {"forceInput": True}], "seed": ["INT", {}]}},
        "output": [],
    },
    "Rows": {
        "input": {
            "required": {
                "rows": [
                    "COMFY_DYNAMICGROUP_V3",
                    {
                        "min": 1,
                        "max": 4,
                        "template": {"required": {"word": ["STRING", {}], "n": ["INT", {}]}},
                    },
                ],
                "last": ["INT", {"default": 9}],
            }
        },
        "output": [],
    },
    "CustomCombo": {
        "input": {"required": {"choice": ["COMBO", {"options": []}]}},
        "output": ["STRING", "INT"],
    },
    "SaveImage": {
        "input": {"required": {"images": IMAGE, "filename_prefix": ["STRING", {"default": "out"}]}},
        "output": [],
        "display_name": "Save Image",
    },
}


@pytest.fixture
def definitions() -> dict[str, Any]:
    return DEFINITIONS


@pytest.fixture
def node() -> Callable[..., dict[str, Any]]:
    """`node(id, type, values, image=3, _mode=4)`: link 3 into input `image`; a `_` sets a field."""

    def build(identity: Any, kind: str, values: Any = None, **wired: Any) -> dict[str, Any]:
        fields = {name[1:]: wired.pop(name) for name in list(wired) if name.startswith("_")}
        slots = [{"name": name.replace("__", "."), "type": "*", "link": link} for name, link in wired.items()]
        saved = {"id": identity, "type": kind, "inputs": slots, "outputs": [], "mode": 0}
        return saved | ({} if values is None else {"widgets_values": values}) | fields

    return build


@pytest.fixture
def subgraph() -> Callable[..., dict[str, Any]]:
    """`subgraph(id, nodes, links, inputs, outputs)`: ports as `(name, type, [link ids])`, links as in 0.4."""

    def build(identity: str, nodes: list, links: list, inputs: list, outputs: list) -> dict[str, Any]:
        keys = ("id", "origin_id", "origin_slot", "target_id", "target_slot", "type")
        ports = [
            [{"name": name, "type": kind, "linkIds": wires} for name, kind, wires in side]
            for side in (inputs, outputs)
        ]
        return {
            "id": identity,
            "name": identity,
            "nodes": nodes,
            "links": [dict(zip(keys, link, strict=True)) for link in links],
            "inputs": ports[0],
            "outputs": ports[1],
        }

    return build


@pytest.fixture
def convert() -> Callable[..., dict[str, Any]]:
    """`convert(nodes, links, subgraphs=…)`: the prompt of a graph written with `node`."""

    def run(
        nodes: list, links: list = (), *, subgraphs: list = (), extra: dict | None = None, **how: Any
    ) -> Any:
        saved = {
            "nodes": nodes,
            "links": list(links),
            "definitions": {"subgraphs": list(subgraphs)},
            "version": 0.4,
        }
        return to_prompt(read_workflow(saved | {"extra": extra or {}}), DEFINITIONS, **how)

    return run
