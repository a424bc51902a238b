"""Noise: from the seed alone."""

from __future__ import annotations

import pytest
import torch
from kinograph.nodes.generation.noise import frame_noise_for, noise_for


@pytest.fixture
def restored_threads():
    threads = torch.get_num_threads()
    yield
    torch.set_num_threads(threads)


@pytest.mark.parametrize("make", [noise_for, frame_noise_for])
def test_the_number_of_threads_does_not_matter(make, restored_threads):
    torch.set_num_threads(1)
    alone = make((1, 4, 3, 32, 32), 5)
    torch.set_num_threads(2)
    assert torch.equal(make((1, 4, 3, 32, 32), 5), alone)


@pytest.mark.parametrize("make", [noise_for, frame_noise_for])
def test_the_global_generator_is_neither_read_nor_moved(make):
    torch.manual_seed(1)
    before = torch.get_rng_state()
    first = make((1, 4, 3, 8, 8), 5)
    assert torch.equal(torch.get_rng_state(), before)
    torch.manual_seed(2)
    assert torch.equal(make((1, 4, 3, 8, 8), 5), first)


def test_a_film_has_the_noise_that_core_gives():
    torch.manual_seed(5)
    assert torch.equal(noise_for((1, 4, 3, 8, 8), 5), torch.randn(1, 4, 3, 8, 8))


def test_a_frames_noise_does_not_depend_on_the_films_length_or_the_batch():
    long = frame_noise_for((3, 4, 9, 8, 8), 5)
    assert torch.equal(frame_noise_for((1, 4, 4, 8, 8), 5), long[:1, :, :4])
    assert torch.equal(frame_noise_for((3, 4, 2, 8, 8), 5, first_frame=6), long[:, :, 6:8])


def test_frames_films_and_seeds_have_unrelated_noise():
    planes = torch.cat(
        [frame_noise_for((2, 4, 3, 16, 16), seed).transpose(1, 2).flatten(0, 1) for seed in (0, 1)]
    )
    likeness = torch.corrcoef(planes.flatten(1))
    assert float((likeness - torch.eye(len(planes))).abs().max()) < 0.12
    assert abs(float(planes.mean())) < 0.02
    assert abs(float(planes.std()) - 1) < 0.02


def test_any_integer_of_64_bits_is_a_seed():
    assert bool(frame_noise_for((1, 1, 1, 2, 2), 2**64 - 1).isfinite().all())
    assert bool(noise_for((1, 1, 1, 2, 2), 2**64 - 1).isfinite().all())
