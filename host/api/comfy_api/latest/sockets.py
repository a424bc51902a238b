"""What every V3 socket is made of: a type, and its `Input` and `Output` classes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any


def without_none(values: dict[str, Any]) -> dict[str, Any]:
    """The entries that were given: /object_info leaves the others out."""
    return {key: value for key, value in values.items() if value is not None}


class Socket:
    """An input or output of a node; `Parent` is the type that it carries."""

    Parent: type[ComfyType] | None = None

    @property
    def io_type(self) -> str:
        return self.Parent.io_type

    @property
    def Type(self) -> Any:
        return self.Parent.Type

    def get_io_type(self) -> str:
        """The type's name as /object_info shows it."""
        return self.io_type

    def validate(self) -> None:
        """Raise if the socket is declared wrongly; plain sockets cannot be."""


class Input(Socket):
    """An input without a widget.

    Args:
        id: the name of `execute`'s argument.
        display_name: shown instead of the id.
        optional: whether `execute` may be called without it.
        tooltip: shown on hovering.
        lazy: computed only if `check_lazy_status` asks for it.
        extra_dict: further entries for /object_info.
        raw_link: `execute` gets the link [node id, slot] instead of the value.
        advanced: hidden until the user asks for advanced inputs.
    """

    def __init__(
        self,
        id: str,
        display_name: str | None = None,
        optional: bool = False,
        tooltip: str | None = None,
        lazy: bool | None = None,
        extra_dict: dict | None = None,
        raw_link: bool | None = None,
        advanced: bool | None = None,
    ) -> None:
        self.id = id
        self.display_name = display_name
        self.optional = optional
        self.tooltip = tooltip
        self.lazy = lazy
        self.extra_dict = extra_dict or {}
        self.rawLink = raw_link
        self.advanced = advanced

    def as_dict(self) -> dict[str, Any]:
        """The input's options in /object_info, and `optional`, which the caller takes out."""
        names = ("display_name", "optional", "tooltip", "lazy", "rawLink", "advanced")
        return without_none({name: getattr(self, name) for name in names} | self.extra_dict)

    def get_all(self) -> list[Input]:
        """This input and those that it brings with it."""
        return [self]


class WidgetInput(Input):
    """An input with a widget, whose value is typed in the node.

    Args:
        default: the widget's first value.
        socketless: no socket beside the widget.
        widget_type: the type under which the editor looks for the widget, if not the socket's own.
        force_input: a socket and no widget.
    """

    def __init__(
        self,
        id: str,
        display_name: str | None = None,
        optional: bool = False,
        tooltip: str | None = None,
        lazy: bool | None = None,
        default: Any = None,
        socketless: bool | None = None,
        widget_type: str | None = None,
        force_input: bool | None = None,
        extra_dict: dict | None = None,
        raw_link: bool | None = None,
        advanced: bool | None = None,
    ) -> None:
        super().__init__(id, display_name, optional, tooltip, lazy, extra_dict, raw_link, advanced)
        self.default = default
        self.socketless = socketless
        self.widget_type = widget_type
        self.force_input = force_input

    def as_dict(self) -> dict[str, Any]:
        return super().as_dict() | without_none(
            {
                "default": self.default,
                "socketless": self.socketless,
                "widgetType": self.widget_type,
                "forceInput": self.force_input,
            }
        )

    def get_io_type(self) -> str:
        return self.widget_type or super().get_io_type()


class Output(Socket):
    """An output of a node; `is_output_list` makes downstream nodes run once per item."""

    def __init__(
        self,
        id: str | None = None,
        display_name: str | None = None,
        tooltip: str | None = None,
        is_output_list: bool = False,
    ) -> None:
        self.id = id
        self.display_name = display_name or id
        self.tooltip = tooltip
        self.is_output_list = is_output_list

    def as_dict(self) -> dict[str, Any]:
        return without_none(
            {
                "display_name": self.display_name or self.id,
                "tooltip": self.tooltip,
                "is_output_list": self.is_output_list,
            }
        )


class ComfyType:
    """A socket type: `io_type` is its name in graphs, `Type` the Python type of its values."""

    Type: Any = Any
    io_type: str | None = None


class ComfyTypeI(ComfyType):
    """A type for inputs only."""

    class Input(Input):
        """An input of this type."""


class ComfyTypeIO(ComfyTypeI):
    """A type for inputs and outputs."""

    class Output(Output):
        """An output of this type."""


def comfytype(io_type: str, **_: Any) -> Callable[[type], type]:
    """Class decorator: name a socket type, e.g. `@comfytype(io_type="IMAGE")`.

    The class may define `Type`, `Input` and `Output`; a class that is no `ComfyType` yet becomes one
    for inputs and outputs.
    """

    def name_it(cls: type) -> type:
        if not issubclass(cls, ComfyType):
            cls = type(
                cls.__name__, (cls, ComfyTypeIO), {"__module__": cls.__module__, "__doc__": cls.__doc__}
            )
        cls.io_type = io_type
        for kind in ("Input", "Output"):
            if inherited := getattr(cls, kind, None):
                facts = {"Parent": cls, "__module__": cls.__module__, "__doc__": inherited.__doc__}
                setattr(cls, kind, type(kind, (inherited,), facts))
        return cls

    return name_it


def Custom(io_type: str) -> type[ComfyTypeIO]:
    """A socket type of a pack's own."""
    return comfytype(io_type)(type("CustomComfyType", (ComfyTypeIO,), {"__module__": __name__}))
