"""Inputs that bring other inputs with them, or take several types.

In a graph the inputs inside a dynamic one have dotted names: `{"format": "mp4", "format.codec": "h264"}`.
Which of them exist for given values is the executor's business.
"""

from __future__ import annotations

import copy
from collections.abc import Iterable
from typing import Any

from .plain_types import PLAIN_TYPES
from .sockets import ComfyType, ComfyTypeI, ComfyTypeIO, Input, Output, WidgetInput, comfytype, without_none


class DynamicInput(Input):
    """An input that brings other inputs with it."""


class DynamicOutput(Output):
    """An output whose type depends on what is wired."""


def input_dict(inputs: list[Input]) -> dict[str, dict[str, tuple]]:
    """Inputs as /object_info shows them: {"required": {id: (type, options)}, "optional": …}."""
    shown: dict[str, dict[str, tuple]] = {"required": {}}
    for entry in inputs:
        add_to_dict_v1(entry, shown)
    return shown


def add_to_dict_v1(entry: Input, shown: dict[str, dict[str, tuple]]) -> None:
    """Add one input to such a dictionary."""
    options = entry.as_dict()
    options.pop("optional", None)
    shown.setdefault("optional" if entry.optional else "required", {})[entry.id] = (
        entry.get_io_type(),
        options,
    )


@comfytype(io_type="COMFY_MULTITYPED_V3")
class MultiType(ComfyTypeIO):
    class Input(Input):
        """An input that takes any of `types`; given a widget input as `id`, it shows that widget."""

        def __init__(
            self,
            id: str | Input,
            types: list[type[ComfyType] | ComfyType],
            display_name: str | None = None,
            optional: bool = False,
            tooltip: str | None = None,
            lazy: bool | None = None,
            extra_dict: dict | None = None,
            raw_link: bool | None = None,
            advanced: bool | None = None,
        ) -> None:
            self.input_override = None
            if isinstance(id, Input):
                self.input_override = copy.copy(id)
                if isinstance(id, WidgetInput):
                    self.input_override.widget_type = id.get_io_type()
                optional = id.optional or optional
                tooltip, display_name, lazy = (
                    own if own is not None else given
                    for own, given in (
                        (id.tooltip, tooltip),
                        (id.display_name, display_name),
                        (id.lazy, lazy),
                    )
                )
                id = id.id
            super().__init__(id, display_name, optional, tooltip, lazy, extra_dict, raw_link, advanced)
            self._io_types = types

        @property
        def io_types(self) -> list[type[ComfyType]]:
            return [given if isinstance(given, type) else type(given) for given in self._io_types]

        def get_io_type(self) -> str:
            names = [self.input_override.get_io_type()] if self.input_override else []
            return ",".join(dict.fromkeys(names + [given.io_type for given in self.io_types]))

        def as_dict(self) -> dict[str, Any]:
            widget = self.input_override.as_dict() if self.input_override else {}
            return widget | super().as_dict()


@comfytype(io_type="COMFY_MATCHTYPE_V3")
class MatchType(ComfyTypeIO):
    class Template:
        """Sockets with one template all take the type that the first wired one has."""

        def __init__(
            self,
            template_id: str,
            allowed_types: type[ComfyType] | list[type[ComfyType]] = PLAIN_TYPES["AnyType"],
        ) -> None:
            self.template_id = template_id
            self.allowed_types = (
                list(allowed_types) if isinstance(allowed_types, Iterable) else [allowed_types]
            )
            for allowed in self.allowed_types:
                kind = allowed if isinstance(allowed, type) else type(allowed)
                if not issubclass(kind, ComfyType):
                    raise ValueError(f"a MatchType template takes socket types, not {kind.__name__}")

        def as_dict(self) -> dict[str, str]:
            allowed = ",".join(allowed.io_type for allowed in self.allowed_types)
            return {"template_id": self.template_id, "allowed_types": allowed}

    class Input(Input):
        """An input of the template's type."""

        def __init__(self, id: str, template: MatchType.Template, *shared: Any, **named: Any) -> None:
            super().__init__(id, *shared, **named)
            self.template = template

        def as_dict(self) -> dict[str, Any]:
            return super().as_dict() | {"template": self.template.as_dict()}

    class Output(Output):
        """An output of the template's type."""

        def __init__(
            self,
            template: MatchType.Template,
            id: str | None = None,
            display_name: str | None = None,
            tooltip: str | None = None,
            is_output_list: bool = False,
        ) -> None:
            super().__init__(id, display_name if id or display_name else "MATCHTYPE", tooltip, is_output_list)
            self.template = template

        def as_dict(self) -> dict[str, Any]:
            return super().as_dict() | {"template": self.template.as_dict()}


