"""One step of Wan's transformer against diffusers', with the same random weights and the same attention.

`step_time_vs_diffusers`: our time over theirs at the embedded model's size, `step_time_vs_diffusers_wide` at
Wan 1.3B's width with few blocks; both float32, and with `_bf16` in bfloat16. Interleaved, median of the
rounds, and the same number of threads, PyTorch's own choice or OMP_NUM_THREADS. `linear_time_ratio` is what
the probe found for oneDNN's float32 product over PyTorch's; the rows tell which was taken.

`memory_vs_diffusers`: peak of a process that has the wide network and runs two steps, float32;
`working_memory_vs_diffusers`: what the steps add to the process that has the weights. `parity_rel_err`: the
greatest relative error in float32.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ..host.memory import peak_rss_mb
from .interleave import interleave, median_ratio, seconds
from .machine import machine

if TYPE_CHECKING:
    from torch import Tensor, nn

    from ..nodes.generation.wan import WanConfig


@dataclass(frozen=True)
class Size:
    """A network and what it is given.

    Attributes:
        grid: latent frames, height and width.
        tokens: of the text.
        steps: in one measurement.
    """

    width: int
    blocks: int
    feedforward: int
    text_width: int
    grid: tuple[int, int, int]
    tokens: int
    steps: int

    def config(self) -> WanConfig:
        from ..nodes.generation.wan import WanConfig

        return WanConfig(
            width=self.width,
            heads=self.width // 128,
            blocks=self.blocks,
            feedforward=self.feedforward,
            text_width=self.text_width,
        )


SIZES = {
    "embedded": Size(384, 10, 1536, 256, (5, 12, 12), 64, steps=8),
    "wide": Size(1536, 3, 8960, 4096, (5, 24, 24), 512, steps=1),
}


def run(quick: bool) -> dict[str, Any]:
    """Measure time, parity and memory; `quick` takes fewer rounds."""
    import torch

    torch.set_grad_enabled(False)
    rounds = 3 if quick else 9
    rows = [_compare(name, dtype, rounds) for name in SIZES for dtype in (torch.float32, torch.bfloat16)]
    by_name = {row["name"]: row for row in rows}
    memory = {way: _memory_in_its_own_process(way) for way in ("ours", "diffusers")}
    figures = {
        "step_time_vs_diffusers": by_name["embedded float32"]["time_vs_diffusers"],
        "step_time_vs_diffusers_wide": by_name["wide float32"]["time_vs_diffusers"],
        "step_time_vs_diffusers_bf16": by_name["embedded bfloat16"]["time_vs_diffusers"],
        "step_time_vs_diffusers_wide_bf16": by_name["wide bfloat16"]["time_vs_diffusers"],
        "memory_vs_diffusers": _ratio(memory, "peak_rss_mb"),
        "working_memory_vs_diffusers": _ratio(memory, "working_mb"),
        "parity_rel_err": max(row["relative_error"] for row in rows if "float32" in row["name"]),
        "linear_time_ratio": _probed(),
    }
    rows += [{"name": f"memory, wide, float32, {way}", **found} for way, found in memory.items()]
    return {"name": "sampling", "machine": machine(), "figures": figures, "rows": rows}


def _compare(name: str, dtype: Any, rounds: int) -> dict[str, Any]:
    """One row: the median ratio of the times of a step, and how far the results differ."""
    import torch

    size = SIZES[name]
    ours, theirs = (network.to(dtype) for network in _pair(size.config()))
    latents, timestep, text = _given(size, dtype)
    jobs: dict[str, Callable[[], Tensor]] = {
        "ours": lambda: ours(latents, timestep, text, attention=_sdpa),
        "diffusers": lambda: theirs(latents, timestep, text).sample,
    }
    made, truth = (job().float() for job in jobs.values())  # and what is prepared once
    samples = interleave({way: _repeated(job, size.steps) for way, job in jobs.items()}, rounds)
    return {
        "name": f"{name} {str(dtype).removeprefix('torch.')}",
        "what": f"{list(latents.shape)}, {size.tokens} text tokens, {torch.get_num_threads()} threads",
        "milliseconds": round(sorted(samples["ours"])[rounds // 2] / size.steps * 1000, 1),
        "time_vs_diffusers": round(median_ratio(samples, "ours", "diffusers"), 3),
        "relative_error": float(f"{((made - truth).norm() / truth.norm()).item():.2e}"),
        "linear": _linear_choice(ours, dtype),
    }


def _pair(config: WanConfig) -> tuple[nn.Module, nn.Module]:
    """Our network and diffusers', with the same random weights."""
    from ..nodes.generation.load import load_transformer

    theirs = _diffusers(config)
    return load_transformer(theirs.state_dict()), theirs


def _diffusers(config: WanConfig) -> nn.Module:
    import torch
    from diffusers import WanTransformer3DModel

    torch.manual_seed(0)
    return WanTransformer3DModel(
        num_attention_heads=config.heads,
        attention_head_dim=config.head_width,
        text_dim=config.text_width,
        ffn_dim=config.feedforward,
        num_layers=config.blocks,
    ).eval()


def _given(size: Size, dtype: Any) -> tuple[Tensor, Tensor, Tensor]:
    """Latents, timestep and text."""
    import torch

    torch.manual_seed(1)
    latents = torch.randn(1, 16, *size.grid, dtype=dtype)
    return latents, torch.tensor([500.0]), torch.randn(1, size.tokens, size.text_width, dtype=dtype)


def _sdpa(query: Tensor, key: Tensor, value: Tensor, site: object = None) -> Tensor:
    """The attention that diffusers takes too."""
    from torch.nn import functional as F

    return F.scaled_dot_product_attention(query, key, value)


def _repeated(job: Callable[[], object], times: int) -> Callable[[], float]:
    return lambda: seconds(lambda: [job() for _ in range(times)])


def _linear_choice(network: nn.Module, dtype: Any) -> str:
    """Which linear product the network takes, and why."""
    import torch

    from ..kernels.linear.dispatch import choose

    choice = choose(torch.zeros(1, 1, dtype=dtype), network.head.head.weight)
    return f"{choice.path}: {choice.reason}"


def _probed() -> float:
    from ..kernels.linear.probe import measured

    return round(measured().time_ratio, 3)


def _ratio(memory: dict[str, dict[str, float]], what: str) -> float:
    return round(memory["ours"][what] / memory["diffusers"][what], 3)


def _memory_in_its_own_process(way: str) -> dict[str, float]:
    command = [sys.executable, "-m", __spec__.name, "--memory", way]
    finished = subprocess.run(command, check=True, capture_output=True, text=True)
    return json.loads(finished.stdout.splitlines()[-1])


def _memory(way: str) -> dict[str, float]:
    """Peak memory of this process with one network, and what two steps add to it."""
    import torch

    from ..nodes.generation.wan import WanTransformer

    torch.set_grad_enabled(False)
    size = SIZES["wide"]
    network = WanTransformer(size.config()).eval() if way == "ours" else _diffusers(size.config())
    given = _given(size, torch.float32)
    before = peak_rss_mb()
    for _ in range(2):
        if way == "ours":
            network(*given, attention=_sdpa)
        else:
            network(*given)
    peak = peak_rss_mb()
    return {"peak_rss_mb": round(peak, 1), "working_mb": round(peak - before, 1)}


if __name__ == "__main__":
    if "--memory" in sys.argv:
        print(json.dumps(_memory(sys.argv[-1])))
    else:
        print(json.dumps(run(quick="--quick" in sys.argv), indent=2))
