"""Consecutive Brownian bridges: ends, noise, sampler, and the network as an INTERP_MODEL."""

from __future__ import annotations

from fractions import Fraction
from itertools import pairwise

import folder_paths
import pytest
import torch
from comfy.model_management import InterruptProcessingException, interrupt_current_processing
from kinograph.nodes.bridge_model import load_bridge
from kinograph.nodes.interpolation.bridge import (
    Halvings,
    between,
    bridge_times,
    bridge_variance,
    injected_variance,
    nearest_halving,
    on_bridge,
)
from kinograph.nodes.interpolation.bridge_frames import BridgeSettings
from kinograph.nodes.interpolation.bridge_network import BridgeConfig, BridgeNetwork
from kinograph.nodes.interpolation.nodes_bridge import KinoBrownianBridge
from kinograph.nodes.interpolation.nodes_frames import KinoInterpolateFrames
from kinograph.nodes.model_files import FOLDER
from kinograph.nodes.vae.wan21 import Wan21Config, Wan21VAE
from kinograph.nodes.vae.weights_file import WeightsError
from safetensors.torch import save_file

SMALL = BridgeConfig(channels=16, width=8, factors=(1, 2))
BEFORE, MIDDLE, AFTER = torch.randn(3, 2, 16, 4, 6, generator=torch.Generator().manual_seed(0)).unbind()


def seeded(seed: int) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def trained_looking(config: BridgeConfig = SMALL) -> BridgeNetwork:
    """A network of which no part is silent."""
    torch.manual_seed(0)
    network = BridgeNetwork(config)
    for weight in network.parameters():
        weight.data += 0.05 * torch.randn_like(weight)
    return network.eval().requires_grad_(False)


def test_a_bridge_is_its_ends_at_its_ends():
    ends = torch.tensor([0.0, 1.0])
    assert bridge_variance(ends).tolist() == [0.0, 0.0]
    noise = torch.randn_like(MIDDLE)
    states = on_bridge(MIDDLE, AFTER, ends, noise)
    assert torch.equal(states[0], MIDDLE[0]) and torch.equal(states[1], AFTER[1])


def test_its_variance_is_greatest_halfway():
    middle, end, noise = torch.zeros(4000, 1), torch.ones(4000, 1), torch.randn(4000, 1, generator=seeded(1))
    states = on_bridge(middle, end, torch.full((4000,), 0.5), noise)
    assert states.mean().item() == pytest.approx(0.5, abs=0.03)
    assert states.var().item() == pytest.approx(0.25, abs=0.03)


@pytest.mark.parametrize("steps", [1, 2, 7, 50, 1000])
def test_all_noise_together_stays_below_one_where_ddpm_adds_ten(steps):
    injected = sum(injected_variance(now, then) for now, then in pairwise(bridge_times(steps)))
    assert 0 <= injected < 1
    linear_ddpm = torch.linspace(1e-4, 0.02, 1000).sum().item()
    assert linear_ddpm == pytest.approx(10, abs=0.1)


@pytest.mark.parametrize("steps", [1, 3, 20])
def test_who_knows_the_middle_reaches_it_whatever_the_seed(steps):
    def oracle(state, other, neighbours, time):
        return state - MIDDLE.repeat(2, 1, 1, 1)

    for seed in range(3):
        made = between(oracle, BEFORE, AFTER, steps, generator=seeded(seed))
        torch.testing.assert_close(made, MIDDLE, atol=1e-6, rtol=0)


def test_both_bridges_begin_at_the_neighbours_and_see_each_other():
    seen = []

    def predict(*given):
        seen.append([one.clone() for one in given])
        return torch.zeros_like(given[0])

    between(predict, BEFORE, AFTER, 2, generator=seeded(0))
    state, other, neighbours, time = seen[0]
    assert torch.equal(state, torch.cat([BEFORE, AFTER])) and torch.equal(other, torch.cat([AFTER, BEFORE]))
    assert torch.equal(neighbours[0], torch.cat([BEFORE[0], AFTER[0]]))
    assert time.tolist() == [-1, -1, 1, 1]
    assert seen[1][3].tolist() == [-0.5, -0.5, 0.5, 0.5]


def test_without_noise_every_seed_gives_the_same():
    network = trained_looking()
    made = [between(network, BEFORE, AFTER, 4, eta=0.0, generator=seeded(seed)) for seed in (0, 1)]
    assert torch.equal(*made)
    noisy = [between(network, BEFORE, AFTER, 4, generator=seeded(seed)) for seed in (0, 0, 1)]
    assert torch.equal(noisy[0], noisy[1]) and not torch.equal(noisy[0], noisy[2])


def test_halving_thrice_gives_seven_frames_each_made_once():
    calls = []

    def halve(before, after):
        calls.append((float(before), float(after)))
        return (before + after) / 2

    halvings = Halvings(torch.tensor(0.0), torch.tensor(8.0), halve)
    made = [halvings.at(Fraction(eighth, 8)) for eighth in range(1, 8)]
    assert [float(one) for one in made] == [1, 2, 3, 4, 5, 6, 7]
    assert len(calls) == 7


def test_other_times_are_rounded_to_the_nearest_halving():
    assert nearest_halving(0.5, 5) == Fraction(1, 2)
    assert abs(float(nearest_halving(1 / 3, 5)) - 1 / 3) < 1 / 64


