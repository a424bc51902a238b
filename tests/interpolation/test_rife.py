"""RIFE 4.x gives what its published way gives, whatever the version, size, time and number type."""

from __future__ import annotations

import pytest
import torch
from interpolation.rife_weights import network, pair, relative
from kinograph.nodes.interpolation import rife as rife_module
from kinograph.nodes.interpolation import rife_reference
from kinograph.nodes.interpolation.rife_config import VERSIONS
from kinograph.nodes.vae.working_memory import LiveBytes


@pytest.mark.parametrize("version", VERSIONS)
def test_it_equals_the_published_way(version: str) -> None:
    made, (first, second) = network(version), pair(128, 256)
    truth = rife_reference.between(made, first, second, 0.3)
    assert relative(made(first, second, 0.3), truth) < 2e-5
    assert relative(0.7 * first + 0.3 * second, truth) > 1e-2, "the weights move nothing"


@pytest.mark.parametrize("scale", [0.5, 2.0, 4.0])
@pytest.mark.parametrize("version", ["4.0–4.1", "4.5–4.6", "4.10–4.19, 4.24", "4.21–4.23"])
def test_motion_sought_at_another_scale_equals_the_published_way(version: str, scale: float) -> None:
    made, (first, second) = network(version), pair(128, 128)
    truth = rife_reference.between(made, first, second, 0.5, scale)
    assert relative(made(first, second, scale=scale), truth) < 2e-5
    assert relative(made(first, second), truth) > 1e-4


@pytest.mark.parametrize("version", ["4.0–4.1", "4.7–4.9", "4.25, 4.26"])
def test_a_batch_of_pairs_and_times_is_each_by_itself(version: str) -> None:
    made, (first, second) = network(version), pair(64, 128)
    before, after = torch.cat([first, second, first]), torch.cat([second, first, first])
    together = made(before, after, torch.tensor([0.2, 0.5, 0.9]))
    for index, time in enumerate((0.2, 0.5, 0.9)):
        alone = made(before[index : index + 1], after[index : index + 1], time)
        assert relative(together[index : index + 1], alone) < 1e-5


def test_a_time_may_be_a_number_one_for_each_pair_or_one_for_each_pixel() -> None:
    made, (first, second) = network("4.5–4.6"), pair(32, 64)
    truth = made(first, second, 0.25)
    for time in (torch.tensor(0.25), torch.tensor([0.25]), torch.full((1, 1, 32, 64), 0.25)):
        assert torch.equal(made(first, second, timestep=time), truth)
    ramp = torch.linspace(0, 1, 64).expand(1, 1, 32, 64)
    assert relative(made(first, second, ramp), truth) > 1e-3


def test_features_can_be_taken_once_and_kept() -> None:
    made, (first, second) = network("4.10–4.19, 4.24"), pair(32, 64)
    cache = {"img0": made.extract_features(first), "img1": made.extract_features(second)}
    assert cache["img0"].shape == (1, 8, 32, 64)
    kept = made(first.expand(2, -1, -1, -1), second.expand(2, -1, -1, -1), 0.5, cache=cache)
    assert relative(kept, made(first, second).expand(2, -1, -1, -1)) < 1e-6


def test_a_version_without_features_has_none_to_keep() -> None:
    made, (first, _) = network("4.5–4.6"), pair(32, 64)
    assert made.extract_features(first).shape == (1, 0, 32, 64)


@pytest.mark.parametrize("version", ["4.0–4.1", "4.5–4.6", "4.25, 4.26"])
def test_bfloat16_weights_warp_in_float32(version: str) -> None:
    first, second = pair(64, 128)
    made = network(version, torch.bfloat16)
    assert made.get_dtype() == torch.float32
    result = made(first, second)
    assert result.dtype == torch.float32
    assert relative(result, network(version)(first, second)) < 2e-2


def test_half_precision_frames_come_back_in_their_own_type() -> None:
    first, second = (frame.half() for frame in pair(32, 64))
    assert network("4.5–4.6")(first, second).dtype == torch.float16


def test_large_motion_starts_again_on_coarser_levels(monkeypatch: pytest.MonkeyPatch) -> None:
    made, (first, second) = network("4.0–4.1"), pair(64, 128)
    usual = made(first, second)
    for module in (rife_module, rife_reference):
        monkeypatch.setattr(module, "LARGE_MOTION", 0.01)
    again = made(first, second)
    assert relative(again, usual) > 1e-3
    assert relative(again, rife_reference.between(made, first, second, 0.5)) < 1e-5


def test_a_large_motion_leaves_the_batchs_other_pairs_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    made, (first, second) = network("4.0–4.1"), pair(64, 128)
    asked = []
    monkeypatch.setattr(rife_module, "_is_large", lambda change: asked.append(change) or len(asked) == 2)
    together = made(torch.cat([first, first]), torch.cat([second, second]))
    assert len(asked) == 2
    assert relative(together[1:], together[:1]) > 1e-3


def test_frames_that_do_not_fit_are_refused_with_what_would() -> None:
    made = network("4.25, 4.26")
    with pytest.raises(ValueError, match=r"96 × 64 pixels do not fit RIFE.*multiples of 64"):
        made(*pair(64, 96))
    with pytest.raises(ValueError, match=r"multiples of 128"):
        made(*pair(64, 128), scale=0.5)
    with pytest.raises(ValueError, match=r"scale of 0\.3 is not possible"):
        made(*pair(64, 128), scale=0.3)


@pytest.mark.parametrize("version", ["4.5–4.6", "4.10–4.19, 4.24", "4.25 lite"])
@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_memory_is_told_as_it_is_taken(version: str, dtype: torch.dtype) -> None:
    made = rife_module.Rife(VERSIONS[version]).to(dtype).requires_grad_(False)
    first, second = pair(128, 128)
    cache = {"img0": made.extract_features(first), "img1": made.extract_features(second)}
    made(first, second, cache=cache)  # lays the weights out
    with LiveBytes() as live:
        made(first, second, cache=cache)
    told = made.memory_used_forward((9, 128, 128, 3), dtype)
    assert live.peak <= told <= 1.5 * live.peak


def test_it_can_be_trained() -> None:
    made, (first, second) = network("4.5–4.6").requires_grad_(True), pair(32, 64)
    made(first, second).square().mean().backward()
    assert all(weight.grad is not None and weight.grad.any() for weight in made.parameters())
