"""How a video is to be written, and what of it has to be adapted for that."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from fractions import Fraction

from .codecs import (
    AUDIO_ENCODERS,
    CONTAINERS,
    VIDEO_CODECS,
    Container,
    VideoCodec,
    encoder_of,
    encoder_options,
)
from .constant_rate import ConstantRate
from .pixels import bit_depth, chroma_steps, has_alpha
from .recipe import Recipe, VideoError, VideoSpec
from .spool import kept_format

GIF_MAX_RATE = Fraction(50)
"""Viewers slow down a GIF whose frames last less than two hundredths of a second."""


@dataclass(frozen=True)
class EncodeSettings:
    """Container, codecs and quality.

    container: a key of `codecs.CONTAINERS`.
    codec: a key of `codecs.VIDEO_CODECS` that the container takes; None is its usual one.
    crf: quality, lower is better, in the codec's own scale; None is the codec's default.
    preset: speed against size (for prores its profile); None is the codec's default.
    bit_depth: 8, 10 or more; 0 keeps the source's.
    pixel_format: FFmpeg name; None chooses by depth and alpha.
    threads: of the encoder, 0 is FFmpeg's choice.
    audio_codec: "auto", "none" or a key of `codecs.AUDIO_ENCODERS`.
    audio_bit_rate: bits per second for aac and opus, 0 for the default.
    constant_rate: make a variable rate constant at its average; else its times are kept.

    Raises:
        VideoError: names or numbers that do not go together.
    """

    container: str = "mp4"
    codec: str | None = None
    crf: float | None = None
    preset: str | None = None
    bit_depth: int = 0
    pixel_format: str | None = None
    threads: int = 0
    audio_codec: str = "auto"
    audio_bit_rate: int = 0
    constant_rate: bool = False

    def __post_init__(self) -> None:
        _one_of("container", self.container, CONTAINERS)
        _one_of(f"codec in {self.container}", self.video_codec, self.container_facts.video)
        if self.preset is not None:
            _one_of(f"{self.video_codec} preset", self.preset, self.codec_facts.presets)
        if self.audio_codec not in ("auto", "none"):
            _one_of(f"audio codec in {self.container}", self.audio_codec, self.container_facts.audio)
        if self.crf is not None and not 0 <= self.crf <= self.codec_facts.max_crf:
            raise VideoError(
                f"{self.video_codec} takes a crf of 0 to {self.codec_facts.max_crf:g}, got {self.crf:g}"
            )

    @property
    def container_facts(self) -> Container:
        return CONTAINERS[self.container]

    @property
    def video_codec(self) -> str:
        return self.codec or self.container_facts.video[0]

    @property
    def codec_facts(self) -> VideoCodec:
        return VIDEO_CODECS[self.video_codec]


def _one_of(what: str, value: str, known: Iterable[str]) -> None:
    if value not in tuple(known):  # a prompt may hold any JSON here, which a dict could not look up
        raise VideoError(f"no {what} {value!r}; choose one of {', '.join(known) or 'none'}")


@dataclass(frozen=True)
class EncodePlan:
    """Settings made definite for one recipe.

    recipe: what is pulled, its rate adapted.
    width, height: of the file, the one-pixel padding included.
    tick: seconds of one timestamp of the picture.
    audio: FFmpeg encoder of the sound, None without sound.
    notes: all that was adapted.
    """

    settings: EncodeSettings
    recipe: Recipe
    encoder: str
    options: dict[str, str]
    pixel_format: str
    width: int
    height: int
    tick: Fraction
    audio: str | None
    notes: tuple[str, ...]


def plan_encode(recipe: Recipe, settings: EncodeSettings) -> EncodePlan:
    """Decide everything that can be decided before the first frame."""
    codec = settings.codec_facts
    encoder = encoder_of(settings.video_codec)
    recipe, rate_notes = _rate(recipe, settings)
    spec = recipe.spec
    pixel_format, format_notes = _pixel_format(spec, settings, encoder)
    across, down = chroma_steps(pixel_format) if codec.even else (1, 1)
    width, height = -(-spec.width // across) * across, -(-spec.height // down) * down
    padded = (width, height) != (spec.width, spec.height)
    size_notes = [f"padded to {width}x{height}: {settings.video_codec} needs even sides"] if padded else []
    audio, audio_notes = _audio(spec, settings)
    return EncodePlan(
        settings,
        recipe,
        encoder,
        encoder_options(
            settings.video_codec,
            encoder,
            codec.crf if settings.crf is None else settings.crf,
            settings.preset or (has_alpha(pixel_format) and codec.alpha_preset) or codec.preset,
        ),
        pixel_format,
        width,
        height,
        _tick(spec, settings),
        audio,
        (*recipe.notes, *rate_notes, *format_notes, *size_notes, *audio_notes),
    )


def _rate(recipe: Recipe, settings: EncodeSettings) -> tuple[Recipe, list[str]]:
    spec = recipe.spec
    if settings.container == "gif" and spec.fps > GIF_MAX_RATE:
        return ConstantRate(recipe, GIF_MAX_RATE), [
            f"{float(spec.fps):g} frames per second become 50: gif's limit"
        ]
    if settings.constant_rate and spec.variable_rate:
        return ConstantRate(recipe, spec.fps), [
            f"the variable rate is now {float(spec.fps):.3f} frames per second"
        ]
    return recipe, []


def _tick(spec: VideoSpec, settings: EncodeSettings) -> Fraction:
    """One frame where the rate is constant and the container's clock does not round it anyway."""
    clock = settings.container_facts.clock
    if settings.container in ("gif", "webp"):
        return Fraction(1, clock)
    small = max(spec.fps.numerator, spec.fps.denominator) < 2**31
    return 1 / spec.fps if small and not spec.variable_rate else Fraction(1, 90_000)


