"""Films compared frame by frame."""

from __future__ import annotations

import math

import pytest
import torch
from kinograph.nodes.evaluation import quality
from kinograph.nodes.evaluation.comparison_report import report, table
from kinograph.nodes.evaluation.film_comparison import FilmComparison
from kinograph.nodes.synthetic.clip import Clip
from kinograph.nodes.synthetic.parsing import parse_caption


@pytest.fixture(scope="module")
def film() -> torch.Tensor:
    """[8,3,96,96] of an object that moves."""
    spec = parse_caption("a large red checkered square moving right in front of hills at the horizon", 1)
    return torch.from_numpy(Clip(spec, 0, 8).frames).permute(0, 3, 1, 2).float() / 255


def noise(film: torch.Tensor, seed: int = 0) -> torch.Tensor:
    return torch.randn(film.shape, generator=torch.Generator().manual_seed(seed))


def compared(made, true, masks=None, **options) -> FilmComparison:
    comparison = FilmComparison(**{"motion": False} | options)
    for index in range(len(true)):
        comparison.add(made[index], true[index], None if masks is None else masks[index])
    return comparison


def test_frames_are_judged_as_the_measures_of_whole_films_do(film):
    made = (film + 0.05 * noise(film)).clamp(0, 1)
    found = compared(made, film)
    whole = made.transpose(0, 1)[None], film.transpose(0, 1)[None]  # [1,3,T,H,W]
    assert found.flicker == pytest.approx(quality.flicker(*whole).item(), rel=1e-4)
    assert found.mean("ssim") == pytest.approx(quality.ssim(*whole).item(), rel=1e-4)
    by_frame = quality.psnr(made, film)
    assert [frame.psnr for frame in found.frames] == pytest.approx(by_frame.tolist(), rel=1e-4)
    assert found.worst().index == by_frame.argmin().item()


def test_given_frames_are_not_judged(film):
    made = film.clone()
    made[1::2] += 0.1
    found = compared(made, film, given_every=2)
    assert [frame.index for frame in found.frames] == [1, 3, 5, 7]
    assert found.mean("psnr") == pytest.approx(20, abs=1e-3)
    assert compared(made, film, given_every=4).mean("psnr") == pytest.approx((4 * 20 + 2 * 100) / 6, abs=1e-3)
    with pytest.raises(ValueError, match="no frame is left"):
        FilmComparison(given_every=1)


def test_a_film_without_error_counts_a_hundred_decibels_and_does_not_flicker(film):
    found = compared(film, film, motion=True)
    assert (found.mean("psnr"), found.mean("tof"), found.flicker) == (100, 0, 0)


def test_motion_out_of_step_raises_tof_and_a_steady_error_does_not(film):
    late = torch.cat([film[:1], film[:1], film[2:3], film[2:3], film[4:5], film[4:5]])  # moves in jerks
    steady = (film[:6] * 0.9).clamp(0, 1)
    jerky, darker = (compared(made, film[:6], motion=True).mean("tof") for made in (late, steady))
    assert jerky > 5 * darker
    assert compared(film, film, motion=True).frames[0].tof is None


def test_a_mask_of_everything_tells_what_no_mask_does(film):
    made = (film + 0.05 * noise(film)).clamp(0, 1)
    found = compared(made, film, torch.ones(8, 96, 96))
    assert found.mean("inside") == found.mean("psnr")
    assert found.mean("outside") is None


def test_an_error_on_people_is_told_inside_only(film):
    masks = torch.zeros(8, 96, 96)
    masks[:, 20:50, 30:60] = 1
    found = compared(film + 0.1 * masks[:, None], film, masks)
    assert found.mean("inside") == pytest.approx(20, abs=1e-3)
    assert found.mean("outside") == 100
    share = masks.mean().item()
    assert found.mean("psnr") == pytest.approx(20 - 10 * math.log10(share), abs=1e-3)


def test_frames_without_people_do_not_count_inside(film):
    masks = torch.zeros(8, 96, 96)
    masks[3, :10] = 1
    found = compared(film + 0.1, film, masks)
    assert found.mean("inside") == pytest.approx(20, abs=1e-3)
    assert [frame.inside is None for frame in found.frames].count(False) == 1


def test_report_and_table_tell_what_was_measured(film):
    made = film.clone()
    made[5] += 0.2
    found = compared(made, film, given_every=2, perceptual=lambda one, two: (one - two).abs().mean()[None])
    assert report(found).splitlines()[0] == "4 of 8 frames judged"
    assert "worst is frame 5: 13.98 dB" in report(found) and "tOF" not in report(found)
    header, *rows = table(found).splitlines()
    assert header == "index,psnr,ssim,perceptual,tof,inside,outside"
    assert len(rows) == 4 and rows[2].startswith("5,13.97") and rows[2].endswith("0.2,,,")
