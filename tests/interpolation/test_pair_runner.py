"""The network's work in pieces: batches, tiles, what happens when memory runs out, and what is kept."""

from __future__ import annotations

from contextlib import contextmanager

import pytest
import torch
from kinograph.nodes.interpolation.cutting import BESIDE, Cutting, cut_to_fit
from kinograph.nodes.interpolation.pair_runner import Job, PairRunner

CPU = torch.device("cpu")


def runner_of(network, height=64, width=96, cutting=None, **facts) -> PairRunner:
    cutting = cutting or cut_to_fit(network, height, width, torch.float32, 10**9, most=4)
    return PairRunner(network, height, width, cutting, CPU, torch.float32, **facts)


def picture(seed: int, height=64, width=96) -> torch.Tensor:
    return torch.rand(1, 3, height, width, generator=torch.Generator().manual_seed(seed))


def jobs_of(runner: PairRunner, shares=(0.25, 0.5, 0.75), **size) -> list[Job]:
    before, after = (runner.picture(picture(seed, **size)) for seed in (1, 2))
    return [Job(before, after, share) for share in shares]


def wanted(shares=(0.25, 0.5, 0.75), **size) -> torch.Tensor:
    return torch.cat([torch.lerp(picture(1, **size), picture(2, **size), share) for share in shares])


@pytest.mark.parametrize("batch", [1, 2, 5])
def test_batches_give_what_single_frames_give(mixer, batch):
    runner = runner_of(network := mixer(), cutting=Cutting(64, 128, 64, batch))
    torch.testing.assert_close(torch.stack(runner.between(jobs_of(runner))), wanted())
    assert max(count for count, *_ in network.calls) == min(batch, 3)
    assert network.featured == 2


def test_several_pairs_go_through_the_network_together(mixer):
    runner = runner_of(network := mixer())
    pictures = [runner.picture(picture(seed)) for seed in range(4)]
    jobs = [Job(*pictures[index : index + 2], 0.5) for index in range(3)]
    made = runner.between(jobs)
    assert [count for count, *_ in network.calls] == [3]
    for index, frame in enumerate(made):
        torch.testing.assert_close(frame[None], (picture(index) + picture(index + 1)) / 2)


@pytest.mark.parametrize("tile", [2, 3])
def test_tiles_have_no_seams(mixer, tile):
    size = {"height": 200, "width": 330}
    runner = runner_of(network := mixer(32), **size, cutting=Cutting(224, 352, 32, 2, tile))
    made = torch.stack(runner.between(jobs_of(runner, **size)))
    torch.testing.assert_close(made, wanted(**size), atol=1e-6, rtol=0)
    assert {call[1:] for call in network.calls} == {(32 * tile, 32 * tile)}


def test_a_network_that_finds_motion_once_for_all_times_may(mixer):
    class Several(mixer):
        def forward_multi_timestep(self, image0, image1, timesteps, cache):
            assert len(image0) == len(image1) == 1
            self.calls.append(tuple(timesteps))
            return torch.cat([torch.lerp(image0, image1, time) for time in timesteps])

    runner = runner_of(network := Several())
    other = runner.picture(picture(3))
    jobs = jobs_of(runner)
    jobs.append(Job(jobs[0].after, other, 0.5))
    made = runner.between(jobs)
    assert network.calls == [(0.25, 0.5, 0.75), (0.5,)]
    torch.testing.assert_close(torch.stack(made[:3]), wanted())
    torch.testing.assert_close(made[3][None], (picture(2) + picture(3)) / 2)


def test_features_in_lists_and_dicts_are_joined(mixer):
    class Pyramid(mixer):
        def extract_features(self, image):
            return {"levels": [image, image[..., ::2, ::2]], "names": None}

        def forward(self, image0, image1, timestep, cache):
            levels = [cache[name]["levels"] for name in ("img0", "img1")]
            assert levels[0][1].shape == (len(image0), 3, 32, 64)
            return torch.lerp(levels[0][0], levels[1][0], timestep)

    runner = runner_of(Pyramid())
    torch.testing.assert_close(torch.stack(runner.between(jobs_of(runner))), wanted())


