"""Streaming video: throughput against a bare PyAV loop, and memory that does not grow with the film.

`throughput_vs_pyav`: frames per second of the recipe path (decode, scale, encode) over those of a plain
loop with the same decoder, scaler, codec, preset and threads; the worse of two presets.
`image_fn_throughput_vs_pyav`: the same with a function on RGB floats in the middle, against the loop without.
`rss_ratio_60min_to_3min`: peak memory of a 60-minute clip through trim, resize, retime and encode over that
of a 3-minute one, each in a process of its own; `peak_rss_mb` is the greater peak. The films are mp4 with
sound, read and written. All that grows is FFmpeg's index of the film that is read, 42 bytes a packet: the
film's rates are low so that an hour takes a minute; at 25 frames and 48 000 samples a second the hour holds
twice the packets, 11 MB, and the ratio is 1.11.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..host.memory import peak_rss_mb
from .interleave import interleave, median_ratio, seconds
from .machine import machine

if TYPE_CHECKING:
    import av

SIZE = (640, 360)
SCALED = (426, 240)
PRESETS = ("veryfast", "medium")
CRF = 23
CODEC_THREADS = 2
LONG_RATE, RETIMED, SOUND_RATE = 12, 15, 24_000
"""Frames per second of the long clip and of what it becomes, and its samples per second."""

LOOP = 16
"""Seconds that the long clip repeats: whole frames, and whole AAC packets of 1024 samples."""


def run(quick: bool) -> dict[str, Any]:
    """Measure throughput and memory; `quick` uses shorter clips and 20 minutes in place of 60."""
    with tempfile.TemporaryDirectory(prefix="kinograph-bench-") as name:
        folder = Path(name)
        throughput = _throughput(folder, frames=250 if quick else 750, rounds=3 if quick else 7)
        memory = _memory(folder, minutes=(3, 20 if quick else 60))
    return {
        "name": "video",
        "machine": machine(),
        "figures": {
            "throughput_vs_pyav": min(row["recipe_vs_pyav"] for row in throughput),
            "image_fn_throughput_vs_pyav": min(row["image_fn_vs_pyav"] for row in throughput),
            "rss_ratio_60min_to_3min": round(memory[1]["peak_rss_mb"] / memory[0]["peak_rss_mb"], 3),
            "peak_rss_mb": max(row["peak_rss_mb"] for row in memory),
        },
        "rows": [*throughput, *memory],
    }


def _throughput(folder: Path, frames: int, rounds: int) -> list[dict[str, Any]]:
    clip = folder / "moving.mp4"
    _make_detailed(clip, frames)
    return [_compare(clip, frames, preset, rounds) for preset in PRESETS]


def _compare(clip: Path, frames: int, preset: str, rounds: int) -> dict[str, Any]:
    """One row: the median ratio of interleaved rounds."""
    contenders: dict[str, Callable[[], float]] = {
        "pyav": lambda: frames / seconds(lambda: _bare_loop(clip, clip.with_suffix(".bare.mp4"), preset)),
        "recipe": lambda: frames / seconds(lambda: _recipe_path(clip, preset, invert=False)),
        "image_fn": lambda: frames / seconds(lambda: _recipe_path(clip, preset, invert=True)),
    }
    interleave(contenders, 1)  # imports and caches
    samples = interleave(contenders, rounds)
    return {
        "what": f"{SIZE[0]}x{SIZE[1]} to {SCALED[0]}x{SCALED[1]}, h264 {preset}, {CODEC_THREADS} threads",
        "frames": frames,
        "pyav_fps": round(sorted(samples["pyav"])[rounds // 2], 1),
        "recipe_vs_pyav": round(median_ratio(samples, "recipe", "pyav"), 3),
        "image_fn_vs_pyav": round(median_ratio(samples, "image_fn", "pyav"), 3),
    }


def _bare_loop(source: Path, target: Path, preset: str) -> None:
    """Decode, scale and encode as PyAV's own examples do, with its scaler kept between frames."""
    import av
    from av.video.reformatter import Interpolation, VideoReformatter

    scaler = VideoReformatter()
    with av.open(str(source)) as given, av.open(str(target), "w") as made:
        picture = given.streams.video[0]
        picture.thread_type = "AUTO"
        options = {"crf": str(CRF), "preset": preset}
        stream = made.add_stream("libx264", rate=picture.average_rate, options=options)
        stream.width, stream.height = SCALED
        stream.pix_fmt = "yuv420p"
        stream.codec_context.thread_count = CODEC_THREADS
        for frame in given.decode(picture):
            scaled = scaler.reformat(frame, *SCALED, interpolation=Interpolation.BICUBIC, threads=1)
            scaled.pict_type = 0  # else the encoder repeats the source's frame types instead of choosing
            made.mux(stream.encode(scaled))
        made.mux(stream.encode(None))


def _recipe_path(source: Path, preset: str, *, invert: bool) -> None:
    from ..nodes.video.encode import encode
    from ..nodes.video.image_function import ImageFunction
    from ..nodes.video.resize import Resize
    from ..nodes.video.settings import EncodeSettings
    from ..nodes.video.source import FileSource

    recipe = Resize(FileSource.of(source), *SCALED, mode="stretch")
    if invert:
        recipe = ImageFunction(recipe, lambda images: 1 - images, "invert")
    settings = EncodeSettings(codec="h264", crf=CRF, preset=preset, threads=CODEC_THREADS)
    encode(recipe, source.with_suffix(".recipe.mp4"), settings, replace=True)


