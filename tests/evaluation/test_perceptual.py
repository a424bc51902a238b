"""The perceptual distance: its layout, and what a distance has to fulfil."""

from __future__ import annotations

import pytest
import torch
from kinograph.nodes.evaluation.perceptual import PerceptualDistance, load_perceptual_distance
from safetensors.torch import save_file

PUBLISHED = {
    "lin0.model.1.weight": [1, 64, 1, 1],
    "lin1.model.1.weight": [1, 192, 1, 1],
    "lin2.model.1.weight": [1, 384, 1, 1],
    "lin3.model.1.weight": [1, 256, 1, 1],
    "lin4.model.1.weight": [1, 256, 1, 1],
    "net.slice1.0.bias": [64],
    "net.slice1.0.weight": [64, 3, 11, 11],
    "net.slice1.1.filt": [64, 1, 3, 3],
    "net.slice2.4.filt": [64, 1, 3, 3],
    "net.slice2.5.bias": [192],
    "net.slice2.5.weight": [192, 64, 5, 5],
    "net.slice3.8.filt": [192, 1, 3, 3],
    "net.slice3.9.bias": [384],
    "net.slice3.9.weight": [384, 192, 3, 3],
    "net.slice4.11.bias": [256],
    "net.slice4.11.weight": [256, 384, 3, 3],
    "net.slice5.13.bias": [256],
    "net.slice5.13.weight": [256, 256, 3, 3],
    "scaling_layer.scale": [1, 3, 1, 1],
    "scaling_layer.shift": [1, 3, 1, 1],
}
"""Keys and shapes of the published file."""


@pytest.fixture(scope="module")
def network() -> PerceptualDistance:
    torch.manual_seed(0)
    network = PerceptualDistance().eval().requires_grad_(False)
    for depth in range(5):
        network.get_submodule(f"lin{depth}").model[0].weight.abs_()  # trained ones are not negative
    return network


@pytest.fixture
def pictures() -> torch.Tensor:
    return torch.rand(2, 3, 32, 40, generator=torch.Generator().manual_seed(0))


def test_the_layout_is_the_published_one():
    assert {key: list(value.shape) for key, value in PerceptualDistance().state_dict().items()} == PUBLISHED


def test_a_file_gives_the_network_it_was_saved_from(network, pictures, tmp_path):
    save_file(network.state_dict(), tmp_path / "weights.safetensors")
    loaded = load_perceptual_distance(tmp_path / "weights.safetensors")
    other = pictures.flip(0)
    assert torch.equal(loaded(pictures, other), network(pictures, other))


def test_equal_pictures_have_no_distance_and_more_noise_has_more(network, pictures):
    noise = torch.randn(pictures.shape, generator=torch.Generator().manual_seed(1))
    assert network(pictures, pictures).abs().max() == 0
    slight, strong = (network(pictures + share * noise, pictures) for share in (0.02, 0.2))
    assert (slight > 0).all() and (strong > slight).all()


def test_it_is_the_same_in_both_directions_and_for_each_picture_alone(network, pictures):
    other = pictures.flip(-1)
    both = network(pictures, other)
    torch.testing.assert_close(both, network(other, pictures))
    torch.testing.assert_close(both[1:], network(pictures[1:], other[1:]))


def test_pictures_too_small_for_its_layers_are_refused(network):
    assert network(torch.rand(1, 3, 21, 30), torch.rand(1, 3, 21, 30)).item() > 0
    with pytest.raises(ValueError, match="21 × 21 pixels at least, got 30 × 20"):
        network(torch.rand(1, 3, 20, 30), torch.rand(1, 3, 20, 30))
