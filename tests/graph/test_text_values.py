"""Texts with blanks: alternatives in prompts, placeholders in file names."""

from __future__ import annotations

import random
from datetime import datetime

from kinograph.host.graph.text_values import choose_dynamic_prompt


def test_alternatives_stay_as_written_unless_a_seed_is_given(convert, node):
    text = "a {red|blue} cat // note"
    nodes = [node(1, "Text", [text])]
    assert convert(nodes)["1"]["inputs"]["text"] == text
    chosen = {convert(nodes, prompt_seed=seed)["1"]["inputs"]["text"] for seed in range(20)}
    assert chosen == {"a red cat ", "a blue cat "}
    assert convert(nodes, prompt_seed=3) == convert(nodes, prompt_seed=3)


def test_alternatives_nest_and_braces_can_be_escaped():
    seen = {choose_dynamic_prompt(r"{a|{b|c} d} \{x\|y\} /* gone */e", random.Random(n)) for n in range(40)}
    assert seen == {"a {x|y} e", "b d {x|y} e", "c d {x|y} e"}


def test_an_unfinished_block_still_chooses():
    assert choose_dynamic_prompt("x {only", random.Random(0)) == "x only"
    assert choose_dynamic_prompt("a } b | c \\", random.Random(0)) == "a } b | c \\"


def test_file_names_take_values_from_other_nodes_by_search_name_or_title(convert, node):
    prefix = "%Sampling.seed%_%noise.sampler%_%nobody.x%_%width%"
    nodes = [
        node(1, "Noise", [42, "fixed", 2, 3.0, "euler"], _title="Sampling"),
        node(2, "Noise", [7, "fixed", 2, 3.0, "heun"], _properties={"Node name for S&R": "noise"}),
        node(3, "SaveImage", [prefix]),
    ]
    assert convert(nodes)["3"]["inputs"]["filename_prefix"] == "42_heun_%nobody.x%_%width%"


def test_dates_in_file_names_are_filled_when_a_time_is_given(convert, node):
    nodes = [node(1, "SaveImage", ["%date:yyyy-MM-dd%/%date:hhmmss_yy%"])]
    assert convert(nodes)["1"]["inputs"]["filename_prefix"] == "%date:yyyy-MM-dd%/%date:hhmmss_yy%"
    now = datetime(2024, 3, 9, 7, 5, 1)
    assert convert(nodes, now=now)["1"]["inputs"]["filename_prefix"] == "2024-03-09/070501_24"
