"""Training RIFE further, and the judge of people, at toy size."""

from __future__ import annotations

import pytest
import torch
from kinograph.nodes.interpolation.load import load_interpolation_model
from kinograph.nodes.interpolation.rife import Rife
from kinograph.nodes.interpolation.rife_config import RifeConfig
from kinograph.nodes.interpolation.rife_layouts import folded, unfolded
from kinograph.training import people, train_people
from kinograph.training.people import LANDMARKS, PeopleNetwork, load_people, seen
from kinograph.training.train_interpolation import (
    Tuning,
    census_loss,
    drawn,
    in_the_middle,
    judge_of,
    own_loss,
    train,
)
from safetensors.torch import load_file, save_file

CONFIG = RifeConfig(widths=(16, 8, 8, 8))


def published() -> dict[str, torch.Tensor]:
    """A tiny RIFE of 4.6's structure under the published keys, scales and all."""
    torch.manual_seed(0)
    found = {}
    for index, width in enumerate(CONFIG.widths):
        seen_channels = CONFIG.later_channels if index else CONFIG.first_channels
        layers = {
            "conv0.0.0": torch.nn.Conv2d(seen_channels, width // 2, 3),
            "conv0.1.0": torch.nn.Conv2d(width // 2, width, 3),
            "lastconv.0": torch.nn.ConvTranspose2d(width, 24, 4),
        }
        layers |= {f"convblock.{number}.conv": torch.nn.Conv2d(width, width, 3) for number in range(8)}
        for name, layer in layers.items():
            found |= {f"block{index}.{name}.{key}": tensor for key, tensor in layer.state_dict().items()}
        found |= {f"block{index}.convblock.{number}.beta": torch.rand(1, width, 1, 1) for number in range(8)}
    return found


@pytest.fixture
def model(tmp_path):
    save_file(published(), tmp_path / "rife.safetensors")
    return tmp_path / "rife.safetensors"


@pytest.fixture
def people_file(tmp_path):
    torch.manual_seed(0)
    save_file(PeopleNetwork(8).state_dict(), tmp_path / "people.safetensors")
    return tmp_path / "people.safetensors"


def test_unfolded_weights_fold_to_the_same_and_keep_the_published_layout():
    given = published()
    ours = folded(given, CONFIG)
    back = unfolded(ours, given, CONFIG)
    assert {key: tensor.shape for key, tensor in back.items()} == {
        key: tensor.shape for key, tensor in given.items()
    }
    for key, tensor in folded(back, CONFIG).items():
        torch.testing.assert_close(tensor, ours[key], atol=1e-6, rtol=0)


def test_what_training_saves_loads_as_the_network_it_trained(model, tmp_path):
    tuning = Tuning.of(model, judge_of(None, 1, 1), rate=1e-3)
    before = {name: tensor.clone() for name, tensor in tuning.network.state_dict().items()}
    tuning.advance(drawn(0, 2))
    assert all(not torch.equal(tensor, before[name]) for name, tensor in tuning.network.named_parameters())
    tuning.save(tmp_path / "tuned.safetensors")
    loaded = load_interpolation_model(tmp_path / "tuned.safetensors")
    assert isinstance(loaded, Rife)
    one, other = torch.rand(2, 1, 3, 64, 64, generator=torch.Generator().manual_seed(0))
    with torch.no_grad():
        torch.testing.assert_close(
            loaded(one, other, 0.5), tuning.network(one, other, 0.5), atol=1e-5, rtol=0
        )


def test_training_lowers_the_loss(model):
    tuning = Tuning.of(model, judge_of(None, 1, 1), rate=5e-2)
    triplets = drawn(0, 2)
    losses = [tuning.advance(triplets)[0] for _ in range(12)]
    assert losses[-1] < losses[0]


def test_the_judge_of_people_adds_its_terms_and_stays_as_it_is(model, people_file):
    judge = judge_of(people_file, segmentation=1.0, keypoints=1.0)
    before = {name: tensor.clone() for name, tensor in judge.state_dict().items()}
    tuning = Tuning.of(model, judge, rate=1e-3)
    _, terms = tuning.advance(drawn(0, 2))
    assert terms.segmentation > 0 and terms.keypoints > 0
    assert all(torch.equal(tensor, before[name]) for name, tensor in judge.state_dict().items())


def test_frames_whose_sides_do_not_fit_the_network_are_made_in_their_size(model):
    tuning = Tuning.of(model, judge_of(None, 1, 1), rate=1e-3)
    assert in_the_middle(tuning.network, *torch.rand(2, 1, 3, 40, 70)).shape == (1, 3, 40, 70)


def test_a_run_tells_its_progress_and_writes_its_weights(model, people_file, tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(
        "kinograph.training.train_interpolation.unseen_triplets", lambda count: drawn(9, 2) * 2 - 1
    )
    train(Tuning.of(model, judge_of(people_file, 0.001, 0.1), 1e-4), 1, 2, tmp_path / "out.safetensors")
    assert load_file(tmp_path / "out.safetensors").keys() == published().keys()
    assert "unseen_db" in capsys.readouterr().out


def test_census_cares_for_what_stands_out_and_not_for_brightness():
    frames = torch.rand(1, 3, 24, 24, generator=torch.Generator().manual_seed(0)) * 0.5
    assert census_loss(frames + 0.3, frames) < 1e-4 < census_loss(frames.flip(-1), frames)
    assert own_loss(frames, frames).item() == pytest.approx(1e-3, rel=1e-3)


def test_what_people_look_like_comes_from_the_clip():
    face, shapes = seen(0), seen(3)
    assert face.picture.shape == (3, 96, 96) and face.heatmaps.shape == (LANDMARKS, 24, 24)
    person, mouth, _ = face.segments
    assert person.sum() > 100 and 0 < mouth.sum() < person.sum()
    peaks = face.heatmaps.flatten(1).argmax(dim=1)
    inside = person.view(24, 2, 24, 2).amax(dim=(1, 3)).flatten()
    assert inside[peaks].float().mean() > 0.8
    assert shapes.segments[0].sum() == 0 and shapes.heatmaps.sum() == 0 and shapes.segments[2].sum() > 50


def test_the_judge_learns_and_loads(tmp_path, monkeypatch):
    monkeypatch.setattr(train_people, "FIRST_UNSEEN_SEED", 0)
    torch.manual_seed(0)
    network = PeopleNetwork(8)
    given = train_people.batch(0, 4)
    before = train_people.people_loss(network, given).item()
    train_people.train(network, 6, 4, tmp_path / "people.safetensors")
    assert train_people.people_loss(network, given).item() < before
    loaded = load_people(tmp_path / "people.safetensors")
    assert all(torch.equal(*pair) for pair in zip(loaded(given.picture), network(given.picture), strict=True))
    assert people.SEGMENTS[0] == "person"
