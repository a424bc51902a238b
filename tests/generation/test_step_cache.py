"""The step cache: what it skips, what it never skips, and the error it tells of."""

from __future__ import annotations

import pytest
import torch
from generation.velocities import GaussianFlow, RandomVelocity, latent
from kinograph.nodes.generation.film_windows import Window
from kinograph.nodes.generation.flow_sigmas import flow_sigmas
from kinograph.nodes.generation.frame_schedules import pyramid_schedule
from kinograph.nodes.generation.samplers import SAMPLERS, euler
from kinograph.nodes.generation.step_cache import MEASURES, REUSES, CachePlan, StepCache

SIGMAS = flow_sigmas("linear", 20, shift=3.0)

by_every_measure = pytest.mark.parametrize("measure", MEASURES)


def cached_run(plan: CachePlan, sigmas=SIGMAS, network=None, sampler=euler, **options):
    network = network or RandomVelocity()
    cache = StepCache(network, plan, sigmas, **options)
    return sampler(cache, latent(), sigmas), cache.report, network


@by_every_measure
def test_no_threshold_skips_nothing_and_changes_no_bit(measure):
    made, report, _ = cached_run(CachePlan(0.0, measure=measure))
    assert torch.equal(made, euler(RandomVelocity(), latent(), SIGMAS))
    assert (report.skipped, report.calls) == ([], 20)


@by_every_measure
def test_a_skipped_call_does_not_reach_the_network(measure):
    _, report, network = cached_run(CachePlan(0.1, measure=measure))
    assert 3 < len(report.skipped) < 17
    assert len(network.seen) == 20 - len(report.skipped)


@by_every_measure
def test_first_and_last_steps_are_never_skipped(measure):
    _, report, _ = cached_run(CachePlan(1e9, warm_up=4, final=3, measure=measure))
    assert report.skipped == list(range(4, 17))


def test_a_run_of_only_first_and_last_steps_is_computed():
    _, report, _ = cached_run(CachePlan(1e9, warm_up=3, final=1), flow_sigmas("linear", 4))
    assert report.skipped == []


def test_steps_of_staggered_frames_are_told_apart():
    table = pyramid_schedule(SIGMAS, Window(0, 3), 5)
    _, report, _ = cached_run(CachePlan(1e9, warm_up=2, final=2), table)
    assert report.skipped == list(range(2, 28))


@by_every_measure
def test_a_higher_threshold_skips_more_and_errs_more(measure):
    exact = euler(RandomVelocity(), latent(), SIGMAS)
    skipped, errors = [], []
    for threshold in (0.03, 0.1, 0.5):
        made, report, _ = cached_run(CachePlan(threshold, measure=measure))
        skipped.append(len(report.skipped))
        errors.append(float((made - exact).norm() / exact.norm()))
    assert skipped == sorted(skipped)
    assert errors == sorted(errors)
    assert errors[0] < 0.05


@pytest.mark.parametrize("reuse", REUSES)
@by_every_measure
def test_the_estimated_error_is_near_the_measured_one(measure, reuse):
    _, report, _ = cached_run(CachePlan(0.15, measure=measure, reuse=reuse), measure_error=True)
    assert list(report.measured) == list(report.estimated) == report.skipped
    estimated, measured = (sum(errors.values()) for errors in (report.estimated, report.measured))
    assert measured / 2.5 < estimated < measured * 2.5


def test_measuring_computes_everything_and_leaves_the_film_as_it_is():
    plan = CachePlan(0.1)
    made, _, network = cached_run(plan, measure_error=True)
    assert torch.equal(made, cached_run(plan)[0])
    assert len(network.seen) == 20


@by_every_measure
@pytest.mark.parametrize("constant", [0.0, 1.0])
def test_a_network_that_always_answers_alike_is_skipped_without_error(measure, constant):
    def network(x, sigma):
        return torch.full_like(x, constant)

    cache = StepCache(network, CachePlan(0.5, measure=measure), SIGMAS)
    euler(cache, torch.zeros(2, 4, 3, 4, 4), SIGMAS)
    assert cache.report.calls == 20
    assert sum(cache.report.estimated.values()) == 0


@by_every_measure
def test_the_next_window_of_a_film_begins_without_what_was_kept(measure):
    cache = StepCache(RandomVelocity(), CachePlan(0.1, warm_up=1, measure=measure), SIGMAS)
    first = euler(cache, latent(), SIGMAS)
    skipped, judged = cache.report.skipped, len(cache.report.judged)
    assert torch.equal(euler(cache, latent(), SIGMAS), first)
    assert cache.report.skipped == skipped + [20 + call for call in skipped]
    assert len(cache.report.judged) == 2 * judged


def test_the_residual_is_what_the_papers_add():
    x, velocity = latent(), latent(seed=1)
    plan = CachePlan(1e9, measure="input_change", reuse="residual")
    cache = StepCache(lambda x, sigma: velocity, plan, SIGMAS)
    for step in range(2):
        cache(x, SIGMAS[step].expand(2, 3))
    torch.testing.assert_close(cache(x + 0.1, SIGMAS[2].expand(2, 3)), velocity + 0.1)


def test_the_velocity_is_the_closer_answer_on_a_flows_straight_path():
    flow = GaussianFlow(deviation=0.1)
    exact = euler(flow, latent(), SIGMAS)
    errors = {
        reuse: float((cached_run(CachePlan(0.1, reuse=reuse), network=flow)[0] - exact).norm())
        for reuse in REUSES
    }
    assert errors["velocity"] < errors["residual"]


def test_each_stream_has_its_own_cache_and_report():
    plan = CachePlan(0.1)
    still = StepCache(lambda x, sigma: x * 0.01, plan, SIGMAS)
    lively = StepCache(RandomVelocity(), plan, SIGMAS)
    euler(lambda x, sigma: still(x, sigma) + lively(x, sigma), latent(), SIGMAS)
    assert still.report.skipped != lively.report.skipped


@pytest.mark.parametrize("sampler", list(SAMPLERS))
def test_every_sampler_runs_on_a_cache(sampler):
    made, report, _ = cached_run(CachePlan(0.1), sampler=SAMPLERS[sampler])
    assert report.skipped
    exact = SAMPLERS[sampler](RandomVelocity(), latent(), SIGMAS)
    assert float((made - exact).norm() / exact.norm()) < 0.2


def test_the_sentence_names_the_stream_the_calls_and_the_error():
    _, report, _ = cached_run(CachePlan(0.1))
    sentence = report.sentence("prompt")
    assert sentence.startswith(f"prompt: {len(report.skipped)} of 20 calls skipped, estimated error")
    assert "%" in sentence
    assert cached_run(CachePlan(0.0))[1].sentence("prompt") == "prompt: none of 20 calls skipped"


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"threshold": -0.1}, "threshold is 0 or more, got -0.1"),
        ({"threshold": 0.1, "final": 0}, "at least the first and the last step, to judge by"),
        ({"threshold": 0.1, "measure": "x"}, "measure is one of input_change, output_change, got 'x'"),
        ({"threshold": 0.1, "reuse": "x"}, "reuse is one of residual, velocity, got 'x'"),
    ],
)
def test_a_plan_out_of_range_is_refused(values, message):
    with pytest.raises(ValueError, match=message):
        CachePlan(**values)
