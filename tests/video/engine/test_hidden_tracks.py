from __future__ import annotations

from fractions import Fraction
from itertools import pairwise

import av
import numpy as np
import pytest
from kinograph.nodes.video.encode import encode
from kinograph.nodes.video.hidden_tracks import PICTURE, SOUND, HiddenTracks
from kinograph.nodes.video.recipe import AudioSpec
from kinograph.nodes.video.settings import EncodeSettings
from kinograph.nodes.video.source import BytesSource, FileSource


@pytest.fixture(params=["mp4", "mov"])
def film(request, tmp_path, numbered):
    """Four seconds with sound; B-frames and AAC priming give both tracks edit lists."""
    recipe = numbered(40, fps=Fraction(10), sound=AudioSpec(44_100, 2))
    settings = EncodeSettings(container=request.param, codec="h264", audio_codec="aac")
    return encode(recipe, tmp_path / f"film.{request.param}", settings).path


@pytest.mark.parametrize(("without", "left"), [(SOUND, ["video"]), (PICTURE, ["audio"])])
def test_only_the_other_kind_is_read(film, without, left):
    with HiddenTracks(str(film), without) as file, av.open(file) as container:
        assert [stream.type for stream in container.streams] == left


def test_the_same_pictures_and_sound_come_as_from_the_whole_file(film):
    partial, whole = FileSource.of(film), BytesSource(film.read_bytes())
    for start in (Fraction(0), Fraction(5, 2)):
        for one, other in zip(partial.frames(start), whole.frames(start), strict=True):
            assert one.time == other.time
            assert (one.image.to_ndarray() == other.image.to_ndarray()).all()
        sounds = [np.concatenate(list(source.audio(start)), axis=1) for source in (partial, whole)]
        np.testing.assert_array_equal(*sounds)


def test_bytes_differ_only_in_the_type_of_the_hidden_box_however_they_are_read(film):
    whole = film.read_bytes()
    with HiddenTracks(str(film), SOUND) as file:
        (place,) = file.hidden
        assert file.read() == whole[:place] + b"free" + whole[place + 4 :]
        for cut in range(place - 1, place + 6):
            for begin, end in pairwise((place - 2, cut, place + 8)):
                file.seek(begin)
                got = file.read(max(0, end - begin))
                expected = whole[:place] + b"free" + whole[place + 4 :]
                assert got == expected[begin : max(begin, end)]


@pytest.mark.parametrize("movflags", ["frag_keyframe+empty_moov", "faststart"])
def test_a_fragmented_file_is_left_alone(film, tmp_path, movflags):
    made = tmp_path / "again.mp4"
    with av.open(str(film)) as given, av.open(str(made), "w", options={"movflags": movflags}) as copy:
        streams = {stream: copy.add_stream_from_template(stream) for stream in given.streams}
        for packet in given.demux():
            if packet.dts is not None:
                packet.stream = streams[packet.stream]
                copy.mux(packet)
    with HiddenTracks(str(made), SOUND) as file:
        assert len(file.hidden) == (1 if movflags == "faststart" else 0)


def test_damaged_boxes_are_left_to_the_decoder(film, tmp_path):
    whole = film.read_bytes()
    index = whole.index(b"moov")
    random = np.random.default_rng(0)
    for trial in range(60):
        damaged = bytearray(whole)
        for _ in range(4):
            damaged[int(random.integers(0, index + 700))] = int(random.choice([0, 1, 8, 255]))
        path = tmp_path / f"{trial}.mp4"
        path.write_bytes(damaged[: len(damaged) - trial])
        for kind in (PICTURE, SOUND):
            with HiddenTracks(str(path), kind) as file:
                assert len(file.read()) == len(whole) - trial
