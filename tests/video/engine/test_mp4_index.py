from __future__ import annotations

from collections.abc import Callable, Iterator
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest
from kinograph.nodes.video import mp4_index
from kinograph.nodes.video.encode import encode
from kinograph.nodes.video.mp4_index import FRAGMENTED, index_fragments
from kinograph.nodes.video.mp4_track import children, found
from kinograph.nodes.video.recipe import AudioSpec
from kinograph.nodes.video.settings import EncodeSettings
from kinograph.nodes.video.source import FileSource

ORDINARY = {"movflags": "use_metadata_tags+faststart"}
TICK = Fraction(1, 12_800)
TAGS = {"prompt": '{"é": 1}', "workflow": "x" * 3000}

STREAMS = {
    "b_frames": ("mp4", "libx264", {"bf": "3", "g": "12"}, "yuv420p", "aac"),
    "opus": ("mp4", "libx264", {"preset": "ultrafast"}, "yuv420p", "libopus"),
    "ten_bits": ("mp4", "libx265", {"x265-params": "log-level=error:bframes=3"}, "yuv420p10le", "aac"),
    "vp9": ("mp4", "libvpx-vp9", {"deadline": "realtime", "cpu-used": "8"}, "yuv420p", "flac"),
    "silent": ("mp4", "libx264", {"bf": "3"}, "yuv420p", None),
    "prores": ("mov", "prores_ks", {}, "yuv422p10le", "pcm_s16le"),
    "mov_aac": ("mov", "libx264", {"bf": "2"}, "yuv420p", "aac"),
}
TIMES = {"steady": lambda index: index * 512, "varying": lambda index: index * 400 + 11 * (index % 5) ** 2}
"""In TICKs; 40 pictures are 1.6 s and fill several fragments."""


def mux(path: Path, kind: str, muxer: dict[str, str], time: Callable[[int], int], pictures: int = 40) -> None:
    """Noise and a hum through one thread of an encoder, so that two calls make the same packets."""
    _, codec, options, pixel_format, sound = STREAMS[kind]
    with av.open(str(path), "w", options=muxer) as made:
        made.metadata.update(TAGS)
        picture = made.add_stream(codec, rate=25, options={"threads": "1", **options})
        picture.width, picture.height, picture.pix_fmt = 64, 48, pixel_format
        picture.codec_context.time_base = TICK
        rate = 48_000 if sound == "libopus" else 44_100
        hum = sound and made.add_stream(sound, rate=rate, layout="stereo")
        frames = noise(pictures, pixel_format, time)
        packets = [packet for frame in frames for packet in picture.encode(frame)]
        lasting = {time(index): time(index + 1) - time(index) for index in range(pictures)}
        for packet in packets:
            packet.duration = lasting[packet.pts]
        last = packets[-1]
        last.duration = max(1, time(pictures) - (last.dts - packets[0].dts))
        if hum:
            packets += [packet for piece in tones(pictures, rate) for packet in hum.encode(piece)]
        for packet in sorted(packets, key=lambda packet: packet.dts * packet.time_base):
            made.mux(packet)


def noise(count: int, pixel_format: str, time: Callable[[int], int]) -> Iterator[av.VideoFrame | None]:
    random = np.random.default_rng(0)
    for index in range(count):
        frame = av.VideoFrame.from_ndarray(random.integers(0, 255, (48, 64, 3), np.uint8), format="rgb24")
        frame = frame.reformat(format=pixel_format)
        frame.pts, frame.time_base = time(index), TICK
        yield frame
    yield None


