"""Triton's kernels without a GPU: run in its interpreter, compiled for cards that are not here, and refused.

The interpreter must be asked for before Triton is imported, so these tests have a process of their own.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from kinograph.kernels.attention import triton_block
from kinograph.kernels.attention.block_mask import BlockMask

HERE = Path(__file__).parent
FILES = [
    str(HERE / name) for name in ("test_triton_block.py", "test_triton_quantized.py", "test_triton_scan.py")
]


def test_kernels_give_what_the_reference_gives():
    pytest.importorskip("triton", reason="triton is not installed")
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", *FILES],
        env={**os.environ, "TRITON_INTERPRET": "1"},
        cwd=HERE.parents[1],
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stdout[-4000:]


def test_no_module_needs_triton_to_be_imported():
    code = (
        "import sys; sys.modules['triton'] = None\n"
        "import kinograph\n"
        "from kinograph.kernels.attention import adaptive, block_dispatch, quantized\n"
        "from kinograph.kernels.attention import triton_block, triton_quantized\n"
        "from kinograph.kernels.scan import dispatch\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def test_a_processor_is_refused():
    query = torch.zeros(1, 1, 64, 64)
    reason = triton_block.refusal(query, query, query, BlockMask.full(64, 64, 32))
    assert "processor" in reason or "not installed" in reason
