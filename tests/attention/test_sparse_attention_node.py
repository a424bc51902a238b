"""Sparse attention on a MODEL, in the embedded host."""

from __future__ import annotations

import pytest
import torch
from generation.wan_files import prompt, write_wan
from kinograph.host.core.nodes_sampling import KSampler
from kinograph.kernels.attention.block_dispatch import BackendRefused
from kinograph.nodes.attention.nodes import KinoAttentionReport, KinoSparseAttention
from kinograph.nodes.film_attention import attentions_of
from kinograph.nodes.model import load_video_model

SETTINGS = {"start_percent": 0.0, "end_percent": 1.0, "dense_layers": 0, "layers": "", "backend": "auto"}
WINDOW = {"method": "freeswim", "native_height": 64, "native_width": 64, "cross_override": False}
ALL = {"method": "radial", "rule": "hunyuan", "decay": 100.0, "block": 16}
TILES = {"method": "sliding_tile", "tile_frames": 1, "tile_rows": 4, "tile_columns": 4, "reach_frames": 0}
METHODS = [
    {"method": "radial", "block": 16, "decay": 0.2},
    {"method": "vmoba", "query_block": 16, "tile_rows": 2, "tile_columns": 3},
    {"method": "block_top_k", "block": 16},
    WINDOW,
    TILES,
]


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    path = write_wan(tmp_path_factory.mktemp("models") / "wan.safetensors")
    return load_video_model(str(path), "auto", "auto").model


def latent(frames: int = 2, height: int = 12, width: int = 16) -> dict:
    return {"samples": torch.zeros(1, 16, frames, height, width)}


def sparse(model, method, **settings):
    return KinoSparseAttention.execute(model, method=method, **{**SETTINGS, **settings}).args[0]


def film(model, given=None, cfg=1.0, steps=4):
    given = latent() if given is None else given
    made = KSampler.execute(model, 3, steps, cfg, "euler", "simple", prompt(1), prompt(2), given, 1.0)
    return made.args[0]["samples"]


def told(model) -> str:
    return KinoAttentionReport.execute(model, latent()).args[1]


@pytest.mark.parametrize("method", METHODS, ids=lambda method: method["method"])
def test_a_method_changes_the_film_and_tells_how_far_from_dense_it_is(model, method):
    patched = sparse(model, method)
    given = latent(20, 12, 12)
    made = film(patched, given, cfg=3.0, steps=1)
    assert made.isfinite().all() and not torch.equal(made, film(model, given, cfg=3.0, steps=1))
    report = told(patched)
    assert "calls of self-attention were sparse" in report
    assert "By gathered: " in report
    assert "Distance to exact attention" in report


def test_windows_over_everything_change_nothing(model):
    patched = sparse(model, ALL)
    torch.testing.assert_close(film(patched), film(model), rtol=1e-4, atol=1e-4)
    assert "By dense: 8." in told(patched)


@pytest.mark.parametrize(
    "part", [{"end_percent": 0.0}, {"start_percent": 1.0}, {"dense_layers": 2}, {"layers": "5"}]
)
def test_outside_its_schedule_it_changes_no_bit_and_says_so(model, part):
    patched = sparse(model, TILES, **part)
    assert torch.equal(film(patched), film(model))
    assert "Dense in 8 calls: the " in told(patched)


def test_steps_and_layers_of_the_schedule_are_counted(model):
    patched = sparse(model, TILES, start_percent=0.5, dense_layers=1)
    film(patched)
    run = attentions_of(patched)[0].report
    assert run.changed.total() == 2  # two of four steps, one of two layers
    assert run.dense == {"the step is outside the schedule": 4, "the layer is outside the schedule": 2}


def test_an_override_that_was_there_is_called_for_what_stays_dense(model):
    calls = []

    def override(func, q, k, v, heads, mask=None, **named):
        calls.append(q.shape == k.shape)
        return func(q, k, v, heads, mask=mask, **named)

    other = model.clone()
    other.model_options["transformer_options"]["optimized_attention_override"] = override
    film(sparse(other, TILES, dense_layers=1))
    assert calls.count(True) == 4  # the first layer of four steps
    assert calls.count(False) == 8  # the text in both


def test_two_films_of_different_sizes_in_a_row(model):
    patched = sparse(model, TILES)
    film(patched)
    small = film(patched, latent(1, 8, 12))
    assert torch.equal(small, film(sparse(model, TILES), latent(1, 8, 12)))


def test_two_methods_on_one_model_share_the_layers(model):
    first = sparse(model, TILES, layers="0")
    both = sparse(first, WINDOW, layers="1")
    film(both)
    assert [one.report.changed.total() for one in attentions_of(both)] == [4, 4]
    assert told(both).count("4 of ") == 2


def test_a_backend_that_is_named_and_cannot_run_stops_the_film(model):
    with pytest.raises(BackendRefused, match="'flex' cannot be used here"):
        film(sparse(model, TILES, backend="flex"))


def test_a_report_needs_a_model_with_sparse_attention(model):
    with pytest.raises(ValueError, match="this model attends as it always does"):
        told(model)


def test_a_report_before_any_run_says_what_to_wire(model):
    assert told(sparse(model, TILES)).startswith("Nothing has been sampled")


@pytest.mark.parametrize("text", ["a", "1-", "3-1", "1,,2", "-1"])
def test_layers_that_are_no_numbers_are_refused(model, text):
    with pytest.raises(ValueError, match="write numbers and ranges"):
        sparse(model, TILES, layers=text)


def test_a_window_over_the_frame_with_the_text_of_a_dense_pass_is_the_dense_film(model):
    method = {**WINDOW, "native_height": 4096, "native_width": 4096, "cross_override": True, "scale": False}
    torch.testing.assert_close(
        film(sparse(model, {**method, "cache_steps": 1})), film(model), rtol=1e-4, atol=1e-4
    )


def test_the_dense_pass_runs_once_in_so_many_steps(model):
    film_calls = []
    for cache_steps in (1, 2, 4):
        calls = []

        def count(executor, *given, calls=calls, **named):
            calls.append(1)
            return executor(*given, **named)

        patched = sparse(model, {**WINDOW, "cross_override": True, "cache_steps": cache_steps})
        patched.add_wrapper_with_key("diffusion_model", "count", count)
        film(patched)
        film_calls.append(len(calls))
    assert film_calls == [8, 6, 5]
