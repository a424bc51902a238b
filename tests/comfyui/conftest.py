"""A real ComfyUI with this pack in its custom_nodes, for the tests of this folder.

They are skipped unless COMFYUI_DIR names a checkout. COMFYUI_PYTHON is the Python that has its
requirements (default: this one). The server gets folders of its own and is ended with the tests.
"""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from comfyui.client import ComfyUI, write_clip, write_text_encoder, write_vae
from comfyui.examples import TEXT_ENCODER, VAE
from comfyui.interpolation_examples import write_rifes
from comfyui.sampling_examples import write_models

PACK = Path(__file__).parents[2]
FOLDER_NAME = "any_folder_name"
"""The pack must not depend on the folder it was cloned into."""
START_SECONDS = 300


@pytest.fixture(scope="session")
def comfyui(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ComfyUI]:
    directory = os.environ.get("COMFYUI_DIR")
    if not directory:
        pytest.skip("COMFYUI_DIR does not name a ComfyUI checkout")
    base = tmp_path_factory.mktemp("comfyui")
    for name in ("custom_nodes", "input", "output", "temp", "user", "models"):
        (base / name).mkdir()
    (base / "custom_nodes" / FOLDER_NAME).symlink_to(PACK, target_is_directory=True)
    write_vae(base / "models" / "vae" / VAE)
    write_text_encoder(base / "models" / "text_encoders" / TEXT_ENCODER)
    write_models(base / "models")
    write_rifes(base / "models")
    for name in (
        "conditioning_node.py",
        "core_text_encoder_node.py",
        "core_vae_node.py",
        "interpolation_nodes.py",
        "sampling_nodes.py",
    ):
        shutil.copy(Path(__file__).with_name(name), base / "custom_nodes")
    log, port = base / "server.log", _free_port()
    command = [os.environ.get("COMFYUI_PYTHON", sys.executable), "main.py", "--cpu", "--disable-auto-launch"]
    command += ["--base-directory", str(base), "--port", str(port), "--database-url", "sqlite:///:memory:"]
    with log.open("w") as output:
        server = subprocess.Popen(command, cwd=directory, stdout=output, stderr=subprocess.STDOUT)
    try:
        running = ComfyUI(f"http://127.0.0.1:{port}", base, log)
        _wait_until_ready(running, server)
        yield running
    finally:
        server.terminate()
        server.wait(timeout=20)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def _wait_until_ready(comfyui: ComfyUI, server: subprocess.Popen) -> None:
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline and server.poll() is None:
        try:
            comfyui.ask("/system_stats")
            return
        except OSError:
            time.sleep(0.2)
    pytest.fail(f"ComfyUI did not start:\n{comfyui.log.read_text()[-4000:]}")


@pytest.fixture(scope="session")
def clip(comfyui: ComfyUI) -> str:
    """A clip in the input folder: 96 × 64, two seconds at 25 fps, a cut after one, and a tone."""
    write_clip(comfyui.base / "input" / "clip.mp4", seconds=2)
    return "clip.mp4"
