"""What users read: every node and input of the video nodes is explained."""

from __future__ import annotations

from pathlib import Path

import kinograph
import pytest
from kinograph.nodes.methods import methods_of
from kinograph.nodes.video import nodes_edit, nodes_inspect, nodes_load, nodes_save, nodes_timing

MODULES = (nodes_load, nodes_edit, nodes_timing, nodes_inspect, nodes_save)
NODES = [node for module in MODULES for node in module.NODES]
PAGES = Path(kinograph.__file__).parent / "web/docs"


@pytest.fixture(params=NODES, ids=lambda node: node.__name__)
def schema(request, folders):
    return request.param.GET_SCHEMA()


def test_the_help_page_names_every_input(schema):
    page = (PAGES / f"{schema.node_id}.md").read_text(encoding="utf-8")
    assert page.startswith(f"# {schema.display_name}\n")
    # numbered inputs are written as a range
    named = [entry.id for entry in schema.inputs if not entry.id.startswith("video_")]
    assert [name for name in named if f"`{name}`" not in page] == []
    assert [key for key in methods_of(schema.node_id) if f"`{key}`" not in page] == []


def test_every_input_and_output_has_a_tooltip(schema):
    untold = [entry.id for entry in (*schema.inputs, *schema.outputs) if not entry.tooltip]
    assert untold == []
    assert schema.description


def test_ids_and_categories_follow_the_house(schema):
    assert schema.node_id.startswith("Kino")
    assert schema.category == "Kinograph/video"


def test_a_method_is_the_last_input(schema):
    names = [entry.id for entry in schema.inputs]
    assert "method" not in names[:-1]
