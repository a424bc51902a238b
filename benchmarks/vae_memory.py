"""Memory of decoding with the Wan 2.1 video autoencoder into an mp4, against diffusers'.

Peaks of processes that have the decoder's weights only, float32: `rss_ratio_81_to_21_frames` ours,
`rss_vs_diffusers_81_frames` with whole frames on both sides, `rss_vs_diffusers_tiled` ours with the smallest
tiles over theirs with whole frames. A part of `vae`.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..host.memory import peak_rss_mb
from .interleave import seconds
from .machine import machine

if TYPE_CHECKING:
    from torch import Tensor

SIDE = 256
"""Of the frames, in pixels."""
LATENT_CHANNELS = 16


def run(quick: bool) -> dict[str, Any]:
    """Measure the processes one after the other; `quick` takes films of 9 and 33 frames for 21 and 81."""
    rows = _measured(*((9, 33) if quick else (21, 81)))
    peaks = {row["name"]: row["peak_rss_mb"] for row in rows}
    figures = {
        "rss_ratio_81_to_21_frames": round(peaks["whole"] / peaks["short"], 3),
        "rss_vs_diffusers_81_frames": round(peaks["whole"] / peaks["diffusers"], 3),
        "rss_vs_diffusers_tiled": round(peaks["tiled"] / peaks["diffusers"], 3),
    }
    return {"name": "vae_memory", "machine": machine(), "figures": figures, "rows": rows}


def _measured(few: int, many: int) -> list[dict[str, Any]]:
    """One row per way of decoding, each in a process of its own."""
    cases = {
        "short": (few, "whole"),
        "whole": (many, "whole"),
        "tiled": (many, "tiled"),
        "diffusers": (many, "diffusers"),
    }
    rows = []
    for name, (frames, way) in cases.items():
        command = [sys.executable, "-m", __name__, way, str(frames)]
        finished = subprocess.run(command, check=True, capture_output=True, text=True)
        what = f"decode {frames} frames of {SIDE}x{SIDE} to mp4, float32, {way}"
        rows.append({"what": what, "name": name, **json.loads(finished.stdout.splitlines()[-1])})
    return rows


def _decode_to_file(way: str, frames: int) -> dict[str, Any]:
    """Decode noise into an mp4; seconds and this process's peak memory."""
    import torch

    torch.set_grad_enabled(False)
    latents = torch.randn(1, LATENT_CHANNELS, (frames - 1) // 4 + 1, SIDE // 8, SIDE // 8)
    pieces = _theirs(latents) if way == "diffusers" else _ours(latents, tiled=way == "tiled")
    with tempfile.TemporaryDirectory(prefix="kinograph-bench-") as folder:
        took = seconds(lambda: _write(pieces, Path(folder) / "film.mp4"))
    return {"seconds": round(took, 1), "peak_rss_mb": round(peak_rss_mb(), 1)}


def _ours(latents: Tensor, *, tiled: bool) -> Iterable[Tensor]:
    """Pixels [1,3,t,H,W] of the film's next frames."""
    from ..nodes.vae.streaming import decode_frames
    from ..nodes.vae.tiling import LEAST_TILE, Tiling, decode_tile_by_tile
    from ..nodes.vae.wan21 import Wan21Config, Wan21VAE

    network = Wan21VAE(Wan21Config()).eval()
    del network.encoder
    if not tiled:
        return decode_frames(network, latents)
    tiling = Tiling.square(*latents.shape[3:], LEAST_TILE // network.space)
    return decode_tile_by_tile(network, latents, tiling)


def _theirs(latents: Tensor) -> Iterable[Tensor]:
    """The whole film in one piece, as diffusers gives it."""
    from diffusers import AutoencoderKLWan

    network = AutoencoderKLWan().eval()
    del network.encoder
    yield network.decode(latents).sample


def _write(pieces: Iterable[Tensor], path: Path) -> None:
    import av

    with av.open(str(path), "w") as made:
        stream = None
        for piece in pieces:
            for frame in piece[0].unbind(1):  # [3,H,W]
                pixels = ((frame.clamp(-1, 1) + 1) * 127.5).round().byte().permute(1, 2, 0).contiguous()
                picture = av.VideoFrame.from_ndarray(pixels.numpy(), format="rgb24")
                if stream is None:
                    stream = made.add_stream("libx264", rate=16, options={"preset": "veryfast"})
                    stream.width, stream.height, stream.pix_fmt = picture.width, picture.height, "yuv420p"
                made.mux(stream.encode(picture))
        made.mux(stream.encode(None))


if __name__ == "__main__":
    way, frames = sys.argv[1:]
    print(json.dumps(_decode_to_file(way, int(frames))))
