"""A package archive is not trusted: only a plain file inside it is read, and only so far."""

from __future__ import annotations

import io
import tarfile
import zipfile
from pathlib import Path

import pytest
import torch
from kinograph.host.models.archives import copy_verified, open_member
from kinograph.host.models.catalogue import ModelError
from kinograph.host.models.convert import pickle_to_safetensors


def tarball(path: Path, entries: list[tarfile.TarInfo], data: bytes = b"data") -> Path:
    with tarfile.open(path, "w:gz") as archive:
        for entry in entries:
            entry.size = len(data) if entry.isreg() else 0
            archive.addfile(entry, io.BytesIO(data))
    return path


def read(archive: Path, member: str) -> bytes:
    with open_member(archive, member) as stream:
        return stream.read()


def test_a_member_is_read_from_a_zip_and_from_a_tar(tmp_path):
    with zipfile.ZipFile(tmp_path / "a.whl", "w") as archive:
        archive.writestr("pack/net.bin", b"data")
    assert read(tmp_path / "a.whl", "pack/net.bin") == b"data"
    assert read(tarball(tmp_path / "a.tgz", [tarfile.TarInfo("pack/net.bin")]), "pack/net.bin") == b"data"


@pytest.mark.parametrize(
    "hostile", ["../evil", "pack/../../evil", "/etc/evil", "\\evil", "..\\evil", "C:\\evil", "C:evil"]
)
def test_an_archive_that_names_a_file_outside_itself_is_refused(tmp_path, hostile):
    archive = tarball(tmp_path / "a.tgz", [tarfile.TarInfo("net.bin"), tarfile.TarInfo(hostile)])
    with pytest.raises(ModelError, match="outside itself"):
        read(archive, "net.bin")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.tgz"]


@pytest.mark.parametrize("kind", [tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.FIFOTYPE, tarfile.DIRTYPE])
def test_a_link_or_device_in_place_of_the_file_is_refused(tmp_path, kind):
    entry = tarfile.TarInfo("net.bin")
    entry.type, entry.linkname = kind, "/etc/passwd"
    with pytest.raises(ModelError, match="not a file"):
        read(tarball(tmp_path / "a.tgz", [entry]), "net.bin")


def test_two_members_of_one_name_are_refused(tmp_path):
    archive = tarball(tmp_path / "a.tgz", [tarfile.TarInfo("net.bin"), tarfile.TarInfo("net.bin")])
    with pytest.raises(ModelError, match=r"2 files named net\.bin"):
        read(archive, "net.bin")


def test_a_missing_member_is_named(tmp_path):
    with pytest.raises(ModelError, match=r"0 files named net\.bin"):
        read(tarball(tmp_path / "a.tgz", [tarfile.TarInfo("other.bin")]), "net.bin")


def test_bytes_that_are_no_archive_are_refused(tmp_path):
    (tmp_path / "a.whl").write_bytes(b"<html>sign in first</html>")
    with pytest.raises(ModelError, match="neither a zip nor a tar"):
        read(tmp_path / "a.whl", "net.bin")


def test_a_member_larger_than_promised_is_not_read_to_its_end():
    endless = io.BytesIO(bytes(64 << 20))
    with pytest.raises(ModelError):
        copy_verified(endless, io.BytesIO(), name="net.bin", size=10, sha256="0" * 64)
    assert endless.tell() <= 1 << 20


def test_a_pickle_that_would_run_code_is_not_converted(tmp_path):
    class Hostile:
        def __reduce__(self):
            return Path.touch, (tmp_path / "ran",)

    torch.save({"weight": Hostile()}, tmp_path / "hostile.pth")
    with pytest.raises(Exception, match=r"[Ww]eights.only"):
        pickle_to_safetensors(tmp_path / "hostile.pth", tmp_path / "out.safetensors", {})
    assert not (tmp_path / "ran").exists() and not (tmp_path / "out.safetensors").exists()


def test_a_pickle_of_something_else_is_refused(tmp_path):
    torch.save({"params": {"weight": torch.zeros(1)}}, tmp_path / "nested.pth")
    with pytest.raises(ModelError, match="no flat dict of tensors"):
        pickle_to_safetensors(tmp_path / "nested.pth", tmp_path / "out.safetensors", {})
