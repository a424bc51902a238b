"""A method's class becomes a frozen dataclass when it is first used."""

from __future__ import annotations

import dataclasses

import pytest
from kinograph.nodes.methods import chosen_method, method_input, param, register

NODE = "KinoTestRecords"


@register("lazy", node=NODE, paper="None", year=2026, test=__file__)
class Lazy:
    """A method as its file writes it."""

    width: int = param(5, "Frames.", min=1, max=9)
    mode: str = param("soft", "Edges.", choices=("soft", "hard"))

    def twice(self) -> int:
        return 2 * self.width


def test_its_widgets_need_no_dataclass():
    inputs = method_input(NODE, "lazy", "Which.").as_dict()["options"][0]["inputs"]["optional"]
    assert list(inputs) == ["width", "mode"]
    assert inputs["width"][1]["max"] == 9


def test_its_instances_are_frozen_and_comparable():
    assert Lazy(width=3) == Lazy(3, "soft")
    assert Lazy(width=3).twice() == 6
    assert [field.name for field in dataclasses.fields(Lazy)] == ["width", "mode"]
    with pytest.raises(dataclasses.FrozenInstanceError):
        Lazy().width = 1


def test_the_chosen_one_is_checked_before_and_after_first_use():
    for _ in range(2):
        assert chosen_method(NODE, {"method": "lazy", "width": 7, "mode": None}) == Lazy(7)