@comfytype(io_type="COMFY_AUTOGROW_V3")
class Autogrow(ComfyTypeI):
    Type = dict[str, Any]
    _MaxNames = 100

    class _Template:
        """Numbered or named copies of one input, of which the first `min` are required."""

        def __init__(self, input: Input, names: list[str], min: int) -> None:
            if isinstance(input, DynamicInput):
                raise ValueError(f"Autogrow cannot repeat the dynamic input {input.id!r}")
            if min < 0:
                raise ValueError(f"Autogrow needs min of 0 or more, got {min}")
            self.input = copy.copy(input)
            if isinstance(self.input, WidgetInput):
                self.input.force_input = True
            self.names = names
            self.min = min

        def get_all(self) -> list[Input]:
            copies = [copy.copy(self.input) for _ in self.names]
            for entry, name in zip(copies, self.names, strict=True):
                entry.id = name
            return copies

        def as_dict(self) -> dict[str, Any]:
            return {"input": input_dict([self.input])}

    class TemplatePrefix(_Template):
        """Copies named prefix0, prefix1, …, at most `max`."""

        def __init__(self, input: Input, prefix: str, min: int = 1, max: int = 10) -> None:
            if not 1 <= max <= Autogrow._MaxNames:
                raise ValueError(f"Autogrow needs max of 1 to {Autogrow._MaxNames}, got {max}")
            super().__init__(input, [f"{prefix}{number}" for number in range(max)], min)
            self.prefix = prefix
            self.max = max

        def as_dict(self) -> dict[str, Any]:
            return super().as_dict() | {"prefix": self.prefix, "min": self.min, "max": self.max}

    class TemplateNames(_Template):
        """Copies with the given names."""

        def __init__(self, input: Input, names: list[str], min: int = 1) -> None:
            super().__init__(input, names[: Autogrow._MaxNames], min)

        def as_dict(self) -> dict[str, Any]:
            return super().as_dict() | {"names": self.names, "min": self.min}

    class Input(DynamicInput):
        """As many copies of the template's input as the user wires; `execute` gets {name: value}."""

        def __init__(self, id: str, template: Autogrow._Template, *shared: Any, **named: Any) -> None:
            super().__init__(id, *shared, **named)
            self.template = template

        def as_dict(self) -> dict[str, Any]:
            return super().as_dict() | {"template": self.template.as_dict()}

        def get_all(self) -> list[Input]:
            return [self, *self.template.get_all()]

        def validate(self) -> None:
            self.template.input.validate()


@comfytype(io_type="COMFY_DYNAMICCOMBO_V3")
class DynamicCombo(ComfyTypeI):
    Type = dict[str, Any]

    class Option:
        """A choice and the inputs that it shows."""

        def __init__(self, key: str, inputs: list[Input]) -> None:
            self.key = key
            self.inputs = inputs

        def as_dict(self) -> dict[str, Any]:
            return {"key": self.key, "inputs": input_dict(self.inputs)}

    class Input(DynamicInput):
        """A choice; `execute` gets {id: key, nested input: value, …}. The first option is the default."""

        def __init__(self, id: str, options: list[DynamicCombo.Option], *shared: Any, **named: Any) -> None:
            super().__init__(id, *shared, **named)
            self.options = options

        def as_dict(self) -> dict[str, Any]:
            return super().as_dict() | {"options": [option.as_dict() for option in self.options]}

        def get_all(self) -> list[Input]:
            return [self, *(entry for option in self.options for entry in option.inputs)]

        def validate(self) -> None:
            for option in self.options:
                for entry in option.inputs:
                    entry.validate()


@comfytype(io_type="COMFY_DYNAMICSLOT_V3")
class DynamicSlot(ComfyTypeI):
    Type = dict[str, Any]

    class Input(DynamicInput):
        """A socket that shows further inputs once it is wired."""

        def __init__(
            self,
            slot: Input,
            inputs: list[Input],
            display_name: str | None = None,
            tooltip: str | None = None,
            lazy: bool | None = None,
            extra_dict: dict | None = None,
        ) -> None:
            if isinstance(slot, DynamicInput):
                raise ValueError(f"a DynamicSlot cannot hold the dynamic input {slot.id!r}")
            self.slot = copy.copy(slot)
            self.slot.display_name = slot.display_name if slot.display_name is not None else display_name
            self.slot.tooltip = slot.tooltip if slot.tooltip is not None else tooltip
            self.slot.lazy = slot.lazy if slot.lazy is not None else lazy
            self.slot.extra_dict = slot.extra_dict or extra_dict or {}
            super().__init__(
                slot.id, self.slot.display_name, True, self.slot.tooltip, self.slot.lazy, self.slot.extra_dict
            )
            self.inputs = inputs
            self.force_input = isinstance(slot, WidgetInput) or None
            if self.force_input:
                self.slot.force_input = True

        def get_all(self) -> list[Input]:
            return [self.slot, *self.inputs]

        def as_dict(self) -> dict[str, Any]:
            own = {
                "slotType": self.slot.get_io_type(),
                "inputs": input_dict(self.inputs),
                "forceInput": self.force_input,
            }
            return super().as_dict() | without_none(own)

        def validate(self) -> None:
            for entry in self.get_all():
                entry.validate()
