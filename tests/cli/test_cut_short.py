"""Runs that end before their film does: cancelled, killed, out of disk. Nothing half-written is left."""

from __future__ import annotations

import json
import os
import platform
import signal
import subprocess
import sys
import time

import pytest

COMMAND = [sys.executable, "-m", "kinograph.host.cli", "run"]
ON_A_FULL_DISK = (
    "import resource, sys; from kinograph.host.cli import main; "
    "resource.setrlimit(resource.RLIMIT_FSIZE, (4000, 4000)); sys.exit(main(sys.argv[1:]))"
)
PREVIEW = {
    "1": {"class_type": "PrimitiveInt", "inputs": {"value": 1}},
    "2": {"class_type": "PreviewAny", "inputs": {"source": ["1", 0]}},
}
IMAGE = {"width": 2048, "height": 2048, "batch_size": 1, "color": 255}
pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="POSIX signals and limits")


@pytest.fixture
def endless(home, graph):
    """A graph that takes minutes: the clip, many times over."""
    retime = {"fps": 60.0, "frames": "nearest", "speed": 1.0, "reverse": False, "loop": 10_000}
    graph["2"] = {"class_type": "KinoRetimeVideo", "inputs": {"video": ["1", 0], **retime}}
    path = home / "endless.json"
    path.write_text(json.dumps(graph))
    return path


def started(path, home) -> subprocess.Popen:
    """The command, once it has begun to write."""
    environment = os.environ | {"KINOGRAPH_HOME": str(home)}
    process = subprocess.Popen(
        [*COMMAND, str(path), "--json"],
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    deadline = time.monotonic() + 60
    while not any(names for _, _, names in os.walk(home / "output")):
        assert process.poll() is None and time.monotonic() < deadline, process.communicate()
        time.sleep(0.02)
    return process


def visible(home) -> list[str]:
    found = [name for _, _, names in os.walk(home / "output") for name in names]
    return [name for name in found if not name.startswith(".")]


@pytest.mark.parametrize("sent", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_cancels_and_removes_what_was_begun(endless, home, sent):
    process = started(endless, home)
    process.send_signal(sent)
    out, err = process.communicate(timeout=20)
    assert process.returncode == 128 + sent
    assert json.loads(out.splitlines()[-1])["status"] == "cancelled"
    assert "cancelled" in err and "Traceback" not in err
    assert not [name for _, _, names in os.walk(home / "output") for name in names]
    assert not (home / "temp").exists()


def test_a_killed_process_leaves_nothing_under_the_final_name(endless, home, kinograph):
    process = started(endless, home)
    process.kill()
    process.communicate(timeout=20)
    assert visible(home) == []
    assert len(list((home / "temp").iterdir())) == 1
    here = platform.node()
    others = {f"run_{here}_{os.getpid()}_running", f"run_{here}-{process.pid}_1_elsewhere", "a_pack_s_own"}
    for name in others:
        (home / "temp" / name).mkdir()
    assert kinograph("run", PREVIEW)[0] == 0
    assert {path.name for path in (home / "temp").iterdir()} == others


def test_a_node_that_never_looks_is_interrupted(home):
    pack = home / "sleepers"
    pack.mkdir()
    (pack / "__init__.py").write_text(
        "import pathlib, time\n"
        "class Sleep:\n"
        "    RETURN_TYPES, FUNCTION, CATEGORY, OUTPUT_NODE = (), 'sleep', 'x', True\n"
        "    @classmethod\n"
        "    def INPUT_TYPES(cls):\n"
        "        return {'required': {'sign': ('STRING', {})}}\n"
        "    def sleep(self, sign):\n"
        "        pathlib.Path(sign).touch()\n"
        "        time.sleep(300)\n"
        "NODE_CLASS_MAPPINGS = {'Sleep': Sleep}\n"
    )
    (home / "output").mkdir()
    graph = {"1": {"class_type": "Sleep", "inputs": {"sign": str(home / "output" / "asleep")}}}
    path = home / "graph.json"
    path.write_text(json.dumps(graph))
    environment = os.environ | {"KINOGRAPH_HOME": str(home)}
    process = subprocess.Popen([*COMMAND, str(path), "--pack", str(pack)], env=environment)
    while not (home / "output" / "asleep").exists():
        time.sleep(0.02)
    process.send_signal(signal.SIGINT)
    assert process.wait(timeout=20) == 130


@pytest.mark.parametrize(
    ("source", "saver"),
    [
        ({"class_type": "KinoLoadVideo", "inputs": {"file": "clip.mp4"}}, "SaveVideo"),
        ({"class_type": "LoadVideo", "inputs": {"file": "clip.mp4"}}, "SaveVideo"),
        ({"class_type": "LoadAudio", "inputs": {"audio": "clip.mp4"}}, "SaveAudio"),
        ({"class_type": "EmptyImage", "inputs": IMAGE}, "SaveImage"),
    ],
)
def test_a_full_disk_is_told_with_a_remedy(home, source, saver):
    inputs = {
        "SaveVideo": {"video": ["1", 0], "format": "auto", "codec": "auto"},
        "SaveAudio": {"audio": ["1", 0]},
        "SaveImage": {"images": ["1", 0]},
    }[saver]
    graph = {"1": source, "2": {"class_type": saver, "inputs": {**inputs, "filename_prefix": "kept"}}}
    path = home / "graph.json"
    path.write_text(json.dumps(graph))
    done = subprocess.run(
        [sys.executable, "-c", ON_A_FULL_DISK, "run", str(path), "--json"],
        env=os.environ | {"KINOGRAPH_HOME": str(home)},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 1, done
    (error,) = json.loads(done.stdout.splitlines()[-1])["errors"]
    assert error["node"] == "2"
    assert "free" in error["message"] + (error["remedy"] or "")
    assert visible(home) == []
