"""Whether a processor computes in bfloat16 is asked of it, and not of oneDNN alone."""

from __future__ import annotations

import pytest
import torch
from kinograph.kernels import fast_cpu


@pytest.fixture
def processor(monkeypatch: pytest.MonkeyPatch):
    """A processor by what PyTorch tells of it."""

    def made(capability: str, onednn: bool = True, **probes: bool) -> bool:
        monkeypatch.setattr(torch.backends.mkldnn, "is_available", lambda: onednn)
        monkeypatch.setattr(torch.ops.mkldnn, "_is_mkldnn_bf16_supported", lambda: onednn, raising=False)
        monkeypatch.setattr(torch.backends.cpu, "get_cpu_capability", lambda: capability)
        for name in ("_is_avx512_bf16_supported", "_is_amx_tile_supported"):
            monkeypatch.setattr(torch.cpu, name, lambda name=name: probes.get(name, False), raising=False)
        return fast_cpu.computes_bfloat16()

    return made


def test_one_with_instructions_for_it_does(processor) -> None:
    assert processor("AVX512", _is_avx512_bf16_supported=True)
    assert processor("AVX512", _is_amx_tile_supported=True)
    assert processor("SVE256")


def test_one_that_onednn_only_helps_out_does_not(processor) -> None:
    assert not processor("AVX512")
    assert not processor("AVX2")


def test_without_onednn_none_does(processor) -> None:
    assert not processor("AVX512", onednn=False, _is_avx512_bf16_supported=True)


def test_an_older_pytorch_without_the_probes_says_no(processor, monkeypatch: pytest.MonkeyPatch) -> None:
    processor("AVX512", _is_avx512_bf16_supported=True)
    monkeypatch.delattr(torch.cpu, "_is_avx512_bf16_supported")
    monkeypatch.delattr(torch.cpu, "_is_amx_tile_supported")
    assert not fast_cpu.computes_bfloat16()
