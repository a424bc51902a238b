"""Frame schedules: what a vector of noise levels makes of one and the same network."""

from __future__ import annotations

import pytest
import torch
from generation.velocities import GaussianFlow, RandomVelocity, latent
from hypothesis import given, settings
from hypothesis import strategies as st
from kinograph.nodes.generation.film_windows import NODE, Window, sliding_windows
from kinograph.nodes.generation.flow_sigmas import flow_sigmas, noised
from kinograph.nodes.generation.frame_schedules import pyramid_schedule, sample_film, scaled_schedule
from kinograph.nodes.generation.samplers import SAMPLERS, euler
from kinograph.nodes.methods import chosen_method, discover, methods_of

discover("kinograph.nodes.generation.methods")
SIGMAS = flow_sigmas("simple", 6, shift=5.0)
FVDM = [key for key, method in methods_of(NODE).items() if method.system == "fvdm"]
THREE_GIVEN = [("image_to_video", {"first": 3}), ("extension", {"window": 8, "first": 3})]

every_schedule = pytest.mark.parametrize("key", FVDM)
in_every_way = pytest.mark.parametrize("sampler", list(SAMPLERS))


def schedule(key: str, **values):
    return chosen_method(NODE, {"method": key, **values})


def table(key: str, frames: int, **values) -> torch.Tensor:
    """The first window's noise levels."""
    chosen = schedule(key, **values)
    return chosen.sigmas(SIGMAS, chosen.windows(frames)[0])


def test_the_five_schedules_are_there():
    assert FVDM == ["extension", "flat", "image_to_video", "in_between", "pyramid"]


@every_schedule
@pytest.mark.parametrize("frames", [3, 5, 12])
def test_every_frame_falls_to_zero(key, frames):
    levels = table(key, frames)
    assert bool((levels.diff(dim=0) <= 0).all())
    assert bool((levels[-1] == 0).all())
    assert bool(((levels >= 0) & (levels <= 1)).all())


@every_schedule
def test_every_frame_to_make_visits_the_flat_schedule(key):
    levels = table(key, 5)
    for frame in range(5):
        own = levels[:, frame].unique_consecutive()
        assert torch.equal(own, SIGMAS) or own.tolist() == [0.0]


def test_flat_is_one_level_for_all():
    assert torch.equal(table("flat", 4), SIGMAS.unsqueeze(1).expand(-1, 4))


@pytest.mark.parametrize(("key", "values"), THREE_GIVEN)
def test_given_first_frames_are_clean_throughout(key, values):
    levels = table(key, 8, **values)
    assert bool((levels[:, :3] == 0).all())
    assert torch.equal(levels[:, 3:], SIGMAS.unsqueeze(1).expand(-1, 5))


def test_in_between_keeps_both_ends_clean():
    levels = table("in_between", 8, first=2, last=1)
    assert bool((levels[:, [0, 1, 7]] == 0).all())
    assert bool((levels[0, 2:7] == SIGMAS[0]).all())


def test_noise_on_given_frames_is_a_part_of_the_others():
    levels = table("image_to_video", 4, first=2, given_noise=0.25)
    torch.testing.assert_close(levels[:, 0], SIGMAS * 0.25)
    assert torch.equal(table("image_to_video", 4, given_noise=1.0), table("flat", 4))


def test_in_a_pyramid_each_frame_starts_later_and_all_arrive():
    levels = table("pyramid", 5, delay=2)
    assert len(levels) == 6 + 2 * 4 + 1
    for frame in range(5):
        assert torch.equal(levels[2 * frame : 2 * frame + 7, frame], SIGMAS)
    assert bool((levels.diff(dim=1) >= 0).all())


def test_a_pyramid_without_delay_is_flat():
    assert torch.equal(table("pyramid", 5, delay=0), table("flat", 5))


def test_a_pyramid_counts_from_the_first_frame_to_make():
    levels = pyramid_schedule(SIGMAS, Window(0, 5, first=2), 1)
    assert bool((levels[:, :2] == 0).all())
    assert torch.equal(levels[:, 2:], pyramid_schedule(SIGMAS, Window(0, 3), 1))


def test_a_mask_of_strengths_scales_each_frames_levels():
    levels = scaled_schedule(SIGMAS, torch.tensor([0.0, 0.5, 1.0]))
    torch.testing.assert_close(levels, torch.stack([0 * SIGMAS, SIGMAS / 2, SIGMAS], dim=1))


