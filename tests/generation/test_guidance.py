"""Guidance: its formulas, and its strength over steps and frames."""

from __future__ import annotations

import pytest
import torch
from generation.velocities import latent
from kinograph.nodes.generation.flow_sigmas import flow_sigmas
from kinograph.nodes.generation.guidance import (
    Guidance,
    constant,
    guided,
    guided_zero_star,
    in_denoised,
    over_frames,
    projection,
    ramp,
    zero_init,
)

COND, UNCOND = latent(seed=1), latent(seed=2)
LEVELS = torch.tensor([[0.9, 0.5, 0.1], [0.9, 0.5, 0.1]])

both_formulas = pytest.mark.parametrize("formula", [guided, guided_zero_star])


@both_formulas
@pytest.mark.parametrize("scale", [1, torch.ones(3), torch.ones(2, 3)])
def test_scale_one_is_cond_bit_for_bit(formula, scale):
    assert torch.equal(formula(COND, UNCOND, scale), COND)


def test_guidance_goes_from_uncond_through_cond_and_beyond():
    torch.testing.assert_close(guided(COND, UNCOND, 0.0), UNCOND)
    torch.testing.assert_close(guided(COND, UNCOND, 4.0), UNCOND + 4 * (COND - UNCOND))


def test_the_projection_is_the_nearest_multiple_of_uncond():
    scale = projection(COND, UNCOND)
    assert scale.shape == (2, 1, 1, 1, 1)
    rest = COND - scale * UNCOND
    torch.testing.assert_close((rest * UNCOND).flatten(1).sum(1), torch.zeros(2), rtol=0, atol=1e-4)


def test_cfg_zero_star_is_its_papers_formula():
    film = 1
    dot = float((COND[film] * UNCOND[film]).sum()) / float(UNCOND[film].square().sum())
    expected = dot * UNCOND[film] + 5 * (COND[film] - dot * UNCOND[film])
    torch.testing.assert_close(guided_zero_star(COND, UNCOND, 5.0)[film], expected)


def test_cfg_zero_star_ignores_the_length_of_uncond():
    torch.testing.assert_close(
        guided_zero_star(COND, UNCOND, 5.0), guided_zero_star(COND, UNCOND * 0.3, 5.0), rtol=1e-4, atol=1e-4
    )


def test_cfg_zero_star_without_any_uncond_is_finite():
    made = guided_zero_star(COND, torch.zeros_like(COND), 5.0)
    torch.testing.assert_close(made, 5 * COND)


def test_zero_init_holds_the_first_steps_still():
    sigmas = flow_sigmas("linear", 5, shift=3.0)
    guidance = Guidance(constant(4.0), zero_star=True, zero_from=zero_init(sigmas, 2))
    moves = [guidance(COND, UNCOND, sigma.expand(2, 3)).count_nonzero() > 0 for sigma in sigmas[:-1]]
    assert moves == [False, False, True, True, True]


def test_no_zero_init_moves_from_the_first_step():
    assert zero_init(flow_sigmas("linear", 5), 0) > 1


def test_zero_init_leaves_a_step_to_move():
    with pytest.raises(ValueError, match=r"5 steps .* 5 in all"):
        zero_init(flow_sigmas("linear", 5), 5)


def test_over_frames_the_scale_grows_linearly():
    weights = over_frames(1.0, 2.5)(LEVELS)
    torch.testing.assert_close(weights, torch.tensor([[1.0, 1.75, 2.5]]).expand(2, 3))
    made = Guidance(over_frames(1.0, 2.5))(COND, UNCOND, LEVELS)
    assert torch.equal(made[:, :, 0], COND[:, :, 0])
    torch.testing.assert_close(made[:, :, 2], UNCOND[:, :, 2] + 2.5 * (COND - UNCOND)[:, :, 2])


def test_a_single_frame_takes_the_first_weight():
    assert over_frames(1.0, 2.5)(torch.ones(1, 1)).tolist() == [[1.0]]


def test_a_ramp_follows_each_frames_own_level():
    torch.testing.assert_close(ramp(6.0, 1.0)(LEVELS)[0], torch.tensor([5.5, 3.5, 1.5]))


@pytest.mark.parametrize("zero_star", [False, True])
@pytest.mark.parametrize("scale", [constant(4.0), over_frames(1.0, 6.0), ramp(6.0, 1.0)])
def test_guiding_estimates_is_guiding_velocities(zero_star, scale):
    x, level = latent(), torch.tensor([0.9, 0.9])
    guidance = Guidance(scale, zero_star=zero_star, zero_from=0.9)
    by_velocity = x - 0.9 * guidance(COND, UNCOND, LEVELS)
    made = in_denoised(guidance)(x - 0.9 * COND, x - 0.9 * UNCOND, x, level, LEVELS)
    torch.testing.assert_close(made, by_velocity, rtol=1e-4, atol=1e-4)


def test_plain_guidance_is_the_same_formula_on_estimates():
    x = latent()
    cond, uncond = x - 0.9 * COND, x - 0.9 * UNCOND
    made = in_denoised(Guidance(constant(4.0)))(cond, uncond, x, torch.tensor([0.9, 0.9]), LEVELS)
    torch.testing.assert_close(made, guided(cond, uncond, 4.0), rtol=1e-4, atol=1e-4)


def test_what_is_answered_for_given_frames_changes_no_other_frame_under_zero_star():
    sigma = torch.tensor([[0.0, 0.5, 0.5], [0.0, 0.5, 0.5]])
    guidance = Guidance(constant(4.0), zero_star=True)
    other = COND.clone()
    other[:, :, 0] = 100.0
    assert torch.equal(guidance(COND, UNCOND, sigma)[:, :, 1:], guidance(other, UNCOND, sigma)[:, :, 1:])
