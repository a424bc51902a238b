"""A schema's entry in /object_info is the one that ComfyUI 0.8 gives for it."""

from enum import Enum

import pytest
from comfy_api.latest import io


def info_of(**schema):
    class Probe(io.ComfyNode):
        @classmethod
        def define_schema(cls):
            return io.Schema(node_id="Probe", **schema)

        @classmethod
        def execute(cls, **kwargs):
            return io.NodeOutput()

    return Probe.GET_NODE_INFO_V1()


def options_of(entry):
    """The (type, options) that /object_info has for a single input."""
    inputs = info_of(inputs=[entry])["input"]
    ((type_and_options,),) = (list(group.values()) for group in inputs.values() if group)
    return type_and_options


def test_the_whole_entry_of_a_small_node():
    info = info_of(
        display_name="A probe",
        category="test/probes",
        description="Looks.",
        inputs=[io.Image.Input("image"), io.Int.Input("count", default=1, optional=True)],
        outputs=[io.Mask.Output(), io.Float.Output("score", tooltip="0 to 1", is_output_list=True)],
        is_output_node=True,
    )
    assert info == {
        "input": {
            "required": {"image": ("IMAGE", {})},
            "optional": {"count": ("INT", {"default": 1})},
            "hidden": {"prompt": ("PROMPT",), "extra_pnginfo": ("EXTRA_PNGINFO",)},
        },
        "input_order": {
            "required": ["image"],
            "optional": ["count"],
            "hidden": ["prompt", "extra_pnginfo"],
        },
        "output": ["MASK", "FLOAT"],
        "output_is_list": [False, True],
        "output_name": ["MASK", "score"],
        "output_tooltips": [None, "0 to 1"],
        "output_matchtypes": None,
        "name": "Probe",
        "display_name": "A probe",
        "description": "Looks.",
        "python_module": None,
        "category": "test/probes",
        "output_node": True,
        "deprecated": False,
        "experimental": False,
        "api_node": False,
    }


class Mood(Enum):
    CALM = "calm"
    WILD = "wild"


@pytest.mark.parametrize(
    ("entry", "expected"),
    [
        (
            io.Boolean.Input("x", default=True, label_on="yes", label_off="no"),
            ("BOOLEAN", {"default": True, "label_on": "yes", "label_off": "no"}),
        ),
        (
            io.Int.Input("x", default=0, min=0, max=9, step=3, control_after_generate=True),
            ("INT", {"default": 0, "min": 0, "max": 9, "step": 3, "control_after_generate": True}),
        ),
        (
            io.Float.Input("x", default=0.5, round=0.01, display_mode=io.NumberDisplay.slider),
            ("FLOAT", {"default": 0.5, "round": 0.01, "display": "slider"}),
        ),
        (io.String.Input("x"), ("STRING", {"multiline": False})),
        (
            io.String.Input("x", multiline=True, placeholder="words", dynamic_prompts=True),
            ("STRING", {"multiline": True, "placeholder": "words", "dynamicPrompts": True}),
        ),
        (io.Combo.Input("x", options=["a", "b"]), ("COMBO", {"multiselect": False, "options": ["a", "b"]})),
        (
            io.Combo.Input("x", options=Mood, default=Mood.WILD),
            ("COMBO", {"multiselect": False, "options": ["calm", "wild"], "default": "wild"}),
        ),
        (
            io.Combo.Input("x", [], upload=io.UploadType.video, image_folder=io.FolderType.output),
            ("COMBO", {"multiselect": False, "options": [], "video_upload": True, "image_folder": "output"}),
        ),
        (
            io.Combo.Input("x", remote=io.RemoteOptions("/list", True, refresh=500)),
            (
                "COMBO",
                {
                    "multiselect": False,
                    "remote": {
                        "route": "/list",
                        "refresh_button": True,
                        "control_after_refresh": "first",
                        "refresh": 500,
                    },
                },
            ),
        ),
        (
            io.MultiCombo.Input("x", options=["a"], chip=True),
            ("COMBO", {"multiselect": True, "options": ["a"], "multi_select": True, "chip": True}),
        ),
        (
            io.Image.Input(
                "x", "Picture", tooltip="RGB", lazy=True, raw_link=True, extra_dict={"k": 1, "n": None}
            ),
            ("IMAGE", {"display_name": "Picture", "tooltip": "RGB", "lazy": True, "rawLink": True, "k": 1}),
        ),
        (
            io.Float.Input("x", socketless=True, force_input=False),
            ("FLOAT", {"socketless": True, "forceInput": False}),
        ),
        (io.Custom("KINO_THING").Input("x"), ("KINO_THING", {})),
        (io.MultiType.Input("x", [io.Image, io.Mask, io.Image]), ("IMAGE,MASK", {})),
        (
            io.MultiType.Input(io.Float.Input("x", default=1.0), [io.Int, io.Float]),
            ("FLOAT,INT", {"default": 1.0, "widgetType": "FLOAT"}),
        ),
        (
            io.MatchType.Input("x", io.MatchType.Template("T", [io.Image, io.Mask])),
            ("COMFY_MATCHTYPE_V3", {"template": {"template_id": "T", "allowed_types": "IMAGE,MASK"}}),
        ),
        (
            io.Autogrow.Input("x", io.Autogrow.TemplatePrefix(io.Float.Input("v"), "value", min=2, max=4)),
            (
                "COMFY_AUTOGROW_V3",
                {
                    "template": {
                        "input": {"required": {"v": ("FLOAT", {"forceInput": True})}},
                        "prefix": "value",
                        "min": 2,
                        "max": 4,
                    }
                },
            ),
        ),
        (
            io.Autogrow.Input("x", io.Autogrow.TemplateNames(io.Image.Input("i"), ["near", "far"], min=0)),
            (
                "COMFY_AUTOGROW_V3",
                {
                    "template": {
                        "input": {"required": {"i": ("IMAGE", {})}},
                        "names": ["near", "far"],
                        "min": 0,
                    }
                },
            ),
        ),
        (
            io.DynamicSlot.Input(io.Int.Input("x"), [io.Image.Input("under")]),
            (
                "COMFY_DYNAMICSLOT_V3",
                {
                    "slotType": "INT",
                    "inputs": {"required": {"under": ("IMAGE", {})}},
                    "forceInput": True,
                },
            ),
        ),
    ],
)
def test_an_inputs_options(entry, expected):
    assert options_of(entry) == expected


