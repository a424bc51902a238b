"""Widgets that offer a list of choices."""

from __future__ import annotations

from enum import Enum
from typing import Any

from .sockets import ComfyTypeI, ComfyTypeIO, Output, WidgetInput, comfytype, without_none
from .widgets import ControlAfterGenerate, FolderType, RemoteOptions, UploadType


@comfytype(io_type="COMBO")
class Combo(ComfyTypeIO):
    Type = str

    class Input(WidgetInput):
        """One of several choices.

        Args:
            options: the choices, as values or as an Enum class.
            upload: adds an upload button for that kind of file.
            image_folder: where the chosen file lies.
            remote: the editor fetches the choices itself.
        """

        multiselect = False

        def __init__(
            self,
            id: str,
            options: list[str] | list[int] | type[Enum] | None = None,
            display_name: str | None = None,
            optional: bool = False,
            tooltip: str | None = None,
            lazy: bool | None = None,
            default: str | int | Enum | None = None,
            control_after_generate: bool | ControlAfterGenerate | None = None,
            upload: UploadType | None = None,
            image_folder: FolderType | None = None,
            remote: RemoteOptions | None = None,
            socketless: bool | None = None,
            extra_dict: dict | None = None,
            raw_link: bool | None = None,
            advanced: bool | None = None,
        ) -> None:
            default = default.value if isinstance(default, Enum) else default
            super().__init__(
                id,
                display_name,
                optional,
                tooltip,
                lazy,
                default,
                socketless,
                extra_dict=extra_dict,
                raw_link=raw_link,
                advanced=advanced,
            )
            is_enum = isinstance(options, type) and issubclass(options, Enum)
            self.options = [choice.value for choice in options] if is_enum else options
            self.control_after_generate = control_after_generate
            self.upload = upload
            self.image_folder = image_folder
            self.remote = remote

        def as_dict(self) -> dict[str, Any]:
            own = {
                "multiselect": self.multiselect,
                "options": self.options,
                "control_after_generate": self.control_after_generate,
                "image_folder": self.image_folder.value if self.image_folder else None,
                "remote": self.remote.as_dict() if self.remote else None,
            }
            if self.upload is not None:
                own[self.upload.value] = True
            return super().as_dict() | without_none(own)

    class Output(Output):
        """A choice; `options` is what it may be."""

        def __init__(
            self,
            id: str | None = None,
            display_name: str | None = None,
            options: list[str] | None = None,
            tooltip: str | None = None,
            is_output_list: bool = False,
        ) -> None:
            super().__init__(id, display_name, tooltip, is_output_list)
            self.options = options or []


@comfytype(io_type="COMBO")
class MultiCombo(ComfyTypeI):
    Type = list[str]

    class Input(Combo.Input):
        """Any number of several choices; `chip` shows each chosen one as a chip."""

        multiselect = True

        def __init__(
            self,
            id: str,
            options: list[str],
            display_name: str | None = None,
            optional: bool = False,
            tooltip: str | None = None,
            lazy: bool | None = None,
            default: list[str] | None = None,
            placeholder: str | None = None,
            chip: bool | None = None,
            control_after_generate: bool | None = None,
            **shared: Any,
        ) -> None:
            super().__init__(
                id, options, display_name, optional, tooltip, lazy, default, control_after_generate, **shared
            )
            self.placeholder = placeholder
            self.chip = chip

        def as_dict(self) -> dict[str, Any]:
            own = {"multi_select": True, "placeholder": self.placeholder, "chip": self.chip}
            return super().as_dict() | without_none(own)
