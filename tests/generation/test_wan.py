"""The transformer: diffusers' results, one noise level per clip or per frame, training, clear refusals."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch
from generation.tiny_wan import PICTURE, SMALL, TEXT_WIDTH, diffusers_wan, noise, relative_error, wan
from hypothesis import given, settings
from hypothesis import strategies as st
from kinograph.kernels.attention.dispatch import AttentionSite, attend
from kinograph.nodes.generation.load import load_transformer
from kinograph.nodes.generation.wan import WanTransformer
from kinograph.nodes.generation.wan_initial import initialise
from torch import nn

PARITY = 1e-4
SIZES = st.tuples(st.integers(1, 3), st.integers(1, 9), st.integers(1, 9))


@pytest.fixture(scope="module")
def small():
    return wan()


@pytest.mark.parametrize("prefix", ["", "model.diffusion_model."])
def test_text_to_video_is_diffusers(prefix):
    theirs = diffusers_wan()
    ours = load_transformer({prefix + key: tensor for key, tensor in theirs.state_dict().items()})
    x, text, timestep = noise(2, 16, 3, 6, 8), noise(2, 20, TEXT_WIDTH), torch.tensor([731.0, 37.0])
    assert relative_error(ours(x, timestep, text), theirs(x, timestep, text).sample) < PARITY


@pytest.mark.parametrize("prefix", ["", "model.diffusion_model."])
def test_published_and_comfyui_layouts_are_diffusers(prefix):
    theirs = diffusers_wan()
    published = load_transformer(theirs.state_dict()).state_dict()
    ours = load_transformer({prefix + key: tensor for key, tensor in published.items()})
    x, text, timestep = noise(1, 16, 2, 4, 4), noise(1, 9, TEXT_WIDTH), torch.tensor([500.0])
    assert relative_error(ours(x, timestep, text), theirs(x, timestep, text).sample) < PARITY


@pytest.mark.parametrize("pictures", [1, 2])
def test_image_to_video_is_diffusers(pictures):
    config = replace(PICTURE, image_tokens=None if pictures == 1 else 2 * 257)
    theirs = diffusers_wan(config)
    ours = load_transformer(theirs.state_dict())
    assert ours.config == config
    x, text, timestep = noise(1, 36, 2, 4, 6), noise(1, 512, TEXT_WIDTH), torch.tensor([900.0])
    features = noise(pictures, 257, 1280)
    wanted = theirs(x, timestep, text, features).sample
    assert relative_error(ours(x, timestep, text, features.view(1, -1, 1280)), wanted) < PARITY


def test_timesteps_per_frame_are_those_that_diffusers_expands_to_tokens():
    config = replace(SMALL, in_channels=48, out_channels=48)
    theirs = diffusers_wan(config)
    ours = load_transformer(theirs.state_dict())
    x, text = noise(2, 48, 3, 4, 6), noise(2, 7, TEXT_WIDTH)
    timestep = torch.tensor([[0.0, 250.0, 999.0], [0.0, 0.0, 500.0]])
    wanted = theirs(x, timestep.repeat_interleave(2 * 3, dim=1), text).sample
    assert relative_error(ours(x, timestep, text), wanted) < PARITY


@pytest.mark.parametrize("operations", [nn, None])
@settings(max_examples=15, deadline=None)
@given(size=SIZES, batch=st.integers(1, 2), level=st.floats(0, 1000))
def test_equal_timesteps_of_frames_are_the_clips_bit_for_bit(operations, small, size, batch, level):
    network = small
    if operations is not None:
        network = load_transformer(small.state_dict(), operations=operations)
    x, text, timestep = noise(batch, 16, *size), noise(batch, 5, TEXT_WIDTH), torch.full((batch,), level)
    per_frame = timestep[:, None].expand(-1, size[0])
    assert torch.equal(network(x, timestep, text), network(x, per_frame, text))


@settings(max_examples=15, deadline=None)
@given(size=SIZES)
def test_odd_sizes_are_padded_by_wrapping_and_cropped(small, size):
    height, width = size[1:]
    x, text, timestep = noise(1, 16, *size), noise(1, 5, TEXT_WIDTH), torch.tensor([400.0])
    even = torch.cat([x, x[..., :1]], dim=4) if width % 2 else x
    even = torch.cat([even, even[..., :1, :]], dim=3) if height % 2 else even
    velocity = small(x, timestep, text)
    assert velocity.shape == x.shape
    assert torch.equal(velocity, small(even, timestep, text)[..., :height, :width])


def test_every_attention_goes_through_the_one_call():
    sites: list[AttentionSite] = []

    def noted(query, key, value, site=None):
        sites.append(site)
        return attend(query, key, value, site)

    features = noise(1, 257, 1280)
    wan(PICTURE)(
        noise(1, 36, 2, 4, 6), torch.tensor([1.0]), noise(1, 5, TEXT_WIDTH), features, attention=noted
    )
    assert [(site.kind, site.block) for site in sites] == [
        (kind, block) for block in (0, 1) for kind in ("self", "text", "image")
    ]
    assert {(site.blocks, site.grid) for site in sites} == {(2, (2, 2, 3))}


@pytest.mark.parametrize("autocast", [False, True])
def test_every_weight_gets_a_gradient(autocast):
    torch.manual_seed(0)
    network = WanTransformer(SMALL)
    x, text = noise(2, 16, 2, 4, 4), noise(2, 5, TEXT_WIDTH)
    timestep = torch.tensor([[0.0, 9.0], [500.0, 800.0]])
    with torch.autocast("cpu", torch.bfloat16, enabled=autocast):
        velocity = network(x, timestep, text)
    assert velocity.dtype == torch.float32
    velocity.square().mean().backward()
    assert [name for name, weight in network.named_parameters() if weight.grad is None] == []
    assert all(bool(weight.grad.isfinite().all()) for weight in network.parameters())


def test_autocast_keeps_nearby_timesteps_apart(small):
    x, text = noise(1, 16, 2, 4, 4), noise(1, 5, TEXT_WIDTH)
    with torch.autocast("cpu", torch.bfloat16):
        one, other = (small(x, torch.tensor([level]), text) for level in (999.0, 999.5))
    assert not torch.equal(one, other)


def test_a_new_network_predicts_nothing_and_learns():
    network = WanTransformer(SMALL)
    initialise(network)
    x, text, timestep = noise(2, 16, 2, 4, 4), noise(2, 5, TEXT_WIDTH), torch.tensor([300.0, 700.0])
    assert not network(x, timestep, text).any()
    optimiser = torch.optim.AdamW(network.parameters(), lr=1e-3)
    losses = []
    for _ in range(15):
        loss = (network(x, timestep, text) - x).square().mean()
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        losses.append(loss.item())
    assert losses[-1] < 0.7 * losses[0]


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16])
def test_half_precision_stays_close(small, dtype):
    half = load_transformer(small.state_dict(), dtype=dtype)
    x, text, timestep = noise(1, 16, 2, 4, 4), noise(1, 5, TEXT_WIDTH), torch.tensor([400.0])
    velocity = half(x.to(dtype), timestep, text.to(dtype))
    assert velocity.dtype == dtype
    assert relative_error(velocity.float(), small(x, timestep, text)) < 0.02


@pytest.mark.parametrize(
    ("channels", "timesteps", "text_width", "features", "said"),
    [
        (20, 1, TEXT_WIDTH, None, "20 channels; this transformer takes 16"),
        (16, 3, TEXT_WIDTH, None, "one per clip"),
        (16, 1, 4096, None, "4096 channels, this transformer takes 48"),
        (16, 1, TEXT_WIDTH, (1, 257, 1280), "no input for them"),
    ],
)
def test_what_does_not_fit_is_named(small, channels, timesteps, text_width, features, said):
    image = None if features is None else noise(*features)
    with pytest.raises(ValueError, match=said):
        small(noise(1, channels, 2, 4, 4), torch.ones(timesteps), noise(1, 5, text_width), image)
