"""Every node has a help page in every language, with the schema's own tables and a picture."""

from __future__ import annotations

import re

import pytest
from help_pages import BEGIN, DOCS, END, page_path, pages, with_tables
from locale_files import LOCALES, read
from node_texts import kinograph_nodes

LANGUAGES = sorted(folder.name for folder in LOCALES.iterdir() if folder.is_dir())
PICTURE = re.compile(r"!\[[^\]]*\]\(([^)]+)\)")
MOST_BYTES = 40_000
MOST_BYTES_TOGETHER = 2_000_000


@pytest.fixture(scope="module")
def nodes():
    return kinograph_nodes()


def test_tables_follow_the_schemas():
    stale = [path.name for path, text in pages().items() if path.read_text(encoding="utf-8") != text]
    assert stale == [], "run python scripts/help_pages.py"


def test_what_is_chosen_from_a_list_is_nowhere_said_to_be_wired():
    """Lists of files are empty where there are none, as on the machine that writes the pages."""
    rows = [line for path in DOCS.glob("*.md") for line in path.read_text(encoding="utf-8").splitlines()]
    chosen = [row for row in rows if "| COMBO |" in row or "| COMBO (" in row]
    assert chosen
    assert [row for row in chosen if "| wired |" in row] == []


@pytest.mark.parametrize("language", LANGUAGES)
def test_pages_are_titled_as_the_node_is(nodes, language):
    names = {node.id: read(language, "nodeDefs.json")[node.id]["display_name"] for node in nodes}
    titles = {
        node.id: page_path(node.id, language).read_text(encoding="utf-8").splitlines()[0] for node in nodes
    }
    assert titles == {key: f"# {name}" for key, name in names.items()}


@pytest.mark.parametrize("language", LANGUAGES)
def test_each_page_shows_one_picture_that_is_there_and_small(nodes, language):
    for node in nodes:
        [picture] = PICTURE.findall(page_path(node.id, language).read_text(encoding="utf-8"))
        # Both languages' pages are shown at the address of the folder of all pages.
        assert 0 < (DOCS / picture).stat().st_size <= MOST_BYTES, node.id


def test_all_pictures_together_stay_small():
    assert sum(path.stat().st_size for path in (DOCS / "pictures").iterdir()) <= MOST_BYTES_TOGETHER


def test_no_page_is_left_of_a_node_that_is_gone(nodes):
    ids = {node.id for node in nodes}
    assert {path.stem for path in DOCS.glob("*.md")} == ids
    assert {path.parent.name for path in DOCS.glob("*/*.md")} == ids


def test_a_page_without_a_place_for_its_tables_is_refused():
    assert with_tables(f"a {BEGIN} old {END} b", "new") == "a new b"
    with pytest.raises(ValueError, match="where the tables belong"):
        with_tables("# A page\n", "new")
