"""What only a GPU can show: kernels at real sizes against the reference, without copies or waiting."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch
from interpolation.scan_values import largest_error, scan_inputs
from kinograph.kernels.attention import (
    block_dispatch,
    flex,
    gathered,
    naive,
    quantized,
    triton_block,
    triton_quantized,
)
from kinograph.kernels.attention.block_mask import BlockMask, even_edges
from kinograph.kernels.attention.quantized import Quantization
from kinograph.kernels.scan import dispatch as scan_dispatch
from kinograph.kernels.scan import naive as naive_scan
from torch import Tensor

pytestmark = pytest.mark.skipif(not torch.cuda.is_available(), reason="there is no CUDA GPU")

INT8 = Quantization(query_key="int8", weights_value="fp16", grain="block", smooth_query=False)
BOUNDS = {torch.bfloat16: 1e-2, torch.float16: 2e-3}


def heads(*shape: int, dtype: torch.dtype = torch.bfloat16, seed: int = 0) -> Tensor:
    """[B,H,S,D] as a view of [B,S,H,D], as networks have it."""
    batch, count, tokens, width = shape
    generator = torch.Generator("cuda").manual_seed(seed)
    made = torch.randn(batch, tokens, count, width, generator=generator, device="cuda")
    return made.to(dtype).transpose(1, 2)


def some_mask(queries: int, keys: int, block: int, groups: int = 1, density: float = 0.3) -> BlockMask:
    edges, key_edges = even_edges(queries, block), even_edges(keys, block)
    shape = (groups, len(edges) - 1, len(key_edges) - 1)
    kept = torch.rand(shape, generator=torch.Generator().manual_seed(block)) < density
    kept[..., -1] |= ~kept.any(-1)
    return BlockMask.of(kept, edges, key_edges).to("cuda")


def relative_error(made: Tensor, wanted: Tensor) -> float:
    return float((made.double() - wanted.double()).norm() / wanted.double().norm())


def extra_memory(call, *given) -> int:
    """Bytes that a call takes at most beyond what it returns; the second time, when all is compiled."""
    call(*given)
    torch.cuda.synchronize()
    torch.cuda.reset_peak_memory_stats()
    before = torch.cuda.memory_allocated()
    made = call(*given)
    torch.cuda.synchronize()
    return torch.cuda.max_memory_allocated() - before - made.nbytes


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16])
@pytest.mark.parametrize(
    ("width", "block"), [(32, 32), (64, 64), (128, 128), (128, 64), (96, 128), (256, 64)]
)
@pytest.mark.parametrize("groups", [1, 4])
def test_triton_is_the_reference(dtype, width, block, groups):
    query = heads(2, 2, 1000, width, dtype=dtype)
    key, value = (heads(2, 2, 3001, width, dtype=dtype, seed=seed) for seed in (1, 2))
    mask = some_mask(1000, 3001, block, groups)
    assert triton_block.refusal(query, key, value, mask) is None
    made, lse = triton_block.attend_with_lse(query, key, value, mask)
    wanted = naive.attend_blocks(query.float(), key.float(), value.float(), mask)
    assert relative_error(made, wanted) <= BOUNDS[dtype]
    allowed = mask.allowed("cuda").expand(4, -1, -1).unflatten(0, (2, 2))
    logits = (query.float() * width**-0.5) @ key.float().mT
    assert (lse - logits.masked_fill(~allowed, float("-inf")).logsumexp(-1)).abs().max() <= 1e-3


@pytest.mark.parametrize("width", [64, 128])
@pytest.mark.parametrize("groups", [1, 4])
def test_triton_over_blocks_of_any_size(width, groups):
    generator = torch.Generator().manual_seed(width)
    sizes = torch.randint(1, 300, (12,), generator=generator)
    edges = torch.cat([torch.zeros(1, dtype=torch.int64), sizes.cumsum(0)])
    kept = torch.rand(groups, 12, 12, generator=generator) < 0.4
    kept[..., 5] |= ~kept.any(-1)
    mask = BlockMask.of(kept, edges).to("cuda")
    query, key, value = (heads(2, 2, mask.keys, width, seed=seed) for seed in range(3))
    made = triton_block.attend(query, key, value, mask)
    wanted = naive.attend_blocks(query.float(), key.float(), value.float(), mask)
    assert relative_error(made, wanted) <= 1e-2


@pytest.mark.parametrize("width", [64, 128])
def test_triton_in_float32(width):
    query, key, value = (heads(1, 2, 700, width, dtype=torch.float32, seed=seed) for seed in range(3))
    mask = some_mask(700, 700, 64)
    made = triton_block.attend(query, key, value, mask)
    assert (made - naive.attend_blocks(query, key, value, mask)).abs().max() <= 1e-5


@pytest.mark.parametrize("backend", [flex, gathered], ids=["flex", "gathered"])
@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16])
@pytest.mark.parametrize("groups", [1, 4])
def test_other_backends_are_the_reference(backend, dtype, groups):
    query, key, value = (heads(2, 2, 1111, 64, dtype=dtype, seed=seed) for seed in range(3))
    mask = some_mask(1111, 1111, 128, groups)
    made = backend.attend(query, key, value, mask)
    assert relative_error(made, naive.attend_blocks(query.float(), key.float(), value.float(), mask)) <= 1e-2


def test_triton_is_chosen_and_sorts_tokens():
    query, key, value = (heads(1, 2, 2048, 128, seed=seed) for seed in range(3))
    mask = some_mask(2048, 2048, 128)
    mask = replace(mask, order=torch.randperm(2048, generator=torch.Generator().manual_seed(0)).cuda())
    choice = block_dispatch.choose(query, key, value, mask)
    assert choice.backend.name == "triton", choice.refused
    made = block_dispatch.attend(query, key, value, mask, choice)
    sorted_ones = (x.index_select(2, mask.order).float() for x in (query, key, value))
    wanted = naive.attend_blocks(*sorted_ones, mask)
    assert relative_error(made.index_select(2, mask.order), wanted) <= 1e-2


def test_triton_copies_nothing_and_waits_for_nothing():
    query, key, value = (heads(1, 8, 8192, 128, seed=seed) for seed in range(3))
    mask = some_mask(8192, 8192, 128)
    assert extra_memory(triton_block.attend, query, key, value, mask) < 1 << 20
    torch.cuda.set_sync_debug_mode("error")
    try:
        triton_block.attend(query, key, value, mask)
    finally:
        torch.cuda.set_sync_debug_mode("default")


def test_the_last_of_more_than_two_thousand_million_numbers():
    if torch.cuda.mem_get_info()[0] < 30 << 30:
        pytest.skip("it takes 30 GB of GPU memory")
    tokens, count = 120_000, 150
    query = torch.randn(1, count, tokens, 128, device="cuda", dtype=torch.bfloat16)
    mask = some_mask(tokens, tokens, 128, density=0.002)
    made = triton_block.attend(query, query, query, mask)
    alone = query[:, -1:].clone()
    assert torch.equal(made[:, -1:], triton_block.attend(alone, alone, alone, mask))


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16])
@pytest.mark.parametrize("width", [64, 96, 128])
@pytest.mark.parametrize("smooth", [False, True])
@pytest.mark.parametrize("weights_value", ["fp16", "fp8"])
def test_int8_kernels_are_the_simulation(dtype, width, smooth, weights_value):
    query, key, value = (heads(1, 4, 2000, width, dtype=dtype, seed=seed) for seed in range(3))
    options = replace(INT8, weights_value=weights_value, smooth_query=smooth)
    if reason := triton_quantized.refusal(query, key, value, options):
        pytest.skip(reason)
    made = triton_quantized.attend(query, key, value, options)
    assert relative_error(made, quantized.attend(query.float(), key.float(), value.float(), options)) <= 1e-2


@pytest.mark.parametrize("block", [64, 128])
def test_int8_kernels_over_lists_of_blocks(block):
    query, key, value = (heads(1, 4, 2000, 128, seed=seed) for seed in range(3))
    mask = some_mask(2000, 2000, block, groups=4)
    made = triton_quantized.attend(query, key, value, INT8, mask)
    wanted = naive.attend_blocks(query.float(), key.float(), value.float(), mask)
    assert relative_error(made, wanted) <= 0.03


@pytest.mark.parametrize("smooth", [False, True])
def test_int8_kernels_take_no_more_memory_than_two_of_the_queries(smooth):
    query, key, value = (heads(1, 8, 8192, 128, seed=seed) for seed in range(3))
    options = replace(INT8, weights_value="fp8", smooth_query=smooth)
    if reason := triton_quantized.refusal(query, key, value, options):
        pytest.skip(reason)
    assert extra_memory(triton_quantized.attend, query, key, value, options) <= 2 * query.nbytes


@pytest.mark.parametrize("backend", ["triton", "chunked"])
@pytest.mark.parametrize(("tokens", "channels"), [(1, 8), (777, 100), (3000, 512)])
def test_scans_are_the_reference(backend, tokens, channels):
    values = [tensor.cuda() for tensor in scan_inputs(2, tokens, 4, channels, 16)]
    made = scan_dispatch.selective_scan(*values, backend=backend)
    assert largest_error(made, naive_scan.selective_scan(*values)) <= 1e-4


def test_triton_scans_take_no_memory_of_their_own():
    *values, _ = (tensor.cuda() for tensor in scan_inputs(1, 8192, 4, 256, 16))
    assert scan_dispatch.choose(values[0], values[2]).backend.name == "triton"
    y = values[0].nbytes
    assert extra_memory(lambda *given: scan_dispatch.selective_scan(*given)[0], *values) < y / 8
