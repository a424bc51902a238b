"""A node as the editor shows it: which inputs it has, in order, and the value of each widget.

`widgets_values` is positional. Between the values of a node's inputs stand those of widgets that no
prompt has (seed control, buttons), and a dynamic combo's choice decides how many values follow it.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from .document import Node, Slot
from .editor_nodes import (
    COMPANIONS_AFTER,
    COMPANIONS_BEFORE,
    CUSTOM_COMBO,
    UNSAVED_TYPES,
    UNSENT_TYPES,
)
from .inputs import (
    AUTOGROW,
    COMBO,
    DYNAMIC_COMBO,
    DYNAMIC_GROUP,
    InputSpec,
    grown_specs,
    input_specs,
    option_specs,
    row_specs,
)

SEED_NAMES = frozenset({"seed", "noise_seed"})


@dataclass(frozen=True)
class Widget:
    """A control in a node's form.

    saved: whether `widgets_values` holds a place for it.
    sent: whether the prompt does.
    """

    name: str
    spec: InputSpec | None = None
    saved: bool = True
    sent: bool = True

    @property
    def default(self) -> Any:
        return self.spec.default if self.spec else None


@dataclass(frozen=True)
class Form:
    """inputs: every slot that a wire can end in, in the editor's order; outputs: their types.

    values: input name → what its widget holds; specs: input name → the widget's declaration.
    """

    inputs: tuple[Slot, ...]
    outputs: tuple[str, ...]
    values: dict[str, Any] = field(default_factory=dict)
    specs: dict[str, InputSpec] = field(default_factory=dict)

    def input(self, name: str) -> Slot | None:
        """The slot of that name."""
        return next((slot for slot in self.inputs if slot.name == name), None)


def build_form(node: Node, definition: Mapping[str, Any]) -> Form:
    """Read a saved node against its type's `/object_info` entry, matching inputs by name."""
    specs = _with_unknown_widgets(input_specs(node.type, definition), node)
    if node.type == CUSTOM_COMBO:
        specs += _custom_options(node)
    linked = [slot.name for slot in node.inputs if slot.link is not None]
    read = _saved_values(node, specs, linked)
    shown = {widget.name: value for widget, value in read if widget.spec}
    sent = {
        widget.name: value for widget, value in read if widget.sent and not _is_empty_combo(widget, value)
    }
    declared = {widget.name: widget.spec for widget, _ in read if widget.spec and widget.sent}
    slots = _slots(node, specs, shown, linked)
    return Form(tuple(slots), _output_types(node, definition), sent, declared)


def unknown_form(node: Node) -> Form:
    """The form of a node whose type is not installed: what the file says, no values."""
    return Form(node.inputs, tuple(slot.type for slot in node.outputs))


def _custom_options(node: Node) -> list[InputSpec]:
    """What the editor adds to a Custom Combo: the chosen place and one text per option."""
    count = max(len(node.values) - 2, 0)
    texts = [InputSpec(f"option{number + 1}", "STRING") for number in range(count)]
    return [InputSpec("index", "INT"), *texts]


def _is_empty_combo(widget: Widget, value: Any) -> bool:
    return value is None and widget.spec is not None and widget.spec.widget_type in (COMBO, DYNAMIC_COMBO)


def _with_unknown_widgets(specs: list[InputSpec], node: Node) -> list[InputSpec]:
    """Mark as text those inputs of a type unknown here that the file itself shows to be widgets."""
    widgets = {slot.widget for slot in node.inputs if slot.widget}
    custom = {
        spec.name
        for spec in specs
        if spec.name in widgets and not spec.is_widget and not spec.options.get("forceInput")
    }
    return [
        replace(spec, options={**spec.options, "widgetType": "STRING"}) if spec.name in custom else spec
        for spec in specs
    ]