class OutOfMemory(RuntimeError):
    def __init__(self) -> None:
        super().__init__("DefaultCPUAllocator: not enough memory")


def test_when_memory_runs_out_it_takes_less_and_says_so(mixer):
    class Greedy(mixer):
        def forward(self, image0, image1, timestep, cache):
            if image0[:, 0].numel() > 256 * 256:
                raise OutOfMemory
            return super().forward(image0, image1, timestep, cache)

    size, told = {"height": 500, "width": 600}, []
    runner = runner_of(network := Greedy(32), **size, cutting=Cutting(512, 608, 32, 2), report=told.append)
    made = torch.stack(runner.between(jobs_of(runner, **size)))
    torch.testing.assert_close(made, wanted(**size), atol=1e-6, rtol=0)
    assert told[0] == "memory ran out with 2 frames at a time; went on with one frame at a time"
    assert told[1].startswith("memory ran out with one frame at a time; went on with tiles of ")
    runner.between(jobs_of(runner, **size))
    assert len(told) == 2  # it remembers
    assert {call[1:] for call in network.calls} == {(256, 256)}


def test_when_nothing_smaller_is_left_the_error_is_told(mixer):
    class Hopeless(mixer):
        def forward(self, *given, **named):
            raise OutOfMemory

    runner = runner_of(Hopeless())
    with pytest.raises(OutOfMemory):
        runner.between(jobs_of(runner))


def test_other_errors_are_not_taken_for_a_lack_of_memory(mixer):
    class Broken(mixer):
        def forward(self, *given, **named):
            raise RuntimeError("sizes do not match")

    runner = runner_of(Broken())
    with pytest.raises(RuntimeError, match="sizes do not match"):
        runner.between(jobs_of(runner))


def test_each_call_of_the_network_is_made_in_its_surroundings(mixer):
    entered = []

    @contextmanager
    def working():
        entered.append(True)
        yield

    runner = runner_of(mixer(), cutting=Cutting(64, 128, 64, 1), working=working)
    runner.between(jobs_of(runner))
    assert len(entered) == 3


@pytest.mark.parametrize("megabytes", [220, 300, 380, 1000, 9000])
def test_the_work_stays_within_its_memory(mixer, megabytes):
    network = mixer(64, bytes_per_pixel=100)  # of 2 million pixels: 209 MB, and 150 beside
    cutting = cut_to_fit(network, 1088, 1920, torch.float32, megabytes * 10**6, most=16)
    beside = BESIDE * 1088 * 1920 * cutting.batch
    assert cutting.needed(network, torch.float32) + beside <= megabytes * 10**6
    assert bool(cutting.tile) == (megabytes < 359)
    assert cutting.batch == {1000: 2, 9000: 16}.get(megabytes, 1)


def test_4k_is_cut_for_four_gigabytes(mixer):
    network = mixer(64, bytes_per_pixel=1200)  # a 4K frame takes ten
    cutting = cut_to_fit(network, 2160, 3840, torch.float32, 4 * 10**9, most=16)
    assert cutting.needed(network, torch.float32) <= 4 * 10**9 - BESIDE * 2160 * 3840
    assert cutting.tiling.tile_height * cutting.cell >= 1024
    assert cutting.describe() == f"tiles of 1536 × 1536 pixels, {len(cutting.tiling.windows)} a frame"


@pytest.mark.parametrize("scale", [0.25, 0.5, 1.0, 2.0])
def test_frames_fit_the_size_in_which_motion_is_looked_for(mixer, scale):
    cutting = cut_to_fit(mixer(64), 100, 700, torch.float32, 10**9, most=1, scale=scale)
    align = 64 / min(1, scale)
    assert cutting.height % align == cutting.width % align == 0
