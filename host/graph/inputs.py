"""A node type's inputs as `/object_info` lists them, in the order in which the editor lays them out."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from .editor_nodes import AUDIO_PLAYERS, WIDGET_DEFAULTS

COMBO = "COMBO"
DYNAMIC_COMBO = "COMFY_DYNAMICCOMBO_V3"
DYNAMIC_GROUP = "COMFY_DYNAMICGROUP_V3"
AUTOGROW = "COMFY_AUTOGROW_V3"
MATCH_TYPE = "COMFY_MATCHTYPE_V3"
UPLOAD_FLAGS = ("image_upload", "animated_image_upload", "video_upload")


@dataclass(frozen=True)
class InputSpec:
    """One input: its dotted name, type and options.

    choices: a combo's options; empty where the server fills them in later.
    """

    name: str
    type: str
    options: Mapping[str, Any] = field(default_factory=dict)
    choices: tuple[Any, ...] = ()
    optional: bool = False

    @property
    def widget_type(self) -> str:
        return self.options.get("widgetType") or self.type

    @property
    def is_widget(self) -> bool:
        """Whether the editor draws a widget; else the input is only a socket."""
        return self.widget_type in WIDGET_DEFAULTS and not self.options.get("forceInput")

    @property
    def socket_type(self) -> str:
        """The type that a wire into this input must fit."""
        if self.type == MATCH_TYPE:
            return str(self.options.get("template", {}).get("allowed_types") or "*")
        return self.type

    @property
    def default(self) -> Any:
        """The value of a fresh widget; None for a combo that has no options yet."""
        given = self.options.get("default")
        if self.widget_type == DYNAMIC_COMBO:
            return next(iter(option_keys(self)), None)
        if self.widget_type == COMBO:
            return given or (self.choices[0] if self.choices else None)
        return WIDGET_DEFAULTS.get(self.widget_type) if given is None else given


def input_spec(name: str, declared: Any, optional: bool = False) -> InputSpec:
    """Parse `[type, options]`; a list in place of the type is a combo's options."""
    parts = declared if isinstance(declared, (list, tuple)) and declared else ["*"]
    kind = parts[0]
    options = parts[1] if len(parts) > 1 and isinstance(parts[1], Mapping) else {}
    if isinstance(kind, (list, tuple)):
        return InputSpec(name, COMBO, options, tuple(kind), optional)
    choices = options.get("options")
    listed = tuple(choices) if kind == COMBO and isinstance(choices, (list, tuple)) else ()
    return InputSpec(name, str(kind), options, listed, optional)


def input_specs(node_type: str, definition: Mapping[str, Any]) -> list[InputSpec]:
    """The declared inputs of a node type, then the upload button and the player the editor adds."""
    declared = definition.get("input") or {}
    order = definition.get("input_order") or {}
    specs = []
    for section in ("required", "optional"):
        entries = declared.get(section) or {}
        names = [name for name in order.get(section) or () if name in entries]
        names += [name for name in entries if name not in names]
        specs += [input_spec(name, entries[name], section == "optional") for name in names]
    return specs + _editor_extras(node_type, specs)


def _editor_extras(node_type: str, specs: Iterable[InputSpec]) -> list[InputSpec]:
    required = [spec for spec in specs if not spec.optional]
    extras = []
    if node_type in AUDIO_PLAYERS:
        extras.append(InputSpec("audioUI", "AUDIO_UI"))
    if any(spec.type == COMBO and any(map(spec.options.get, UPLOAD_FLAGS)) for spec in required):
        extras.append(InputSpec("upload", "IMAGEUPLOAD"))
    elif any(spec.name == "audio" and spec.options.get("audio_upload") for spec in required):
        extras.append(InputSpec("upload", "AUDIOUPLOAD"))
    return extras


def option_keys(spec: InputSpec) -> list[str]:
    """The choices of a dynamic combo."""
    return [option.get("key") for option in spec.options.get("options") or ()]


def option_specs(spec: InputSpec, key: Any) -> list[InputSpec]:
    """The inputs that a dynamic combo shows when `key` is chosen, named `combo.input`."""
    for option in spec.options.get("options") or ():
        if option.get("key") == key:
            return _nested(spec.name, option.get("inputs") or {})
    return []


def row_specs(spec: InputSpec, row: int) -> list[InputSpec]:
    """The inputs of one row of a dynamic group, named `group.row.field`."""
    return _nested(f"{spec.name}.{row}", spec.options.get("template") or {})


def _nested(prefix: str, sections: Mapping[str, Any]) -> list[InputSpec]:
    return [
        input_spec(f"{prefix}.{name}", declared, section == "optional")
        for section in ("required", "optional")
        for name, declared in (sections.get(section) or {}).items()
    ]


def grown_specs(spec: InputSpec, linked: Iterable[str]) -> list[InputSpec]:
    """The inputs of an autogrow group: its minimum and one spare, or one beyond the last linked one.

    Args:
        spec: the group; its template gives `min`, and `max` with a `prefix`, or `names`.
        linked: names of the node's linked inputs.
    """
    template = spec.options.get("template") or {}
    fields = _nested("", template.get("input") or {})
    names = template.get("names")
    least = template.get("min", 1)
    most = len(names) if names else template.get("max", 100)
    last = max((_ordinal(spec.name, name, names) for name in linked), default=-1)
    grown = []
    for ordinal in range(min(max(least + 1, last + 2, 1), most)):
        for inner in fields:
            stem = template.get("prefix") or "" if len(fields) == 1 else inner.name[1:]
            slot = names[ordinal] if names else f"{stem}{ordinal}"
            optional = inner.optional or ordinal >= least
            grown.append(InputSpec(f"{spec.name}.{slot}", inner.type, inner.options, inner.choices, optional))
    return grown


def _ordinal(group: str, name: str, names: list[str] | None) -> int:
    """The place of `name` in an autogrow group, -1 if it is not of this group."""
    if not name.startswith(f"{group}."):
        return -1
    member = name[len(group) + 1 :]
    if names:
        return names.index(member) if member in names else -1
    digits = re.search(r"\d{1,6}$", member)
    return int(digits.group()) if digits else -1
