"""What can be written: containers, picture codecs and sound codecs, and the encoders FFmpeg has for them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from .mp4_index import FRAGMENTED
from .recipe import VideoError

X26X_PRESETS = (
    "ultrafast",
    "superfast",
    "veryfast",
    "faster",
    "fast",
    "medium",
    "slow",
    "slower",
    "veryslow",
)
_SVT_SPEEDS = dict(zip(X26X_PRESETS, ("12", "11", "10", "9", "8", "7", "5", "4", "2"), strict=True))
_AOM_SPEEDS = dict(zip(X26X_PRESETS, ("8", "8", "7", "6", "5", "4", "3", "2", "1"), strict=True))
_VPX_SPEEDS = dict(zip(X26X_PRESETS, ("5", "5", "5", "4", "3", "2", "1", "1", "0"), strict=True))
PRORES_PROFILES = ("proxy", "lt", "standard", "hq", "4444", "4444xq")

Formats = Mapping[tuple[bool, bool], str]
"""Pixel format by (deeper than 8 bits, with alpha)."""


@dataclass(frozen=True)
class VideoCodec:
    """A picture codec.

    encoders: FFmpeg's encoders for it, best first.
    formats: pixel formats; a missing combination falls back and is reported. Empty: the source's own.
    crf: default of the quality number (lower is better), None where there is none.
    max_crf: its largest value.
    presets: speeds (or ProRes profiles) a user may choose.
    preset, alpha_preset: the default, and the one for pictures with alpha where that needs another.
    even: whether half-size chroma needs even sides.
    """

    encoders: tuple[str, ...]
    formats: Formats
    crf: float | None = None
    max_crf: float = 51
    presets: tuple[str, ...] = ()
    preset: str | None = None
    alpha_preset: str | None = None
    even: bool = True


VIDEO_CODECS = {
    "h264": VideoCodec(
        ("libx264",),
        {(False, False): "yuv420p", (True, False): "yuv420p10le"},
        crf=19,
        presets=X26X_PRESETS,
        preset="medium",
    ),
    "hevc": VideoCodec(
        ("libx265",),
        {(False, False): "yuv420p", (True, False): "yuv420p10le"},
        crf=22,
        presets=X26X_PRESETS,
        preset="medium",
    ),
    "av1": VideoCodec(
        ("libsvtav1", "libaom-av1"),
        {(False, False): "yuv420p", (True, False): "yuv420p10le"},
        crf=28,
        max_crf=63,
        presets=X26X_PRESETS,
        preset="medium",
    ),
    "vp9": VideoCodec(
        ("libvpx-vp9",),
        {(False, False): "yuv420p", (True, False): "yuv420p10le", (False, True): "yuva420p"},
        crf=28,
        max_crf=63,
        presets=X26X_PRESETS,
        preset="medium",
        even=False,
    ),
    "prores": VideoCodec(
        ("prores_ks",),
        {(True, False): "yuv422p10le", (True, True): "yuva444p10le"},
        presets=PRORES_PROFILES,
        preset="hq",
        alpha_preset="4444",
    ),
    "ffv1": VideoCodec(("ffv1",), {}, even=False),
    "gif": VideoCodec(("gif",), {(False, False): "rgb24", (False, True): "rgba"}, even=False),
    "webp": VideoCodec(
        ("libwebp_anim",),
        {(False, False): "yuv420p", (False, True): "yuva420p"},
        crf=20,
        max_crf=100,
    ),
}

AUDIO_ENCODERS = {"aac": "aac", "opus": "libopus", "flac": "flac", "pcm": "pcm_s16le"}
AUDIO_BIT_RATES = {"aac": 192_000, "opus": 160_000}
"""Bits per second for two channels."""


@dataclass(frozen=True)
class Container:
    """A file format.

    muxer: FFmpeg's name.
    video, audio: codecs it takes, the usual one first.
    tags: whether it carries `prompt` and `workflow`.
    clock: ticks per second of its timestamps, None where the codec's own are kept.
    alpha: codecs whose alpha plane it keeps.
    options: of the muxer.
    fragmented: whether it is written in fragments, for `mp4_index.index_fragments` to end.
    """

    muxer: str
    video: tuple[str, ...]
    audio: tuple[str, ...]
    tags: bool = True
    clock: int | None = None
    alpha: tuple[str, ...] = ()
    options: Mapping[str, str] = field(default_factory=dict)
    fragmented: bool = False


CONTAINERS = {
    "mp4": Container(
        "mp4",
        ("h264", "hevc", "av1", "vp9"),
        ("aac", "opus", "flac"),
        options=FRAGMENTED,
        fragmented=True,
    ),
    "mov": Container(
        "mov",
        ("prores", "h264", "hevc"),
        ("pcm", "aac"),
        alpha=("prores",),
        options=FRAGMENTED,
        fragmented=True,
    ),
    "mkv": Container(
        "matroska",
        ("h264", "hevc", "av1", "vp9", "ffv1", "prores"),
        ("aac", "opus", "flac", "pcm"),
        clock=1000,
        alpha=("vp9", "ffv1", "prores"),
    ),
    "webm": Container("webm", ("vp9", "av1"), ("opus",), clock=1000, alpha=("vp9",)),
    "gif": Container("gif", ("gif",), (), tags=False, clock=100, alpha=("gif",)),
    "webp": Container("webp", ("webp",), (), tags=False, clock=1000, alpha=("webp",), options={"loop": "0"}),
}


def encoder_of(codec: str) -> str:
    """FFmpeg's encoder for a picture codec.

    Raises:
        VideoError: this build of PyAV has none.
    """
    from av.codec import codecs_available

    names = VIDEO_CODECS[codec].encoders
    found = next((name for name in names if name in codecs_available), None)
    if found is None:
        raise VideoError(
            f"this build of PyAV cannot write {codec} (it lacks {' and '.join(names)}); choose another"
        )
    return found


def encoder_options(codec: str, encoder: str, crf: float | None, preset: str | None) -> dict[str, str]:
    """FFmpeg's options for a quality and a speed; both are checked by `EncodeSettings`."""
    quality = {} if crf is None else {"crf": f"{crf:g}"}
    if codec == "webp":
        return {"quality": f"{100 - crf:g}"}
    if codec == "prores":
        return {"profile": str(PRORES_PROFILES.index(preset)), "vendor": "apl0"}
    if codec in ("gif", "ffv1"):
        return {"level": "3"} if codec == "ffv1" else {}
    if encoder == "libsvtav1":
        return quality | {"preset": _SVT_SPEEDS[preset]}
    if encoder == "libaom-av1":
        return quality | {"cpu-used": _AOM_SPEEDS[preset], "row-mt": "1"}
    if codec == "vp9":
        return quality | {"b": "0", "deadline": "good", "cpu-used": _VPX_SPEEDS[preset], "row-mt": "1"}
    return quality | {"preset": preset} | ({"x265-params": "log-level=error"} if codec == "hevc" else {})
