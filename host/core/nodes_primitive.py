"""Plain values as nodes, and a text view of any value."""

from __future__ import annotations

import json
import sys
from typing import Any

from comfy_api.latest import io, ui

CATEGORY = "utils/primitive"


def _value_schema(node_id: str, name: str, value: io.Input, output: io.Output) -> io.Schema:
    return io.Schema(node_id=node_id, display_name=name, category=CATEGORY, inputs=[value], outputs=[output])


class _Value(io.ComfyNode):
    @classmethod
    def execute(cls, value: Any) -> io.NodeOutput:
        return io.NodeOutput(value)


class PrimitiveString(_Value):
    @classmethod
    def define_schema(cls) -> io.Schema:
        return _value_schema("PrimitiveString", "String", io.String.Input("value"), io.String.Output())


class PrimitiveStringMultiline(_Value):
    @classmethod
    def define_schema(cls) -> io.Schema:
        value = io.String.Input("value", multiline=True)
        return _value_schema("PrimitiveStringMultiline", "String (Multiline)", value, io.String.Output())


class PrimitiveInt(_Value):
    @classmethod
    def define_schema(cls) -> io.Schema:
        value = io.Int.Input("value", min=-sys.maxsize, max=sys.maxsize, control_after_generate=True)
        return _value_schema("PrimitiveInt", "Int", value, io.Int.Output())


class PrimitiveFloat(_Value):
    @classmethod
    def define_schema(cls) -> io.Schema:
        value = io.Float.Input("value", min=-sys.maxsize, max=sys.maxsize, step=0.1)
        return _value_schema("PrimitiveFloat", "Float", value, io.Float.Output())


class PrimitiveBoolean(_Value):
    @classmethod
    def define_schema(cls) -> io.Schema:
        return _value_schema("PrimitiveBoolean", "Boolean", io.Boolean.Input("value"), io.Boolean.Output())


class PreviewAny(io.ComfyNode):
    @classmethod
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            node_id="PreviewAny",
            display_name="Preview as Text",
            category="utils",
            description="Shows a value as text: plain values as they are, others as JSON where they can be.",
            inputs=[io.AnyType.Input("source")],
            is_output_node=True,
        )

    @classmethod
    def execute(cls, source: Any) -> io.NodeOutput:
        return io.NodeOutput(ui=ui.PreviewText(_as_text(source)))


def _as_text(value: Any) -> str:
    if isinstance(value, str):
        return value
    if value is None or isinstance(value, (bool, int, float)):
        return str(value)
    try:
        return json.dumps(value, indent=4)
    except (TypeError, ValueError):
        return str(value)


NODES = [
    PrimitiveString,
    PrimitiveStringMultiline,
    PrimitiveInt,
    PrimitiveFloat,
    PrimitiveBoolean,
    PreviewAny,
]
