"""One opened video file: its streams, decoders and facts. FFmpeg's complaints become `VideoError`s."""

from __future__ import annotations

import errno
import functools
import io
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING

from .recipe import AudioSpec, VideoError, VideoSpec
from .timeline import read_timeline
from .upright import FilterChain, upright_filters

if TYPE_CHECKING:
    import av

    from .timeline import Timeline
    from .upright import Filter

ALPHA_DECODERS = {"vp8": "libvpx", "vp9": "libvpx-vp9"}
"""FFmpeg's own VP8 and VP9 decoders drop the alpha plane; libvpx's keep it."""

LEADING_ELSEWHERE = frozenset(
    {"concat", "dash", "hls", "imf", "rtp", "rtsp", "sap", "sdp", "webm_dash_manifest"}
)
"""FFmpeg's formats that name other files or hosts to read from."""


@dataclass(frozen=True)
class MediaFacts:
    """What a file holds, beyond what its recipe's spec says.

    container, video_codec, audio_codec: FFmpeg names.
    turned: whether a rotation flag or non-square pixels change the picture as stored.
    tags: the container's metadata, e.g. `prompt` and `workflow`.
    """

    spec: VideoSpec
    timeline: Timeline
    filters: tuple[Filter, ...]
    container: str
    video_codec: str
    audio_codec: str | None
    stored_width: int
    stored_height: int
    bit_depth: int
    bit_rate: int
    tags: dict[str, str]

    @property
    def turned(self) -> bool:
        return (self.stored_width, self.stored_height) != (self.spec.width, self.spec.height) or any(
            name in ("transpose", "hflip", "vflip") for name, _ in self.filters
        )


@functools.cache
def _whole_formats() -> str:
    """FFmpeg's formats, without those that make it read further files, inside the input folder or not."""
    import av

    return ",".join(sorted(av.formats_available - LEADING_ELSEWHERE))


@contextmanager
def opened(name: str, source: str | bytes | io.FileIO) -> Iterator[av.container.InputContainer]:
    """Open a file for reading; leaving the context frees it.

    Args:
        name: what to call it in errors.
        source: a path, the file's content, or an opened file.

    Raises:
        VideoError: it is not a media file, it is damaged, or it only names other files.
    """
    import av

    try:
        container = av.open(
            io.BytesIO(source) if isinstance(source, bytes) else source,
            options={"format_whitelist": _whole_formats()},
        )
    except av.FFmpegError as error:
        if error.errno == errno.EINVAL:
            raise VideoError(
                f"{name} is a playlist, which leads to other files, or damaged; load the video itself"
            ) from error
        raise VideoError(
            f"{name} cannot be opened as a video ({error.strerror}); "
            "if a download or recording was cut short, fetch it again, or repair it with ffmpeg"
        ) from error
    with container:
        try:
            yield container
        except av.FFmpegError as error:
            raise VideoError(f"{name} cannot be read ({error.strerror}); repair it with ffmpeg") from error


def picture_stream(name: str, container: av.container.InputContainer) -> av.VideoStream:
    """The main picture; cover art does not count."""
    from av.stream import Disposition

    streams = [s for s in container.streams.video if not s.disposition & Disposition.attached_pic]
    if not streams:
        held = ", ".join(sorted({stream.type for stream in container.streams})) or "nothing"
        raise VideoError(f"{name} has no picture (it holds {held}); choose a file with a video stream")
    stream = streams[0]
    if stream.codec_context.name == "webp" and not stream.width:
        raise VideoError(f"{name} is an animated WebP, which FFmpeg writes but cannot read; use webm or gif")
    stream.thread_type = "AUTO"
    return stream


def read_only(stream: av.stream.Stream) -> None:
    """Have the demuxer skip the other streams: it would keep an index even of packets nobody reads."""
    import av.stream

    if not hasattr(av.stream, "Discard"):  # PyAV before 17 reads them all
        return
    for other in stream.container.streams:
        other.discard = av.stream.Discard.default if other is stream else av.stream.Discard.all


