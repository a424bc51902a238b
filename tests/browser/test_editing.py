"""Building a graph by hand: nodes from the library, wires, widgets, subgraphs."""

from __future__ import annotations

import pytest

from browser.editor import Editor

pytestmark = pytest.mark.both_editors


def test_a_node_is_dragged_from_the_library_into_the_graph(editor: Editor):
    editor.drag_from_library("Retime Video", 800, 400)
    assert [node.kind for node in editor.nodes()] == ["KinoRetimeVideo"]


def test_two_nodes_are_wired_and_the_wire_is_in_the_prompt(editor: Editor):
    clip, retimed = editor.add("KinoSyntheticClip", 200, 200), editor.add("KinoRetimeVideo", 800, 200)
    clip.wire("video", retimed, "video")
    assert retimed.feeds("video") == [clip.id, 0]
    assert editor.prompt()[retimed.id]["inputs"]["video"] == [clip.id, 0]


def test_a_wire_between_types_that_do_not_fit_is_refused(editor: Editor):
    clip, retimed = editor.add("KinoSyntheticClip", 200, 200), editor.add("KinoRetimeVideo", 800, 200)
    clip.wire("caption", retimed, "video")
    assert retimed.feeds("video") is None


def test_widgets_take_what_is_chosen_and_written(editor: Editor):
    retimed = editor.add("KinoRetimeVideo", 500, 200)
    retimed.choose("frames", "blend")
    retimed.type("speed", "2.5")
    retimed.click("reverse")
    inputs = editor.prompt()[retimed.id]["inputs"]
    assert (inputs["frames"], inputs["speed"], inputs["reverse"]) == ("blend", 2.5, True)


def test_the_method_combo_shows_the_parameters_of_its_choice(editor: Editor):
    cuts = editor.add("KinoSceneCuts", 500, 200)
    assert {"method.adaptive_threshold", "method.window"} <= set(cuts.widgets())
    cuts.choose("method", "content")
    assert [name for name in cuts.widgets() if name.startswith("method.")] == ["method.threshold"]
    cuts.type("method.threshold", "31")
    inputs = editor.prompt()[cuts.id]["inputs"]
    assert (inputs["method"], inputs["method.threshold"]) == ("content", 31)


def test_a_selection_becomes_a_subgraph_that_runs(editor: Editor):
    steps, shown = editor.add("ProbeSteps", 200, 200, steps=3), editor.add("PreviewAny", 700, 200)
    steps.wire("words", shown, "source")
    steps.select()
    editor.page.keyboard.press("Control+Shift+E")
    editor.page.wait_for_function("() => app.graph.nodes.some(node => node.subgraph)")
    host = next(node for node in editor.nodes() if node.kind != "PreviewAny")
    assert editor.prompt()[shown.id]["inputs"]["source"] == [f"{host.id}:{steps.id}", 0]
    editor.run()
    assert editor.seen("executed")[-1]["output"]["text"] == ["3 steps"]
