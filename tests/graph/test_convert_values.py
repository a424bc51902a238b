"""Where saved widget values land: positions, extra widgets, dynamic inputs, odd containers."""

from __future__ import annotations

import pytest


def test_a_seed_control_has_a_place_but_no_input(convert, node):
    inputs = convert([node(1, "Noise", [42, "randomize", 30, 7.5, "heun"])])["1"]["inputs"]
    assert inputs == {"seed": 42, "steps": 30, "cfg": 7.5, "sampler": "heun"}


def test_unsaved_widgets_take_the_declared_defaults(convert, node):
    inputs = convert([node(1, "Noise")])["1"]["inputs"]
    assert inputs == {"seed": 0, "steps": 20, "cfg": 8.0, "sampler": "euler"}


def test_the_upload_button_is_no_input(convert, node):
    assert convert([node(1, "Load", ["a.png", "image"])])["1"]["inputs"] == {"image": "a.png"}


def test_a_converted_widget_keeps_its_place_and_its_wire_wins(convert, node):
    text = node(1, "Noise", [1, "fixed", 2, 3.0, "euler"], steps=5)
    text["inputs"][0]["widget"] = {"name": "steps"}
    other = node(2, "Noise", [9, "fixed", 8, 7.0, "heun"])
    inputs = convert([text, other], [[5, 2, 0, 1, 0, "INT"]])["1"]["inputs"]
    assert inputs == {"seed": 1, "steps": ["2", 0], "cfg": 3.0, "sampler": "euler"}


@pytest.mark.parametrize(
    ("saved", "expected"),
    [
        (
            ["size", 64, 32, "lanczos"],
            {"mode": "size", "mode.width": 64, "mode.height": 32, "filter": "lanczos"},
        ),
        (["factor", 0.5, "lanczos"], {"mode": "factor", "mode.by": 0.5, "filter": "lanczos"}),
        (["like", "lanczos"], {"mode": "like", "filter": "lanczos"}),
        ([], {"mode": "size", "mode.width": 512, "mode.height": 512, "filter": "area"}),
    ],
)
def test_a_dynamic_combo_spans_as_many_values_as_its_choice_has(convert, node, saved, expected):
    assert convert([node(1, "Resize", saved)])["1"]["inputs"] == expected


def test_a_socket_of_a_dynamic_option_is_wired_by_its_dotted_name(convert, node):
    nodes = [node(1, "Load", ["a.png"]), node(2, "Resize", ["like", "area"], mode__image=3)]
    inputs = convert(nodes, [[3, 1, 0, 2, 0, "IMAGE"]])["2"]["inputs"]
    assert inputs == {"mode": "like", "mode.image": ["1", 0], "filter": "area"}


def test_a_wire_into_an_option_that_is_not_chosen_is_dropped(convert, node):
    nodes = [node(1, "Load", ["a.png"]), node(2, "Resize", ["factor", 2.0, "area"], mode__image=3)]
    assert "mode.image" not in convert(nodes, [[3, 1, 0, 2, 0, "IMAGE"]])["2"]["inputs"]


def test_an_autogrow_group_keeps_every_wired_member(convert, node):
    nodes = [node(1, "Load", ["a.png"]), node(2, "Batch", images__image0=3, images__image4=4)]
    inputs = convert(nodes, [[3, 1, 0, 2, 0, "IMAGE"], [4, 1, 0, 2, 1, "IMAGE"]])["2"]["inputs"]
    assert inputs == {"images.image0": ["1", 0], "images.image4": ["1", 0]}


def test_values_saved_as_an_object_are_read_by_name(convert, node):
    saved = {"seed": 3, "cfg": 1.5, "preview": {"hidden": True}}
    inputs = convert([node(1, "Noise", saved)])["1"]["inputs"]
    assert inputs == {"seed": 3, "steps": 20, "cfg": 1.5, "sampler": "euler"}


def test_values_by_name_are_used_where_the_positions_do_not_fit(convert, node):
    saved = node(1, "Noise", [42, "fixed", "added since", 30, 7.5, "heun"])
    saved["widgets_values_named"] = {
        "seed": 42,
        "new": "added since",
        "steps": 30,
        "cfg": 7.5,
        "sampler": "heun",
    }
    assert convert([saved])["1"]["inputs"] == {"seed": 42, "steps": 30, "cfg": 7.5, "sampler": "heun"}


def test_positions_win_over_names_where_they_fit(convert, node):
    saved = node(1, "Blur", [9], _widgets_values_named={"radius": 3})
    assert convert([saved])["1"]["inputs"] == {"radius": 9}


def test_arrays_are_wrapped_so_that_no_host_takes_them_for_wires(convert, node):
    assert convert([node(1, "Boxes", [["a", 1]])])["1"]["inputs"] == {"boxes": {"__value__": ["a", 1]}}


def test_a_curve_is_wrapped_with_its_type(convert, node):
    curve = {"points": [[0, 0], [1, 1]], "interpolation": "linear"}
    inputs = convert([node(1, "Curve", [curve])])["1"]["inputs"]
    assert inputs == {"curve": {"__type__": "CURVE", "__value__": curve}}


