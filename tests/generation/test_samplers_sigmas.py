"""Noise schedules: their ends, their shift, and the levels that ComfyUI's names stand for."""

from __future__ import annotations

import pytest
import torch
from kinograph.nodes.generation.flow_sigmas import (
    SCHEDULES,
    flow_sigmas,
    noised,
    time_shift,
)


@pytest.mark.parametrize("schedule", SCHEDULES)
@pytest.mark.parametrize("shift", [1.0, 5.0])
@pytest.mark.parametrize("steps", [1, 2, 7, 30])
def test_every_schedule_falls_from_noise_to_zero(schedule, shift, steps):
    sigmas = flow_sigmas(schedule, steps, shift=shift)
    assert sigmas.dtype == torch.float32
    assert sigmas.shape == (steps + 1,)
    assert 0.99 < sigmas[0] <= 1
    assert sigmas[-1] == 0
    assert bool((sigmas.diff() < 0).all())


def test_the_shift_follows_its_formula():
    even = torch.linspace(1, 0, 9, dtype=torch.float64)
    shifted = flow_sigmas("linear", 8, shift=3.0).double()
    torch.testing.assert_close(shifted, 3 * even / (1 + 2 * even), rtol=1e-6, atol=0)
    assert time_shift(0.25, 1.0) == 0.25


def test_less_denoising_takes_the_end_of_a_longer_schedule():
    edit = flow_sigmas("simple", 8, shift=5.0, denoise=0.4)
    torch.testing.assert_close(edit, flow_sigmas("simple", 20, shift=5.0)[-9:], rtol=0, atol=0)


def test_simple_takes_levels_of_training():
    levels = flow_sigmas("simple", 7, shift=1.0)[:-1] * 1000
    torch.testing.assert_close(levels, levels.round())
    assert levels.tolist() == [1000, 858, 715, 572, 429, 286, 143]


def test_beta_is_dense_at_both_ends_and_symmetric():
    sigmas = flow_sigmas("beta", 10)
    lengths = -sigmas.diff()
    assert lengths[0] < 0.5 * lengths[5]
    assert lengths[-1] < 0.5 * lengths[5]
    assert float(sigmas[5]) == pytest.approx(0.5, abs=2e-3)


def test_beta_takes_the_quantiles_of_the_distribution():
    stats = pytest.importorskip("scipy.stats")
    times = torch.linspace(1, 0, 31, dtype=torch.float64)[:-1]
    levels = torch.from_numpy(stats.beta.ppf(times.numpy(), 0.6, 0.6) * 999).round()
    torch.testing.assert_close(flow_sigmas("beta", 30)[:-1].double() * 1000, levels + 1, rtol=1e-6, atol=0)


def test_linear_quadratic_goes_on_as_steeply_as_it_came():
    lengths = -flow_sigmas("linear_quadratic", 40).diff()
    torch.testing.assert_close(lengths[:20], torch.full((20,), 0.025 / 20), rtol=1e-4, atol=0)
    assert bool((lengths[20:].diff() > 0).all())
    assert lengths[20] < 3 * lengths[19]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"schedule": "cosine", "steps": 8}, "no noise schedule 'cosine'; choose one of simple, linear"),
        ({"schedule": "simple", "steps": 0}, "at least 1 step, got 0"),
        ({"schedule": "simple", "steps": 8, "shift": 0.0}, "shift must be above 0, got 0.0"),
        ({"schedule": "simple", "steps": 8, "denoise": 1.5}, "at most 1, got 1.5"),
    ],
)
def test_a_schedule_that_cannot_be_is_refused(arguments, message):
    with pytest.raises(ValueError, match=message):
        flow_sigmas(**arguments)


def test_noise_is_added_frame_by_frame_as_by_the_scalar_formula():
    clean, noise = torch.randn(2, 4, 3, 2, 2), torch.randn(2, 4, 3, 2, 2)
    levels = torch.tensor([0.0, 0.3, 1.0])
    mixed = noised(clean, noise, levels)
    for frame, level in enumerate(levels):
        assert torch.equal(mixed[:, :, frame], noised(clean, noise, level)[:, :, frame])
    assert torch.equal(mixed[:, :, 0], clean[:, :, 0])
    assert torch.equal(mixed[:, :, 2], noise[:, :, 2])
