"""The method registry: one published system is one file, and several share a node.

A method is a frozen dataclass of its parameters, declared once with `param`, and the algorithm as its
methods. `@register` makes it one and files it under a node; `method_input` builds that node's `method`
widget from it; `chosen_method` turns what the host passes back into a checked instance. Module level needs
only the standard library, so hundreds of method files cost little at start.
"""

from __future__ import annotations

import dataclasses
import importlib
import math
import pkgutil
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NamedTuple


class MethodError(ValueError):
    """A method, parameter or value that the node does not accept; the message names all three."""


@dataclass(frozen=True)
class Method:
    """A registered method: what `kinograph systems` lists."""

    key: str
    node: str
    system: str | None
    paper: str
    year: int
    weights: str | None
    test: str
    parameters: type | None


class WeightsFile(NamedTuple):
    """Trained weights that a method names as its `weights_file`; it then gets its network from the host.

    Such a method has `load_network(path) -> module` and `with_network(module) -> method`, which the node
    applies through `runtime.with_network`.

    name: path below the model folder, e.g. "scene_cuts/transnetv2.safetensors".
    catalogue: what `kinograph models get` calls it, "" where it cannot get it.
    source: then, where the user gets it.
    """

    name: str
    catalogue: str
    source: str = ""


_REGISTRY: dict[str, dict[str, Method]] = {}
_OFFERED: dict[tuple[str, str], Method] = {}


def param(
    default: bool | int | float | str,
    tooltip: str,
    *,
    min: float | None = None,
    max: float | None = None,
    step: float | None = None,
    choices: tuple[str, ...] | None = None,
) -> Any:
    """Declare one parameter of a method; its type is the default's type.

    Args:
        default: used when the host passes nothing.
        tooltip: what it does, with its unit.
        min, max, step: bounds of a number, inclusive.
        choices: the allowed values of a string.
    """
    facts = {"tooltip": tooltip, "min": min, "max": max, "step": step, "choices": choices}
    return dataclasses.field(default=default, metadata=facts)


def register(
    key: str,
    *,
    node: str,
    paper: str,
    year: int,
    test: str,
    system: str | None = None,
    weights: str | None = None,
) -> Callable[[type], type]:
    """Class decorator: make a class of `param` fields a frozen dataclass, and file it under a node.

    Args:
        key: the option's name in the `method` widget; never renamed.
        node: id of the node that offers it.
        paper, year: the source; for a plain algorithm, what it is known as.
        test: path of the test of its defining property.
        system: id in the list of published systems, None for a plain baseline.
        weights: what trained weights it needs and where they come from, None if none.
    """

    def add(parameters: type) -> type:
        options = _REGISTRY.setdefault(node, {})
        known = options.get(key)
        if known and known.parameters.__qualname__ != parameters.__qualname__:
            raise MethodError(f"{node} has two methods named {key!r}: {known.parameters} and {parameters}")
        if not dataclasses.is_dataclass(parameters):
            _freeze_when_used(parameters)
        options[key] = Method(key, node, system, paper, year, weights, test, parameters)
        return parameters

    return add


def offer(
    key: str, *, node: str, system: str, paper: str, year: int, test: str, weights: str | None = None
) -> None:
    """List a published system that a node offers without a `method` to choose: it is told by a file, say.

    Args:
        key: what tells it from others of that node. The rest is as in `register`.
    """
    _OFFERED[node, key] = Method(key, node, system, paper, year, weights, test, None)


def _freeze_when_used(parameters: type) -> None:
    """Let the first instance turn its class into a dataclass: for hundreds at start that takes 0.1 s."""

    def first(self: Any, *values: Any, **named: Any) -> None:
        if parameters.__init__ is first:
            del parameters.__init__
            dataclasses.dataclass(frozen=True)(parameters)
        parameters.__init__(self, *values, **named)

    parameters.__init__ = first


def _fields(parameters: type) -> dict[str, dataclasses.Field]:
    """The declared parameters by name, in order."""
    if dataclasses.is_dataclass(parameters):
        return {field.name: field for field in dataclasses.fields(parameters)}
    return {name: value for name, value in vars(parameters).items() if isinstance(value, dataclasses.Field)}