def test_a_new_network_is_the_mean_of_both_neighbours():
    made = between(BridgeNetwork(SMALL), BEFORE, AFTER, 3, eta=0.0)
    torch.testing.assert_close(made, (BEFORE + AFTER) / 2)


def test_its_sizes_are_read_off_its_weights():
    config = BridgeConfig(channels=16, width=16, factors=(1, 2, 3))
    assert BridgeConfig.of(BridgeNetwork(config).state_dict()) == config


def test_any_height_and_width_are_taken():
    network = trained_looking(BridgeConfig(width=8, factors=(1, 2, 2)))
    state = torch.randn(1, 16, 5, 7)
    made = network(state, state, torch.cat([state, state], 1), torch.zeros(1))
    assert made.shape == state.shape and made.isfinite().all()


@pytest.fixture(scope="module")
def vae():
    from kinograph.nodes.runtime import managed_vae
    from kinograph.nodes.vae_object import VideoVAE

    torch.manual_seed(0)
    network = Wan21VAE(Wan21Config(width=8)).eval().requires_grad_(False)
    return VideoVAE(network, managed_vae(network), torch.float32, torch.device("cpu"))


@pytest.fixture(scope="module")
def weights(tmp_path_factory):
    path = tmp_path_factory.mktemp("models") / "bridge" / "small.safetensors"
    path.parent.mkdir()
    save_file(trained_looking().state_dict(), path, {"latents_of": "a small autoencoder"})
    return path


def test_as_an_interpolation_model_it_makes_pictures_at_any_time(vae, weights):
    model, report = load_bridge(weights, vae, BridgeSettings(steps=2))
    assert "trained on the latents of a small autoencoder" in report
    network = model.model
    first, last = torch.rand(2, 1, 3, 16, 24, generator=seeded(2)).unbind()
    features = {"img0": network.extract_features(first), "img1": network.extract_features(last)}
    assert features["img0"].shape == (1, 16, 2, 3)
    times = torch.tensor([0.25, 0.5]).view(-1, 1, 1, 1).expand(-1, 1, 16, 24)
    both = (image.expand(2, -1, -1, -1) for image in (first, last))
    made = network(*both, timestep=times, cache=features)
    assert made.shape == (2, 3, 16, 24) and made.min() >= 0 and made.max() <= 1
    assert torch.equal(made, network.forward_multi_timestep(first, last, [0.25, 0.5], cache=features))
    torch.testing.assert_close(made[1:], network(first, last, timestep=0.5))
    assert network.memory_used_forward((1, 16, 24, 3), torch.float32) > 0


def test_a_cancel_stops_between_two_steps(vae, weights, monkeypatch):
    network, calls = load_bridge(weights, vae, BridgeSettings(steps=50))[0].model, []

    def cancelled(*given):
        interrupt_current_processing()
        calls.append(given)
        return given[0]

    monkeypatch.setattr(network.network, "forward", cancelled)
    with pytest.raises(InterruptProcessingException):
        network(*torch.rand(2, 1, 3, 16, 16).unbind(), timestep=0.5)
    assert len(calls) == 1


def test_pairs_of_a_batch_are_made_each_for_itself(vae, weights):
    network = load_bridge(weights, vae, BridgeSettings(steps=1))[0].model
    first, last = torch.rand(2, 2, 3, 16, 16, generator=seeded(3)).unbind()
    made = network(first, last, timestep=torch.full((2, 1, 16, 16), 0.5))
    torch.testing.assert_close(made[1:], network(first[1:], last[1:], timestep=0.5))


def test_files_that_are_no_bridges_or_of_other_latents_are_refused(vae, weights, tmp_path):
    other = tmp_path / "other.safetensors"
    save_file({"block0.conv.weight": torch.zeros(3)}, other)
    with pytest.raises(WeightsError, match="no network of Brownian bridges"):
        load_bridge(other, vae, BridgeSettings())
    save_file(trained_looking(BridgeConfig(48, 8, (1, 2))).state_dict(), other)
    with pytest.raises(WeightsError, match="latents of 48 channels, those of this VAE have 16"):
        load_bridge(other, vae, BridgeSettings())
    parts = trained_looking().state_dict()
    parts["time.0.bias"] = parts.pop("middle.1.out.bias")
    save_file(parts, other)
    with pytest.raises(
        WeightsError, match=r"no whole network.*lacks middle.1.out.bias; .*misshapen time.0.bias"
    ):
        load_bridge(other, vae, BridgeSettings())


def test_the_node_makes_pictures_for_a_node_that_interpolates(vae, weights, monkeypatch):
    monkeypatch.setitem(
        folder_paths.folder_names_and_paths, FOLDER, ([str(weights.parents[1])], {".safetensors"})
    )
    assert weights.name in KinoBrownianBridge.define_schema().inputs[1].options
    model, report = KinoBrownianBridge.execute(vae, weights.name, 2, 0.0, 0).args
    assert report.startswith("small.safetensors: Brownian bridges with")
    images = torch.rand(2, 16, 24, 3, generator=seeded(4))
    made = KinoInterpolateFrames.execute(model, images, 4, 0, 0.0, 0, "1", 0).args[0]
    assert made.shape == (5, 16, 24, 3) and made.isfinite().all()
    assert torch.equal(made[[0, 4]], images)
    assert not torch.allclose(made[2], images.mean(dim=0), atol=1e-3)
    with pytest.raises(FileNotFoundError, match=r"no file '.*missing.safetensors' in models/kinograph"):
        KinoBrownianBridge.execute(vae, "missing.safetensors", 2, 0.0, 0)
