"""`--set NODE.INPUT=VALUE` on a graph in API format."""

from __future__ import annotations

import copy

import pytest
from kinograph.host.settings import SettingError, apply_setting

OBJECT_INFO = {
    "Mix": {
        "input": {
            "required": {
                "count": ["INT", {"default": 1}],
                "gain": ["FLOAT", {"default": 0.5}],
                "loop": ["BOOLEAN", {}],
                "text": ["STRING", {}],
                "mode": ["COMBO", {"options": ["a", "b"]}],
                "steps": [[4, 8], {}],
                "video": ["VIDEO", {}],
                "method": [
                    "COMFY_DYNAMICCOMBO_V3",
                    {
                        "options": [
                            {"key": "plain", "inputs": {"required": {"width": ["INT", {"default": 3}]}}},
                            {"key": "soft", "inputs": {"optional": {"sigma.x": ["FLOAT", {"default": 1.5}]}}},
                        ]
                    },
                ],
            }
        }
    }
}
PROMPT = {
    "5:12": {
        "class_type": "Mix",
        "inputs": {"count": 1, "video": ["2", 0], "method": "plain", "method.width": 7},
        "_meta": {"title": "Mix v2.0"},
    },
    "7": {"class_type": "Mix", "inputs": {}},
    "8": {"class_type": "Mix", "inputs": {}},
}


def after(setting: str, node: str = "5:12") -> dict:
    prompt = copy.deepcopy(PROMPT)
    apply_setting(prompt, setting, OBJECT_INFO)
    return prompt[node]["inputs"]


@pytest.mark.parametrize(
    ("setting", "name", "value"),
    [
        ("5:12.count=4", "count", 4),
        ("5:12.gain=2", "gain", 2.0),
        ("5:12.loop=False", "loop", False),
        ("5:12.text=a=b, c", "text", "a=b, c"),
        ("5:12.text=", "text", ""),
        ("5:12.mode=b", "mode", "b"),
        ("5:12.steps=8", "steps", 8),
        ("5:12.method.width=9", "method.width", 9),
    ],
)
def test_a_value_is_read_as_the_inputs_type(setting, name, value):
    found = after(setting)[name]
    assert found == value
    assert type(found) is type(value)


def test_a_title_with_a_dot_names_its_node():
    assert after("Mix v2.0.count=4")["count"] == 4


def test_choosing_a_method_replaces_the_old_parameters_by_the_new_defaults():
    inputs = after("5:12.method=soft")
    assert inputs["method"] == "soft"
    assert inputs["method.sigma.x"] == 1.5
    assert "method.width" not in inputs


@pytest.mark.parametrize(
    ("setting", "message"),
    [
        ("5:12.count", "NODE.INPUT=VALUE"),
        ("9.count=1", r"no such node; it has 5:12 \(Mix v2.0\), 7 \(Mix\)"),
        ("Mix.count=1", "nodes 7, 8 are all titled 'Mix'; use an id"),
        ("5:12.size=1", "no such input; it has count, gain"),
        ("5:12.count=many", "must be INT, got 'many'"),
        ("5:12.loop=maybe", "must be BOOLEAN"),
        ("5:12.video=clip.mp4", "takes a link of type VIDEO"),
        ("5:12.method=hard", "no option 'hard'; choose one of plain, soft"),
    ],
)
def test_a_setting_without_a_place_says_what_there_is(setting, message):
    with pytest.raises(SettingError, match=message):
        after(setting)
