"""Folding Wan 2.1's latent statistics into the weights changes no reconstruction."""

from __future__ import annotations

import pytest
import torch
from kinograph.nodes.vae.load import load_vae
from kinograph.nodes.vae.wan21 import LATENT_MEAN, LATENT_STD, Wan21Config, Wan21VAE
from kinograph.training.export_vae import export, folded, latent_statistics
from kinograph.training.train_vae import Run


@pytest.fixture(scope="module")
def clips() -> torch.Tensor:
    return torch.rand(3, 3, 5, 32, 32, generator=torch.Generator().manual_seed(0)) * 2 - 1


@pytest.fixture(scope="module")
def pair(tame_network, clips) -> tuple[Wan21VAE, Wan21VAE]:
    """A network before and after."""
    after = Wan21VAE(Wan21Config(width=8))
    after.load_state_dict(folded(tame_network, *latent_statistics(tame_network, clips)))
    return tame_network, after.eval().requires_grad_(False)


def test_latents_get_the_published_mean_and_deviation(pair, clips):
    mean, deviation = latent_statistics(pair[1], clips)
    torch.testing.assert_close(mean, torch.tensor(LATENT_MEAN), atol=1e-3, rtol=1e-3)
    torch.testing.assert_close(deviation, torch.tensor(LATENT_STD), atol=1e-3, rtol=1e-3)


def test_reconstructions_stay(pair, clips):
    before, after = (net.decode_chunk(net.encode_chunk(clips, None)[0], None)[0] for net in pair)
    torch.testing.assert_close(after, before, atol=1e-4, rtol=1e-3)


def test_the_noise_of_drawn_latents_grows_with_them(pair, clips):
    ratios = [
        (log_variance.exp().mean(dim=(0, 2, 3, 4)).sqrt() / mean.transpose(0, 1).flatten(1).std(dim=1))
        for mean, log_variance, _ in (net.encode_chunk(clips, None) for net in pair)
    ]
    torch.testing.assert_close(*ratios, atol=1e-5, rtol=1e-3)


def test_an_export_is_a_vae_with_a_card_and_a_picture(tmp_path):
    Run.start(8).save(tmp_path / "checkpoint.pt")
    path = export(tmp_path / "checkpoint.pt", tmp_path / "weights", None, 1, "train", note="Stopped once.")
    assert load_vae(path).config.width == 8
    card = (tmp_path / "weights" / "cards" / f"{path.stem}.md").read_text()
    assert "dB" in card and f"{path.stem}.jpg" in card and card.endswith("\n- Stopped once.\n")
    assert (tmp_path / "weights" / "cards" / f"{path.stem}.jpg").is_file()
