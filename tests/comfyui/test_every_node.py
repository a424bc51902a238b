"""Every node of the pack has a graph that shows its use, and that graph runs in a real ComfyUI."""

from __future__ import annotations

import asyncio

import kinograph
import pytest
from comfyui.examples import EXAMPLES


@pytest.fixture(scope="module")
def nodes() -> list[str]:
    """Ids of the pack's nodes, as it offers them to any host."""

    async def offered() -> list[type]:
        extension = await kinograph.comfy_entrypoint()
        return await extension.get_node_list()

    return [node.GET_SCHEMA().node_id for node in asyncio.run(offered())]


def test_every_node_has_an_example(nodes):
    assert sorted(EXAMPLES) == sorted(nodes)
    for name, graph in EXAMPLES.items():
        assert name in {node["class_type"] for node in graph.values()}


@pytest.mark.parametrize("name", EXAMPLES)
def test_its_example_runs(comfyui, clip, name):
    shown = [key for key in EXAMPLES[name] if key.startswith(("show", "save"))]
    outputs = comfyui.run(EXAMPLES[name])
    assert shown and set(shown) <= set(outputs)


def test_every_node_is_listed(comfyui, nodes):
    assert set(nodes) <= set(comfyui.listed), comfyui.log.read_text()[-4000:]


def test_nothing_of_ours_failed_to_load(comfyui):
    assert "IMPORT FAILED" not in comfyui.log.read_text()
    assert "are left out" not in comfyui.log.read_text()
    assert "is left out" not in comfyui.log.read_text()


def test_every_node_has_a_category_a_description_and_a_tooltip_on_every_input(comfyui, nodes):
    for name in nodes:
        listed = comfyui.listed[name]
        assert listed["category"].startswith("Kinograph/") and listed["description"], name
        inputs = {**listed["input"].get("required", {}), **listed["input"].get("optional", {})}
        bare = [key for key, (_, *options) in inputs.items() if not (options and options[0].get("tooltip"))]
        assert not bare, f"{name}: no tooltip on {bare}"