def tones(count: int, rate: int) -> Iterator[av.AudioFrame | None]:
    """`count` times 1/25 s of sound."""
    for index in range(count):
        piece = av.AudioFrame.from_ndarray(np.full((2, rate // 25), 0.1, np.float32), "fltp", "stereo")
        piece.sample_rate, piece.pts, piece.time_base = rate, index * (rate // 25), Fraction(1, rate)
        yield piece
    yield None


STREAM_FACTS = ("type", "name", "time_base", "start_time", "duration", "frames", "metadata", "disposition")


def told(path: Path) -> dict[str, object]:
    """All that a reader learns of a file, with every packet."""
    with av.open(str(path)) as container:
        streams = [
            [stream.codec_context.codec_tag, *(getattr(stream, fact) for fact in STREAM_FACTS)]
            for stream in container.streams
        ]
        packets = [
            (p.stream_index, p.pts, p.dts, p.duration, p.is_keyframe, p.is_discard, bytes(p))
            for p in container.demux()
        ]
        return {
            "file": (container.duration, container.start_time, container.metadata),
            "streams": streams,
            "packets": sorted(packets, key=lambda packet: packet[0]),
        }


def pictures_of(facts: dict[str, list]) -> list[tuple]:
    return [packet for packet in facts["packets"] if packet[0] == 0]


def sound_bytes(facts: dict[str, list]) -> bytes:
    return b"".join(data for index, *_, data in facts["packets"] if index == 1)


def boxes(path: Path) -> list[bytes]:
    with open(path, "rb") as file:
        return [kind for kind, *_ in mp4_index._boxes(file)]


@pytest.mark.parametrize("time", TIMES)
@pytest.mark.parametrize("kind", STREAMS)
def test_a_file_reads_as_if_it_had_been_muxed_without_fragments(tmp_path, kind, time):
    container = STREAMS[kind][0]
    plain, made = tmp_path / f"plain.{container}", tmp_path / f"made.{container}"
    mux(plain, kind, ORDINARY, TIMES[time])
    mux(made, kind, FRAGMENTED, TIMES[time])
    assert boxes(made).count(b"moof") > 1
    index_fragments(made, TIMES[time](40) * TICK)
    wanted, got = told(plain), told(made)
    if kind == "prores":  # PCM is cut into packets anew by each reading, within chunks
        assert sound_bytes(got) == sound_bytes(wanted)
        got["packets"], wanted["packets"] = pictures_of(got), pictures_of(wanted)
    assert got["packets"] == wanted["packets"]
    assert got["streams"] == wanted["streams"]
    assert got["file"] == wanted["file"]


def test_the_index_stands_in_front_of_the_data_and_nothing_else_is_left(tmp_path):
    made = tmp_path / "made.mp4"
    mux(made, "b_frames", FRAGMENTED, TIMES["steady"])
    index_fragments(made)
    assert boxes(made) == [b"ftyp", b"moov", b"mdat"]


def test_one_picture_makes_a_whole_file(tmp_path):
    made = tmp_path / "made.mp4"
    mux(made, "b_frames", FRAGMENTED, TIMES["steady"], pictures=1)
    index_fragments(made)
    with av.open(str(made)) as container:
        assert len(list(container.decode(video=0))) == 1


def test_data_are_moved_in_blocks_without_losing_any(tmp_path, monkeypatch):
    monkeypatch.setattr(mp4_index, "BLOCK", 100)
    plain, made = tmp_path / "plain.mp4", tmp_path / "made.mp4"
    mux(plain, "b_frames", ORDINARY, TIMES["steady"])
    mux(made, "b_frames", FRAGMENTED, TIMES["steady"])
    index_fragments(made)
    assert told(made)["packets"] == told(plain)["packets"]


def test_a_file_beyond_4_gib_gets_offsets_of_64_bits(tmp_path, monkeypatch):
    monkeypatch.setattr(mp4_index, "WIDE", 0)
    plain, made = tmp_path / "plain.mp4", tmp_path / "made.mp4"
    mux(plain, "b_frames", ORDINARY, TIMES["steady"])
    mux(made, "b_frames", FRAGMENTED, TIMES["steady"])
    index_fragments(made)
    movie = next(body for kind, body in children(made.read_bytes()) if kind == b"moov")
    tables = found(movie, b"trak", b"mdia", b"minf", b"stbl")
    assert found(tables, b"co64") and not found(tables, b"stco")
    assert told(made)["packets"] == told(plain)["packets"]


def test_a_duration_beyond_32_bits_is_kept(tmp_path):
    made = tmp_path / "made.mp4"
    mux(made, "silent", FRAGMENTED, lambda index: index * 2**28)
    index_fragments(made)
    with av.open(str(made)) as container:
        assert container.streams.video[0].duration > 39 * 2**28
        assert len(list(container.decode(video=0))) == 40


def test_encoded_files_are_ordinary_ones_with_their_tags(tmp_path, numbered):
    sound = AudioSpec(48_000, 1)
    recipe = numbered(40, fps=Fraction(10), sound=sound)
    report = encode(recipe, tmp_path / "made.mp4", EncodeSettings(preset="ultrafast"), metadata=TAGS)
    assert boxes(report.path) == [b"ftyp", b"moov", b"mdat"]
    source = FileSource.of(report.path)
    assert {name: source.facts.tags[name] for name in TAGS} == TAGS
    assert source.spec.duration == 4
    assert sum(piece.shape[1] for piece in source.audio()) == 4 * 48_000