@given(st.integers(2, 60), st.integers(2, 12), st.data())
@settings(max_examples=60, deadline=None)
def test_windows_make_every_frame_once_from_frames_that_exist(frames, window, data):
    overlap = data.draw(st.integers(1, window - 1))
    first = data.draw(st.integers(0, frames - 1))
    exists = first
    windows = sliding_windows(frames, window, overlap, first)
    for number, (start, stop, given_first, given_last) in enumerate(windows):
        assert stop - start == min(window, frames)
        assert start + given_first == exists
        assert given_last == 0
        assert given_first >= overlap or number == 0
        exists = stop
    assert exists == frames


@pytest.mark.parametrize(
    ("key", "values", "message"),
    [
        ("image_to_video", {"first": 5}, "5 of the film's 5 latent frames are given"),
        ("in_between", {"first": 3, "last": 2}, "leaves none to make"),
        ("extension", {"window": 4, "overlap": 4}, "can overlap by 1 to 3, not by 4"),
        ("extension", {"window": 4, "first": 5}, "5 of the film's 5 latent frames are given"),
    ],
)
def test_a_schedule_that_leaves_nothing_to_make_is_refused(key, values, message):
    with pytest.raises(ValueError, match=message):
        schedule(key, **values).windows(5)


def made(key: str, sampler: str, frames: int, network=None, callback=None, **values) -> torch.Tensor:
    network = network or RandomVelocity()
    film, noise = latent(frames, seed=3), latent(frames, seed=4)
    return sample_film(
        lambda window: network, SAMPLERS[sampler], schedule(key, **values), SIGMAS, film, noise, callback
    )


@in_every_way
@pytest.mark.parametrize(
    ("key", "values", "kept"),
    [
        ("image_to_video", {"first": 2}, [0, 1]),
        ("image_to_video", {"first": 2, "given_noise": 0.3}, [0, 1]),
        ("in_between", {}, [0, 6]),
        ("extension", {"first": 1, "window": 4}, [0]),
        ("pyramid", {"first": 1, "delay": 2}, [0]),
    ],
)
def test_given_frames_come_back_bit_for_bit_and_others_are_made(sampler, key, values, kept):
    film = made(key, sampler, 7, **values)
    for frame in range(7):
        assert torch.equal(film[:, :, frame], latent(7, seed=3)[:, :, frame]) == (frame in kept)
    assert bool(film.isfinite().all())


@in_every_way
def test_text_to_video_is_the_scalar_sampler_bit_for_bit(sampler):
    flat = SAMPLERS[sampler](
        RandomVelocity(), noised(latent(5, seed=3), latent(5, seed=4), SIGMAS[0]), SIGMAS
    )
    assert torch.equal(made("flat", sampler, 5), flat)


def test_the_network_sees_given_frames_clean_at_level_zero():
    network = RandomVelocity()
    made("in_between", "unipc", 5, network)
    assert all(bool((sigma[:, [0, 4]] == 0).all()) for sigma in network.seen)


def test_a_pyramid_reaches_the_same_films_as_flat_where_frames_are_independent():
    staggered = made("pyramid", "dpmpp_2m", 5, GaussianFlow(), delay=2)
    torch.testing.assert_close(staggered, made("flat", "dpmpp_2m", 5, GaussianFlow()), rtol=1e-4, atol=1e-5)


def test_each_window_of_an_extension_begins_with_what_the_ones_before_made():
    seen = []

    def network(window):
        def velocity(x, sigma):
            seen.append((window, x[:, :, : window.first].clone()))
            return RandomVelocity()(x, sigma)

        return velocity

    film = sample_film(
        network,
        euler,
        schedule("extension", window=4, overlap=2),
        SIGMAS,
        latent(9, seed=3),
        latent(9, seed=4),
    )
    assert {window for window, _ in seen} == {(0, 4, 0, 0), (2, 6, 2, 0), (4, 8, 2, 0), (5, 9, 3, 0)}
    for window, start in seen:
        assert torch.equal(start, film[:, :, window.start : window.start + window.first])


def test_the_callback_counts_all_windows_and_shows_the_film_so_far():
    told = []
    film = made("extension", "euler", 9, callback=lambda *step: told.append(step), window=4, overlap=2)
    assert [step for step, _, _, _ in told] == list(range(4 * 6))
    assert {total for _, total, _, _ in told} == {4 * 6}
    assert [x0.shape[2] for _, _, _, x0 in told[5::6]] == [4, 6, 8, 9]
    torch.testing.assert_close(told[-1][3], film)
