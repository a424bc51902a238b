"""What the editor knows about nodes and widgets that `/object_info` does not say.

Observed in the ComfyUI editor, versions 1.35 to 1.58, and in the frontends of widely used packs.
"""

from __future__ import annotations

REROUTE = "Reroute"
PRIMITIVE = "PrimitiveNode"
SET_NODE = "SetNode"
GET_NODE = "GetNode"

# Frontend-only nodes whose output repeats their first input. SetNode stores it for GetNode as well.
PASS_THROUGH = frozenset({REROUTE, "Reroute (rgthree)", SET_NODE})

# Frontend-only nodes that only decorate or steer the canvas; none has an output that a prompt uses.
DECORATION = frozenset(
    {
        "Note",
        "MarkdownNote",
        "Label (rgthree)",
        "Bookmark (rgthree)",
        "Fast Groups Bypasser (rgthree)",
        "Fast Groups Muter (rgthree)",
        "Fast Bypasser (rgthree)",
        "Fast Muter (rgthree)",
        "Fast Actions Button (rgthree)",
        "Mute / Bypass Relay (rgthree)",
        "Mute / Bypass Repeater (rgthree)",
        "Node Collector (rgthree)",
        "Random Unmuter (rgthree)",
        "Note Plus (mtb)",
    }
)

FRONTEND_ONLY = PASS_THROUGH | DECORATION | {PRIMITIVE, GET_NODE}

# Types whose input is a widget (with a socket beside it unless `socketless`); all others are sockets.
WIDGET_DEFAULTS = {
    "INT": 0,
    "FLOAT": 0.0,
    "BOOLEAN": False,
    "STRING": "",
    "TEXTAREA": "",
    "MARKDOWN": "",
    "COMBO": None,
    "COMFY_DYNAMICCOMBO_V3": None,
    "COMFY_DYNAMICGROUP_V3": 0,
    "COLOR": "#000000",
    "COLORS": [],
    "CURVE": {"points": [[0, 0], [1, 1]], "interpolation": "monotone_cubic"},
    "RANGE": {"min": 0.0, "max": 1.0},
    "BOUNDING_BOX": {"x": 0, "y": 0, "width": 512, "height": 512},
    "BOUNDING_BOXES": [],
    "VIDEO_EDIT": {},
    "COMPOSITOR": {},
    "CHART": {},
    "GALLERIA": [],
    "LIGHT_INFO_PREVIEW": [],
    "PAINTER": "",
    "IMAGECOMPARE": ["", ""],
    "RESOLUTION_PREVIEW": None,
    "LOAD_3D": "",
    "LOAD_3D_ADVANCED": "",
    "PREVIEW_3D": "",
    "WEBCAM": "",
    "AUDIO_RECORD": "",
    "IMAGEUPLOAD": "image",
    "AUDIOUPLOAD": "",
    "AUDIO_UI": "",
}

# Widgets without a place in `widgets_values`, and those that no prompt has.
UNSAVED_TYPES = frozenset({"AUDIO_UI", "RESOLUTION_PREVIEW", "IMAGECOMPARE"})
UNSENT_TYPES = frozenset(
    {"AUDIO_UI", "RESOLUTION_PREVIEW", "IMAGEUPLOAD", "AUDIOUPLOAD", "COMFY_DYNAMICGROUP_V3"}
)
# Widgets that the editor accompanies with others: names before and after, each with a saved value
# and none in the prompt.
COMPANIONS_BEFORE = {"LOAD_3D": ("upload 3d model", "upload extra resources", "clear")}
COMPANIONS_AFTER = {"BOUNDING_BOX": ("x", "y", "width", "height")}

# Nodes with an audio player in their form.
AUDIO_PLAYERS = frozenset(
    {"LoadAudio", "SaveAudio", "PreviewAudio", "SaveAudioMP3", "SaveAudioOpus", "SaveAudioAdvanced"}
)

# Nodes whose `filename_prefix` may hold %NodeName.widget% and %date:yyyy-MM-dd%.
FILENAME_NODES = frozenset(
    {
        "SaveImage",
        "SaveImageAdvanced",
        "SaveSVGNode",
        "SaveVideo",
        "SaveAnimatedWEBP",
        "SaveAnimatedPNG",
        "SaveWEBM",
        "SaveAudio",
        "SaveAudioMP3",
        "SaveAudioOpus",
        "SaveAudioAdvanced",
        "SaveGLB",
        "Save3DAdvanced",
        "SaveGaussianSplat",
        "SavePointCloud",
        "CLIPSave",
        "VAESave",
        "ModelSave",
        "LoraSave",
        "SaveLatent",
    }
)

# Core's combo whose options the user writes: the editor adds `index` and `option1`, `option2` …
CUSTOM_COMBO = "CustomCombo"
