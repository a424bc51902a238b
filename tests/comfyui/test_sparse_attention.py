"""Sparse attention in a real ComfyUI: on core's models and on ours, beside other packs' overrides."""

from __future__ import annotations

import json

import pytest
from comfyui.client import NodeFailed, node
from comfyui.test_sampling import (
    CLOSE,
    KEPT,
    LOADERS,
    SHARED,
    compared,
    core_sampler,
    files,  # noqa: F401
    kino_sampler,
    latent,
    prompts,
)

ALL = {"method.reach_frames": 99, "method.reach_rows": 99, "method.reach_columns": 99}
NEAR = {"method.reach_frames": 1, "method.reach_rows": 0, "method.reach_columns": 1}
TILE = {"method.tile_frames": 1, "method.tile_rows": 1, "method.tile_columns": 1}


def sparse(model: str = "model", method: str = "sliding_tile", **inputs) -> dict:
    given = {"start_percent": 0.0, "dense_layers": 0, **inputs}
    return node("KinoSparseAttention", model=[model, 0], method=method, **given)


def near(**inputs) -> dict:
    return sparse(**TILE, **NEAR, **inputs)


FAMILIES = {
    "core's Wan": {"model": LOADERS["core's"], **SHARED},
    "our Wan": {"model": LOADERS["ours"], **SHARED},
    "LTX": {
        "model": node("SmallCoreModel", family="ltx"),
        **prompts(64, masked=True),
        "latent": node("RandomLatent", frames=3, channels=128),
    },
    "Hunyuan": {
        "model": node("SmallCoreModel", family="hunyuan"),
        **prompts(64),
        "latent": node("RandomLatent", frames=3),
    },
}


def run_of(comfyui, shared: dict, patch: dict, sampler=core_sampler) -> str:
    """The report of a film."""
    graph = {
        **shared,
        "sparse": patch,
        "film": sampler("sparse"),
        "report": node("KinoAttentionReport", model=["sparse", 0], latent=["film", 0]),
        "show": node("PreviewAny", source=["report", 1]),
    }
    return comfyui.run(graph)["show"]["text"][0]


@pytest.mark.parametrize("family", FAMILIES)
def test_windows_change_the_film_and_windows_over_everything_do_not(comfyui, family):
    plain = {**FAMILIES[family], "film": core_sampler()}
    for patch, least, most in ((near(), CLOSE, 1e9), (sparse(**TILE, **ALL, backend="gathered"), 0, CLOSE)):
        changed = {**FAMILIES[family], "sparse": patch, "film": core_sampler("sparse")}
        assert least <= compared(comfyui, plain, changed)["difference"] < most
    report = run_of(comfyui, FAMILIES[family], near())
    assert report.startswith("8 of 8 calls of self-attention were sparse."), report


@pytest.mark.parametrize("method", ["radial", "vmoba", "block_top_k", "freeswim"])
def test_our_network_and_cores_make_the_same_film_with_a_method(comfyui, method):
    options = {"method.block": 16} if method in ("radial", "block_top_k") else {}
    options |= {"method.native_height": 16, "method.native_width": 16} if method == "freeswim" else {}
    patch = sparse(method=method, **options)
    films = [
        {"model": loader, **SHARED, **latent(9, 96, 80), "sparse": patch, "film": core_sampler("sparse")}
        for loader in LOADERS.values()
    ]
    facts = compared(comfyui, *films)
    assert facts["difference"] < CLOSE < facts["spread"]


def test_an_override_of_another_pack_is_called_for_what_stays_dense(comfyui):
    graph = {
        "model": LOADERS["core's"],
        **SHARED,
        "hooked": node("CountHooks", model=["model", 0], name="sparse"),
        "sparse": sparse("hooked", **TILE, **NEAR, dense_layers=1),
        "film": core_sampler("sparse"),
        "counts": node("HookCounts", name="sparse", samples=["film", 0]),
        "show": node("PreviewAny", source=["counts", 0]),
    }
    counts = json.loads(comfyui.run(graph)["show"]["text"][0])
    seen = {key: count for key, count in counts.items() if key.startswith("attention")}
    # both attentions of the first block, and the attention to the text in the second
    assert sum(count for key, count in seen.items() if key.startswith("attention 0")) == 8
    assert sum(count for key, count in seen.items() if key.startswith("attention 1")) == 4


def test_it_works_within_context_windows(comfyui):
    shared = {**FAMILIES["core's Wan"], **latent(25)}
    windows = node("WanContextWindowsManual", model=["sparse", 0], context_length=13, context_overlap=5)
    graph = {**shared, "sparse": near(), "windows": windows, "film": core_sampler("windows")}
    dense = {**graph, "sparse": near(end_percent=0.0)}
    facts = compared(comfyui, graph, dense)
    assert facts["difference"] > CLOSE and facts["shape"] == [1, 16, 7, 4, 6]


def test_two_prompts_at_two_sizes_in_a_row(comfyui):
    for size in ((9, 48, 32), (5, 64, 48), (9, 48, 32)):
        graph = {**FAMILIES["core's Wan"], **latent(*size), "sparse": near(), "film": kino_sampler("sparse")}
        assert compared(comfyui, graph, graph)["difference"] < KEPT


def test_a_map_tells_what_is_kept(comfyui):
    given = {"positive": ["positive", 0], "latent": ["latent", 0]}
    graph = {
        **FAMILIES["core's Wan"],
        "sparse": near(),
        "map": node("KinoAttentionMap", model=["sparse", 0], **given),
        "show": node("PreviewAny", source=["map", 1]),
    }
    assert "Sparse attention keeps" in comfyui.run(graph)["show"]["text"][0]


def test_a_backend_that_cannot_run_here_is_an_error_with_its_reason(comfyui):
    graph = {**FAMILIES["our Wan"], "sparse": near(backend="triton"), "film": core_sampler("sparse")}
    graph["show"] = node("SaveLatent", samples=["film", 0])
    with pytest.raises(NodeFailed, match="'triton' cannot be used here"):
        comfyui.run(graph)
