"""Uploaded files: taken in piece by piece, checked, and put under a safe name only when they are whole."""

from __future__ import annotations

import asyncio
import filecmp
import os
import shutil
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import NamedTemporaryFile

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
        return self.fields.get("subfolder", "")

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
    os.makedirs(folder_paths.get_temp_directory(), exist_ok=True)
    with NamedTemporaryFile(dir=folder_paths.get_temp_directory(), prefix="upload-", delete=False) as spool:
        upload = Upload(Path(spool.name))
    try:
        await _read_parts(request, upload, most_bytes)
        if not upload.name:
            raise refusal(web.HTTPBadRequest, 'the form has no file named "image"')
    except BaseException as error:
        upload.path.unlink(missing_ok=True)
        if isinstance(error, (asyncio.TimeoutError, TimeoutError)):
            raise refusal(web.HTTPRequestTimeout, f"nothing came for {_PIECE_SECONDS:g} s") from error
        if isinstance(error, (ValueError, KeyError)) and not isinstance(error, web.HTTPException):
            raise refusal(web.HTTPBadRequest, f"the form cannot be read: {error}") from error
        raise
    return upload


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
    if upload.fields.get("overwrite") in ("true", "1"):
        _move(upload.path, folder / upload.name)
        return upload.name
    for name in _numbered(upload.name):
        place = folder / name
        if not os.path.lexists(place):
            _move(upload.path, place)
            return name
        if place.is_file() and filecmp.cmp(upload.path, place, shallow=False):
            return name
    raise AssertionError("there is always another number")


def target_folder(upload: Upload) -> Path:
    """The folder that a form names with "type" and "subfolder".

    Raises:
        HTTPBadRequest: there is no such type. BadNameError: the subfolder leads elsewhere.
    """
    root = folder_paths.get_directory_by_type(upload.type)
    if root is None:
        raise refusal(web.HTTPBadRequest, "type must be input, temp or output")
    subfolder = upload.subfolder.strip("/\\")
    return writable_path(root, subfolder) if subfolder else Path(root)


def _numbered(name: str) -> Iterator[str]:
    stem, extension = os.path.splitext(name)
    yield name
    for number in range(1, 1_000_000):
        yield f"{stem} ({number}){extension}"


def _move(source: Path, place: Path) -> None:
    try:
        os.replace(source, place)
    except OSError:  # the folders lie on different disks
        with whole_file(str(place)) as part:
            shutil.copyfile(source, part)
