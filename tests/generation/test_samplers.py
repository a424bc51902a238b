"""Samplers: their order, their frames' own noise levels, their callback, and the seed."""

from __future__ import annotations

import itertools

import pytest
import torch
from generation.velocities import GaussianFlow, PerFrameVelocity, RandomVelocity, latent
from kinograph.nodes.generation.flow_sigmas import flow_sigmas
from kinograph.nodes.generation.samplers import SAMPLERS

SIGMAS = flow_sigmas("linear", 6, shift=3.0)
STAGGERED = torch.stack(
    [
        torch.tensor([1.0, 0.8, 0.6, 0.4, 0.2, 0.0, 0.0, 0.0, 0.0]),
        torch.tensor([1.0, 1.0, 1.0, 0.8, 0.6, 0.4, 0.2, 0.0, 0.0]),
        torch.tensor([0.9, 0.7, 0.7, 0.7, 0.5, 0.3, 0.3, 0.1, 0.0]),
    ],
    dim=1,
)
"""Frames that start at once, late, and that wait on the way."""

in_every_way = pytest.mark.parametrize("sampler", list(SAMPLERS))


def error_of(sampler: str, steps: int, start: float = 0.95, end: float = 0.1) -> float:
    """How far from the exact solution a sampler ends, over even steps of time."""
    flow, x = GaussianFlow(), latent(dtype=torch.float64)
    sigmas = torch.linspace(start, end, steps + 1, dtype=torch.float64)
    return float((SAMPLERS[sampler](flow, x, sigmas) - flow.solution(x, start, end)).abs().max())


@pytest.mark.parametrize(("sampler", "order"), [("euler", 1), ("heun", 2), ("dpmpp_2m", 2), ("unipc", 2)])
def test_half_the_step_leaves_the_orders_power_of_the_error(sampler, order):
    gains = [error_of(sampler, steps) / error_of(sampler, 2 * steps) for steps in (40, 80)]
    assert all(gain > 0.85 * 2**order for gain in gains)


@in_every_way
def test_a_whole_run_ends_at_the_flows_solution(sampler):
    flow, x = GaussianFlow(), latent(dtype=torch.float64)
    made = SAMPLERS[sampler](flow, x, flow_sigmas("linear", 200))
    torch.testing.assert_close(made, flow.solution(x, 1.0, 0.0), rtol=0, atol=2e-2)


def test_better_methods_need_fewer_steps():
    errors = [error_of(sampler, 20) for sampler in ("euler", "dpmpp_2m", "unipc")]
    assert errors[0] > 5 * errors[1] > 5 * errors[2]


@in_every_way
def test_a_constant_estimate_is_reached_in_any_number_of_steps(sampler):
    x, film = latent(dtype=torch.float64), latent(seed=1, dtype=torch.float64)

    def velocity(x, sigma):
        return (x - film) / sigma[:, None, :, None, None]

    torch.testing.assert_close(SAMPLERS[sampler](velocity, x, flow_sigmas("linear", 3)), film)


@in_every_way
def test_a_flat_matrix_gives_the_same_bits_as_a_flat_schedule(sampler):
    flat = SAMPLERS[sampler](RandomVelocity(), latent(), SIGMAS)
    matrix = SAMPLERS[sampler](RandomVelocity(), latent(), SIGMAS.unsqueeze(1).repeat(1, 3))
    assert torch.equal(flat, matrix)


def test_euler_is_the_scalar_formula_bit_for_bit():
    x, velocity = latent(), RandomVelocity()
    for sigma, after in itertools.pairwise(SIGMAS):
        x = x + (after - sigma) * velocity(x, sigma.expand(2, 3))
    assert torch.equal(SAMPLERS["euler"](RandomVelocity(), latent(), SIGMAS), x)


