"""Measures of quality against what they are by definition."""

from __future__ import annotations

import math

import pytest
import torch
from kinograph.nodes.evaluation.quality import flicker, psnr, ssim


@pytest.fixture
def film() -> torch.Tensor:
    """Two films [2,3,6,32,40] in 0..1."""
    return torch.rand(2, 3, 6, 32, 40, generator=torch.Generator().manual_seed(0))


def test_psnr_of_a_known_error(film):
    torch.testing.assert_close(psnr(film + 0.1, film), torch.tensor([20.0, 20.0]))
    assert psnr(film, film).isinf().all()


def test_films_are_measured_one_by_one(film):
    made = film.clone()
    made[1] += 0.01
    assert psnr(made, film)[0].isinf() and psnr(made, film)[1] == pytest.approx(40, abs=1e-3)


def test_ssim_is_one_for_equal_films_and_falls_with_noise(film):
    noise = torch.randn(film.shape, generator=torch.Generator().manual_seed(1))
    torch.testing.assert_close(ssim(film, film), torch.ones(2))
    slight, strong = (ssim(film + share * noise, film) for share in (0.02, 0.2))
    assert (slight > 0.95).all() and (strong < slight).all() and (strong > 0).all()


def test_ssim_of_two_flat_pictures_compares_their_brightness():
    one, other = torch.full((1, 1, 1, 16, 16), 0.2), torch.full((1, 1, 1, 16, 16), 0.6)
    expected = (2 * 0.2 * 0.6 + 1e-4) / (0.2**2 + 0.6**2 + 1e-4)
    assert ssim(one, other).item() == pytest.approx(expected, rel=1e-4)


def test_ssim_refuses_pictures_smaller_than_its_window():
    with pytest.raises(ValueError, match="11 × 11"):
        ssim(torch.zeros(1, 3, 1, 8, 20), torch.zeros(1, 3, 1, 8, 20))


def test_a_steady_error_does_not_flicker_and_a_new_one_in_every_frame_does(film):
    generator = torch.Generator().manual_seed(2)
    steady = torch.randn(2, 3, 1, 32, 40, generator=generator).expand_as(film)
    torch.testing.assert_close(flicker(film + 0.1 * steady, film), torch.zeros(2), atol=1e-4, rtol=0)
    fresh = torch.randn(film.shape, generator=generator)
    assert (flicker(film + 0.1 * fresh, film) - math.sqrt(2)).abs().max() < 0.05