def discover(package: str) -> None:
    """Import every method file of a capability, e.g. `discover(f"{__package__}.methods")`."""
    for module in pkgutil.iter_modules(importlib.import_module(package).__path__):
        importlib.import_module(f"{package}.{module.name}")


def methods_of(node: str) -> dict[str, Method]:
    """The node's registered methods by key, in alphabetical order."""
    return dict(sorted(_REGISTRY.get(node, {}).items()))


def all_methods() -> list[Method]:
    """Every registered method and what nodes offer beside, by node and key."""
    chosen = [method for node in _REGISTRY for method in methods_of(node).values()]
    return sorted([*chosen, *_OFFERED.values()], key=lambda method: (method.node, method.key))


def chosen_method(node: str, values: dict[str, Any]) -> Any:
    """Turn a `method` input's value into an instance of the method's dataclass.

    Args:
        node: the node's id.
        values: `{"method": key, parameter: value, …}`; a missing or None parameter takes its default.

    Raises:
        MethodError: unknown method or parameter, wrong type, or a number out of range.
    """
    given = dict(values)
    key = given.pop("method", None)
    options = methods_of(node)
    if key not in options:
        raise MethodError(f"{node}: no method {key!r}; choose one of {', '.join(options)}")
    fields = _fields(options[key].parameters)
    unknown = sorted(set(given) - set(fields))
    if unknown:
        raise MethodError(
            f"{node}: method {key!r} has no parameter {', '.join(unknown)}; it has {', '.join(fields)}"
        )
    checked = {
        name: _checked(f"{node}: {key}.{name}", fields[name], value)
        for name, value in given.items()
        if value is not None
    }
    return options[key].parameters(**checked)


def _checked(where: str, field: dataclasses.Field, value: Any) -> Any:
    kind = type(field.default)
    if kind is float and type(value) is int:
        value = float(value)
    if type(value) is not kind or (kind is float and not math.isfinite(value)):
        raise MethodError(f"{where} must be {kind.__name__}, got {value!r}")
    low, high, choices = (field.metadata.get(name) for name in ("min", "max", "choices"))
    if (low is not None and value < low) or (high is not None and value > high):
        raise MethodError(f"{where} must be {low} to {high}, got {value!r}")
    if choices and value not in choices:
        raise MethodError(f"{where} must be one of {', '.join(choices)}, got {value!r}")
    return value


def method_input(node: str, default: str, tooltip: str) -> Any:
    """The node's `method` input: a `DynamicCombo` whose options show their own parameters.

    It must be the node's last input: its span of saved widget values varies with the choice.

    Args:
        node: the node's id.
        default: key of the method offered first (a DynamicCombo's first option is its default).
        tooltip: what choosing a method means on this node.
    """
    from comfy_api.latest import io

    options = methods_of(node)
    ordered = [options.pop(default), *options.values()]
    return io.DynamicCombo.Input(
        "method",
        options=[io.DynamicCombo.Option(method.key, _widgets(io, method)) for method in ordered],
        tooltip=tooltip,
    )


def _widgets(io: Any, method: Method) -> list[Any]:
    return [_widget(io, name, field) for name, field in _fields(method.parameters).items()]


def _widget(io: Any, name: str, field: dataclasses.Field) -> Any:
    facts = field.metadata
    shown = {"default": field.default, "tooltip": facts["tooltip"], "optional": True}
    bounds = {key: facts[key] for key in ("min", "max", "step") if facts[key] is not None}
    if facts["choices"]:
        return io.Combo.Input(name, options=list(facts["choices"]), **shown)
    if isinstance(field.default, bool):
        return io.Boolean.Input(name, **shown)
    if isinstance(field.default, int):
        return io.Int.Input(name, **bounds, **shown)
    if isinstance(field.default, float):
        return io.Float.Input(name, **bounds, **shown)
    return io.String.Input(name, **shown)
