"""Dynamic inputs at run time: which dotted inputs exist for given values, and how `execute` gets them."""

from __future__ import annotations

from typing import Any, TypedDict

from .dynamic import Autogrow, DynamicCombo, DynamicSlot


class V3Data(TypedDict, total=False):
    """What a host knows about one call of a V3 node.

    hidden_inputs: values by hidden input.
    dynamic_paths: dotted input name → dotted place of its value in `execute`'s arguments.
    dynamic_paths_default_value: dotted places that become an empty dictionary when nothing is wired.
    create_dynamic_tuple: values are (value, dotted name) pairs, as `check_lazy_status` needs them.
    """

    hidden_inputs: dict[str, Any]
    dynamic_paths: dict[str, str]
    dynamic_paths_default_value: dict[str, str]
    create_dynamic_tuple: bool


_EMPTY_DICT = "empty_dict"


class _Expansion:
    """Collects the static form of declared inputs, given the values of one prompt."""

    def __init__(self, live_inputs: dict[str, Any]) -> None:
        self.live_inputs = live_inputs
        self.inputs: dict[str, dict[str, tuple]] = {"required": {}, "optional": {}}
        self.paths: dict[str, str] = {}
        self.defaults: dict[str, str] = {}
        self.expanders = {
            Autogrow.io_type: self._add_autogrow,
            DynamicCombo.io_type: self._add_combo,
            DynamicSlot.io_type: self._add_slot,
        }

    def add(self, declared: dict[str, dict[str, tuple]], prefix: str = "") -> None:
        """Add inputs that have the form of INPUT_TYPES; `prefix` is "" or ends with a dot."""
        for category, entries in declared.items():
            for name, entry in entries.items():
                expander = self.expanders.get(entry[0]) if isinstance(entry[0], str) else None
                if expander is not None:
                    expander(category, f"{prefix}{name}", entry)
                else:
                    self.inputs[category][f"{prefix}{name}"] = entry
                    if prefix:
                        self.paths[f"{prefix}{name}"] = f"{prefix}{name}"

    def _add_combo(self, category: str, name: str, entry: tuple) -> None:
        options = {option["key"]: option for option in entry[1]["options"]}
        chosen = self.live_inputs.get(name)
        if isinstance(chosen, str) and chosen in options:
            self.add(options[chosen]["inputs"], f"{name}.")
            self._add_itself(category, name, entry)

    def _add_slot(self, category: str, name: str, entry: tuple) -> None:
        if name in self.live_inputs:
            self.add(entry[1]["inputs"], f"{name}.")
            self._add_itself(category, name, entry)

    def _add_itself(self, category: str, name: str, entry: tuple) -> None:
        self.inputs[category][name] = entry
        self.paths[name] = f"{name}.{name.rpartition('.')[2]}"

    def _add_autogrow(self, category: str, name: str, entry: tuple) -> None:
        template = entry[1]["template"]
        copied_category, copied = next(
            (kind, shown) for kind, inputs in template["input"].items() for shown in inputs.values()
        )
        names = template.get("names") or [
            f"{template['prefix']}{number}" for number in range(template["max"])
        ]
        wired = False
        for number, own_name in enumerate(names):
            required = number < template["min"] and copied_category == "required"
            dotted = f"{name}.{own_name}"
            self.inputs["required" if required else "optional"][dotted] = copied
            if dotted in self.live_inputs:
                self.paths[dotted] = dotted
                wired = True
        if not wired:
            self.paths[name] = name
            self.defaults[name] = _EMPTY_DICT


def get_finalized_class_inputs(
    declared: dict[str, dict[str, tuple]], live_inputs: dict[str, Any], include_hidden: bool = False
) -> tuple[dict[str, dict[str, tuple]], dict[str, tuple] | None, V3Data]:
    """The inputs that a node has for these values, with dynamic ones replaced by what they bring.

    Args:
        declared: what INPUT_TYPES returned.
        live_inputs: the node's values and links in the prompt.

    Returns:
        (inputs in the form of INPUT_TYPES under dotted names, the hidden ones, how to nest the values).
    """
    hidden = declared.get("hidden")
    expansion = _Expansion(live_inputs)
    expansion.add({kind: entries for kind, entries in declared.items() if kind != "hidden"})
    if hidden is not None and include_hidden:
        expansion.inputs["hidden"] = hidden
    v3_data: V3Data = {}
    if expansion.paths:
        v3_data["dynamic_paths"] = expansion.paths
    if expansion.defaults:
        v3_data["dynamic_paths_default_value"] = expansion.defaults
    return expansion.inputs, hidden, v3_data


def build_nested_inputs(values: dict[str, Any], v3_data: V3Data) -> dict[str, Any]:
    """`execute`'s arguments: dotted values nested into dictionaries, absent ones as None."""
    defaults = v3_data.get("dynamic_paths_default_value", {})
    arguments = dict(values)
    nested: dict[str, Any] = {}
    for name, path in v3_data.get("dynamic_paths", {}).items():
        value = arguments.pop(name, None)
        if value is None and defaults.get(name) == _EMPTY_DICT:
            value = {}
        if v3_data.get("create_dynamic_tuple"):
            value = (value, name)
        *parents, last = path.split(".")
        place = nested
        for parent in parents:
            place = place.setdefault(parent, {})
        place[last] = value
    return arguments | nested
