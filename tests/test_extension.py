"""The pack's node list: what building it costs and leaves behind."""

from __future__ import annotations

import asyncio
import gc

import pytest
from kinograph.nodes import extension


@pytest.mark.parametrize("running", [True, False])
def test_the_node_list_collects_no_garbage_and_leaves_the_collector_as_it_was(monkeypatch, running):
    seen = []

    def no_nodes(module: str) -> list:
        seen.append(gc.isenabled())
        return []

    monkeypatch.setattr(extension, "_nodes_in", no_nodes)
    before = gc.isenabled()
    try:
        (gc.enable if running else gc.disable)()
        asyncio.run(extension.KinographExtension().get_node_list())
        assert gc.isenabled() == running
    finally:
        (gc.enable if before else gc.disable)()
    assert seen and not any(seen)
