"""What a video is, in words, without decoding it."""

from __future__ import annotations

from .pixels import bit_depth, has_alpha
from .recipe import AudioSpec, Recipe, VideoSpec
from .source import MediaSource
from .timecode import timecode

CONTAINER_TAGS = frozenset({"compatible_brands", "major_brand", "minor_version"})
"""Tags that mp4 files have about themselves."""


def counted(number: int, noun: str) -> str:
    """A number and its noun: "1 frame", "2 frames"."""
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def facts_line(spec: VideoSpec) -> str:
    """Size, rate and length in one line of plain letters, e.g. for a picture's header."""
    return f"{spec.width} x {spec.height} · {float(spec.fps):.5g} fps · {counted(spec.frame_count, 'frame')}"


def describe(recipe: Recipe) -> str:
    """Size, rate, length, pixels and sound, a line each; a file's container and codecs; what was adapted."""
    spec = recipe.spec
    rate = f"{float(spec.fps):.5g} frames per second"
    exact = f" ({spec.fps})" if spec.fps.denominator > 1 else ""
    about = "" if spec.exact_count else "about "
    lines = {
        "size": f"{spec.width} x {spec.height} pixels",
        "rate": f"{rate} on average (variable)" if spec.variable_rate else rate + exact,
        "length": f"{about}{counted(spec.frame_count, 'frame')}, {timecode(spec.duration)}",
        "pixels": _pixels(spec.pixel_format),
        "sound": _sound(spec.audio),
    }
    if isinstance(recipe, MediaSource):
        lines |= _file(recipe)
    told = [f"{name + ':':<8} {text}" for name, text in lines.items()]
    return "\n".join([*told, *(f"note:    {note}" for note in recipe.notes)])


def _pixels(pixel_format: str) -> str:
    alpha = ", with alpha" if has_alpha(pixel_format) else ""
    return f"{pixel_format}, {bit_depth(pixel_format)} bit{alpha}"


def _sound(audio: AudioSpec | None) -> str:
    if audio is None:
        return "none"
    return f"{audio.sample_rate} Hz, {audio.channels} channel{'s' if audio.channels > 1 else ''}"


def _file(source: MediaSource) -> dict[str, str]:
    facts = source.facts
    codecs = " and ".join(codec for codec in (facts.video_codec, facts.audio_codec) if codec)
    rate = f", {facts.bit_rate / 1000:.0f} kbit/s" if facts.bit_rate else ""
    turned = f"{facts.stored_width} x {facts.stored_height}, turned as its flags ask" if facts.turned else ""
    tags = ", ".join(sorted(set(facts.tags) - CONTAINER_TAGS))
    lines = {"file": f"{source.name} ({facts.container}: {codecs}{rate})", "stored": turned, "tags": tags}
    return {name: text for name, text in lines.items() if text}
