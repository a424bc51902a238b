"""Fetching a model leaves it whole and verified, or leaves nothing."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from kinograph.host.models.catalogue import Model, ModelError
from kinograph.host.models.fetch import get_model, state_of
from safetensors import safe_open
from safetensors.torch import load_file

FOLDER = "kinograph/examples"


def fetch(model: Model, models: Path, obtain) -> list[str]:
    said: list[str] = []
    get_model(model, models, obtain, said.append)
    return said


def left_in(models: Path) -> list[str]:
    return sorted(path.name for path in models.rglob("*") if path.is_file() or path.name.startswith("."))


def test_a_pickle_becomes_safetensors_with_plain_keys_and_the_same_values(model, shop, tmp_path):
    fetch(model, tmp_path, shop)
    weights = load_file(tmp_path / FOLDER / "net.safetensors")
    assert weights["head.weight"].tolist() == [[0, 3], [1, 4], [2, 5]]
    assert weights["steps"].dtype == torch.int64 and weights["steps"] == 7


def test_the_file_carries_its_origin_and_licence(model, shop, tmp_path):
    fetch(model, tmp_path, shop)
    with safe_open(tmp_path / FOLDER / "net.safetensors", "pt") as file:
        card = file.metadata()
    assert card["package"] == "pypi package example 1.0"
    assert card["licence"] == "MIT, Copyright (c) 2020 Ada Example"
    assert "Ada Example" in (tmp_path / FOLDER / "example.licence.txt").read_text()


def test_ncnns_weights_become_safetensors_that_carry_their_graph(ncnn_model, shop, tmp_path):
    fetch(ncnn_model, tmp_path, shop)
    path = tmp_path / FOLDER / "net.safetensors"
    assert load_file(path)["slopes.slope"].tolist() == [0.5, 0.25]
    with safe_open(path, "pt") as file:
        assert file.metadata()["ncnn"].splitlines()[3].startswith("PReLU")
    assert state_of(ncnn_model, tmp_path) == "installed"


def test_a_graph_with_another_hash_is_refused_and_nothing_is_kept(ncnn_model, shop, tmp_path):
    shop.members["pack/slopes.param"] = shop.members["pack/slopes.param"].replace(b"slopes", b"_lopes")
    with pytest.raises(ModelError, match="not the file the catalogue names"):
        fetch(ncnn_model, tmp_path, shop)
    assert left_in(tmp_path / FOLDER) == []


def test_licence_and_size_are_shown_before_the_download(model, tmp_path):
    said: list[str] = []

    def obtain(package, folder):
        assert "licence MIT, Copyright (c) 2020 Ada Example" in "\n".join(said)
        assert "MB to download" in "\n".join(said)
        raise ModelError("the network is down")

    with pytest.raises(ModelError, match="network is down"):
        get_model(model, tmp_path, obtain, said.append)


def test_a_model_that_is_there_is_verified_and_not_fetched_again(model, shop, without_network, tmp_path):
    fetch(model, tmp_path, shop)
    assert state_of(model, tmp_path) == "installed"
    assert "already in" in fetch(model, tmp_path, without_network)[0]


@pytest.mark.parametrize("name", ["net.safetensors", "net.param"])
def test_a_damaged_file_is_noticed_and_replaced(model, shop, tmp_path, name):
    fetch(model, tmp_path, shop)
    path = tmp_path / FOLDER / name
    path.write_bytes(path.read_bytes()[:-1])
    assert state_of(model, tmp_path) == "damaged"
    assert "damaged" in fetch(model, tmp_path, shop)[0]
    assert state_of(model, tmp_path) == "installed"
    assert shop.downloads == 2


@pytest.mark.parametrize("content", [b"", b"no tensors", (8).to_bytes(8, "little") + b"not json"])
def test_any_bytes_in_place_of_the_tensors_count_as_damaged(model, shop, tmp_path, content):
    fetch(model, tmp_path, shop)
    (tmp_path / FOLDER / "net.safetensors").write_bytes(content)
    assert state_of(model, tmp_path) == "damaged"


def test_a_file_with_another_hash_is_refused_and_nothing_is_kept(model, shop, tmp_path):
    shop.members["pack/net.param"] = b"7767517\nanother network, same length\n"[
        : len(shop.members["pack/net.param"])
    ]
    with pytest.raises(ModelError, match="not the file the catalogue names"):
        fetch(model, tmp_path, shop)
    assert left_in(tmp_path / FOLDER) == []


def test_a_package_under_another_licence_is_refused(model, shop, tmp_path):
    shop.members["pack/LICENSE"] = b"All rights reserved"
    with pytest.raises(ModelError, match="licence is not the one the catalogue names"):
        fetch(model, tmp_path, shop)
    assert left_in(tmp_path / FOLDER) == []


@pytest.mark.parametrize("reason", [KeyboardInterrupt(), OSError("No space left on device")])
def test_an_interrupt_in_the_download_leaves_nothing(model, tmp_path, reason):
    def obtain(package, folder):
        (folder / package.archive).write_bytes(b"half")
        raise reason

    with pytest.raises(type(reason)):
        fetch(model, tmp_path, obtain)
    assert left_in(tmp_path / FOLDER) == []


def test_an_interrupt_in_the_conversion_leaves_nothing(model, shop, tmp_path, monkeypatch):
    def interrupted(source, target, metadata):
        target.write_bytes(b"half")
        raise KeyboardInterrupt

    monkeypatch.setattr("kinograph.host.models.fetch.pickle_to_safetensors", interrupted)
    with pytest.raises(KeyboardInterrupt):
        fetch(model, tmp_path, shop)
    assert left_in(tmp_path / FOLDER) == []


def test_a_failed_refetch_keeps_the_old_files(copied_only, shop, tmp_path):
    fetch(copied_only, tmp_path, shop)
    damaged = tmp_path / FOLDER / "net.param"
    damaged.write_bytes(b"mine")
    shop.members["pack/net.param"] = b"wrong"
    with pytest.raises(ModelError):
        fetch(copied_only, tmp_path, shop)
    assert damaged.read_bytes() == b"mine"
