"""The keyboard alone, without the mouse.

The newest editor has keys for all of a job but two things: its search box for nodes has no key until the user
gives it one, and wires have none, so the pack brings a command. Its node library and its templates can be
searched by keyboard, but Enter picks nothing there.
"""

from __future__ import annotations

import json

import pytest

from browser.conftest import SEARCH_KEY, Server
from browser.editor import Editor

HAS_KEY = """() => app.extensionManager.command.commands
  .find(({id}) => id === 'Workspace.SearchBox.Toggle').keybinding"""
FOCUSED = """() => {
  const {ariaLabel, role, placeholder, innerText, tagName} = document.activeElement;
  return [role ?? tagName, ariaLabel || placeholder || innerText || ''];
}"""
MOST_STOPS = 80


def tab_to(editor: Editor, name: str, role: str = "") -> None:
    """Press Tab until what has the focus carries a name."""
    for _ in range(MOST_STOPS):
        editor.page.keyboard.press("Tab")
        focused = editor.page.evaluate(FOCUSED)
        if role in focused[0] and name in focused[1]:
            return
    pytest.fail(f"Tab does not lead to {role} {name!r}")


def add_by_search(editor: Editor, title: str) -> None:
    """Take what the search box proposes for a title."""
    editor.page.keyboard.press(SEARCH_KEY)
    editor.page.get_by_role("combobox", name="Add a node").wait_for()
    editor.page.keyboard.type(title)
    editor.page.get_by_role("option", selected=True).filter(has_text=title).wait_for()
    editor.page.keyboard.press("Enter")


def select_all(editor: Editor) -> None:
    tab_to(editor, "", role="CANVAS")
    editor.page.keyboard.press("Control+a")


def write_parameter(editor: Editor, name: str, text: str) -> None:
    """Find a number of the selected node in the panel beside the graph and write into it."""
    tab_to(editor, "Toggle properties panel")
    editor.page.keyboard.press("Enter")
    tab_to(editor, "Search ...")
    editor.page.keyboard.type(name)
    editor.page.wait_for_function("() => document.querySelectorAll('[role=spinbutton]').length === 1")
    tab_to(editor, "", role="spinbutton")
    editor.page.keyboard.press("Control+a")
    editor.page.keyboard.type(text)
    editor.page.keyboard.press("Tab")  # while a field has the focus, keys are its own


def test_a_film_is_made_and_saved_without_the_mouse(other_editor: Editor, server: Server):
    keys, page = other_editor.page.keyboard, other_editor.page
    page.wait_for_function(HAS_KEY)
    add_by_search(other_editor, "Synthetic Clip")
    page.wait_for_function("() => app.graph.nodes.length === 1")
    select_all(other_editor)
    write_parameter(other_editor, "seconds", "0.5")
    add_by_search(other_editor, "Encode Video")
    page.wait_for_function("() => app.graph.nodes.length === 2")
    clip, film = other_editor.nodes()
    select_all(other_editor)
    keys.press("Alt+w")
    assert film.feeds("video") == [clip.id, 0]
    keys.press("Control+Enter")
    assert other_editor.wait_for("execution_success", "execution_error")
    made = other_editor.seen("executed")[-1]["output"]["images"][0]
    assert (server.base / "output" / made["subfolder"] / made["filename"]).is_file()
    other_editor.save_as("by keyboard")
    kept = json.loads((server.base / "user" / "default" / "workflows" / "by keyboard.json").read_text())
    assert [node["type"] for node in kept["nodes"]] == [clip.kind, film.kind]
    assert other_editor.prompt()[clip.id]["inputs"]["seconds"] == 0.5


@pytest.mark.both_editors
def test_keys_copy_delete_undo_redo_and_queue(editor: Editor):
    keys = editor.page.keyboard
    editor.add("ProbeSteps", 200, 200, steps=3)
    editor.page.locator("#graph-canvas").focus()
    for combination in ("Control+a", "Control+c", "Control+v"):
        keys.press(combination)
    editor.page.wait_for_function("() => app.graph.nodes.length === 2")
    keys.press("Delete")
    editor.page.wait_for_function("() => app.graph.nodes.length === 1")
    keys.press("Control+z")
    editor.page.wait_for_function("() => app.graph.nodes.length === 2")
    keys.press("Control+y")
    editor.page.wait_for_function("() => app.graph.nodes.length === 1")
    shown = editor.add("PreviewAny", 700, 200)
    editor.page.evaluate("() => app.graph.nodes[0].connect(0, app.graph.nodes[1], 0)")
    keys.press("Control+Enter")
    editor.wait_for("execution_success")
    assert editor.seen("executed")[-1]["node"] == shown.id
