"""Quantised attention on a MODEL, in the embedded host."""

from __future__ import annotations

import pytest
import torch
from attention.test_sparse_attention_node import TILES, film, model, sparse, told  # noqa: F401
from kinograph.kernels.attention.block_dispatch import BackendRefused
from kinograph.nodes.attention.nodes import KinoQuantizedAttention

SETTINGS = {"start_percent": 0.0, "end_percent": 1.0, "dense_layers": 0, "layers": "", "backend": "auto"}
SAGE = {"method": "sageattention2"}


def quantised(model, method=SAGE, **settings):  # noqa: F811
    return KinoQuantizedAttention.execute(model, method=method, **{**SETTINGS, **settings}).args[0]


def far(model, method) -> float:  # noqa: F811
    exact = film(model)
    return float((film(quantised(model, method)) - exact).norm() / exact.norm())


def test_fewer_bits_are_further_from_the_film_of_exact_attention(model):  # noqa: F811
    errors = [
        far(model, {**SAGE, "query_key": kind, "grain": "thread", "weights_value": "fp16"})
        for kind in ("int8", "int4")
    ]
    assert 0 < errors[0] < errors[1] < 0.2


def test_the_report_says_what_ran_and_why(model):  # noqa: F811
    patched = quantised(model)
    film(patched)
    report = told(patched)
    assert "8 of 8 calls of self-attention were quantised." in report
    assert "By simulation, queries and keys int8: 8." in report
    assert "triton was not taken: " in report and "saves no time" in report


@pytest.mark.parametrize(("similarity", "kind"), [(0.0, "int4"), (1.0, "int8")])
def test_layers_choose_their_bits_by_the_similarity_asked_for(model, similarity, kind):  # noqa: F811
    patched = quantised(model, {**SAGE, "query_key": "int4 or int8", "similarity": similarity})
    film(patched)
    assert f"queries and keys {kind}: 8." in told(patched)


def test_the_kernel_by_name_is_an_error_where_it_cannot_run(model):  # noqa: F811
    if torch.cuda.is_available():
        pytest.skip("here it can run")
    with pytest.raises(BackendRefused, match="'triton' cannot be used here"):
        film(quantised(model, backend="triton"))


def test_what_sparse_attention_leaves_dense_is_quantised(model):  # noqa: F811
    both = sparse(quantised(model), TILES, layers="1")
    film(both)
    report = told(both)
    assert "4 of 4 calls of self-attention were quantised." in report
    assert "4 of 8 calls of self-attention were sparse." in report
