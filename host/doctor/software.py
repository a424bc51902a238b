"""Python and the packages that the nodes need."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from importlib import metadata

from .finding import Finding

NEEDED = ("numpy", "safetensors", "einops", "Pillow", "psutil")
ENCODERS = {
    "H.264": "libx264",
    "HEVC": "libx265",
    "AV1": "libsvtav1",
    "VP9": "libvpx-vp9",
    "ProRes": "prores_ks",
    "FFV1": "ffv1",
    "GIF": "gif",
    "animated WebP": "libwebp_anim",
    "AAC": "aac",
    "Opus": "libopus",
    "FLAC": "flac",
    "MP3": "libmp3lame",
}
"""What Encode Video and Save Audio offer, and FFmpeg's name of the encoder."""


def findings() -> Iterator[Finding]:
    """Python, torch and its device, the needed packages, PyAV, the browser editor, this pack itself."""
    yield _python()
    yield _torch()
    yield from map(_package, NEEDED)
    yield from _pyav()
    yield _editor()
    yield _pack()


def _python() -> Finding:
    version = ".".join(map(str, sys.version_info[:3]))
    if (3, 10) <= sys.version_info[:2] <= (3, 13):
        return Finding("Python", "ok", version)
    return Finding("Python", "problem", version, "use Python 3.10 to 3.13")


def _torch() -> Finding:
    try:
        import torch
    except ImportError as error:
        return Finding("torch", "problem", str(error), "pip install torch")
    return Finding("torch", "ok", f"{torch.__version__}, runs on {_device(torch)}")


def _device(torch) -> str:
    if torch.cuda.is_available():
        memory = torch.cuda.get_device_properties(0).total_memory / 1e9
        return f"{torch.cuda.get_device_name(0)}, {memory:.0f} GB"
    if torch.backends.mps.is_available():
        return "the GPU of this Mac (MPS)"
    return f"the CPU, {torch.get_num_threads()} threads"


def _package(name: str) -> Finding:
    try:
        return Finding(name, "ok", metadata.version(name))
    except metadata.PackageNotFoundError:
        return Finding(name, "problem", "not installed", f"pip install {name}")


def _pyav() -> Iterator[Finding]:
    try:
        import av
    except ImportError as error:
        yield Finding("PyAV", "problem", str(error), "pip install av")
        return
    libraries = ", ".join(
        f"{name} {'.'.join(map(str, av.library_versions[name]))}" for name in ("libavcodec", "libavformat")
    )
    yield Finding("PyAV", "ok", f"{av.__version__}, {libraries}")
    missing = [label for label, encoder in ENCODERS.items() if not _can_encode(av, encoder)]
    present = ", ".join(label for label in ENCODERS if label not in missing)
    if missing:
        remedy = "pip install --force-reinstall av, whose wheels carry every encoder"
        yield Finding("encoders", "problem", f"{present}; not {', '.join(missing)}", remedy)
    else:
        yield Finding("encoders", "ok", present)


def _can_encode(av, encoder: str) -> bool:
    try:
        return av.Codec(encoder, "w").is_encoder
    except av.codec.codec.UnknownCodecError:
        return False


def _editor() -> Finding:
    try:
        return Finding("browser editor", "ok", metadata.version("comfyui-frontend-package"))
    except metadata.PackageNotFoundError:
        return Finding("browser editor", "absent", "not installed", 'pip install "kinograph[host]"')


def _pack() -> Finding:
    from ..packs import load_kinograph

    pack = load_kinograph()
    found = f"{len(pack.nodes)} nodes"
    if pack.problems or not pack.nodes:
        return Finding("this pack", "problem", "; ".join([found, *pack.problems]), "install it again")
    return Finding("this pack", "ok", found)
