"""What the attention nodes draw on themselves, in the classic and in the Vue rendering."""

from __future__ import annotations

from PIL import Image

from browser.conftest import Server
from browser.editor import Editor, Node
from browser.test_node_views import drawn, fits  # noqa: F401

EXECUTED = """([node, output]) => app.api.dispatchCustomEvent(
  'executed', {node, display_node: node, output, prompt_id: 'a run'})"""
REPORT = "8 of 8 calls of self-attention were sparse.\nBy gathered: 8.\nPairs computed: 31.0% of all."
LEGIBLE = 220
"""Pixels that a node with a report is wide at least."""


def ran(node: Node, **output: object) -> None:
    """Tell the editor that a node has run, and what it tells."""
    told = {"kino_view": [{"kind": "report", "text": REPORT}], **output}
    node.editor.page.evaluate(EXECUTED, [node.id, told])


def test_a_report_makes_its_node_wide_enough_to_read(drawn: Editor):  # noqa: F811
    reporting = drawn.add("KinoAttentionReport", 500, 60)
    ran(reporting)
    assert drawn.page.locator(".kino-report").inner_text() == REPORT
    assert fits(reporting)
    assert reporting.ask("node.size[0]") >= LEGIBLE


def test_maps_are_shown_with_their_report(drawn: Editor, server: Server):  # noqa: F811
    names = [f"map_{number}.png" for number in range(3)]
    for name in names:
        Image.new("RGB", (96, 96), (250, 194, 82)).save(server.base / "output" / name)
    mapping = drawn.add("KinoAttentionMap", 500, 60)
    ran(mapping, images=[{"filename": name, "subfolder": "", "type": "output"} for name in names])
    assert drawn.page.locator(".kino-report").inner_text() == REPORT
    drawn.page.wait_for_function(
        """id => app.canvas.graph.getNodeById(id).imgs?.length === 3
          || document.querySelector(`[data-node-id="${id}"] img`)?.naturalWidth === 96""",
        arg=mapping.id,
    )
    assert fits(mapping)
