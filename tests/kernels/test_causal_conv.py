"""Norm, SiLU and causal convolution: every way of computing them against the readable one."""

from __future__ import annotations

from dataclasses import dataclass

import pytest
import torch
from kinograph.kernels.causal_conv import dispatch, naive, strips, taps
from torch import Tensor


@dataclass
class Case:
    """The arguments of one call."""

    x: Tensor
    past: Tensor | None
    gain: Tensor
    weight: Tensor
    bias: Tensor

    @classmethod
    def random(
        cls, frames: int, height: int, width: int, *, channels: int = 8, out: int = 8, batch: int = 1
    ) -> Case:
        draw = torch.Generator().manual_seed(frames * 100 + height)
        return cls(
            torch.randn(batch, channels, frames, height, width, generator=draw),
            torch.randn(batch, channels, 2, height, width, generator=draw),
            torch.rand(channels, 1, 1, 1, generator=draw) + 0.5,
            torch.randn(out, channels, 3, 3, 3, generator=draw) / (27 * channels) ** 0.5,
            torch.randn(out, generator=draw),
        )

    @property
    def arguments(self) -> tuple[Tensor, Tensor | None, Tensor, Tensor, Tensor]:
        return self.x, self.past, self.gain, self.weight, self.bias

    def to(self, dtype: torch.dtype) -> Case:
        return Case(*(value.to(dtype) for value in self.arguments))


def relative_error(ours: Tensor, truth: Tensor) -> float:
    return ((ours - truth).norm() / truth.norm()).item()


SIZES = [(4, 3, 5), (4, 8, 8), (2, 1, 1), (8, 13, 6), (2, 21, 4)]


@pytest.mark.parametrize("start", [True, False], ids=["start", "later"])
@pytest.mark.parametrize(("frames", "height", "width"), SIZES)
@pytest.mark.parametrize("tile", [None, 2, 4])
@torch.no_grad()
def test_strips_equal_the_naive_way(
    monkeypatch: pytest.MonkeyPatch, tile: int | None, frames: int, height: int, width: int, start: bool
) -> None:
    if tile and frames % tile:
        pytest.skip("no whole tiles")
    monkeypatch.setattr(strips, "STRIP_BYTES", 8000)  # several strips, the last one not full
    case = Case.random(frames, height, width, channels=8, out=6, batch=2)
    case.past = None if start else case.past
    truth, truth_past = naive.norm_silu_conv3d(*case.arguments)
    made, past = strips.norm_silu_conv3d(*case.arguments, tile_frames=tile)
    assert relative_error(made, truth) <= 1e-5
    assert relative_error(past, truth_past) <= 1e-6


@pytest.mark.parametrize("frames", [1, 3])
@pytest.mark.parametrize("start", [True, False], ids=["start", "later"])
@torch.no_grad()
def test_strips_take_any_number_of_frames(frames: int, start: bool) -> None:
    case = Case.random(frames, 7, 9)
    case.past = None if start else case.past
    truth, truth_past = naive.norm_silu_conv3d(*case.arguments)
    made, past = strips.norm_silu_conv3d(*case.arguments)
    assert relative_error(made, truth) <= 1e-6
    assert relative_error(past, truth_past) <= 1e-6


@pytest.mark.parametrize("tile", [None, 4])
@torch.no_grad()
def test_the_result_may_replace_the_input(monkeypatch: pytest.MonkeyPatch, tile: int | None) -> None:
    monkeypatch.setattr(strips, "STRIP_BYTES", 8000)
    case = Case.random(4, 18, 5)
    residual = torch.randn_like(case.x)
    truth = naive.norm_silu_conv3d(*case.arguments)[0] + residual
    case.x = case.x.contiguous(memory_format=torch.channels_last_3d)
    made, _ = strips.norm_silu_conv3d(*case.arguments, residual=residual, overwrite=True, tile_frames=tile)
    assert made.data_ptr() == case.x.data_ptr()
    assert relative_error(made, truth) <= 1e-5


