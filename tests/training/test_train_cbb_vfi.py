"""Training Brownian bridges, at toy size."""

from __future__ import annotations

import random

import pytest
import torch
from kinograph.nodes.interpolation.bridge_network import BridgeConfig
from kinograph.nodes.vae.wan21 import Wan21Config, Wan21VAE
from kinograph.training import bridge_card, bridge_clips
from kinograph.training.bridge_clips import LatentTriplets, triplet, triplet_pixels, unseen_triplets
from kinograph.training.train_cbb_vfi import Run, bridge_loss, learning_rate
from safetensors.torch import load_file

CPU = torch.device("cpu")


@pytest.fixture(scope="module")
def vae() -> Wan21VAE:
    torch.manual_seed(0)
    return Wan21VAE(Wan21Config(width=8)).eval().requires_grad_(False)


def new_run() -> Run:
    return Run(BridgeConfig(channels=16, width=8, factors=(1, 2)), "a vae", CPU)


def triplets(count: int = 8) -> torch.Tensor:
    """The middle is neither neighbour nor their mean."""
    ends = torch.randn(count, 2, 16, 4, 4, generator=torch.Generator().manual_seed(0))
    return torch.stack([ends[:, 0], ends[:, 0] * 0.3 + ends[:, 1], ends[:, 1]], dim=1)


def test_a_triplet_is_three_moments_of_one_clip_and_the_same_whenever_it_is_drawn():
    pictures = triplet(3)
    assert pictures.shape == (3, 96, 96, 3)
    assert (triplet(3) == pictures).all() and not (triplet(4) == pictures).all()
    pixels = triplet_pixels(range(20))
    assert pixels.shape == (20, 3, 3, 96, 96)
    apart = (pixels[:, 0] - pixels[:, 2]).abs().flatten(1).mean(dim=1)
    halfway = (pixels[:, 0] - pixels[:, 1]).abs().flatten(1).mean(dim=1)
    assert (apart > 0).float().mean() > 0.8 and apart.mean() > halfway.mean()


def test_unseen_triplets_are_no_training_triplets():
    seen, unseen = triplet_pixels(range(4)), unseen_triplets(4)
    assert not any(torch.equal(one, other) for one in seen for other in unseen)


def test_latents_are_computed_once_and_half_of_a_batch_runs_backwards(vae, tmp_path, monkeypatch):
    monkeypatch.setattr(bridge_clips, "SHARD", 2)
    first = LatentTriplets(tmp_path, vae)
    assert list(first.load(3)) == [2, 4] and len(first.latents) == 3
    again = LatentTriplets(tmp_path, None)  # reads them, and needs no autoencoder
    list(again.load(3))
    assert torch.equal(again.latents, first.latents)
    again.latents = torch.arange(3.0).view(1, 3, 1, 1, 1).expand(4, 3, 16, 2, 2)
    assert again.batch(random.Random(0), 4)[:, 0, 0, 0, 0].tolist() == [2, 2, 0, 0]


def test_steps_lower_the_loss_and_move_the_average():
    run, clips = new_run(), triplets()
    before = bridge_loss(run.averaged(), clips, torch.Generator().manual_seed(1)).item()
    for _ in range(60):
        run.advance(clips, 1.0)
    after = bridge_loss(run.averaged(), clips, torch.Generator().manual_seed(1)).item()
    assert after < 0.8 * before


def test_a_run_goes_on_where_it_was(tmp_path):
    run = new_run()
    run.advance(triplets(), 1.0)
    run.save(tmp_path / "checkpoint.pt")
    other = Run.resume(tmp_path / "checkpoint.pt", CPU)
    assert other.advance(triplets(), 0.5) == pytest.approx(run.advance(triplets(), 0.5), rel=1e-5)
    assert (other.step, other.vae, other.config) == (2, "a vae", run.config)


def test_the_rate_rises_stays_and_falls_to_nothing():
    assert learning_rate(0.0, 0) < 0.01
    assert learning_rate(0.3, 3000) == 1.0
    assert learning_rate(1.0, 10_000) == 0.0


def test_weights_are_written_where_the_node_looks_with_a_card(vae, tmp_path, monkeypatch):
    monkeypatch.setattr(bridge_card, "COUNT", 4)
    path, card = bridge_card.export(
        new_run().averaged(), vae, "some_vae", (100, 60.0), "train --steps 100", tmp_path
    )
    assert path == tmp_path / "kinograph" / "bridge" / "kinograph_tiny_bridge.safetensors"
    assert load_file(path)["leave.weight"].dtype == torch.float16
    text = card.read_text(encoding="utf-8")
    assert "latents of some_vae" in text and "by bridges, 5 steps, eta 0" in text
    assert card.with_suffix(".jpg").stat().st_size > 0
