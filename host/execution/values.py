"""Checks of the values that a prompt gives a node: conversion, range, options, link types."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from .dynamic import COMBO, InputSpec
from .errors import problem

_CONVERSIONS = {"INT": int, "FLOAT": float, "STRING": str, "BOOLEAN": bool}
_ANY = "*"
_MATCH = "COMFY_MATCHTYPE_V3"
_LONGEST_LIST_SHOWN = 20


class InvalidInput(Exception):
    """An input that cannot be accepted; `problem` is its entry in the node's list of errors."""

    def __init__(self, kind: str, message: str, details: str, **extra_info: Any) -> None:
        super().__init__(message)
        self.problem = problem(kind, message, details, **extra_info)


def types_fit(given: Any, wanted: Any) -> bool:
    """Whether an output of type `given` may feed an input of type `wanted`.

    Types are strings, several joined by commas ("IMAGE,MASK"), or a V1 combo's list of options. One type in
    common is enough; "*" fits all. Subclasses of str with an own `!=`, by which V1 packs make their any-type,
    are honoured.
    """
    if not given != wanted:  # noqa: SIM202 - such packs override `!=`, not `==`
        return True
    if isinstance(given, list):
        return wanted in (_ANY, _MATCH, "COMBO")
    if not isinstance(wanted, str):
        return given in (_ANY, _MATCH)
    given_types, wanted_types = ({name.strip() for name in kind.split(",")} for kind in (given, wanted))
    return bool(given_types & wanted_types or {_ANY, _MATCH} & (given_types | wanted_types))


def converted(name: str, value: Any, spec: InputSpec) -> Any:
    """A widget's value as its type wants it: unwrapped from `{"__value__": …}`, numbers from strings.

    Raises:
        InvalidInput: the value is nothing that the type can hold.
    """
    if isinstance(value, Mapping) and "__value__" in value:
        value = value["__value__"]
    convert = _CONVERSIONS.get(spec.type) if isinstance(spec.type, str) else None
    if convert is None:
        return value
    try:
        return convert(value)
    except (TypeError, ValueError, OverflowError, RecursionError) as error:
        raise InvalidInput(
            "invalid_input_type",
            f"Failed to convert an input value to a {spec.type} value",
            f"{name}, {_brief(value)}, {error}",
            **_about(name, spec, value),
            exception_message=str(error),
        ) from error


def check_range(name: str, value: Any, spec: InputSpec) -> None:
    """Refuse a number outside the input's `min` and `max`."""
    try:
        too_small = "min" in spec.options and value < spec.options["min"]
        too_big = "max" in spec.options and value > spec.options["max"]
    except TypeError as error:
        raise InvalidInput(
            "invalid_input_type",
            f"A {spec.type} value with limits must be a number",
            f"{name}, {_brief(value)}, {error}",
            **_about(name, spec, value),
            exception_message=str(error),
        ) from error
    if too_small:
        message = f"Value {_brief(value)} smaller than min of {spec.options['min']}"
        raise InvalidInput("value_smaller_than_min", message, name, **_about(name, spec, value))
    if too_big:
        message = f"Value {_brief(value)} bigger than max of {spec.options['max']}"
        raise InvalidInput("value_bigger_than_max", message, name, **_about(name, spec, value))


def check_options(name: str, value: Any, spec: InputSpec) -> None:
    """Refuse a choice that a combo does not offer; a multi-select combo checks each."""
    options = _options(spec)
    if options is None:
        return
    chosen = value if spec.options.get("multiselect") and isinstance(value, list) else [value]
    unknown = [choice for choice in chosen if choice not in options]
    if unknown:
        long = len(options) > _LONGEST_LIST_SHOWN
        offered = f"(list of length {len(options)})" if long else str(list(options))
        about = _about(name, spec, value) | ({"input_config": None} if long else {})
        details = f"{name}: {', '.join(repr(_brief(choice)) for choice in unknown)} not in {offered}"
        raise InvalidInput("value_not_in_list", "Value not in list", details, **about)


def _options(spec: InputSpec) -> list[Any] | tuple[Any, ...] | None:
    if isinstance(spec.type, (list, tuple)):
        return spec.type
    if spec.type == "COMBO":
        return spec.options.get("options") or []
    if spec.type == COMBO:
        return [option["key"] for option in spec.options["options"]]
    return None


def bad_link(name: str, value: Any, spec: InputSpec | None, found: str) -> InvalidInput:
    """A link that leads nowhere; `found` says what is wrong with it."""
    return InvalidInput(
        "bad_linked_input",
        "Bad linked input, must be a length-2 list of [node_id, slot_index]",
        f"{name}: {found}",
        **_about(name, spec, value),
    )


def type_mismatch(name: str, link: list[Any], given: Any, spec: InputSpec) -> InvalidInput:
    """A link between sockets of different types."""
    return InvalidInput(
        "return_type_mismatch",
        "Return type mismatch between linked nodes",
        f"{name}, received_type({given}) mismatch input_type({spec.type})",
        input_name=name,
        input_config=_config(spec),
        received_type=given,
        linked_node=link,
    )


def missing(name: str, is_v3: bool) -> dict[str, Any]:
    """The error of a required input that the prompt does not give."""
    details = name.rpartition(".")[2] if is_v3 else name
    return problem("required_input_missing", "Required input is missing", details, input_name=name)


def _about(name: str, spec: InputSpec | None, value: Any) -> dict[str, Any]:
    return {"input_name": name, "input_config": _config(spec), "received_value": value}


def _config(spec: InputSpec | None) -> tuple[Any, Mapping[str, Any]] | None:
    return (spec.type, spec.options) if spec else None


def _brief(value: Any) -> str:
    try:
        text = str(value)
    except (ValueError, RecursionError):  # an integer of thousands of digits, a list nested too deeply
        return f"a {type(value).__name__}"
    return text if len(text) <= 200 else f"{text[:200]}…"
