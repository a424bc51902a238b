"""What a user reads: the first page, help, another language."""

from __future__ import annotations

import json
import urllib.request

import pytest

from browser.conftest import Server
from browser.editor import Editor


@pytest.mark.both_editors
def test_the_editor_opens_without_a_complaint_for_a_new_user(first_tab: Editor):
    assert (first_tab.complaints_at_start, first_tab.failures) == ([], [])


def test_the_editor_opens_without_a_complaint_for_a_user_who_returns(second_tab: Editor):
    assert (second_tab.complaints_at_start, second_tab.failures) == ([], [])


@pytest.mark.both_editors
def test_the_library_has_every_node_that_the_server_knows(editor: Editor, server: Server):
    with urllib.request.urlopen(f"{server.url}/object_info") as answer:
        known = set(json.load(answer))
    assert known <= set(editor.page.evaluate("() => Object.keys(LiteGraph.registered_node_types)"))
    editor.open_library()
    editor.page.get_by_role("treeitem").filter(has_text="Kinograph").first.wait_for()


@pytest.mark.both_editors
def test_a_nodes_help_page_opens_beside_it(editor: Editor):
    editor.add("KinoSceneCuts", 500, 300).select()
    editor.page.get_by_test_id("info-button").click()
    editor.page.get_by_role("heading", name="Scene Cuts").first.wait_for()
    editor.page.get_by_text("min_length").last.wait_for()


def test_nodes_speak_chinese_where_the_user_does(other_editor: Editor):
    english = other_editor.add("KinoTrimVideo", 300, 200).ask("node.title")
    other_editor.page.evaluate("() => app.extensionManager.setting.set('Comfy.Locale', 'zh')")
    try:
        other_editor.page.reload()
        other_editor.ready()
        chinese = other_editor.add("KinoTrimVideo", 600, 200).ask("node.title")
    finally:
        other_editor.page.evaluate("() => app.extensionManager.setting.set('Comfy.Locale', 'en')")
    assert english == "Trim Video"
    assert any("一" <= letter <= "鿿" for letter in chinese)
