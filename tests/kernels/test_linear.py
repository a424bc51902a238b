"""Linear layers: PyTorch's results whichever way is taken, and the reason for it."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from kinograph.kernels.linear import dispatch, layers, probe
from kinograph.kernels.linear.probe import Measured
from torch import nn
from torch.nn import functional as F

needs_onednn = pytest.mark.skipif(
    not hasattr(torch.ops.mkldnn, "_linear_pointwise"), reason="this PyTorch has no oneDNN product"
)


def random(*shape: int, seed: int = 0) -> torch.Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


@pytest.fixture()
def onednn_wins(monkeypatch):
    monkeypatch.setattr(dispatch, "measured", lambda: Measured(0.5, 0.0))


@needs_onednn
@settings(max_examples=30, deadline=None)
@given(
    rows=st.lists(st.integers(1, 9), min_size=1, max_size=3),
    inputs=st.integers(1, 70),
    outputs=st.integers(1, 70),
    biased=st.booleans(),
    gelu=st.booleans(),
)
def test_onednn_is_pytorch(rows, inputs, outputs, biased, gelu):
    x, weight = random(*rows, inputs), random(outputs, inputs, seed=1)
    bias = random(outputs, seed=2) if biased else None
    wanted = F.linear(x, weight, bias)
    wanted = F.gelu(wanted, approximate="tanh") if gelu else wanted
    with torch.no_grad():
        found = probe.onednn_linear(x, weight, bias, gelu=gelu)
    torch.testing.assert_close(found, wanted, rtol=1e-4, atol=1e-4)


@needs_onednn
def test_inputs_may_be_views(onednn_wins):
    weight = random(24, 16, seed=1)
    x = random(3, 16, 5).transpose(1, 2)
    with torch.no_grad():
        assert dispatch.choose(x, weight).path == "onednn"
        torch.testing.assert_close(dispatch.linear(x, weight), F.linear(x, weight), rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize(
    ("found", "path", "said"),
    [
        (Measured(0.5, 1e-7), "onednn", "0.50 of PyTorch's time"),
        (Measured(0.95, 1e-7), "plain", "0.95 of PyTorch's time"),
        (Measured(0.5, 1e-3), "plain", "differs by 1.0e-03"),
    ],
)
@needs_onednn
def test_the_probe_decides(found, path, said, monkeypatch):
    monkeypatch.setattr(dispatch, "measured", lambda: found)
    choice = dispatch.choose(random(4, 8), random(8, 8))
    assert (choice.path, said in choice.reason) == (path, True)


@needs_onednn
def test_the_probe_measures_both():
    found = probe.measured()
    assert found.time_ratio > 0
    assert found.relative_error < dispatch.TOLERANCE


def test_what_needs_gradients_or_autocast_is_pytorchs(onednn_wins):
    layer = layers.Linear(8, 8)
    assert dispatch.choose(random(2, 8), layer.weight).path == "plain"
    layer(random(2, 8)).sum().backward()
    assert layer.weight.grad is not None
    with torch.no_grad(), torch.autocast("cpu", torch.bfloat16):
        assert "autocast" in dispatch.choose(random(2, 8), layer.weight).reason


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_gelu_behind_a_layer(dtype):
    layer = layers.Linear(32, 48).to(dtype).requires_grad_(False)
    x = random(5, 32).to(dtype)
    wanted = F.gelu(F.linear(x, layer.weight, layer.bias), approximate="tanh")
    torch.testing.assert_close(layer.with_gelu(x), wanted, rtol=2e-2, atol=1e-2)
    layer.register_forward_hook(lambda layer, given, made: made + 1)
    shifted = F.gelu(F.linear(x, layer.weight, layer.bias) + 1, approximate="tanh")
    torch.testing.assert_close(layer.with_gelu(x), shifted, rtol=2e-2, atol=1e-2)


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_rms_norm_is_pytorchs_in_float32(dtype):
    ours, theirs = layers.RMSNorm(40, eps=1e-6), nn.RMSNorm(40, eps=1e-6)
    gain = random(40, seed=3)
    ours.weight.data, theirs.weight.data = gain, gain
    x = random(2, 7, 40).to(dtype)
    assert ours(x).dtype == torch.float32
    torch.testing.assert_close(ours(x), theirs(x.float()), rtol=1e-5, atol=1e-6)
    ours(torch.zeros(1, 40, requires_grad=True)).sum().backward()
    assert bool(ours.weight.grad.isfinite().all())
