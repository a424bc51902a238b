"""Socket types whose inputs are widgets: numbers, text, choices and the like."""

from __future__ import annotations

from enum import Enum
from typing import Any

from .sockets import ComfyTypeIO, WidgetInput, comfytype, without_none


class FolderType(str, Enum):
    """The folders that a user may pick files from or find results in."""

    input = "input"
    output = "output"
    temp = "temp"


class UploadType(str, Enum):
    """What a combo's upload button takes."""

    image = "image_upload"
    audio = "audio_upload"
    video = "video_upload"
    model = "file_upload"


class NumberDisplay(str, Enum):
    """How a number's widget looks."""

    number = "number"
    slider = "slider"
    gradient_slider = "gradientslider"


class ControlAfterGenerate(str, Enum):
    """How the editor changes a seed after each run."""

    fixed = "fixed"
    increment = "increment"
    decrement = "decrement"
    randomize = "randomize"


class RemoteOptions:
    """A combo whose choices the editor fetches from `route`; times are in milliseconds."""

    def __init__(
        self,
        route: str,
        refresh_button: bool,
        control_after_refresh: str = "first",
        timeout: int | None = None,
        max_retries: int | None = None,
        refresh: int | None = None,
    ) -> None:
        self.route = route
        self.refresh_button = refresh_button
        self.control_after_refresh = control_after_refresh
        self.timeout = timeout
        self.max_retries = max_retries
        self.refresh = refresh

    def as_dict(self) -> dict[str, Any]:
        return without_none(vars(self))


class _ValueInput(WidgetInput):
    """A widget whose own options are the attributes named in `OPTIONS`, under the editor's names."""

    OPTIONS: dict[str, str] = {}

    def as_dict(self) -> dict[str, Any]:
        own = {shown: getattr(self, name) for name, shown in self.OPTIONS.items()}
        return super().as_dict() | without_none(own)


@comfytype(io_type="BOOLEAN")
class Boolean(ComfyTypeIO):
    Type = bool

    class Input(_ValueInput):
        """A switch; `label_on` and `label_off` name its two states."""

        OPTIONS = {"label_on": "label_on", "label_off": "label_off"}

        def __init__(
            self,
            id: str,
            display_name: str | None = None,
            optional: bool = False,
            tooltip: str | None = None,
            lazy: bool | None = None,
            default: bool | None = None,
            label_on: str | None = None,
            label_off: str | None = None,
            socketless: bool | None = None,
            force_input: bool | None = None,
            **shared: Any,
        ) -> None:
            super().__init__(
                id, display_name, optional, tooltip, lazy, default, socketless, None, force_input, **shared
            )
            self.label_on = label_on
            self.label_off = label_off


@comfytype(io_type="INT")
class Int(ComfyTypeIO):
    Type = int

    class Input(_ValueInput):
        """A whole number from `min` to `max`; `control_after_generate` makes it a seed."""

        OPTIONS = {
            "min": "min",
            "max": "max",
            "step": "step",
            "control_after_generate": "control_after_generate",
            "display_mode": "display",
        }

        def __init__(
            self,
            id: str,
            display_name: str | None = None,
            optional: bool = False,
            tooltip: str | None = None,
            lazy: bool | None = None,
            default: int | None = None,
            min: int | None = None,
            max: int | None = None,
            step: int | None = None,
            control_after_generate: bool | ControlAfterGenerate | None = None,
            display_mode: NumberDisplay | None = None,
            socketless: bool | None = None,
            force_input: bool | None = None,
            **shared: Any,
        ) -> None:
            super().__init__(
                id, display_name, optional, tooltip, lazy, default, socketless, None, force_input, **shared
            )
            self.min = min
            self.max = max
            self.step = step
            self.control_after_generate = control_after_generate
            self.display_mode = display_mode


@comfytype(io_type="FLOAT")
class Float(ComfyTypeIO):
    Type = float

    class Input(_ValueInput):
        """A number from `min` to `max`, rounded by the editor to multiples of `round`."""

        OPTIONS = {"min": "min", "max": "max", "step": "step", "round": "round", "display_mode": "display"}

        def __init__(
            self,
            id: str,
            display_name: str | None = None,
            optional: bool = False,
            tooltip: str | None = None,
            lazy: bool | None = None,
            default: float | None = None,
            min: float | None = None,
            max: float | None = None,
            step: float | None = None,
            round: float | None = None,
            display_mode: NumberDisplay | None = None,
            socketless: bool | None = None,
            force_input: bool | None = None,
            **shared: Any,
        ) -> None:
            super().__init__(
                id, display_name, optional, tooltip, lazy, default, socketless, None, force_input, **shared
            )
            self.min = min
            self.max = max
            self.step = step
            self.round = round
            self.display_mode = display_mode


@comfytype(io_type="STRING")
class String(ComfyTypeIO):
    Type = str

    class Input(_ValueInput):
        """Text; `dynamic_prompts` lets the editor resolve {a|b}."""

        OPTIONS = {
            "multiline": "multiline",
            "placeholder": "placeholder",
            "dynamic_prompts": "dynamicPrompts",
        }

        def __init__(
            self,
            id: str,
            display_name: str | None = None,
            optional: bool = False,
            tooltip: str | None = None,
            lazy: bool | None = None,
            multiline: bool = False,
            placeholder: str | None = None,
            default: str | None = None,
            dynamic_prompts: bool | None = None,
            socketless: bool | None = None,
            force_input: bool | None = None,
            **shared: Any,
        ) -> None:
            super().__init__(
                id, display_name, optional, tooltip, lazy, default, socketless, None, force_input, **shared
            )
            self.multiline = multiline
            self.placeholder = placeholder
            self.dynamic_prompts = dynamic_prompts


@comfytype(io_type="WEBCAM")
class Webcam(ComfyTypeIO):
    Type = str

    class Input(WidgetInput):
        """A picture taken by the browser's camera."""


@comfytype(io_type="COLOR")
class Color(ComfyTypeIO):
    Type = str

    class Input(WidgetInput):
        """A colour as "#rrggbb"."""

        def __init__(
            self,
            id: str,
            display_name: str | None = None,
            optional: bool = False,
            tooltip: str | None = None,
            socketless: bool = True,
            advanced: bool | None = None,
            default: str = "#ffffff",
        ) -> None:
            super().__init__(
                id, display_name, optional, tooltip, default=default, socketless=socketless, advanced=advanced
            )
