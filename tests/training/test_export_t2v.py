"""What is exported of a training run, at toy size."""

from __future__ import annotations

import pytest
import torch
from kinograph.nodes.generation.load import load_transformer
from kinograph.nodes.generation.text_encoder import load_text_encoder
from kinograph.training.caption_tokenizer import caption_lines, train_tokenizer
from kinograph.training.export_t2v import write_weights
from kinograph.training.t2v_card import FIGURES, contact_sheet, t2v_card
from kinograph.training.train_t2v import Run, Sizes
from safetensors import safe_open


@pytest.fixture
def run() -> Run:
    sizes = Sizes(width=256, blocks=2, feedforward=128, text_width=32, text_layers=1)
    return Run(sizes, train_tokenizer(caption_lines(40), 400), "0123456789ab", torch.device("cpu"))


def test_the_files_are_the_averaged_networks_in_half_precision(run, tmp_path):
    for tensor in run.average.values():
        tensor.fill_(0.125)
    transformer, text = write_weights(run, tmp_path)
    network = load_transformer(transformer)
    assert network.patch_embedding.weight.dtype == torch.float16
    assert all(bool(weight.eq(0.125).all()) for weight in network.state_dict().values())
    assert (network.config.text_width, network.config.heads) == (32, 2)
    assert load_text_encoder(text, dtype=torch.float32).encode(["a red circle"]).shape == (1, 64, 32)
    with safe_open(transformer, framework="pt") as file:
        assert file.metadata()["shift"] == "3.0"


def test_training_goes_on_from_exported_weights(run, tmp_path):
    run.step, run.clips, run.seconds = 7, 168, 3.5
    expected = {name: tensor.clone() for name, tensor in run.average.items()}
    again = Run.going_on(*write_weights(run, tmp_path), torch.device("cpu"))
    assert (again.step, again.clips, again.seconds, again.vae) == (7, 168, 3.5, run.vae)
    assert again.text.tokens("a red circle") == run.text.tokens("a red circle")
    for name, tensor in again.networks.state_dict().items():
        torch.testing.assert_close(tensor, expected[name], rtol=1e-3, atol=1e-3)


def test_the_card_has_every_figure_with_its_interval_and_the_seeds(run, tmp_path):
    rows = [{"what": name, "of": 300, "low": 0.25, "high": 0.75} for name in FIGURES]
    quality = {
        "figures": dict.fromkeys(FIGURES, 0.5),
        "rows": [{"what": "seeds", "list": [0, 1, 2]}, *rows],
    }
    paths = write_weights(run, tmp_path)
    card = t2v_card("tiny", paths, run, "a command", ["A red circle."], quality)
    assert card.count("| 0.5 | 0.25 to 0.75 |") == len(FIGURES)
    assert "seeds 0, 1, 2" in card and "300 films" in card and "0123456789ab" in card
    assert "has not been measured" in t2v_card("tiny", paths, run, "a command", [], None)


def test_the_sheet_has_a_row_of_five_frames_for_each_film(tmp_path):
    from PIL import Image

    contact_sheet(torch.rand(3, 3, 17, 8, 12), tmp_path / "sheet.jpg")
    assert Image.open(tmp_path / "sheet.jpg").size == (60, 24)
