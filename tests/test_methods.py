"""The method registry: parameters declared once, checked in both hosts."""

from __future__ import annotations

import math

import pytest
from kinograph.nodes.methods import (
    MethodError,
    all_methods,
    chosen_method,
    method_input,
    methods_of,
    offer,
    param,
    register,
)

NODE = "KinoMethodsUnderTest"


@register("wide", node=NODE, system="wide_paper", paper="Wide Windows", year=2024, test=__file__)
class Wide:
    """Windows of a given width."""

    width: int = param(5, "Window width, in blocks.", min=1, max=9, step=2)
    decay: float = param(0.5, "Share kept per frame.", min=0.0, max=1.0)
    border: str = param("wrap", "What lies outside.", choices=("wrap", "clamp"))
    causal: bool = param(False, "Look back only.")


@register("all", node=NODE, paper="plain baseline", year=2017, test=__file__)
class All:
    """Everything; no parameters."""


def test_absent_and_none_parameters_take_their_defaults() -> None:
    assert chosen_method(NODE, {"method": "wide", "width": 7, "decay": None}) == Wide(width=7)


def test_an_integer_is_accepted_where_a_float_is_declared() -> None:
    chosen = chosen_method(NODE, {"method": "wide", "decay": 1})
    assert chosen.decay == 1.0 and isinstance(chosen.decay, float)


@pytest.mark.parametrize(
    ("values", "named"),
    [
        ({"method": "narrow"}, "narrow"),
        ({}, "None"),
        ({"method": "wide", "depth": 3}, "depth"),
        ({"method": "wide", "width": 10}, "1 to 9"),
        ({"method": "wide", "width": 2.5}, "wide.width must be int"),
        ({"method": "wide", "width": True}, "wide.width must be int"),
        ({"method": "wide", "decay": math.nan}, "wide.decay"),
        ({"method": "wide", "border": "mirror"}, "wrap, clamp"),
        ({"method": "all", "width": 5}, "no parameter width"),
    ],
)
def test_a_bad_choice_is_refused_and_named(values: dict, named: str) -> None:
    with pytest.raises(MethodError, match=named):
        chosen_method(NODE, values)


def test_the_default_method_is_offered_first() -> None:
    combo = method_input(NODE, "wide", "Which keys a query sees.")
    assert [option.key for option in combo.options] == ["wide", "all"]
    assert combo.id == "method"


def test_widgets_carry_the_declared_type_range_and_tooltip() -> None:
    combo = method_input(NODE, "wide", "Which keys a query sees.")
    width, decay, border, causal = combo.options[0].inputs
    assert (width.id, width.default, width.min, width.max, width.step) == ("width", 5, 1, 9, 2)
    assert width.tooltip == "Window width, in blocks."
    assert [w.io_type for w in (width, decay, border, causal)] == ["INT", "FLOAT", "COMBO", "BOOLEAN"]
    assert border.options == ["wrap", "clamp"]


def test_the_registry_lists_what_a_method_came_from() -> None:
    method = methods_of(NODE)["wide"]
    assert (method.system, method.paper, method.year) == ("wide_paper", "Wide Windows", 2024)
    assert method in all_methods()


def test_a_system_without_a_choice_is_listed_but_is_no_option() -> None:
    offer("by_file", node=NODE, system="file_paper", paper="Told by Files", year=2025, test=__file__)
    listed = [(method.key, method.system) for method in all_methods() if method.node == NODE]
    assert listed == [("all", None), ("by_file", "file_paper"), ("wide", "wide_paper")]
    assert "by_file" not in methods_of(NODE)


def test_two_methods_of_one_name_on_a_node_are_refused() -> None:
    with pytest.raises(MethodError, match="two methods named 'all'"):
        register("all", node=NODE, paper="another", year=2025, test=__file__)(Wide)