@pytest.mark.parametrize(
    ("saved", "expected"),
    [("sub\\b.png", "sub/b.png"), ("SUB/B.PNG", "sub/b.png"), ("gone.png", "gone.png"), (None, "a.png")],
)
def test_a_combo_value_is_spelled_as_its_options_are(convert, node, saved, expected):
    assert convert([node(1, "Load", [saved, "image"])])["1"]["inputs"] == {"image": expected}


def test_an_old_file_may_hold_a_value_for_what_is_only_a_socket_now(convert, node):
    assert convert([node(1, "Show", ["shown once", 7])])["1"]["inputs"] == {"lines": 7}
    assert convert([node(1, "Show", [7])])["1"]["inputs"] == {"lines": 7}


def test_values_that_fit_are_never_taken_for_those_of_an_old_file(convert, node):
    assert convert([node(1, "Shuffle", [28, "fixed"])])["1"]["inputs"] == {"seed": 28}
    assert convert([node(1, "Shuffle", ["old", 28, "fixed"])])["1"]["inputs"] == {"seed": 28}


def test_a_dynamic_group_saves_its_row_count_before_its_rows(convert, node):
    inputs = convert([node(1, "Rows", [2, "a", 1, "b", 2, 5])])["1"]["inputs"]
    assert inputs == {"rows.0.word": "a", "rows.0.n": 1, "rows.1.word": "b", "rows.1.n": 2, "last": 5}
    assert convert([node(1, "Rows")])["1"]["inputs"] == {"rows.0.word": "", "rows.0.n": 0, "last": 9}
    assert len(convert([node(1, "Rows", [10**9])])["1"]["inputs"]) == 9, "no more rows than allowed"


def test_a_custom_combo_sends_its_options_and_the_place_of_its_choice(convert, node):
    inputs = convert([node(1, "CustomCombo", ["b", 0, "a", "b", ""])])["1"]["inputs"]
    assert inputs == {"choice": "b", "index": 1, "option1": "a", "option2": "b", "option3": ""}


def test_a_primitive_writes_its_value_into_widgets_within_their_bounds(convert, node):
    nodes = [
        node(1, "PrimitiveNode", [250.26, "fixed"], _outputs=[{"name": "FLOAT", "type": "FLOAT"}]),
        node(2, "Noise", [1, "fixed", 2, 3.0, "euler"], cfg=4),
        node(3, "PrimitiveNode", [12.34, "fixed"], _outputs=[{"name": "FLOAT", "type": "FLOAT"}]),
        node(5, "Noise", [1, "fixed", 2, 3.0, "euler"], cfg=6),
    ]
    prompt = convert(nodes, [[4, 1, 0, 2, 0, "FLOAT"], [6, 3, 0, 5, 0, "FLOAT"]])
    assert set(prompt) == {"2", "5"}
    assert prompt["2"]["inputs"]["cfg"] == 100.0
    assert prompt["5"]["inputs"]["cfg"] == 12.3


def test_titles_come_from_the_file_or_from_the_node_type(convert, node):
    prompt = convert([node(1, "Noise", _title="Mine"), node(2, "Noise"), node(3, "Blur")])
    assert [prompt[key]["_meta"]["title"] for key in "123"] == ["Mine", "Noise Sampler", "Blur"]


def test_notes_and_frontend_nodes_are_no_part_of_the_prompt(convert, node):
    nodes = [
        node(1, "Note", ["x"]),
        node(2, "MarkdownNote", ["x"]),
        node(3, "Label (rgthree)"),
        node(4, "Blur"),
    ]
    assert set(convert(nodes)) == {"4"}


@pytest.mark.parametrize(
    ("properties", "said"),
    [
        ({"cnr_id": "comfy-core", "ver": "0.33.0"}, {"cnr_id": "comfy-core", "ver": "0.33.0"}),
        (
            {"aux_id": "some-one/a_pack", "ver": "v1.2.0-rc.1"},
            {"aux_id": "some-one/a_pack", "ver": "1.2.0-rc.1"},
        ),
        (
            {"ver": "b85eaaab82ed0b9ba46b0a3ba9a7ae5be1d6c13e"},
            {"ver": "b85eaaab82ed0b9ba46b0a3ba9a7ae5be1d6c13e"},
        ),
        ({"cnr_id": "-pack", "aux_id": "pack", "ver": "1.2"}, {}),
        ({"cnr_id": 5, "aux_id": "a--b/c", "ver": "01.2.3"}, {}),
        ({"cnr_id": "p" * 101, "ver": "unknown"}, {"ver": "unknown"}),
    ],
)
def test_a_node_says_which_pack_it_is_of_where_that_is_well_formed(convert, node, properties, said):
    entry = convert([node(1, "Text", ["a"], _properties=properties)])["1"]
    assert entry["_meta"] == {"title": "Text", **said}