@torch.no_grad()
def test_a_residual_of_the_caller_stays_as_it_is() -> None:
    case = Case.random(4, 8, 5)
    residual = torch.randn_like(case.x)
    before = residual.clone()
    strips.norm_silu_conv3d(*case.arguments, residual=residual, tile_frames=4)
    assert torch.equal(residual, before)


@torch.no_grad()
def test_few_outputs_by_taps_equal_the_naive_way_from_chunk_to_chunk() -> None:
    case = Case.random(6, 9, 7, channels=24, out=3, batch=2)
    whole, _ = naive.norm_silu_conv3d(case.x, None, case.gain, case.weight, case.bias)
    past, parts = None, []
    for piece in case.x.split([1, 2, 3], dim=2):
        made, past = taps.norm_silu_conv3d(piece, past, case.gain, case.weight, case.bias)
        parts.append(made)
    assert relative_error(torch.cat(parts, dim=2), whole) <= 1e-6
    assert past.shape[-1] == 9


@pytest.mark.skipif(not torch.ops.mkldnn._is_mkldnn_bf16_supported(), reason="no bfloat16 convolution here")
@torch.no_grad()
def test_bfloat16_is_as_close_to_the_truth_as_the_naive_way() -> None:
    case = Case.random(4, 16, 16, channels=32, out=32)
    truth, _ = naive.norm_silu_conv3d(*case.arguments)
    coarse = case.to(torch.bfloat16)
    plain, _ = naive.norm_silu_conv3d(*coarse.arguments)
    made, _ = strips.norm_silu_conv3d(*coarse.arguments)
    assert relative_error(made.float(), truth) <= 1.3 * relative_error(plain.float(), truth)


def test_choices_give_their_reasons() -> None:
    film = torch.zeros(1, 96, 4, 64, 64)
    weight = torch.zeros(96, 96, 3, 3, 3)
    assert dispatch.choose(film, weight).tile_frames == 4
    assert dispatch.choose(film[:, :, :2], weight).tile_frames == 2
    assert "frames" in dispatch.choose(film[:, :, :1], weight).reason
    assert "pixels" in dispatch.choose(film[..., :8, :8], weight).reason
    assert dispatch.choose(film, weight[:3]).path == "taps"
    assert "on meta" in dispatch.choose(film, weight.to("meta")).reason
    assert dispatch.choose(film, weight.requires_grad_()).reason == "gradients are wanted"


@torch.no_grad()
def test_changed_weights_are_noticed() -> None:
    case = Case.random(4, 8, 8)
    strips.norm_silu_conv3d(*case.arguments, tile_frames=4)
    case.weight.mul_(2)
    made, _ = strips.norm_silu_conv3d(*case.arguments, tile_frames=4)
    assert relative_error(made, naive.norm_silu_conv3d(*case.arguments)[0]) <= 1e-5
    case.weight.data = torch.randn_like(case.weight)
    made, _ = strips.norm_silu_conv3d(*case.arguments, tile_frames=4)
    assert relative_error(made, naive.norm_silu_conv3d(*case.arguments)[0]) <= 1e-5


@pytest.mark.parametrize("frames", [1, 4])
@torch.no_grad()
def test_the_next_past_takes_the_memory_of_the_last(monkeypatch: pytest.MonkeyPatch, frames: int) -> None:
    monkeypatch.setattr(strips, "STRIP_BYTES", 8000)
    case = Case.random(frames, 18, 5)
    truth, truth_past = naive.norm_silu_conv3d(*case.arguments)
    case.past = case.past.contiguous(memory_format=torch.channels_last_3d)
    made, past = strips.norm_silu_conv3d(*case.arguments)
    assert past.data_ptr() == case.past.data_ptr()
    assert relative_error(made, truth) <= 1e-6
    assert relative_error(past, truth_past) <= 1e-6
