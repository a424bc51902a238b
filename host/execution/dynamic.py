"""The inputs that a node has: dynamic ones depend on the values that the prompt gives.

A prompt names nested inputs with dots, `{"format": "mp4", "format.codec": "h264"}`, and the node receives
`{"format": {"format": "mp4", "codec": "h264"}}`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

COMBO = "COMFY_DYNAMICCOMBO_V3"
AUTOGROW = "COMFY_AUTOGROW_V3"
SLOT = "COMFY_DYNAMICSLOT_V3"


class InputSpec(NamedTuple):
    """One input: its socket type (V1 combos: the list of options), its options, whether it must be there."""

    type: Any
    options: Mapping[str, Any]
    required: bool


@dataclass(frozen=True)
class LiveInputs:
    """The inputs that a node has for the values it was given.

    Attributes:
        specs: by flat, dotted name. A dynamic combo stays when its choice is missing or unknown.
        hidden: kind of each hidden input, such as "UNIQUE_ID", by name.
        places: for an input inside a dynamic one, the dotted place of its value in the nested arguments; a
            place that ends with a dot is a group that is there even when empty.
    """

    specs: dict[str, InputSpec]
    hidden: dict[str, str]
    places: dict[str, str]


def has_dynamic_inputs(declared: Mapping[str, Any]) -> bool:
    """Whether any input of a class is dynamic."""
    groups = (declared.get(category, {}) for category in ("required", "optional"))
    return any(entry[0] in (COMBO, AUTOGROW, SLOT) for group in groups for entry in group.values())


def live_inputs(declared: Mapping[str, Any], given: Mapping[str, Any]) -> LiveInputs:
    """Resolve what `INPUT_TYPES()` declares for the given values.

    Args:
        declared: {"required": {name: (type, options)}, "optional": …, "hidden": …}.
        given: the node's values in the prompt, by flat name.
    """
    hidden = declared.get("hidden", {})
    kinds = {name: kind if isinstance(kind, str) else kind[0] for name, kind in hidden.items()}
    live = LiveInputs(specs={}, hidden=kinds, places={})
    _add_groups(live, declared, given, prefix="")
    return live


def _add_groups(live: LiveInputs, groups: Mapping[str, Any], given: Mapping[str, Any], prefix: str) -> None:
    for category in ("required", "optional"):
        for name, entry in groups.get(category, {}).items():
            _add_input(live, given, prefix, name, _spec(entry, category == "required"))


def _spec(entry: tuple[Any, ...], required: bool) -> InputSpec:
    return InputSpec(entry[0], entry[1] if len(entry) > 1 else {}, required)


def _add_input(live: LiveInputs, given: Mapping[str, Any], prefix: str, name: str, spec: InputSpec) -> None:
    flat = prefix + name
    if spec.type == AUTOGROW:
        _add_copies(live, given, flat, spec)
        return
    live.specs[flat] = spec
    if spec.type not in (COMBO, SLOT):
        if prefix:
            live.places[flat] = flat
    elif flat in given:
        live.places[flat] = f"{flat}.{name}"
        _add_groups(live, _shown_inputs(spec, given[flat]), given, prefix=f"{flat}.")


def _shown_inputs(spec: InputSpec, value: Any) -> Mapping[str, Any]:
    if spec.type == SLOT:
        return spec.options["inputs"]
    return next((option["inputs"] for option in spec.options["options"] if option["key"] == value), {})


def _add_copies(live: LiveInputs, given: Mapping[str, Any], flat: str, spec: InputSpec) -> None:
    template = spec.options["template"]
    ((category, entry),) = (
        (category, entry) for category, group in template["input"].items() for entry in group.values()
    )
    live.places[flat] = f"{flat}."
    names = template.get("names") or [f"{template['prefix']}{number}" for number in range(template["max"])]
    for number, name in enumerate(names):
        required = category == "required" and number < template["min"]
        live.specs[f"{flat}.{name}"] = _spec(entry, required)
        if f"{flat}.{name}" in given:
            live.places[f"{flat}.{name}"] = f"{flat}.{name}"


def nested(
    values: Mapping[str, Any], places: Mapping[str, str], *, with_names: bool = False
) -> dict[str, Any]:
    """Turn flat arguments into what the node's method takes; an absent nested input becomes None.

    Args:
        values: arguments by flat name.
        places: `LiveInputs.places`.
        with_names: make each nested value `(value, flat name)`, as `check_lazy_status` wants it.
    """
    arguments = {name: value for name, value in values.items() if name not in places}
    for flat, place in places.items():
        *groups, name = place.split(".")
        holder = arguments
        for group in groups:
            holder = holder.setdefault(group, {})
        if name:
            holder[name] = (values.get(flat), flat) if with_names else values.get(flat)
    return arguments
