"""Sound as float32 [channels, samples] pieces: lengths exact to the sample, nothing held whole."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from fractions import Fraction
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import av
    import numpy as np

    from .recipe import AudioSpec

PIECE = 16_384
"""Samples of silence made at a time."""


def sample_at(seconds: Fraction, sample_rate: int) -> int:
    """Index of the sample at a time."""
    return round(seconds * sample_rate)


def silence(channels: int, samples: int) -> Iterator[np.ndarray]:
    """`samples` zeros per channel, in pieces."""
    import numpy as np

    for begin in range(0, samples, PIECE):
        yield np.zeros((channels, min(PIECE, samples - begin)), np.float32)


def exactly(pieces: Iterable[np.ndarray], channels: int, samples: int) -> Iterator[np.ndarray]:
    """Cut or pad the pieces with silence to `samples` altogether."""
    missing = samples
    for piece in pieces:
        if piece.shape[1] >= missing:
            if missing:
                yield piece[:, :missing]
            return
        missing -= piece.shape[1]
        yield piece
    yield from silence(channels, missing)


def placed(timed: Iterable[tuple[int, np.ndarray]], channels: int, tolerance: int) -> Iterator[np.ndarray]:
    """Join pieces that tell where they belong into gapless sound from sample 0 on.

    Args:
        timed: (index of the first sample, piece), in order; indices may be negative.
        tolerance: samples that a piece's index may be off before silence fills or a cut mends the gap:
            containers round times, and steady sound must not be torn at every packet.
    """
    position, begun = 0, False
    for index, piece in timed:
        if not begun or abs(index - position) > tolerance:
            yield from silence(channels, index - position)
            piece = piece[:, max(0, position - index) :]
            position = max(position, index)
        if piece.shape[1]:
            yield piece
            position += piece.shape[1]
            begun = True


def resampled(pieces: Iterable[np.ndarray], given: AudioSpec, wanted: AudioSpec) -> Iterator[np.ndarray]:
    """Change the sample rate and number of channels; a mix-down is scaled so that it cannot clip."""
    if given == wanted:
        yield from pieces
        return
    options = f"osr={wanted.sample_rate}:ochl={layout_of(wanted.channels)}:rematrix_maxval=1"
    yield from filtered(pieces, given, (("aresample", options),))


def filtered(
    pieces: Iterable[np.ndarray], given: AudioSpec, filters: Iterable[tuple[str, str]]
) -> Iterator[np.ndarray]:
    """Run sound through a chain of FFmpeg's audio filters."""
    from av import BlockingIOError as NothingYet
    from av import EOFError as End
    from av.filter import Graph

    clock = Fraction(1, given.sample_rate)
    graph = Graph()
    source = graph.add_abuffer(
        sample_rate=given.sample_rate, format="fltp", layout=layout_of(given.channels), time_base=clock
    )
    chain = [graph.add(name, arguments) for name, arguments in (*filters, ("aformat", "sample_fmts=fltp"))]
    graph.link_nodes(source, *chain, graph.add("abuffersink")).configure()

    def ready() -> Iterator[np.ndarray]:
        while True:
            try:
                yield graph.pull().to_ndarray()
            except (NothingYet, End):
                return

    position = 0
    for piece in pieces:
        frame = audio_frame(piece, given.sample_rate)
        frame.pts, frame.time_base = position, clock
        position += piece.shape[1]
        graph.push(frame)
        yield from ready()
    graph.push(None)
    yield from ready()


def audio_frame(piece: np.ndarray, sample_rate: int) -> av.AudioFrame:
    """An `av.AudioFrame` (planar float) around [channels, samples]; the caller sets its pts."""
    import numpy as np
    from av import AudioFrame

    frame = AudioFrame.from_ndarray(np.ascontiguousarray(piece), "fltp", layout_of(piece.shape[0]))
    frame.sample_rate = sample_rate
    return frame


def layout_of(channels: int) -> str:
    """FFmpeg's usual layout for a number of channels."""
    usual = {1: "mono", 2: "stereo", 3: "2.1", 4: "4.0", 5: "5.0", 6: "5.1", 7: "6.1", 8: "7.1"}
    return usual.get(channels, f"{channels}c")


class Reader:
    """Takes samples from pieces in the amounts that the caller needs."""

    def __init__(self, pieces: Iterator[np.ndarray], channels: int) -> None:
        self._pieces = pieces
        self._channels = channels
        self._held: list[np.ndarray] = []

    def take(self, samples: int) -> np.ndarray:
        """The next [channels, samples]; silence follows the end."""
        import numpy as np

        missing = samples - sum(piece.shape[1] for piece in self._held)
        while missing > 0:
            piece = next(self._pieces, None)
            if piece is None:
                piece = np.zeros((self._channels, missing), np.float32)
            self._held.append(piece)
            missing -= piece.shape[1]
        whole = np.concatenate([np.zeros((self._channels, 0), np.float32), *self._held], axis=1)
        self._held = [whole[:, samples:]]
        return whole[:, :samples]

    def pieces(self, samples: int) -> Iterator[np.ndarray]:
        """The next `samples`, piece by piece."""
        while samples > 0:
            count = min(PIECE, samples)
            yield self.take(count)
            samples -= count
