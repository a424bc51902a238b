"""The benchmark of the transformer, on networks too small to measure anything."""

from __future__ import annotations

import pytest
import torch
from kinograph.benchmarks import sampling
from kinograph.benchmarks.sampling import Size

TINY = Size(width=128, blocks=1, feedforward=128, text_width=16, grid=(2, 4, 4), tokens=3, steps=1)


@pytest.mark.parametrize(("dtype", "tolerance"), [(torch.float32, 1e-4), (torch.bfloat16, 0.05)])
def test_both_sides_do_the_same_step(dtype, tolerance, monkeypatch):
    monkeypatch.setattr(sampling, "SIZES", {"tiny": TINY})
    with torch.no_grad():
        row = sampling._compare("tiny", dtype, 2)
    assert row["time_vs_diffusers"] > 0
    assert row["relative_error"] < tolerance
    assert row["linear"].startswith(("plain: ", "onednn: "))


@pytest.mark.parametrize("way", ["ours", "diffusers"])
def test_memory_is_of_the_steps_and_of_the_whole(way, monkeypatch):
    monkeypatch.setattr(sampling, "SIZES", {"wide": TINY})
    grads = torch.is_grad_enabled()
    found = sampling._memory(way)
    torch.set_grad_enabled(grads)
    assert 0 <= found["working_mb"] < found["peak_rss_mb"]