def _pixel_format(spec: VideoSpec, settings: EncodeSettings, encoder: str) -> tuple[str, list[str]]:
    from av import Codec

    codec = settings.video_codec
    supported = [known.name for known in Codec(encoder, "w").video_formats]
    if settings.pixel_format:
        _one_of(f"pixel format of {codec}", settings.pixel_format, supported)
        chosen = settings.pixel_format
    elif codec == "ffv1":
        chosen = kept_format(spec.pixel_format)
    else:
        chosen = _nearest_format(spec, settings, [*supported, "rgb24", "rgba"])
    notes = []
    if has_alpha(spec.pixel_format) and not has_alpha(chosen):
        notes.append(f"the transparency is dropped: {codec} in {settings.container} as {chosen} has none")
    wanted = settings.bit_depth or bit_depth(spec.pixel_format)
    if wanted > bit_depth(chosen):
        notes.append(f"{wanted} bits per colour become {bit_depth(chosen)}: {codec} is written as {chosen}")
    return chosen, notes


def _nearest_format(spec: VideoSpec, settings: EncodeSettings, supported: list[str]) -> str:
    """The codec's format for the wanted depth and alpha; depth gives way before alpha."""
    deep = (settings.bit_depth or bit_depth(spec.pixel_format)) > 8
    alpha = has_alpha(spec.pixel_format) and settings.video_codec in settings.container_facts.alpha
    if settings.video_codec == "prores":
        alpha = alpha and (settings.preset is None or settings.preset.startswith("4444"))
    formats = settings.codec_facts.formats
    order = ((deep, alpha), (not deep, alpha), (deep, False), (not deep, False))
    return next(formats[kind] for kind in order if formats.get(kind) in supported)


def _audio(spec: VideoSpec, settings: EncodeSettings) -> tuple[str | None, list[str]]:
    if spec.audio is None or settings.audio_codec == "none":
        return None, []
    if not settings.container_facts.audio:
        return None, [f"the sound is dropped: {settings.container} has none"]
    chosen = settings.audio_codec
    if chosen == "auto":
        lossless = settings.video_codec == "ffv1"
        chosen = "flac" if lossless else settings.container_facts.audio[0]
    return AUDIO_ENCODERS[chosen], []
