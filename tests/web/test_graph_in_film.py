"""The graph in a film's tags is found by the editor's side too, in every container that carries tags."""

from __future__ import annotations

import json
from fractions import Fraction
from pathlib import Path

import pytest
import torch
from kinograph.nodes.video.encode import encode
from kinograph.nodes.video.settings import EncodeSettings
from kinograph.nodes.video.tensor_source import TensorSource

GRAPH = {"nodes": [{"id": 1, "title": 'unbalanced { and "quoted" é 视频'}], "version": 0.4}
PROMPT = {"1": {"class_type": "KinoLoadVideo", "inputs": {"file": "a.mp4"}}}
READ = """const { graphInFilm } = await web('graph_in_film.js');
    const bytes = (await import('node:fs')).readFileSync(given.path);
    const file = new File([bytes], given.path.split('/').pop());
    return graphInFilm(file);"""


def written(path: Path, tags: dict[str, str]) -> Path:
    film = TensorSource(torch.zeros(4, 32, 32, 3), Fraction(8))
    encode(film, path, EncodeSettings(path.suffix[1:], preset=None), metadata=tags)
    return path


def found(javascript, path: Path) -> object:
    return javascript(READ, path=path.as_posix())


@pytest.mark.parametrize("suffix", ["mp4", "mov", "mkv", "webm"])
def test_workflow_and_prompt_come_back(javascript, tmp_path, suffix):
    tags = {"workflow": json.dumps(GRAPH), "prompt": json.dumps(PROMPT)}
    path = written(tmp_path / f"film.{suffix}", tags)
    assert found(javascript, path) == {"workflow": GRAPH, "prompt": PROMPT}


@pytest.mark.parametrize("suffix", ["mp4", "mkv"])
def test_a_film_without_a_graph_has_none(javascript, tmp_path, suffix):
    assert found(javascript, written(tmp_path / f"film.{suffix}", {})) == {}


def test_numbers_that_json_lacks_become_null(javascript, tmp_path):
    path = written(
        tmp_path / "film.mkv", {"prompt": '{"1": {"inputs": {"a": NaN, "b": "NaN", "c": -Infinity}}}'}
    )
    assert found(javascript, path) == {"prompt": {"1": {"inputs": {"a": None, "b": "NaN", "c": None}}}}


@pytest.mark.parametrize("name", ["film.mp4", "film.mkv", "film.webm", "film.txt", "film"])
@pytest.mark.parametrize(
    "content", [b"", b"\x00" * 64, b"\x1a\x45\xdf\xa3" + b"\xff" * 60, b"\x00\x00\x00\x00moov" * 9]
)
def test_damaged_files_have_no_graph(javascript, tmp_path, name, content):
    (tmp_path / name).write_bytes(content)
    assert found(javascript, tmp_path / name) == {}


def test_a_film_cut_short_has_no_graph(javascript, tmp_path):
    path = written(tmp_path / "film.mkv", {"workflow": json.dumps(GRAPH)})
    path.write_bytes(path.read_bytes()[:200])
    assert found(javascript, path) == {}
