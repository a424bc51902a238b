"""Names for new output files, and kinds of files by their names."""

from __future__ import annotations

import mimetypes
import os
import re
import time

from .path_names import path_inside

_CONTENT_TYPES = {
    "webp": "image",
    "avif": "image",
    "mkv": "video",
    "webm": "video",
    "flac": "audio",
    "opus": "audio",
    "m4a": "audio",
    "fbx": "model",
    "glb": "model",
    "gltf": "model",
    "obj": "model",
}
"""Extensions that Python's own table lacks on some systems."""


def filter_files_content_types(files: list[str], content_types: list[str]) -> list[str]:
    """The files whose names say "image", "video", "audio" or (3D) "model"."""
    return [name for name in files if _content_type(name) in content_types]


def _content_type(name: str) -> str | None:
    known = _CONTENT_TYPES.get(name.rpartition(".")[2].lower())
    guessed, _ = mimetypes.guess_type(name, strict=False)
    return known or (guessed and guessed.partition("/")[0])


def get_save_image_path(
    filename_prefix: str, output_dir: str, image_width: int = 0, image_height: int = 0
) -> tuple[str, str, int, str, str]:
    """Where the next output with a prefix goes; its folder is made.

    Args:
        filename_prefix: "clips/%year%-%month%-%day%/take": folders and the start of the name, with the tokens
            %width%, %height%, %year%, %month%, %day%, %hour%, %minute% and %second%.
        output_dir: the folder that it must stay in.
        image_width, image_height: pixels, for the tokens.

    Returns:
        (folder, start of the file name, number one above those in use, subfolder, prefix without tokens);
        the caller names its file f"{start}_{number:05}_.ext".

    Raises:
        OutsideFolderError: the prefix leads out of `output_dir`.
    """
    prefix = _without_tokens(filename_prefix, image_width, image_height)
    subfolder, name = os.path.split(os.path.normpath(prefix))
    folder = path_inside(output_dir, subfolder)
    path_inside(folder, name)
    os.makedirs(folder, exist_ok=True)
    numbered = re.compile(re.escape(os.path.normcase(name)) + r"_(\d+)_")
    used = [
        int(match[1]) for entry in os.listdir(folder) if (match := numbered.match(os.path.normcase(entry)))
    ]
    return folder, name, max(used, default=0) + 1, subfolder, prefix


def _without_tokens(prefix: str, width: int, height: int) -> str:
    now = time.localtime()
    values = {
        "width": str(width),
        "height": str(height),
        "year": str(now.tm_year),
        "month": f"{now.tm_mon:02}",
        "day": f"{now.tm_mday:02}",
        "hour": f"{now.tm_hour:02}",
        "minute": f"{now.tm_min:02}",
        "second": f"{now.tm_sec:02}",
    }
    return re.sub("%(" + "|".join(values) + ")%", lambda token: values[token[1]], prefix)
