"""Workflows that travel inside results: ComfyUI writes `workflow` and `prompt` into a file's metadata."""

from __future__ import annotations

import json
from pathlib import Path

from ..media_files import reading_options
from .errors import WorkflowError

IMAGE_SUFFIXES = frozenset({".png", ".webp", ".jpg", ".jpeg"})
FILM_SUFFIXES = frozenset({".mp4", ".mov", ".m4v", ".webm", ".mkv", ".flac", ".mp3", ".opus", ".ogg"})
MEDIA_SUFFIXES = IMAGE_SUFFIXES | FILM_SUFFIXES


def embedded_workflow(path: Path) -> str:
    """The JSON text of the workflow in a file's metadata, or of its prompt where that is all there is.

    Args:
        path: a PNG (text chunks), WebP or JPEG (EXIF strings `workflow:…`), or any container that
            FFmpeg reads (tags `workflow`, `prompt`, or both as JSON in `comment`).

    Raises:
        WorkflowError: unreadable as media, or no workflow inside.
    """
    tags = _image_tags(path) if path.suffix.lower() in IMAGE_SUFFIXES else _container_tags(path)
    for name in ("workflow", "prompt"):
        if tags.get(name):
            return tags[name]
    raise WorkflowError("carries no workflow in its metadata; it may have been saved with metadata disabled")


def _image_tags(path: Path) -> dict[str, str]:
    from PIL import Image, UnidentifiedImageError

    try:
        with Image.open(path) as image:
            tags = {name: text for name, text in image.info.items() if isinstance(text, str)}
            exif = image.getexif().values()
    except (UnidentifiedImageError, OSError, ValueError, Image.DecompressionBombError) as error:
        raise WorkflowError(f"cannot be read as an image: {error}") from error
    for text in exif:
        name, colon, value = text.partition(":") if isinstance(text, str) else ("", "", "")
        if colon:
            tags.setdefault(name.strip().lower(), value)
    return tags


def _container_tags(path: Path) -> dict[str, str]:
    import av

    try:
        with av.open(str(path), options=reading_options()) as container:
            tags = {name.lower(): text for name, text in container.metadata.items()}
    except (av.error.FFmpegError, OSError, ValueError) as error:
        raise WorkflowError(f"cannot be read as video or sound: {error}") from error
    return tags | _comment_tags(tags.get("comment", ""))


def _comment_tags(comment: str) -> dict[str, str]:
    """Some packs write one JSON object with both keys into the comment."""
    try:
        data = json.loads(comment)
    except (ValueError, RecursionError):
        return {}
    if not isinstance(data, dict):
        return {}
    found = {name: data[name] for name in ("workflow", "prompt") if name in data}
    return {name: value if isinstance(value, str) else json.dumps(value) for name, value in found.items()}
