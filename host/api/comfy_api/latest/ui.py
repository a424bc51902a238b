"""`comfy_api.latest.ui`: what nodes show in the editor."""

from __future__ import annotations

import os
import random
import string
import uuid
from typing import Any

from .audio_saving import AudioSaveHelper
from .image_saving import ImageSaveHelper
from .node import UIOutput as _UIOutput
from .saved_files import SavedAudios, SavedImages, SavedResult
from .widgets import FolderType

__all__ = [
    "AudioSaveHelper",
    "ImageSaveHelper",
    "PreviewAudio",
    "PreviewImage",
    "PreviewMask",
    "PreviewText",
    "PreviewUI3D",
    "PreviewVideo",
    "SavedAudios",
    "SavedImages",
    "SavedResult",
    "_UIOutput",
]


def _temporary_prefix() -> str:
    return "ComfyUI_temp_" + "".join(random.choices(string.ascii_lowercase, k=5))


class PreviewImage(_UIOutput):
    """Pictures [B,H,W,C] in 0..1, saved as PNG in the temp folder."""

    def __init__(self, image: Any, animated: bool = False, cls: type | None = None, **_: Any) -> None:
        self.values = ImageSaveHelper.save_images(
            image, _temporary_prefix(), FolderType.temp, cls, compress_level=1
        )
        self.animated = animated

    def as_dict(self) -> dict[str, Any]:
        return {"images": self.values, "animated": (self.animated,)}


class PreviewMask(PreviewImage):
    """Masks [B,H,W] in 0..1, shown in grey."""

    def __init__(self, mask: Any, animated: bool = False, cls: type | None = None, **_: Any) -> None:
        grey = mask.reshape(-1, *mask.shape[-2:]).unsqueeze(-1).expand(-1, -1, -1, 3)
        super().__init__(grey, animated, cls)


class PreviewAudio(_UIOutput):
    """Sound, saved as FLAC in the temp folder."""

    def __init__(self, audio: dict[str, Any], cls: type | None = None, **_: Any) -> None:
        self.values = AudioSaveHelper.save_audio(audio, _temporary_prefix(), FolderType.temp, cls)

    def as_dict(self) -> dict[str, Any]:
        return {"audio": self.values}


class PreviewVideo(_UIOutput):
    """Video files that are saved already."""

    def __init__(self, values: list[SavedResult | dict], **_: Any) -> None:
        self.values = values

    def as_dict(self) -> dict[str, Any]:
        return {"images": self.values, "animated": (True,)}


class PreviewText(_UIOutput):
    """A text."""

    def __init__(self, value: str, **_: Any) -> None:
        self.value = value

    def as_dict(self) -> dict[str, Any]:
        return {"text": (self.value,)}


class PreviewUI3D(_UIOutput):
    """A 3D model file, how the camera stands, and a picture [B,H,W,C] behind it."""

    def __init__(self, model_file: str, camera_info: Any, *, bg_image: Any = None, **_: Any) -> None:
        self.model_file = model_file
        self.camera_info = camera_info
        self.bg_image_path = None if bg_image is None else _saved_background(bg_image[0])

    def as_dict(self) -> dict[str, Any]:
        return {"result": [self.model_file, self.camera_info, self.bg_image_path]}


def _saved_background(picture: Any) -> str:
    from ... import folder_paths

    name = f"bg_{uuid.uuid4().hex}.png"
    os.makedirs(folder_paths.get_temp_directory(), exist_ok=True)
    path = os.path.join(folder_paths.get_temp_directory(), name)
    ImageSaveHelper._convert_tensor_to_pil(picture).save(path, compress_level=1)
    return f"temp/{name}"
