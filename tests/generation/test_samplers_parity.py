"""Schedules and samplers against diffusers', over whole trajectories."""

from __future__ import annotations

import pytest
import torch
from generation.velocities import RandomVelocity, latent
from kinograph.nodes.generation.flow_sigmas import flow_sigmas
from kinograph.nodes.generation.samplers import SAMPLERS

diffusers = pytest.importorskip("diffusers")

FLOW = {"use_flow_sigmas": True, "prediction_type": "flow_prediction"}
STEPS_AND_SHIFTS = [(1, 3.0), (2, 5.0), (8, 1.0), (20, 5.0), (50, 8.0)]


def trajectory_of(scheduler, levels) -> list[torch.Tensor]:
    network, x, states = RandomVelocity(), latent(), []
    for step, timestep in enumerate(scheduler.timesteps):
        velocity = network(x, torch.as_tensor(levels[step]).float().expand(2, 3))
        x = scheduler.step(velocity, timestep, x).prev_sample
        states.append(x)
    return states


def trajectory(sampler: str, sigmas: torch.Tensor) -> list[torch.Tensor]:
    states = []
    SAMPLERS[sampler](RandomVelocity(), latent(), sigmas, lambda step, total, x, x0: states.append(x))
    return states


def furthest(states, expected) -> float:
    """The largest relative error on the way."""
    assert len(states) == len(expected)
    return max(float((x - y).norm() / y.norm()) for x, y in zip(states, expected, strict=True))


@pytest.mark.parametrize(("steps", "shift"), STEPS_AND_SHIFTS)
def test_euler_is_flow_match_euler(steps, shift):
    scheduler = diffusers.FlowMatchEulerDiscreteScheduler(shift=shift)
    scheduler.set_timesteps(steps)
    sigmas = flow_sigmas("normal", steps, shift=shift)
    torch.testing.assert_close(sigmas, scheduler.sigmas, rtol=0, atol=1e-7)
    assert furthest(trajectory("euler", sigmas), trajectory_of(scheduler, scheduler.sigmas)) < 1e-6


@pytest.mark.parametrize(("steps", "shift"), [(2, 5.0), (8, 3.0), (20, 5.0), (50, 1.0)])
def test_heun_is_flow_match_heun(steps, shift):
    scheduler = diffusers.FlowMatchHeunDiscreteScheduler(shift=shift)
    scheduler.set_timesteps(steps)
    halves = trajectory_of(scheduler, scheduler.timesteps / 1000)
    expected = [*halves[1::2], halves[-1]]
    assert furthest(trajectory("heun", flow_sigmas("normal", steps, shift=shift)), expected) < 5e-6


@pytest.mark.parametrize(("steps", "shift"), STEPS_AND_SHIFTS)
def test_unipc_is_diffusers_as_wan_uses_it(steps, shift):
    scheduler = diffusers.UniPCMultistepScheduler(flow_shift=shift, **FLOW)
    scheduler.set_timesteps(steps)
    sigmas = flow_sigmas("wan_diffusers", steps, shift=shift)
    torch.testing.assert_close(sigmas, scheduler.sigmas, rtol=0, atol=1.1e-6)  # theirs starts at 1 - 1e-6
    assert furthest(trajectory("unipc", sigmas), trajectory_of(scheduler, scheduler.sigmas)) < 5e-6


@pytest.mark.parametrize(("steps", "shift"), STEPS_AND_SHIFTS)
def test_dpmpp_2m_is_dpm_solver_multistep(steps, shift):
    scheduler = diffusers.DPMSolverMultistepScheduler(flow_shift=shift, **FLOW)
    scheduler.set_timesteps(steps)
    sigmas = flow_sigmas("wan", steps, shift=shift)
    torch.testing.assert_close(sigmas, scheduler.sigmas, rtol=0, atol=1e-7)
    assert furthest(trajectory("dpmpp_2m", sigmas), trajectory_of(scheduler, scheduler.sigmas)) < 1e-6