def sound_stream(container: av.container.InputContainer) -> av.AudioStream | None:
    """The main sound, None where there is none (or none with a known rate)."""
    return next((s for s in container.streams.audio if s.codec_context.sample_rate), None)


def picture_decoder(stream: av.VideoStream) -> av.VideoCodecContext:
    """A decoder for the stream that keeps its alpha plane."""
    from av import CodecContext
    from av.codec import codecs_available

    better = ALPHA_DECODERS.get(stream.codec_context.name)
    if stream.metadata.get("alpha_mode") != "1" or better not in codecs_available:
        return stream.codec_context
    decoder = CodecContext.create(better, "r")
    decoder.thread_count = 0
    return decoder


def decoded(
    name: str,
    container: av.container.InputContainer,
    stream: av.stream.Stream,
    decoder: av.CodecContext,
    *,
    joins_by: Fraction | None = None,
) -> Iterator[av.VideoFrame | av.AudioFrame]:
    """Decode from where the container stands to its end.

    Args:
        joins_by: after a seek, which may land in the middle of a packet: what cannot be decoded is skipped
            up to this container time (seconds), at which a frame must have been found.

    Raises:
        VideoError: a packet cannot be decoded; the error tells the time.
    """
    import av

    reached: Fraction | None = None
    skipped: av.FFmpegError | None = None
    try:
        for packet in container.demux(stream):
            if packet.is_corrupt:
                raise VideoError(_damaged(name, reached, "a damaged packet"))
            try:
                frames = decoder.decode(packet if packet.size else None)
            except av.FFmpegError as error:
                if joins_by is None or (reached is not None and reached >= joins_by):
                    raise
                skipped = error
                continue
            for frame in frames:
                if frame.is_corrupt:
                    raise VideoError(_damaged(name, reached, "a damaged picture"))
                reached = frame.pts * stream.time_base if frame.pts is not None else None
                if skipped and reached > joins_by:
                    raise skipped
                skipped = None
                yield frame
    except av.FFmpegError as error:
        raise VideoError(_damaged(name, reached, error.strerror)) from error


def _damaged(name: str, reached: Fraction | None, cause: str) -> str:
    where = "at its start" if reached is None else f"after {float(reached):.2f} s"
    return f"{name} is damaged {where} ({cause}); trim it to the part before, or repair it with ffmpeg"


def media_facts(name: str, source: str | bytes) -> MediaFacts:
    """Read everything about a file or buffer; only its first picture is decoded."""
    with opened(name, source) as container:
        stream = picture_stream(name, container)
        stored = next(decoded(name, container, stream, picture_decoder(stream)), None)
        if stored is None:
            raise VideoError(f"{name} holds a video stream with no picture in it; export it again")
        first = (stored.pts or 0) * stream.time_base
    with opened(name, source) as container:
        stream = picture_stream(name, container)
        timeline = read_timeline(container, stream, first)
        return _facts(container, stream, stored, timeline)


def _facts(
    container: av.container.InputContainer, stream: av.VideoStream, stored: av.VideoFrame, timeline: Timeline
) -> MediaFacts:
    filters = upright_filters(stored, Fraction(stream.sample_aspect_ratio or 1))
    shown = FilterChain(filters)(stored)
    sound = sound_stream(container)
    spec = VideoSpec(
        width=shown.width,
        height=shown.height,
        fps=timeline.fps,
        frame_count=timeline.count,
        duration=timeline.duration,
        pixel_format=shown.format.name,
        variable_rate=not timeline.constant,
        audio=sound and AudioSpec(sound.codec_context.sample_rate, sound.codec_context.channels),
    )
    return MediaFacts(
        spec=spec,
        timeline=timeline,
        filters=filters,
        container=container.format.name,
        video_codec=stream.codec_context.codec.canonical_name,
        audio_codec=sound and sound.codec_context.codec.canonical_name,
        stored_width=stored.width,
        stored_height=stored.height,
        bit_depth=max(component.bits for component in shown.format.components),
        bit_rate=container.bit_rate or 0,
        tags=dict(container.metadata),
    )
