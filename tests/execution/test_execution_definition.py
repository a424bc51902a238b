from __future__ import annotations

import json

import pytest
from comfy_api.latest import io
from kinograph.host.execution.definition import define, object_info


class Old:
    RETURN_TYPES = ("IMAGE", ["a", "b"])
    RETURN_NAMES = ("picture", "choice")
    OUTPUT_TOOLTIPS = ("the picture", "the choice")
    OUTPUT_IS_LIST = (False, True)
    FUNCTION = "work"
    CATEGORY = "tests/old"
    DESCRIPTION = "An old node"
    DEPRECATED = True

    @classmethod
    def INPUT_TYPES(cls):
        return {
            "required": {"mode": (["x", "y"], {"default": "x"}), "image": ("IMAGE",)},
            "optional": {"size": ("INT", {"min": 1})},
            "hidden": {"me": "UNIQUE_ID"},
        }

    def work(self):
        """Never called."""


class Bare:
    RETURN_TYPES = ("LATENT",)
    FUNCTION = "work"
    OUTPUT_NODE = True

    @classmethod
    def INPUT_TYPES(cls):
        return {"required": {}}

    def work(self):
        """Never called."""


class New(io.ComfyNode):
    @classmethod
    def define_schema(cls):
        return io.Schema(
            node_id="New",
            display_name="New Node",
            category="tests/new",
            description="A new node",
            inputs=[io.Combo.Input("mode", options=["x", "y"]), io.Image.Input("image", optional=True)],
            outputs=[
                io.Mask.Output(display_name="mask", tooltip="a mask"),
                io.Int.Output(is_output_list=True),
            ],
            hidden=[io.Hidden.unique_id],
            is_experimental=True,
        )

    @classmethod
    def execute(cls, mode, image=None):
        return io.NodeOutput()


class Broken(io.ComfyNode):
    @classmethod
    def define_schema(cls):
        raise RuntimeError("no schema")

    @classmethod
    def execute(cls):
        """Never called."""


def shown(nodes, names=None):
    return json.loads(json.dumps(object_info(define(nodes, names))))


def test_an_old_node_is_shown_as_comfyui_shows_it():
    assert shown({"Old": Old}, {"Old": "Old Node"}) == {
        "Old": {
            "input": {
                "required": {"mode": [["x", "y"], {"default": "x"}], "image": ["IMAGE"]},
                "optional": {"size": ["INT", {"min": 1}]},
                "hidden": {"me": "UNIQUE_ID"},
            },
            "input_order": {"required": ["mode", "image"], "optional": ["size"], "hidden": ["me"]},
            "output": ["IMAGE", ["a", "b"]],
            "output_is_list": [False, True],
            "output_name": ["picture", "choice"],
            "output_tooltips": ["the picture", "the choice"],
            "name": "Old",
            "display_name": "Old Node",
            "description": "An old node",
            "python_module": "nodes",
            "category": "tests/old",
            "output_node": False,
            "deprecated": True,
        }
    }


def test_an_old_node_that_says_little_gets_the_defaults():
    assert shown({"Bare": Bare})["Bare"] == {
        "input": {"required": {}},
        "input_order": {"required": []},
        "output": ["LATENT"],
        "output_is_list": [False],
        "output_name": ["LATENT"],
        "name": "Bare",
        "display_name": "Bare",
        "description": "",
        "python_module": "nodes",
        "category": "sd",
        "output_node": True,
    }


def test_a_new_node_is_shown_as_comfyui_shows_it():
    new = shown({"New": New})["New"]
    mode = new["input"]["required"]["mode"]
    assert mode[0] == "COMBO"
    assert mode[1]["options"] == ["x", "y"]
    assert new["input"]["hidden"] == {"unique_id": ["UNIQUE_ID"]}
    assert new["input_order"] == {"required": ["mode"], "optional": ["image"], "hidden": ["unique_id"]}
    assert new["output"] == ["MASK", "INT"]
    assert new["output_is_list"] == [False, True]
    assert new["output_name"] == ["mask", "INT"]
    assert new["output_tooltips"] == ["a mask", None]
    assert (new["display_name"], new["category"], new["experimental"]) == ("New Node", "tests/new", True)
    assert (new["output_node"], new["deprecated"], new["api_node"]) == (False, False, False)


def test_a_node_that_cannot_be_read_is_left_out_and_logged(caplog):
    assert list(define({"Broken": Broken, "New": New})) == ["New"]
    assert "Broken" in caplog.text


@pytest.mark.parametrize(
    ("node", "fields"),
    [
        (Old, {"is_v3": False, "is_output": False, "output_is_list": (False, True), "lazy_check": None}),
        (Bare, {"is_output": True, "output_is_list": (False,), "fingerprint": None, "validator": None}),
        (
            New,
            {
                "is_v3": True,
                "function": "EXECUTE_NORMALIZED",
                "return_types": ("MASK", "INT"),
                "is_async": False,
            },
        ),
    ],
)
def test_both_styles_have_one_form(node, fields):
    definition = define({"Node": node})["Node"]
    assert {name: getattr(definition, name) for name in fields} == fields