def test_a_dynamic_combo_nests_its_options_inputs():
    deep = io.DynamicCombo.Input("deep", [io.DynamicCombo.Option("only", [])])
    combo = io.DynamicCombo.Input(
        "x",
        options=[
            io.DynamicCombo.Option("plain", []),
            io.DynamicCombo.Option("rich", [io.Int.Input("a"), io.String.Input("b", optional=True), deep]),
        ],
        tooltip="how",
    )
    assert options_of(combo) == (
        "COMFY_DYNAMICCOMBO_V3",
        {
            "tooltip": "how",
            "options": [
                {"key": "plain", "inputs": {"required": {}}},
                {
                    "key": "rich",
                    "inputs": {
                        "required": {
                            "a": ("INT", {}),
                            "deep": (
                                "COMFY_DYNAMICCOMBO_V3",
                                {"options": [{"key": "only", "inputs": {"required": {}}}]},
                            ),
                        },
                        "optional": {"b": ("STRING", {"multiline": False})},
                    },
                },
            ],
        },
    )


def test_matched_outputs_name_their_templates():
    template = io.MatchType.Template("T")
    info = info_of(
        outputs=[io.MatchType.Output(template), io.MatchType.Output(template, "same"), io.Int.Output()]
    )
    assert info["output"] == ["COMFY_MATCHTYPE_V3", "COMFY_MATCHTYPE_V3", "INT"]
    assert info["output_name"] == ["MATCHTYPE", "same", "INT"]
    assert info["output_matchtypes"] == ["T", "T", None]


def test_search_aliases_appear_only_where_given():
    assert "search_aliases" not in info_of()
    assert info_of(search_aliases=["cut"])["search_aliases"] == ["cut"]


def test_api_nodes_get_their_credentials():
    hidden = info_of(is_api_node=True)["input"]["hidden"]
    assert hidden == {
        "auth_token_comfy_org": ("AUTH_TOKEN_COMFY_ORG",),
        "api_key_comfy_org": ("API_KEY_COMFY_ORG",),
    }


@pytest.mark.parametrize(
    ("name", "io_type"),
    [
        ("AnyType", "*"),
        ("Audio", "AUDIO"),
        ("AudioEncoderOutput", "AUDIO_ENCODER_OUTPUT"),
        ("BoundingBox", "BOUNDING_BOX"),
        ("Clip", "CLIP"),
        ("Conditioning", "CONDITIONING"),
        ("Guider", "GUIDER"),
        ("Latent", "LATENT"),
        ("LatentUpscaleModel", "LATENT_UPSCALE_MODEL"),
        ("Load3DCamera", "LOAD3D_CAMERA"),
        ("Model", "MODEL"),
        ("Noise", "NOISE"),
        ("Sigmas", "SIGMAS"),
        ("Tracks", "TRACKS"),
        ("Vae", "VAE"),
        ("Video", "VIDEO"),
        ("WanCameraEmbedding", "WAN_CAMERA_EMBEDDING"),
        ("Webcam", "WEBCAM"),
    ],
)
def test_a_types_name_on_the_wire(name, io_type):
    socket = getattr(io, name)
    assert (socket.io_type, socket.Input("x").io_type, socket.Output().io_type) == (io_type,) * 3
