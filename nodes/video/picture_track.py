"""The picture of a video being written: an encoder, and packets that last as long as they should."""

from __future__ import annotations

from fractions import Fraction
from typing import TYPE_CHECKING

from .pixels import COLOUR_TAGS

if TYPE_CHECKING:
    import av

    from .recipe import Frame
    from .settings import EncodePlan


class PictureTrack:
    """Encodes frames into a container, each from its time to the next one's."""

    def __init__(
        self, container: av.container.OutputContainer, plan: EncodePlan, first: av.VideoFrame
    ) -> None:
        self._container = container
        self._plan = plan
        self._stream = _video_stream(container, plan, first)
        self._lasting: dict[int, int] = {}  # ticks by pts: not every encoder hands durations on
        self._first_dts: int | None = None
        self._held: av.Packet | None = None

    def write(self, frame: Frame, end: Fraction) -> None:
        """Encode a frame that is shown until `end`, in seconds."""
        image, tick = frame.image, self._plan.tick
        image.pts, image.time_base, image.pict_type = round(frame.time / tick), tick, 0
        self._lasting[image.pts] = max(1, round(end / tick) - image.pts)
        self._mux(self._stream.encode(image))

    def finish(self, end: Fraction) -> None:
        """Flush the encoder; the picture ends at `end`, in seconds."""
        self._mux(self._stream.encode(None))
        if self._plan.settings.container in ("mp4", "mov"):
            # an mp4's samples last until the next in decoding order, so the last one makes up the sum
            self._held.duration = max(1, round(end / self._plan.tick) - (self._held.dts - self._first_dts))
        self._container.mux(self._held)

    def _mux(self, packets: list[av.Packet]) -> None:
        for packet in packets:
            packet.duration = self._lasting.pop(packet.pts, packet.duration)
            if self._held is None:
                self._first_dts = packet.dts
            else:
                self._container.mux(self._held)
            self._held = packet


def _video_stream(
    container: av.container.OutputContainer, plan: EncodePlan, first: av.VideoFrame
) -> av.VideoStream:
    rate = plan.recipe.spec.fps.limit_denominator(1_000_000)
    stream = container.add_stream(plan.encoder, rate=rate, options=plan.options)
    context = stream.codec_context
    context.width, context.height = plan.width, plan.height
    context.pix_fmt = first.format.name
    context.time_base = plan.tick
    context.thread_count = plan.settings.threads
    for tag in COLOUR_TAGS:
        if hasattr(first, tag):
            setattr(context, tag, getattr(first, tag))
    if plan.settings.video_codec == "hevc" and plan.settings.container in ("mp4", "mov"):
        context.codec_tag = "hvc1"  # what Apple's players look for
    if plan.settings.video_codec == "ffv1":
        context.gop_size = 1
    return stream
