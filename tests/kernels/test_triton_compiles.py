"""Triton's kernels compile for cards that are not here, and fit into their shared memory."""

from __future__ import annotations

import os
from typing import Any

import pytest
from kinograph.kernels.attention.block_mask import BlockMask
from kinograph.kernels.attention.tile_plan import tiles_for
from kinograph.kernels.attention.triton_block import STAGES

SHARED_MEMORY = {80: 166912, 86: 101376, 89: 101376, 90: 232448}
"""Bytes that one program may have, by compute capability."""
ALIGNED = ("batch", "head", "token", "channel", "sheet")
"""What the names of strides end in; all are multiples of 16 here."""


@pytest.fixture(autouse=True)
def _compiler() -> None:
    if os.environ.get("TRITON_INTERPRET") == "1":
        pytest.skip("the interpreter compiles nothing")
    triton = pytest.importorskip("triton", reason="triton is not installed")
    if "nvidia" not in triton.backends.backends:
        pytest.skip("this Triton has no compiler for NVIDIA")


def compiled(
    kernel: Any, pointers: dict[str, str], constants: dict[str, Any], card: int, **options: int
) -> Any:
    """A kernel for a card, its other arguments being whole numbers, `scale` and `factor` real ones."""
    from triton.backends.compiler import GPUTarget
    from triton.compiler import ASTSource, compile

    signature = {name: "fp32" if name in ("scale", "factor") else "i32" for name in kernel.arg_names}
    signature |= pointers | dict.fromkeys(constants, "constexpr")
    aligned = {
        (place,): [["tt.divisibility", 16]]
        for place, name in enumerate(kernel.arg_names)
        if name in pointers or (name not in constants and name.endswith(ALIGNED))
    }
    source = ASTSource(kernel, signature, constants, aligned)
    return compile(source, target=GPUTarget("cuda", card, 32), options=options)


@pytest.mark.parametrize(
    ("card", "kind", "channels", "block", "uneven"),
    [
        (90, "bf16", 128, 128, False),
        (90, "bf16", 128, 128, True),
        (86, "fp16", 256, 64, True),
        (86, "fp32", 64, 32, False),
    ],
)
def test_attention_over_lists(card, kind, channels, block, uneven):
    from kinograph.kernels.attention.block_kernel import attend_tile

    mask = BlockMask.full(8 * block, 8 * block, block)
    tiles = tiles_for(mask, channels, 4 if kind == "fp32" else 2, SHARED_MEMORY[card])
    pointers = dict.fromkeys(("query", "key", "value", "made"), f"*{kind}") | {"lse": "*fp32"}
    pointers |= dict.fromkeys(("tiles", "firsts", "lasts", "full", "counts"), "*i32")
    constants = {
        "WIDTH": channels, "CHANNELS": channels, "TILE_QUERIES": tiles.queries, "TILE_KEYS": tiles.keys,
        "UNEVEN": uneven, "WITH_LSE": True, "WIDEN": False,
    }  # fmt: skip
    made = compiled(attend_tile, pointers, constants, card, num_warps=tiles.warps, num_stages=STAGES)
    assert made.metadata.shared <= SHARED_MEMORY[card]
    assert ("wgmma" in made.asm["ptx"]) == (card == 90)


@pytest.mark.parametrize(("card", "kind"), [(90, "fp8e4nv"), (89, "fp8e4nv"), (80, "fp16")])
def test_quantized_attention(card, kind):
    from kinograph.kernels.attention.quantized_kernel import attend_quantized_tile

    pointers = {"query": "*i8", "key": "*i8", "value": f"*{kind}", "made": "*bf16"}
    pointers |= dict.fromkeys(("query_scales", "key_scales", "value_scales", "value_means", "drift"), "*fp32")
    pointers |= dict.fromkeys(("tiles", "firsts", "full", "counts"), "*i32")
    constants = {
        "WIDTH": 128, "CHANNELS": 128, "TILE_QUERIES": 128, "TILE_KEYS": 64, "MOST_LOG_2": 0.0,
        "DRIFTING": True, "LISTED": True, "WIDEN": False,
        ("value_channel" if kind == "fp16" else "value_token"): 1,
    }  # fmt: skip
    made = compiled(attend_quantized_tile, pointers, constants, card, num_warps=8, num_stages=3)
    assert made.metadata.shared <= SHARED_MEMORY[card]
    assert ".s8" in made.asm["ptx"]
    assert (".e4m3" in made.asm["ptx"]) == (kind != "fp16")


@pytest.mark.parametrize("card", [90, 80])
def test_selective_scan(card):
    from kinograph.kernels.scan.scan_kernel import scan_channels
    from kinograph.kernels.scan.triton_scan import CHANNELS, TILE

    pointers = dict.fromkeys(("x", "delta", "a", "b", "c", "y", "state"), "*fp32")
    constants = {"STATES": 16, "CHANNELS": CHANNELS, "TILE": TILE}
    made = compiled(scan_channels, pointers, constants, card, num_warps=4)
    assert made.metadata.shared <= SHARED_MEMORY[card]
    assert ".local" not in made.asm["ptx"]
