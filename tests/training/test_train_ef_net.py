"""Training an EF-Net, at toy size."""

from __future__ import annotations

import pytest
import torch
from generation.wan_files import random_weights
from kinograph.nodes.generation.load import load_transformer
from kinograph.nodes.generation.text_encoder import new_text_encoder
from kinograph.nodes.generation.text_encoder_tokens import PieceTokenizer
from kinograph.nodes.generation.wan_config import WanConfig
from kinograph.nodes.interpolation.end_frame_net import EndFrameConfig
from kinograph.training.caption_tokenizer import caption_lines, train_tokenizer
from kinograph.training.t2v_clips import Batch
from kinograph.training.train_ef_net import Run, export, new_net, told_velocity
from safetensors.torch import load_file

CPU = torch.device("cpu")
WIDTH = 32


@pytest.fixture(scope="module")
def networks():
    transformer = load_transformer(
        random_weights(WanConfig(256, 2, 2, 256, text_width=WIDTH)), dtype=torch.float32
    )
    text = new_text_encoder(PieceTokenizer(train_tokenizer(caption_lines(40), 400)), width=WIDTH, layers=1)
    return transformer, text


def clips() -> Batch:
    latents = torch.randn(2, 16, 3, 4, 4, generator=torch.Generator().manual_seed(0))
    return Batch(
        latents, torch.zeros(2, 3, 4, 4, dtype=torch.bool), ["a red circle", "a blue star"], [False] * 2
    )


def test_a_new_network_tells_nothing(networks):
    transformer, text = networks
    latents, sigmas = clips().latents, torch.full((2, 3), 0.5)
    told = text.encode(["one", "two"])
    made = told_velocity(new_net(transformer, 1, 3), transformer, latents, latents[:, :, -1:], sigmas, told)
    assert torch.equal(made, transformer(latents, sigmas * 1000, told))


def test_steps_change_the_network_alone_and_lower_the_loss(networks):
    transformer = networks[0]
    before = {name: tensor.clone() for name, tensor in transformer.state_dict().items()}
    run = Run(new_net(transformer, 1, 3), ("a", "b"), CPU)
    losses = []
    for _ in range(12):
        run.step = 0  # the same noise every time
        losses.append(run.advance(*networks, clips(), 1.0))
    assert losses[-1] < losses[0]
    assert all(torch.equal(tensor, before[name]) for name, tensor in transformer.state_dict().items())
    assert not any(module._forward_hooks for module in transformer.modules())


def test_a_run_goes_on_where_it_was_and_is_written_where_the_node_looks(networks, tmp_path):
    run = Run(new_net(networks[0], 2, 3), ("a", "b"), CPU)
    run.advance(*networks, clips(), 1.0)
    run.save(tmp_path / "checkpoint.pt")
    other = Run.resume(tmp_path / "checkpoint.pt", CPU)
    expected = run.advance(*networks, clips(), 0.5)
    assert other.advance(*networks, clips(), 0.5) == pytest.approx(expected, rel=1e-3)
    assert (other.step, other.of) == (2, ("a", "b"))
    path = export(other, tmp_path)
    assert path == tmp_path / "kinograph" / "ef_net" / "kinograph_tiny_ef_net.safetensors"
    assert EndFrameConfig.of(load_file(path)) == other.network.config
