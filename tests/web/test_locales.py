"""Every node speaks every language that the pack has."""

from __future__ import annotations

import pytest
from locale_files import COMMANDS, LOCALES, english, faults, leaves, read
from node_texts import kinograph_nodes

TRANSLATIONS = sorted(folder.name for folder in LOCALES.iterdir() if folder.is_dir() and folder.name != "en")
NAMES = ("nodeDefs.json", "main.json", "commands.json")


@pytest.fixture(scope="module")
def wanted():
    return english(kinograph_nodes())


@pytest.mark.parametrize("name", NAMES)
def test_english_follows_the_schemas(wanted, name):
    assert read("en", name) == wanted[name], "run python scripts/locale_files.py"


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("language", [*TRANSLATIONS, "en"])
def test_no_text_is_missing_or_left_over(wanted, language, name):
    assert faults(wanted[name], read(language, name)) == []


@pytest.mark.parametrize("language", TRANSLATIONS)
def test_tooltips_are_translated(wanted, language):
    english_texts = dict(leaves(wanted["nodeDefs.json"]))
    same = [
        path
        for path, text in leaves(read(language, "nodeDefs.json"))
        if path.endswith(("/tooltip", "/description")) and text == english_texts.get(path)
    ]
    assert same == []


def test_commands_are_named_as_in_the_web_extension():
    script = (LOCALES.parent / "web" / "kinograph.js").read_text(encoding="utf-8")
    assert [entry["label"] for entry in COMMANDS.values() if f'label: "{entry["label"]}"' not in script] == []


def test_chinese_is_among_them():
    assert "zh" in TRANSLATIONS


def test_a_lacking_and_a_surplus_text_are_found():
    wanted = {"Node": {"display_name": "Node", "inputs": {"x": {"name": "x", "tooltip": "Left."}}}}
    given = {"Node": {"display_name": "", "inputs": {"x": {"name": "{x}"}, "y": {"name": "y"}}}}
    assert faults(wanted, given) == [
        "lacks Node/inputs/x/tooltip",
        "has Node/inputs/y/name, which no node has",
        "leaves Node/display_name empty",
        "writes Node/inputs/x/name with one of { } @ |",
    ]
