from __future__ import annotations

import json

import folder_paths
import pytest
from kinograph.host import cli
from kinograph.host.doctor import backends, software, surroundings


@pytest.fixture
def home(tmp_path):
    before = folder_paths.base_path
    folder_paths.set_base_directory(str(tmp_path))
    yield tmp_path
    folder_paths.set_base_directory(before)


def by_subject(findings):
    return {finding.subject: finding for finding in findings}


def test_a_working_machine_has_no_problem(home, capsys):
    assert cli.main(["doctor", "--json"]) == 0
    report = json.loads(capsys.readouterr().out.splitlines()[-1])
    assert report["problems"] == 0
    subjects = {finding["subject"]: finding["state"] for finding in report["findings"]}
    assert subjects["torch"] == subjects["encoders"] == subjects["output folder"] == "ok"


def test_a_missing_encoder_is_named_with_a_remedy(monkeypatch):
    monkeypatch.setitem(software.ENCODERS, "Cinepak XL", "no_such_encoder")
    found = by_subject(software.findings())["encoders"]
    assert found.state == "problem"
    assert found.found.endswith("not Cinepak XL")
    assert "pip install" in found.remedy


def test_a_broken_optional_package_tells_why(monkeypatch, tmp_path):
    (tmp_path / "halfway.py").write_text("raise OSError('built for another torch')")
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setitem(backends.PACKAGES, "Halfway", "halfway")
    found = by_subject(backends.findings())["Halfway"]
    assert found.state == "absent"
    assert "built for another torch" in found.found


def test_a_file_in_the_place_of_a_folder_is_a_problem(home):
    (home / "output").write_text("")
    found = by_subject(surroundings.findings())["output folder"]
    assert found.state == "problem"
    assert "KINOGRAPH_HOME" in found.remedy


@pytest.mark.parametrize(("subject", "limit"), [("disk", "DISK_MB"), ("memory", "MEMORY_MB")])
def test_little_room_is_a_problem(home, monkeypatch, subject, limit):
    monkeypatch.setattr(surroundings, limit, 1e12)
    assert by_subject(surroundings.findings())[subject].state == "problem"