def _memory(folder: Path, minutes: tuple[int, int]) -> list[dict[str, Any]]:
    """One row per clip length, each measured in a process of its own."""
    rows = []
    for length in minutes:
        clip = folder / f"{length}min.mp4"
        _make_long(clip, length)
        command = [sys.executable, "-m", __spec__.name, "--film", str(clip)]
        finished = subprocess.run(command, check=True, capture_output=True, text=True)
        chain = f"trim, resize, retime to {RETIMED} fps, encode"
        film = f"{SIZE[0]}x{SIZE[1]} at {LONG_RATE} fps with {SOUND_RATE} Hz sound"
        what = f"{length} min of {film}, mp4 to mp4: {chain}"
        rows.append({"what": what, **json.loads(finished.stdout.splitlines()[-1])})
        clip.unlink()
    return rows


def _film(clip: Path) -> dict[str, Any]:
    """Trim, resize, retime and encode one clip; its frames, seconds and this process's peak memory."""
    from ..nodes.video.constant_rate import ConstantRate
    from ..nodes.video.encode import encode
    from ..nodes.video.resize import Resize
    from ..nodes.video.settings import EncodeSettings
    from ..nodes.video.source import FileSource
    from ..nodes.video.trim import Trim

    trimmed = Trim(FileSource.of(clip), Fraction(1))
    recipe = ConstantRate(Resize(trimmed, 480, 270), Fraction(RETIMED))
    settings = EncodeSettings(threads=CODEC_THREADS)
    target = clip.with_suffix(".out.mp4")
    reports = []
    took = seconds(lambda: reports.append(encode(recipe, target, settings)))
    target.unlink()
    return {"frames": reports[0].frames, "seconds": round(took, 1), "peak_rss_mb": round(peak_rss_mb(), 1)}


def _make_detailed(path: Path, frames: int) -> None:
    """A clip of FFmpeg's moving test picture, with noise, so that decoding and encoding have work to do."""
    import av

    picture = f"testsrc2=size={SIZE[0]}x{SIZE[1]}:rate=25,noise=alls=12:allf=t"
    with av.open(picture, format="lavfi") as given, av.open(str(path), "w") as made:
        stream = made.add_stream("libx264", rate=25, options={"crf": "20", "preset": "veryfast"})
        stream.width, stream.height = SIZE
        stream.pix_fmt = "yuv420p"
        for index, frame in enumerate(given.decode(video=0)):
            if index == frames:
                break
            plain = frame.reformat(format="yuv420p")
            plain.pict_type = 0  # the test picture is all key frames
            made.mux(stream.encode(plain))
        made.mux(stream.encode(None))


def _make_long(path: Path, minutes: int) -> None:
    """A plain clip of any length with a tone, quickly: `LOOP` seconds of packets, over and over."""
    import av

    with av.open(str(path), "w") as made:
        picture = made.add_stream("libx264", rate=LONG_RATE, options={"preset": "ultrafast", "crf": "30"})
        picture.width, picture.height = SIZE
        picture.pix_fmt = "yuv420p"
        sound = made.add_stream("aac", rate=SOUND_RATE, layout="mono")
        loop = [packet for frame in _bar() for packet in picture.encode(frame)]
        loop += [packet for piece in _tone() for packet in sound.encode(piece)][: LOOP * SOUND_RATE // 1024]
        loop.sort(key=lambda packet: packet.dts * packet.time_base)
        for _ in range(-(-minutes * 60 // LOOP)):
            for packet in loop:
                again = av.Packet(bytes(packet))
                again.stream, again.time_base, again.duration = (
                    packet.stream,
                    packet.time_base,
                    packet.duration,
                )
                again.pts, again.dts, again.is_keyframe = packet.pts, packet.dts, packet.is_keyframe
                made.mux(again)
                packet.pts += int(LOOP / packet.time_base)
                packet.dts += int(LOOP / packet.time_base)


def _bar() -> Iterator[av.VideoFrame | None]:
    """A bright bar that crosses a gradient once a second; None ends it."""
    import numpy as np
    from av import VideoFrame

    width, height = SIZE
    for index in range(LOOP * LONG_RATE):
        pixels = np.full((height * 3 // 2, width), 128, np.uint8)
        pixels[:height] = np.linspace(30, 200, width, dtype=np.uint8)
        left = index % LONG_RATE * (width - 40) // LONG_RATE
        pixels[height // 3 : height // 2, left : left + 40] = 235
        frame = VideoFrame.from_ndarray(pixels, format="yuv420p")
        frame.pts, frame.time_base = index, Fraction(1, LONG_RATE)
        yield frame
    yield None


def _tone() -> Iterator[av.AudioFrame | None]:
    import numpy as np
    from av import AudioFrame

    wave = np.sin(np.arange(LOOP * SOUND_RATE) * 2 * np.pi * 220 / SOUND_RATE).astype(np.float32)[None] / 4
    piece = AudioFrame.from_ndarray(wave, format="fltp", layout="mono")
    piece.sample_rate, piece.pts, piece.time_base = SOUND_RATE, 0, Fraction(1, SOUND_RATE)
    yield from (piece, None)


if __name__ == "__main__":
    if "--film" in sys.argv:
        print(json.dumps(_film(Path(sys.argv[-1]))))
    else:
        print(json.dumps(run(quick="--quick" in sys.argv), indent=2))