def _saved_values(node: Node, specs: Sequence[InputSpec], linked: Sequence[str]) -> list[tuple[Widget, Any]]:
    """Each widget with its value: by place as the editor does, by name where the count does not fit.

    Newer files repeat the values by name; those survive a node type that has changed since.
    """
    fresh = _initial_widgets(specs, linked)
    if isinstance(node.values, dict):
        return _filled(fresh, linked, named=node.values)
    placed = _without_forced(node.values, specs, _expanded(fresh))
    read = _filled(fresh, linked, placed=placed)
    if node.named is not None and len(placed) != sum(widget.saved for widget, _ in read):
        return _filled(fresh, linked, named=node.named)
    return read


def _filled(
    fresh: Iterable[Widget],
    linked: Sequence[str],
    *,
    placed: Sequence[Any] = (),
    named: Mapping[str, Any] | None = None,
) -> list[tuple[Widget, Any]]:
    """Give widgets their values in order; a dynamic one's value decides which widgets follow it."""
    remaining = iter(placed)
    most = len(placed) if named is None else len(named)
    pending = deque(fresh)
    read = []
    while pending:
        widget = pending.popleft()
        value = widget.default
        if named is not None:
            value = named.get(widget.name, value)
        elif widget.saved:
            value = next(remaining, value)
        if widget.spec and widget.spec.widget_type == COMBO:
            value = combo_member(widget.spec, value)
        read.append((widget, value))
        pending.extendleft(reversed(_children(widget, value, linked, most)))
    return read


def _initial_widgets(specs: Iterable[InputSpec], linked: Sequence[str]) -> list[Widget]:
    """Widgets before any value is known; the editor puts those of autogrow groups first."""
    grown = [spec for group in specs if group.type == AUTOGROW for spec in grown_specs(group, linked)]
    return [widget for spec in [*grown, *specs] if spec.is_widget for widget in widgets_of(spec)]


def _expanded(widgets: Iterable[Widget]) -> list[Widget]:
    """All widgets of a fresh node, dynamic combos at their first option."""
    pending = deque(widgets)
    shown = []
    while pending:
        shown.append(pending.popleft())
        pending.extendleft(reversed(_children(shown[-1], shown[-1].default, (), 0)))
    return shown


def widgets_of(spec: InputSpec) -> list[Widget]:
    """The widget of one input together with those that the editor puts around it."""
    kind = spec.widget_type
    before = COMPANIONS_BEFORE.get(kind, ()) if spec.name == "image" else ()
    after = COMPANIONS_AFTER.get(kind, ()) + _control_widgets(spec)
    return [
        *(Widget(name, sent=False) for name in before),
        Widget(spec.name, spec, kind not in UNSAVED_TYPES, kind not in UNSENT_TYPES),
        *(Widget(name, sent=False) for name in after),
    ]


def _control_widgets(spec: InputSpec) -> tuple[str, ...]:
    control = spec.options.get("control_after_generate")
    if spec.widget_type == "INT" and control is None:
        control = spec.name in SEED_NAMES
    if not control or spec.widget_type not in ("INT", "FLOAT", COMBO):
        return ()
    return ("control_after_generate", "control_filter_list")[: 2 if spec.widget_type == COMBO else 1]


def _children(widget: Widget, value: Any, linked: Sequence[str], saved_count: int) -> list[Widget]:
    """The widgets that a dynamic combo or group shows below itself for this value."""
    if widget.spec is None or (not widget.sent and widget.spec.widget_type != DYNAMIC_GROUP):
        return []
    return [
        inner
        for spec in _child_specs(widget.spec, value, linked, saved_count)
        if spec.is_widget
        for inner in widgets_of(spec)
    ]


def _child_specs(spec: InputSpec, value: Any, linked: Sequence[str], saved_count: int = 0) -> list[InputSpec]:
    """The inputs below a dynamic combo or group, autogrow groups among them already grown."""
    if spec.widget_type == DYNAMIC_COMBO:
        nested = option_specs(spec, value)
    elif spec.widget_type == DYNAMIC_GROUP:
        nested = [
            inner for row in range(_row_count(spec, value, saved_count)) for inner in row_specs(spec, row)
        ]
    else:
        return []
    return [
        inner
        for below in nested
        for inner in (grown_specs(below, linked) if below.type == AUTOGROW else [below])
    ]


