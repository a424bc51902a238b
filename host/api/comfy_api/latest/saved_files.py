"""Saved files as the editor finds them, and the metadata that goes into them."""

from __future__ import annotations

import json
from typing import Any

from ...comfy.cli_args import args
from .node import UIOutput
from .widgets import FolderType


class SavedResult(dict):
    """A file in one of the host's folders: {"filename", "subfolder", "type"}."""

    def __init__(self, filename: str, subfolder: str, type: FolderType) -> None:
        super().__init__(filename=filename, subfolder=subfolder, type=FolderType(type).value)

    @property
    def filename(self) -> str:
        return self["filename"]

    @property
    def subfolder(self) -> str:
        return self["subfolder"]

    @property
    def type(self) -> FolderType:
        return FolderType(self["type"])


class SavedImages(UIOutput):
    """Saved pictures, or one animation."""

    def __init__(self, results: list[SavedResult], is_animated: bool = False) -> None:
        self.results = results
        self.is_animated = is_animated

    def as_dict(self) -> dict[str, Any]:
        animated = {"animated": (True,)} if self.is_animated else {}
        return {"images": self.results, **animated}


class SavedAudios(UIOutput):
    """Saved sounds."""

    def __init__(self, results: list[SavedResult]) -> None:
        self.results = results

    def as_dict(self) -> dict[str, Any]:
        return {"audio": self.results}


def folder_of(type: FolderType) -> str:
    """The folder that a type stands for."""
    from ... import folder_paths

    return folder_paths.get_directory_by_type(FolderType(type).value)


def workflow_tags(cls: type | None) -> dict[str, str]:
    """What a file saved by a node says about its making, as JSON texts: the prompt and the workflow.

    Empty where `cls` is no running node, or metadata is switched off.
    """
    hidden = getattr(cls, "hidden", None)
    if args.disable_metadata or hidden is None:
        return {}
    tags = {"prompt": hidden.prompt} if hidden.prompt else {}
    return {name: json.dumps(value) for name, value in {**tags, **(hidden.extra_pnginfo or {})}.items()}
