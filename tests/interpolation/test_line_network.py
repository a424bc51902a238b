"""The published network for matching line drawings: its file layout, and what it computes."""

from __future__ import annotations

import pickle
import sys
import types
from pathlib import Path

import numpy as np
import pytest
import torch
from interpolation.line_drawings import HEIGHT, WIDTH, random_graph
from interpolation.small_line_network import network
from kinograph.nodes.interpolation.line_graph import LineGraph
from kinograph.nodes.interpolation.line_network import (
    SPECTRUM,
    LineNetwork,
    load_line_network,
    spectral_places,
)
from kinograph.nodes.interpolation.transport import log_transport, mutual_matches, shares_both_ways
from kinograph.nodes.vae.weights_file import WeightsError
from safetensors.torch import save_file

PLAN = [-7.9887, -8.19144, -9.78876, -5.71061]
DESCRIBED = [1.65872, -3.89279, 2.13879, 1.6569]
MOTION = [-12.8508, 36.2268]
COUNTS = (16, 29)


def pair() -> tuple[LineGraph, LineGraph]:
    first, second = random_graph(1), random_graph(2, 26)
    return tuple(LineGraph.of(one.vertices.round(), one.edges, WIDTH, HEIGHT) for one in (first, second))


def test_its_keys_are_the_published_ones():
    keys = set(network(2).state_dict())
    assert {
        "corr.kenc.encoder.0.weight",
        "corr.kenc.encoder.3.bias",
        "corr.tenc.encoder.0.weight",
        "corr.tenc.encoder.3.weight",
        "corr.gnn.layers.1.attn.merge.weight",
        "corr.gnn.layers.1.attn.proj.2.weight",
        "corr.gnn.layers.1.mlp.3.weight",
        "corr.final_proj.weight",
        "corr.bin_score",
        "corr.vertex_desc.encoder.layer3.weight",
        "mask_map.0.weight",
        "mask_map.3.bias",
    } <= keys


def test_it_computes_what_the_published_code_computes():
    """The numbers come from the authors' code with these weights and drawings."""
    made = network()
    first, second = pair()
    with torch.no_grad():
        plan, one, _ = made.corr(first, second)
    torch.testing.assert_close(plan[0, 0, :4], torch.tensor(PLAN), rtol=1e-4, atol=1e-4)
    torch.testing.assert_close(one[0, :4, 0], torch.tensor(DESCRIBED), rtol=1e-4, atol=1e-4)
    found = made.correspondence(first, second)
    np.testing.assert_allclose(found.motions[0][3], MOTION, rtol=1e-3)
    assert (int((found.matches >= 0).sum()), int((found.lasting[0] > 0.5).sum())) == COUNTS


def test_vertices_in_another_order_give_the_same_pairs():
    first, second = pair()
    order = np.random.default_rng(0).permutation(len(first.vertices))
    place = np.argsort(order)
    shuffled = LineGraph.of(first.vertices[order], place[first.edges], WIDTH, HEIGHT)
    one, other = (network().correspondence(graph, second) for graph in (first, shuffled))
    assert (other.matches == one.matches[order]).all()
    np.testing.assert_allclose(other.motions[0], one.motions[0][order], rtol=1e-3, atol=1e-2)


@pytest.mark.parametrize("form", ["whole", "parallel", "matcher"])
def test_files_in_every_form_are_read(tmp_path, form):
    weights = network().state_dict()
    if form == "parallel":
        weights = {f"module.{key}": value for key, value in weights.items()}
    if form == "matcher":
        inner = {key.removeprefix("corr."): value for key, value in weights.items() if "mask_map" not in key}
        torch.save({"model": inner, "epoch": 50}, tmp_path / "net.pt")
    else:
        torch.save({"model": weights, "epoch": 20}, tmp_path / "net.pt")
    read = load_line_network(tmp_path / "net.pt")
    found, expected = (one.correspondence(*pair()) for one in (read, network()))
    assert (found.matches == expected.matches).all()
    assert (found.lasting[0] == 0.5).all() or form != "matcher"


