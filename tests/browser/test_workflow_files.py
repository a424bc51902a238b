"""Files through the editor: saved workflows, templates, uploads, films that carry their graph."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from browser.conftest import Server
from browser.editor import TEMPLATES, Editor

WORKFLOWS = Path(__file__).parents[2] / "workflows"


@pytest.mark.both_editors
def test_a_saved_workflow_reopens_as_it_was(editor: Editor, server: Server):
    clip, cuts = editor.add("KinoSyntheticClip", 200, 200, width=96), editor.add("KinoSceneCuts", 700, 200)
    clip.wire("video", cuts, "video")
    cuts.choose("method", "content")
    saved = editor.prompt()
    editor.save_as("two nodes")
    kept = json.loads((server.base / "user" / "default" / "workflows" / "two nodes.json").read_text())
    assert [node["type"] for node in kept["nodes"]] == ["KinoSyntheticClip", "KinoSceneCuts"]
    editor.blank()
    editor.reopen("two nodes")
    assert editor.prompt() == saved


@pytest.mark.both_editors
def test_a_film_is_uploaded_by_the_nodes_button(editor: Editor, server: Server, tmp_path: Path):
    film = shutil.copy(server.base / "input" / "clip.mp4", tmp_path / "from a disk.mp4")
    loader = editor.add("KinoLoadVideo", 500, 200)
    with editor.page.expect_file_chooser() as chooser:
        loader.click("upload")
    with editor.page.expect_response("**/upload/image"):
        chooser.value.set_files(film)
    editor.page.wait_for_function(
        "() => app.graph.nodes[0].widgets.some(widget => widget.value === 'from a disk.mp4')"
    )
    assert (server.base / "input" / "from a disk.mp4").read_bytes() == Path(film).read_bytes()


@pytest.mark.both_editors
def test_a_film_is_uploaded_by_dropping_it_on_the_node(editor: Editor, server: Server, tmp_path: Path):
    film = shutil.copy(server.base / "input" / "clip.mp4", tmp_path / "dropped.mp4")
    loader = editor.add("KinoLoadVideo", 500, 200)
    with editor.page.expect_response("**/upload/image"):
        editor.drop(Path(film), "video/mp4", *loader.place("widgets", "file"))
    editor.page.wait_for_function(
        "() => app.graph.nodes[0].widgets.some(widget => widget.value === 'dropped.mp4')"
    )
    assert (server.base / "input" / "dropped.mp4").is_file()


def dropped_again(editor: Editor, server: Server, kind: str) -> None:
    """Run the graph, empty the editor, and drop the file that was made on the canvas."""
    editor.run()
    made = editor.seen("executed")[-1]["output"]["images"][0]
    editor.blank()
    editor.drop(server.base / "output" / made["subfolder"] / made["filename"], kind, 900, 600)
    editor.page.wait_for_function("() => app.graph.nodes.length > 1")


@pytest.mark.both_editors
@pytest.mark.parametrize(
    ("container", "kind"), [("mp4", "video/mp4"), ("webm", "video/webm"), ("mkv", "video/x-matroska")]
)
def test_a_film_dropped_on_the_canvas_reopens_the_graph_that_made_it(
    editor: Editor, server: Server, container: str, kind: str
):
    clip = editor.add("KinoSyntheticClip", 200, 200, width=96, height=64, seconds=0.5)
    film = editor.add("KinoEncodeVideo", 700, 200, container=container)
    clip.wire("video", film, "video")
    dropped_again(editor, server, kind)
    assert {node.kind for node in editor.nodes()} == {"KinoSyntheticClip", "KinoEncodeVideo"}
    reopened = editor.prompt()
    assert reopened[film.id]["inputs"]["video"] == [clip.id, 0]
    assert (reopened[clip.id]["inputs"]["width"], reopened[film.id]["inputs"]["container"]) == (96, container)


@pytest.mark.both_editors
def test_a_picture_dropped_on_the_canvas_reopens_the_graph_that_made_it(editor: Editor, server: Server):
    clip = editor.add("KinoSyntheticClip", 100, 100, width=96, height=64, seconds=0.5)
    frames, saved = editor.add("KinoFramesFromVideo", 600, 100), editor.add("SaveImage", 1000, 100)
    clip.wire("video", frames, "video")
    frames.wire("images", saved, "images")
    dropped_again(editor, server, "image/png")
    assert {node.kind for node in editor.nodes()} == {"KinoSyntheticClip", "KinoFramesFromVideo", "SaveImage"}
    assert editor.prompt()[clip.id]["inputs"]["width"] == 96


@pytest.mark.both_editors
def test_the_packs_workflows_are_templates_with_a_picture(editor: Editor):
    editor.page.get_by_role("button", name=TEMPLATES).first.click()
    for path in sorted(WORKFLOWS.glob("*.json")):
        card = editor.page.get_by_test_id(f"template-workflow-{path.stem}")
        card.scroll_into_view_if_needed()
        assert card.locator("img").first.evaluate(
            "async picture => (await picture.decode(), picture.naturalWidth)"
        )
    editor.page.get_by_test_id("template-workflow-first_cut").click()
    editor.page.wait_for_function("() => app.graph.nodes.some(node => node.type === 'KinoEncodeVideo')")
    assert editor.complaints() == []