def _row_count(spec: InputSpec, value: Any, saved_count: int) -> int:
    least, most = spec.options.get("min", 0), spec.options.get("max", 0)
    wanted = int(value) if isinstance(value, (int, float)) and value == value else least
    return max(least, min(wanted, max(most, saved_count)))


def _without_forced(saved: list[Any], specs: Iterable[InputSpec], fresh: list[Widget]) -> list[Any]:
    """Drop the values that old files hold for inputs which are only sockets now.

    Only where the number of values shows that they were saved with them and does not fit without.
    """
    if len(saved) == sum(widget.saved for widget in fresh):
        return saved
    names = {widget.name for widget in fresh}
    unsaved = {widget.name for widget in fresh if not widget.saved}
    forced: list[bool] = []
    for spec in specs:
        is_forced = bool(spec.options.get("forceInput"))
        if spec.name in unsaved or not (is_forced or spec.name in names):
            continue
        forced += [is_forced, *(False for _ in _control_widgets(spec))]
    compact = [value for place, value in enumerate(saved) if place >= len(fresh) or fresh[place].saved]
    for candidate in (compact, saved):
        if len(candidate) == len(forced):
            return [value for value, drop in zip(candidate, forced, strict=True) if not drop]
    return saved


def combo_member(spec: InputSpec, value: Any) -> Any:
    """A combo's value as its options spell it: null is the first, slashes and case may differ."""
    if value is None:
        return spec.choices[0] if spec.choices else None
    if not isinstance(value, str) or value in spec.choices:
        return value
    for spelling in (_slashes, _slashes_and_case):
        alike = [choice for choice in spec.choices if spelling(str(choice)) == spelling(value)]
        if len(alike) == 1:
            return alike[0]
    return value


def _slashes(text: str) -> str:
    return text.replace("\\", "/")


def _slashes_and_case(text: str) -> str:
    return _slashes(text).casefold()


def _slots(
    node: Node, specs: Sequence[InputSpec], shown: Mapping[str, Any], linked: Sequence[str]
) -> list[Slot]:
    """Sockets first, then the widgets' slots with dynamic ones below them, then what only the file has."""
    laid: list[InputSpec] = []
    for spec in specs:
        if spec.type == AUTOGROW:
            laid += grown_specs(spec, linked)
        elif not spec.is_widget:
            laid.append(spec)
    pending = deque(spec for spec in specs if spec.is_widget and spec.type != AUTOGROW)
    groups = []
    while pending:
        spec = pending.popleft()
        if spec.widget_type in (DYNAMIC_COMBO, DYNAMIC_GROUP):
            groups.append(f"{spec.name}.")
            pending.extendleft(reversed(_child_specs(spec, shown[spec.name], linked, len(node.values))))
        laid.append(spec)
    known = {spec.name for spec in laid} | {spec.name for spec in specs}
    extra = [
        slot
        for slot in node.inputs
        if slot.name not in known and not slot.widget and not slot.name.startswith(tuple(groups))
    ]
    return [_slot(node, spec) for spec in laid] + extra


def _slot(node: Node, spec: InputSpec) -> Slot:
    saved = node.input(spec.name)
    widget = spec.name if spec.is_widget else None
    return Slot(spec.name, spec.socket_type, saved.link if saved else None, widget)


def _output_types(node: Node, definition: Mapping[str, Any]) -> tuple[str, ...]:
    declared = [
        "COMBO" if isinstance(kind, list) else "*" if kind == "COMFY_MATCHTYPE_V3" else str(kind)
        for kind in definition.get("output") or ()
    ]
    return (*declared, *(slot.type for slot in node.outputs[len(declared) :]))