def test_the_authors_settings_in_the_file_are_read_as_plain_values(tmp_path, monkeypatch):
    class EasyDict(dict):
        def __setattr__(self, name, value):
            dict.__setattr__(self, name, value)
            self[name] = value

    EasyDict.__module__, EasyDict.__qualname__ = "easydict", "EasyDict"
    monkeypatch.setitem(sys.modules, "easydict", types.SimpleNamespace(EasyDict=EasyDict))
    settings = EasyDict()
    settings.lr = 1e-4
    torch.save({"model": network().state_dict(), "config": settings}, tmp_path / "net.pt")
    monkeypatch.delitem(sys.modules, "easydict")
    assert isinstance(load_line_network(tmp_path / "net.pt"), LineNetwork)


def test_a_file_that_would_run_code_is_refused(tmp_path):
    class Evil:
        def __reduce__(self):
            return (Path.touch, (tmp_path / "ran",))

    torch.save({"model": network().state_dict(), "config": Evil()}, tmp_path / "net.pt", pickle_module=pickle)
    with pytest.raises(WeightsError, match="more than tensors"):
        load_line_network(tmp_path / "net.pt")
    assert not (tmp_path / "ran").exists()


def test_another_network_is_refused(tmp_path):
    save_file({"conv.weight": torch.zeros(2, 2)}, tmp_path / "net.safetensors")
    with pytest.raises(WeightsError, match="no AnimeInbet network"):
        load_line_network(tmp_path / "net.safetensors")


def test_a_drawing_of_one_vertex_is_refused():
    lone = LineGraph.of([(5, 5)], [], WIDTH, HEIGHT)
    with pytest.raises(ValueError, match="1 and 26 vertices"):
        network().correspondence(lone, pair()[1])


def test_the_spectrum_solves_the_random_walk():
    graph = pair()[0]
    count = len(graph.vertices)
    found = spectral_places(graph)
    assert found.shape == (count, SPECTRUM)
    assert not found[:, count - 2 :].any()
    walk = 2 * np.eye(count)
    for a, b in graph.edges:
        walk[a, b] = walk[b, a] = 2
    walk /= walk.sum(axis=1, keepdims=True)
    values = np.sort(np.linalg.eigvals(walk).real)[::-1]
    for column in (0, 1, 5):
        stepped = np.abs(walk @ _signed(walk, values[column + 1]))
        np.testing.assert_allclose(
            stepped / np.linalg.norm(stepped), found[:, column] / np.linalg.norm(found[:, column]), atol=1e-6
        )


def _signed(walk: np.ndarray, value: float) -> np.ndarray:
    values, vectors = np.linalg.eig(walk)
    return vectors[:, np.abs(values - value).argmin()].real


def test_transport_gives_each_its_share():
    scores = torch.randn(1, 7, 5, generator=torch.Generator().manual_seed(0))
    plan = log_transport(scores, 0.3, 200)[0].exp()
    torch.testing.assert_close(plan[:-1].sum(dim=1), torch.ones(7), rtol=1e-3, atol=1e-3)
    torch.testing.assert_close(plan[:, :-1].sum(dim=0), torch.ones(5), rtol=1e-3, atol=1e-3)
    sharp = log_transport(20 * torch.eye(4)[None], 0.0, 50)[0, :-1, :-1].exp()
    assert mutual_matches(sharp, 0.5).tolist() == [0, 1, 2, 3]
    assert mutual_matches(torch.zeros(3, 0), 0.5).tolist() == [-1, -1, -1]


def test_choices_of_both_sides_are_multiplied():
    scores = torch.tensor([[2.0, 1.0], [0.0, 3.0], [1.0, -1.0]])
    whole = [
        torch.nn.functional.pad(scores, pad).softmax(dim=axis)
        for pad, axis in (((0, 1), 1), ((0, 0, 0, 1), 0))
    ]
    torch.testing.assert_close(shares_both_ways(scores, 0.0), whole[0][:, :-1] * whole[1][:-1])
