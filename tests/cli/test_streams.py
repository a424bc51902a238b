"""Where the output goes: to readers that leave, to full disks, to nowhere."""

from __future__ import annotations

import subprocess
import sys

import pytest

COMMAND = [sys.executable, "-m", "kinograph.host.cli"]
pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="POSIX streams")


def shell(line: str, home) -> subprocess.CompletedProcess:
    command = line.replace("kinograph", " ".join(COMMAND))
    return subprocess.run(["sh", "-c", command], cwd=home, capture_output=True, text=True, timeout=60)


def test_a_reader_that_leaves_is_no_error_to_report(home):
    done = shell("(kinograph nodes; echo $? >code) | true", home)
    assert (home / "code").read_text() == "1\n"
    assert done.stderr == ""


def test_a_full_disk_is_one_line_of_error(home):
    done = shell("kinograph nodes >/dev/full", home)
    assert done.returncode == 1
    assert "No space left" in done.stderr
    assert "Traceback" not in done.stderr and "Exception" not in done.stderr


@pytest.mark.parametrize("closed", [">&-", "2>&-", ">&- 2>&-"])
def test_a_process_may_lack_a_stream(home, closed):
    done = shell(f"kinograph systems {closed}", home)
    assert (done.returncode, done.stderr) == (0, "")
