"""A real ComfyUI lists every node of the pack, with what the editor needs to show it."""

from __future__ import annotations

import asyncio

import kinograph
import pytest


@pytest.fixture(scope="module")
def nodes() -> list[str]:
    """Ids of the pack's nodes, as it offers them to any host."""

    async def offered() -> list[type]:
        extension = await kinograph.comfy_entrypoint()
        return await extension.get_node_list()

    return [node.GET_SCHEMA().node_id for node in asyncio.run(offered())]


def test_every_node_is_listed(comfyui, nodes):
    listed = comfyui.ask("/object_info")
    assert set(nodes) <= set(listed), comfyui.log.read_text()[-4000:]


def test_nothing_of_ours_failed_to_load(comfyui):
    assert "IMPORT FAILED" not in comfyui.log.read_text()
    assert "left out" not in comfyui.log.read_text()


def test_every_node_has_a_category_a_description_and_a_tooltip_on_every_input(comfyui, nodes):
    listed = comfyui.ask("/object_info")
    for name in nodes:
        node = listed[name]
        assert node["category"].startswith("Kinograph/") and node["description"], name
        inputs = {**node["input"].get("required", {}), **node["input"].get("optional", {})}
        bare = [key for key, (_, *options) in inputs.items() if not (options and options[0].get("tooltip"))]
        assert not bare, f"{name}: no tooltip on {bare}"
