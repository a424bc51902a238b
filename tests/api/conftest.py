"""Small clips for the tests of VIDEO values."""

from fractions import Fraction

import av
import numpy as np
import pytest

RATE = 16000


@pytest.fixture
def write_clip(tmp_path):
    """`write_clip("a.mp4", …)` writes frames whose grey level tells their number, and returns the path."""

    def write(
        name="clip.mp4",
        *,
        times=None,
        size=(64, 48),
        codec="libx264",
        pix_fmt="yuv420p",
        rotation=None,
        sound=None,
        alpha=None,
    ):
        path = str(tmp_path / name)
        time_base = Fraction(1, 10 if times is None else 1000)
        times = [Fraction(number, 10) for number in range(10)] if times is None else times
        with av.open(path, "w") as output:
            stream = output.add_stream(codec, rate=10, options={"crf": "10"} if codec == "libx264" else {})
            stream.width, stream.height = size
            stream.pix_fmt = pix_fmt
            stream.codec_context.time_base = time_base
            if rotation:
                stream.set_display_rotation(rotation)
            voice = output.add_stream("aac", rate=RATE, layout="mono") if sound is not None else None
            for number, time in enumerate(times):
                frame = av.VideoFrame.from_ndarray(
                    picture(number, size, alpha), "rgb24" if alpha is None else "rgba"
                )
                frame = frame.reformat(format=pix_fmt)
                frame.pts, frame.time_base = round(time / time_base), time_base
                output.mux(stream.encode(frame))
            output.mux(stream.encode(None))
            if voice:
                write_sound(output, voice, sound)
        return path

    return write


def picture(number, size, alpha=None):
    """A grey of 20 per frame number, with a white left half of the top row block."""
    pixels = np.full((size[1], size[0], 3 if alpha is None else 4), 20 * (number % 12), np.uint8)
    pixels[: size[1] // 4, : size[0] // 4] = 255
    if alpha is not None:
        pixels[..., 3] = alpha
    return pixels


def write_sound(output, stream, samples):
    frame = av.AudioFrame.from_ndarray(samples.astype(np.float32)[None], format="fltp", layout="mono")
    frame.rate, frame.pts = RATE, 0
    output.mux(stream.encode(frame))
    output.mux(stream.encode(None))
