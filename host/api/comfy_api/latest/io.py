"""`comfy_api.latest.io`: everything that a V3 node is declared with."""

from __future__ import annotations

from .combos import Combo, MultiCombo
from .dynamic import (
    Autogrow,
    DynamicCombo,
    DynamicInput,
    DynamicOutput,
    DynamicSlot,
    MatchType,
    MultiType,
    add_to_dict_v1,
)
from .dynamic import input_dict as create_input_dict_v1
from .node import ComfyNode, NodeOutput
from .node import UIOutput as _UIOutput
from .node_replacement import NodeReplace
from .plain_types import PLAIN_TYPES, BoundingBox
from .schema import Hidden, HiddenHolder, NodeInfoV1, Schema, V3Data
from .sockets import ComfyType as _ComfyType
from .sockets import (
    ComfyTypeI,
    ComfyTypeIO,
    Custom,
    Input,
    Output,
    WidgetInput,
    comfytype,
)
from .widgets import (
    Boolean,
    Color,
    ControlAfterGenerate,
    Float,
    FolderType,
    Int,
    NumberDisplay,
    RemoteOptions,
    String,
    UploadType,
    Webcam,
)

globals().update(PLAIN_TYPES)

__all__ = [
    "Autogrow",
    "Boolean",
    "BoundingBox",
    "Color",
    "Combo",
    "ComfyNode",
    "ComfyTypeI",
    "ComfyTypeIO",
    "ControlAfterGenerate",
    "Custom",
    "DynamicCombo",
    "DynamicInput",
    "DynamicOutput",
    "DynamicSlot",
    "Float",
    "FolderType",
    "Hidden",
    "HiddenHolder",
    "Input",
    "Int",
    "MatchType",
    "MultiCombo",
    "MultiType",
    "NodeInfoV1",
    "NodeOutput",
    "NodeReplace",
    "NumberDisplay",
    "Output",
    "RemoteOptions",
    "Schema",
    "String",
    "UploadType",
    "V3Data",
    "Webcam",
    "WidgetInput",
    "_ComfyType",
    "_UIOutput",
    "add_to_dict_v1",
    "comfytype",
    "create_input_dict_v1",
    *PLAIN_TYPES,
]
