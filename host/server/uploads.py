"""Uploaded files: taken in piece by piece, checked, and put under a safe name only when they are whole."""

from __future__ import annotations

import asyncio
import filecmp
import os
import shutil
import threading
import uuid
from dataclasses import dataclass, field
from pathlib import Path

import folder_paths
from aiohttp import BodyPartReader, web

from ..whole_file import whole_file
from .places import safe_name, writable_path
from .requests import refusal

_PICTURES = {"png", "jpg", "jpeg", "jfif", "webp", "gif", "bmp", "tif", "tiff", "avif", "heic", "exr", "hdr"}
_FILMS = {"mp4", "webm", "mkv", "mov", "avi", "m4v", "mpg", "mpeg", "ts", "mts", "ogv", "wmv", "flv", "y4m"}
_SOUNDS = {"wav", "mp3", "flac", "ogg", "oga", "opus", "m4a", "aac", "aiff"}
_MESHES = {"glb", "gltf", "obj", "mtl", "fbx", "stl", "ply", "usdz", "splat", "spz", "ksplat", "bvh"}
_TEXTS = {"srt", "vtt", "ass", "txt", "md", "csv", "json", "cube"}
_TENSORS = {"latent", "safetensors"}
EXTENSIONS = _PICTURES | _FILMS | _SOUNDS | _MESHES | _TEXTS | _TENSORS
"""What may be uploaded: media, meshes, and plain texts and tensors that nodes read."""

_PIECE_SECONDS = 60.0
_LONGEST_FIELD = 64 << 10

_keeping = threading.Lock()


@dataclass
class Upload:
    """A form that was sent: its text fields, and its file, which is not in its place yet.

    Attributes:
        path: where the file lies until it is `kept`.
        name: the file's safe name.
    """

    path: Path
    name: str = ""
    fields: dict[str, str] = field(default_factory=dict)

    @property
    def subfolder(self) -> str:
        return self.fields.get("subfolder", "").replace("\\", "/").strip("/")

    @property
    def type(self) -> str:
        return self.fields.get("type", "input")


async def receive(request: web.Request, most_bytes: int) -> Upload:
    """Read a form with one file, "image".

    Raises:
        HTTPException: it is no such form, the file is too large or of no known type, or the client is slow.
    """
    if not request.content_type.startswith("multipart/"):
        raise refusal(web.HTTPBadRequest, "an upload must be a multipart form")
    upload = Upload(Path(folder_paths.get_temp_directory(), f"upload-{uuid.uuid4().hex}"))
    upload.path.parent.mkdir(parents=True, exist_ok=True)
    try:
        await _read_form(request, upload, most_bytes)
    except BaseException:
        upload.path.unlink(missing_ok=True)
        raise
    return upload


async def _read_form(request: web.Request, upload: Upload, most_bytes: int) -> None:
    try:
        await _read_parts(request, upload, most_bytes)
    except (asyncio.TimeoutError, TimeoutError) as error:
        raise refusal(web.HTTPRequestTimeout, f"nothing came for {_PIECE_SECONDS:g} s") from error
    except (ValueError, KeyError) as error:
        raise refusal(web.HTTPBadRequest, f"the form cannot be read: {error}") from error
    if not upload.name:
        raise refusal(web.HTTPBadRequest, 'the form has no file named "image"')


async def _read_parts(request: web.Request, upload: Upload, most_bytes: int) -> None:
    form = await request.multipart()
    while (part := await asyncio.wait_for(form.next(), _PIECE_SECONDS)) is not None:
        if not isinstance(part, BodyPartReader):
            raise refusal(web.HTTPBadRequest, "the form nests another one")
        if part.name == "image" and part.filename is not None and not upload.name:
            upload.name = safe_name(part.filename)
            _check_type(upload.name)
            await _spool(part, upload.path, most_bytes)
        elif part.name:
            upload.fields[part.name] = await _field(part)


def _check_type(name: str) -> None:
    extension = os.path.splitext(name)[1].removeprefix(".").lower()
    if extension not in EXTENSIONS:
        message = f"files of type {extension or 'none'} are not taken; send a picture, film, sound or mesh"
        raise refusal(web.HTTPUnsupportedMediaType, message)


async def _spool(part: BodyPartReader, path: Path, most_bytes: int) -> None:
    size = 0
    with path.open("wb") as file:
        while piece := await asyncio.wait_for(part.read_chunk(1 << 18), _PIECE_SECONDS):
            size += len(piece)
            if size > most_bytes:
                raise web.HTTPRequestEntityTooLarge(most_bytes, size)
            await asyncio.to_thread(file.write, piece)


async def _field(part: BodyPartReader) -> str:
    text = b""
    while piece := await asyncio.wait_for(part.read_chunk(8192), _PIECE_SECONDS):
        text += piece
        if len(text) > _LONGEST_FIELD:
            raise refusal(web.HTTPBadRequest, f"the field {part.name:.50} is too long")
    return text.decode("utf-8", "replace")


def keep(upload: Upload) -> str:
    """Move an upload to its folder; returns its name there.

    An equal file of the same name is used as it is; a different one stays, and the new one is numbered,
    unless the form says "overwrite".

    Raises:
        BadNameError: the subfolder leads elsewhere.
    """
    folder = target_folder(upload)
    folder.mkdir(parents=True, exist_ok=True)
    with _keeping:  # two uploads of one name must not take each other's place
        overwrites = upload.fields.get("overwrite") in ("true", "1")
        name = upload.name if overwrites else _fitting_name(upload, folder)
        if overwrites or not os.path.lexists(folder / name):
            _move(upload.path, folder / name)
    return name


def target_folder(upload: Upload) -> Path:
    """The folder that a form names with "type" and "subfolder".

    Raises:
        HTTPBadRequest: there is no such type. BadNameError: the subfolder leads elsewhere.
    """
    root = folder_paths.get_directory_by_type(upload.type)
    if root is None:
        raise refusal(web.HTTPBadRequest, "type must be input, temp or output")
    return writable_path(root, upload.subfolder) if upload.subfolder else Path(root)


def _fitting_name(upload: Upload, folder: Path) -> str:
    """The upload's name, numbered where a file that differs has it; an equal one may be there."""
    stem, extension = os.path.splitext(upload.name)
    name, number = upload.name, 0
    while os.path.lexists(folder / name):
        if (folder / name).is_file() and filecmp.cmp(upload.path, folder / name, shallow=False):
            break
        number += 1
        name = f"{stem} ({number}){extension}"
    return name


def _move(source: Path, place: Path) -> None:
    try:
        os.replace(source, place)
    except OSError:  # the folders lie on different disks
        with whole_file(str(place)) as part:
            shutil.copyfile(source, part)