@in_every_way
def test_a_frame_whose_sigma_stays_is_returned_bit_for_bit(sampler):
    states = [latent()]
    SAMPLERS[sampler](RandomVelocity(), latent(), STAGGERED, lambda step, total, x, x0: states.append(x))
    for step, (before, after) in enumerate(itertools.pairwise(states)):
        for frame in range(3):
            waits = STAGGERED[step, frame] == STAGGERED[step + 1, frame]
            assert torch.equal(before[:, :, frame], after[:, :, frame]) == waits


@in_every_way
def test_frames_with_their_own_levels_go_as_if_each_were_alone(sampler):
    x, velocity = latent(dtype=torch.float64), PerFrameVelocity(dtype=torch.float64)
    together = SAMPLERS[sampler](velocity, x, STAGGERED.double())
    for frame in range(3):
        own = STAGGERED[:, frame].double().unique_consecutive()
        alone = SAMPLERS[sampler](velocity, x[:, :, frame : frame + 1], own)
        torch.testing.assert_close(together[:, :, frame : frame + 1], alone, rtol=1e-12, atol=1e-12)


@in_every_way
def test_the_velocity_is_told_every_frames_level(sampler):
    velocity = RandomVelocity()
    SAMPLERS[sampler](velocity, latent(), STAGGERED)
    assert all(sigma.shape == (2, 3) for sigma in velocity.seen)
    firsts = velocity.seen[::2] if sampler == "heun" else velocity.seen
    assert torch.equal(firsts[3], STAGGERED[3].expand(2, 3))


def test_heun_calls_once_for_the_step_to_zero():
    velocity = RandomVelocity()
    SAMPLERS["heun"](velocity, latent(), SIGMAS)
    assert len(velocity.seen) == 2 * 6 - 1


@in_every_way
def test_the_callback_sees_every_step_and_at_the_end_the_film(sampler):
    told = []
    made = SAMPLERS[sampler](RandomVelocity(), latent(), SIGMAS, lambda *step: told.append(step))
    assert [(step, total) for step, total, _, _ in told] == [(step, 6) for step in range(6)]
    assert torch.equal(told[-1][2], made)
    torch.testing.assert_close(told[-1][3], made)  # a step to zero goes to the estimate
    assert all(x0.shape == made.shape for _, _, _, x0 in told)


@in_every_way
def test_an_exception_from_the_callback_ends_the_run(sampler):
    velocity = RandomVelocity()

    def cancel(step, total, x, x0):
        if step == 2:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        SAMPLERS[sampler](velocity, latent(), SIGMAS, cancel)
    assert len(velocity.seen) == (6 if sampler == "heun" else 3)


@in_every_way
def test_what_a_sampler_got_is_left_as_it_was(sampler):
    x = latent()
    SAMPLERS[sampler](RandomVelocity(), x, SIGMAS)
    assert torch.equal(x, latent())


@pytest.mark.parametrize("sampler", ["euler", "heun"])
def test_rising_sigmas_lead_from_film_to_noise_and_back(sampler):
    flow, film = GaussianFlow(), latent(dtype=torch.float64)
    falling = torch.linspace(0.9, 0.02, 401, dtype=torch.float64)
    noise = SAMPLERS[sampler](flow, film, falling.flip(0))
    torch.testing.assert_close(SAMPLERS[sampler](flow, noise, falling), film, rtol=0, atol=0.05)


@pytest.mark.parametrize("sampler", ["dpmpp_2m", "unipc"])
def test_multistep_methods_refuse_rising_sigmas(sampler):
    with pytest.raises(ValueError, match="only goes from noise to film"):
        SAMPLERS[sampler](RandomVelocity(), latent(), SIGMAS.flip(0))


@pytest.mark.parametrize(
    ("sigmas", "message"),
    [
        (torch.ones(1), "at least two sigmas, got 1"),
        (torch.rand(4, 5).sort(0, descending=True)[0], "for 5 frames and the latent has 3"),
        (torch.tensor([14.6, 1.0, 0.0]), "between 1 .* and 0"),
    ],
)
def test_a_schedule_that_does_not_fit_is_refused(sigmas, message):
    with pytest.raises(ValueError, match=message):
        SAMPLERS["euler"](RandomVelocity(), latent(), sigmas)
