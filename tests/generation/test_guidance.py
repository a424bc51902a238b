"""Guidance: its formulas, its strength over steps and frames, and the calls it saves."""

from __future__ import annotations

import pytest
import torch
from generation.velocities import RandomVelocity, latent
from kinograph.nodes.generation.flow_sigmas import flow_sigmas
from kinograph.nodes.generation.guidance import (
    Guidance,
    between,
    constant,
    guided,
    guided_zero_star,
    in_denoised,
    one_batch,
    over_frames,
    projection,
    ramp,
    two_calls,
    zero_init,
)
from kinograph.nodes.generation.samplers import euler

COND, UNCOND = latent(seed=1), latent(seed=2)
LEVELS = torch.tensor([[0.9, 0.5, 0.1], [0.9, 0.5, 0.1]])

both_formulas = pytest.mark.parametrize("formula", [guided, guided_zero_star])


def no_check() -> None:
    pass


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


def test_zero_init_holds_the_first_steps_still_without_a_call():
    sigmas = flow_sigmas("linear", 5, shift=3.0)
    network = RandomVelocity()
    guidance = Guidance(constant(4.0), zero_star=True, zero_from=zero_init(sigmas, 2))
    states = []
    euler(
        guidance.velocity(network, two_calls(network, RandomVelocity(), no_check)),
        latent(),
        sigmas,
        lambda step, total, x, x0: states.append(x),
    )
    assert torch.equal(states[1], latent())
    assert not torch.equal(states[2], latent())
    assert len(network.seen) == 3


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


def test_a_ramp_and_an_interval_follow_each_frames_own_level():
    torch.testing.assert_close(ramp(6.0, 1.0)(LEVELS)[0], torch.tensor([5.5, 3.5, 1.5]))
    assert between(constant(4.0), 0.8, 0.3)(LEVELS)[0].tolist() == [1.0, 4.0, 1.0]


def test_outside_its_interval_uncond_is_not_called():
    cond, uncond = RandomVelocity(), RandomVelocity()
    guidance = Guidance(between(constant(4.0), 0.8, 0.3))
    made = euler(
        guidance.velocity(cond, two_calls(cond, uncond, no_check)), latent(), flow_sigmas("linear", 10)
    )
    assert len(cond.seen) == 10
    assert [round(float(sigma[0, 0]), 1) for sigma in uncond.seen] == [0.8, 0.7, 0.6, 0.5, 0.4, 0.3]
    assert bool(made.isfinite().all())


def test_one_batch_is_two_calls():
    network = RandomVelocity()
    shift = torch.tensor([0.0, 0.0, 1.0, 1.0]).view(4, 1, 1, 1, 1)

    def both(x, sigma):
        return network(x, sigma) + shift

    pair = one_batch(both)(latent(), LEVELS)
    separate = two_calls(network, lambda x, sigma: network(x, sigma) + 1, no_check)(latent(), LEVELS)
    for together, alone in zip(pair, separate, strict=True):
        torch.testing.assert_close(together, alone)


def test_cancel_comes_through_between_the_two_calls():
    cond, uncond = RandomVelocity(), RandomVelocity()

    def check():
        raise KeyboardInterrupt

    velocity = Guidance(constant(4.0)).velocity(cond, two_calls(cond, uncond, check))
    with pytest.raises(KeyboardInterrupt):
        euler(velocity, latent(), flow_sigmas("linear", 4))
    assert (len(cond.seen), len(uncond.seen)) == (1, 0)


@pytest.mark.parametrize("zero_star", [False, True])
@pytest.mark.parametrize("scale", [constant(4.0), over_frames(1.0, 6.0), ramp(6.0, 1.0)])
def test_guiding_estimates_is_guiding_velocities(zero_star, scale):
    x, level = latent(), LEVELS[:, None, :, None, None]
    guidance = Guidance(scale, zero_star=zero_star, zero_from=0.9)
    by_velocity = x - level * guidance(COND, UNCOND, LEVELS)
    made = in_denoised(guidance)(x - level * COND, x - level * UNCOND, x, LEVELS)
    torch.testing.assert_close(made, by_velocity, rtol=1e-4, atol=1e-4)


def test_plain_guidance_is_the_same_formula_on_estimates():
    x, level = latent(), LEVELS[:, None, :, None, None]
    cond, uncond = x - level * COND, x - level * UNCOND
    made = in_denoised(Guidance(constant(4.0)))(cond, uncond, x, LEVELS)
    torch.testing.assert_close(made, guided(cond, uncond, 4.0), rtol=1e-4, atol=1e-4)


def test_the_estimate_of_a_clean_frame_is_kept():
    levels = torch.tensor([[0.0, 0.5, 0.5], [0.0, 0.5, 0.5]])
    made = in_denoised(Guidance(constant(4.0)))(COND, UNCOND, latent(), levels)
    assert torch.equal(made[:, :, 0], COND[:, :, 0])
    assert bool(made.isfinite().all())
