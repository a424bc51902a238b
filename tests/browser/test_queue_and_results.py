"""Queueing from the editor: progress, previews, results, errors and cancelling, on the nodes themselves."""

from __future__ import annotations

import json
import urllib.request
from typing import Any

import pytest

from browser.conftest import NEWEST, Server
from browser.editor import Editor, Node
from browser.scripts import PLAYING

FOR_EVER = {"steps": 10_000, "pause": 0.2}
"""Slow enough that a busy browser keeps up with what it hears."""


def steps_and_text(editor: Editor, **values: float) -> tuple[Node, Node]:
    """Probe Steps wired to a node that shows its words."""
    slow, shown = editor.add("ProbeSteps", 200, 200, **values), editor.add("PreviewAny", 700, 200)
    slow.wire("words", shown, "source")
    return slow, shown


def history(server: Server) -> dict[str, Any]:
    with urllib.request.urlopen(f"{server.url}/history") as answer:
        return json.load(answer)


@pytest.mark.both_editors
def test_a_queued_film_is_made_and_plays_on_its_node(editor: Editor, server: Server):
    clip = editor.add("KinoSyntheticClip", 200, 200, width=128, height=96, seconds=1)
    film = editor.add("KinoEncodeVideo", 700, 200)
    clip.wire("video", film, "video")
    editor.run()
    made = editor.seen("executed")[-1]["output"]["images"][0]
    assert (server.base / "output" / made["subfolder"] / made["filename"]).is_file()
    editor.page.wait_for_function(PLAYING)


@pytest.mark.both_editors
def test_progress_and_a_live_preview_belong_to_the_node_that_works(editor: Editor):
    slow, shown = steps_and_text(editor, steps=5)
    editor.run()
    states = [message["nodes"] for message in editor.seen("progress_state")]
    told = [nodes[slow.id]["value"] for nodes in states if slow.id in nodes]
    assert told == sorted(told)
    assert told[-1] == states[-1][slow.id]["max"]
    assert editor.seen("b_preview")
    assert slow.ask("node.imgs?.length") == 1
    assert "5 steps" in shown.ask("node.widgets.map(widget => widget.value)")


@pytest.mark.both_editors
def test_a_run_is_cancelled_from_the_editor(editor: Editor):
    slow, _ = steps_and_text(editor, **FOR_EVER)
    editor.queue()
    editor.wait_for("progress")
    editor.cancel()
    assert editor.wait_for("execution_interrupted")["node_id"] == slow.id


@pytest.mark.both_editors
def test_an_error_shows_on_its_node_and_the_editor_tells_why(editor: Editor, version: str):
    """The newest editor tells it only to those who ask for details."""
    slow, _ = steps_and_text(editor, steps=2)
    failing, end = editor.add("ProbeFails", 700, 400), editor.add("PreviewAny", 1000, 400)
    slow.wire("words", failing, "words")
    failing.wire("never", end, "source")
    editor.queue()
    assert editor.wait_for("execution_error")["exception_message"].strip() == "the probe refuses 2 steps"
    marked = [node.ask("Boolean(node.strokeStyles.executionError?.call(node))") for node in editor.nodes()]
    assert dict(zip([node.id for node in editor.nodes()], marked, strict=True))[failing.id]
    assert sum(marked) == 1
    if version == NEWEST:
        editor.page.get_by_test_id("error-overlay-see-errors").click()
    editor.page.get_by_text("the probe refuses 2 steps").first.wait_for()


@pytest.mark.both_editors
def test_our_nodes_say_themselves_why_they_failed_until_they_run_again(editor: Editor):
    clip = editor.add("KinoSyntheticClip", 100, 60, width=128, height=96, seconds=1)
    cropped, shown = editor.add("KinoCropVideo", 550, 60), editor.add("KinoEncodeVideo", 900, 60)
    cropped.set(x=100, y=0, width=500, height=20)
    clip.ask("node.connect(0, app.graph.nodes[1], 0)")
    cropped.ask("node.connect(0, app.graph.nodes[2], 0)")
    editor.queue()
    message = editor.wait_for("execution_error")["exception_message"].strip()
    told = editor.page.locator(".kino-error")
    told.wait_for()
    assert told.inner_text() == message
    assert "128" in message
    editor.page.keyboard.press("Escape")  # an older editor's dialog
    cropped.set(width=20)
    editor.run()
    assert told.count() == 0
    assert shown.id in [message["node"] for message in editor.seen("executed")]


@pytest.mark.both_editors
def test_an_input_that_is_not_wired_is_marked_and_nothing_runs(editor: Editor):
    film = editor.add("KinoEncodeVideo", 500, 200)
    editor.queue()
    editor.page.wait_for_function("() => app.lastNodeErrors && Object.keys(app.lastNodeErrors).length")
    assert film.ask("node.has_errors")
    assert film.ask("node.inputs.filter(input => input.hasErrors).map(input => input.name)") == ["video"]
    assert not editor.seen("execution_start")


@pytest.mark.both_editors
def test_queued_prompts_run_in_their_order_and_stand_in_the_history(editor: Editor, server: Server):
    slow, _ = steps_and_text(editor, steps=2)
    before = set(history(server))
    editor.page.evaluate("async () => { for (const _ of [1, 2, 3]) await app.queuePrompt(0); }")
    editor.page.wait_for_function("() => seen.filter(([name]) => name === 'execution_success').length === 3")
    begun = [message["prompt_id"] for message in editor.seen("execution_start")]
    kept = history(server)
    assert [identity for identity in kept if identity not in before] == begun
    seeds = {kept[identity]["prompt"][2][slow.id]["inputs"]["seed"] for identity in begun}
    assert len(seeds) == 3


def test_two_tabs_hear_of_their_own_prompts(editor: Editor, other_editor: Editor):
    steps_and_text(editor, steps=3)
    steps_and_text(other_editor, steps=4)
    editor.queue()
    other_editor.queue()
    for tab, words in ((editor, "3 steps"), (other_editor, "4 steps")):
        tab.wait_for("execution_success")
        assert [message["output"]["text"] for message in tab.seen("executed")] == [[words]]
        assert tab.seen("status")[-1]["exec_info"]["queue_remaining"] in (0, 1)


def test_a_reload_finds_the_running_prompt_again(other_editor: Editor):
    slow, _ = steps_and_text(other_editor, **FOR_EVER)
    other_editor.queue()
    other_editor.wait_for("progress")
    other_editor.page.reload()
    other_editor.ready()
    assert other_editor.wait_for("progress_state")["nodes"][slow.id]["state"] == "running"
    assert [node.kind for node in other_editor.nodes()] == ["ProbeSteps", "PreviewAny"]
    other_editor.cancel()
    other_editor.wait_for("execution_interrupted")
