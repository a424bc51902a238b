"""Pull a recipe and write it to a file: decoding in a thread, encoding here, nothing half-written."""

from __future__ import annotations

import errno
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, suppress
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING

from .audio_track import AudioTrack
from .freed_memory import return_freed_memory
from .gif_palette import paletted
from .mp4_index import index_fragments
from .new_file import new_file
from .picture_track import PictureTrack
from .pixels import Converter, grown
from .reader_thread import read_ahead
from .recipe import Frame, Recipe, VideoError
from .settings import EncodePlan, EncodeSettings, plan_encode

if TYPE_CHECKING:
    import av

DISK_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)


@dataclass(frozen=True)
class EncodeReport:
    """What was written.

    seconds: duration of the picture.
    notes: everything that was adapted on the way, in sentences for the user.
    """

    path: Path
    frames: int
    seconds: float
    bytes: int
    notes: tuple[str, ...]


def encode(
    recipe: Recipe,
    path: str | Path,
    settings: EncodeSettings | None = None,
    *,
    tick: Callable[[int], None] = lambda count: None,
    metadata: Mapping[str, str] | None = None,
    replace: bool = False,
) -> EncodeReport:
    """Write a recipe to a new file.

    A constant rate stays exact; a variable one keeps its times (rounded to the container's clock, 1 ms in
    mkv and webm). The file appears under its name when it is whole; after an error or a cancel nothing is
    left.

    Args:
        path: the file to make, in a folder that exists.
        tick: called with 1 after each frame; what it raises (a cancel) ends the work.
        metadata: container tags, e.g. `prompt` and `workflow` as JSON.
        replace: take the place of an existing file.

    Raises:
        VideoError: the file exists, the settings do not fit, the source is damaged or the disk is full.
    """
    path = Path(path)
    plan = plan_encode(recipe, settings or EncodeSettings())
    notes = list(plan.notes)
    tags = dict(metadata or {})
    if tags and not plan.settings.container_facts.tags:
        notes.append(f"{plan.settings.container} carries no tags: {', '.join(tags)} not embedded")
        tags = {}
    with new_file(path, replace=replace) as hidden:
        frames, sound_notes = _write(plan, hidden, tags, tick)
        size = hidden.stat().st_size
    notes += [note for note in plan.recipe.notes if note not in notes]  # what came up while it was made
    return EncodeReport(path, frames, float(plan.recipe.spec.duration), size, (*notes, *sound_notes))


def _write(
    plan: EncodePlan, path: Path, tags: dict[str, str], tick: Callable[[int], None]
) -> tuple[int, list[str]]:
    import av

    try:
        result = _mux(plan, path, tags, tick)
        if plan.settings.container_facts.fragmented:
            return_freed_memory()  # the encoder's, before the index takes its own
            index_fragments(path, plan.recipe.spec.duration)
        return result
    except (av.FFmpegError, OSError) as error:
        raise VideoError(_unwritable(path, plan, error)) from error


def _mux(
    plan: EncodePlan, path: Path, tags: dict[str, str], tick: Callable[[int], None]
) -> tuple[int, list[str]]:
    import av

    facts = plan.settings.container_facts
    container = av.open(str(path), "w", format=facts.muxer, options=dict(facts.options))
    try:
        with closing(read_ahead(_prepared(plan))) as pictures:
            container.metadata.update(tags)
            result = _fill(plan, container, pictures, tick)
    except BaseException:
        with suppress(av.FFmpegError):
            container.close()
        raise
    container.close()
    return result


def _unwritable(path: Path, plan: EncodePlan, error: OSError) -> str:
    if error.errno in DISK_FULL:
        return f"the disk is full: {path.parent} took no more; free space or choose another folder"
    what = f"{plan.settings.video_codec} ({plan.encoder}, {plan.pixel_format}, {plan.width}x{plan.height})"
    return f"cannot write {what} to {path.parent}: {error.strerror}; choose other settings or another folder"


def _prepared(plan: EncodePlan) -> Iterator[Frame]:
    """Frames as the encoder wants them; this runs in the reading thread."""
    if plan.settings.video_codec == "gif":
        yield from paletted(plan.recipe, plan.pixel_format)
        return
    convert = Converter(pixel_format=plan.pixel_format)
    for image, time in plan.recipe.frames():
        yield Frame(grown(convert(image), plan.width, plan.height), time)


def _fill(
    plan: EncodePlan,
    container: av.container.OutputContainer,
    pictures: Iterator[Frame],
    tick: Callable[[int], None],
) -> tuple[int, list[str]]:
    """Encode everything; (number of frames, notes about the sound)."""
    duration = plan.recipe.spec.duration
    first = next(pictures)
    picture = PictureTrack(container, plan, first.image)
    sound = plan.audio and AudioTrack(container, plan.recipe, plan.audio, plan.settings.audio_bit_rate)
    count = 0
    for frame, end in _with_ends(first, pictures, duration):
        picture.write(frame, end)
        if sound:
            sound.write_until(end)
        count += 1
        tick(1)
    picture.finish(duration)
    if sound:
        sound.write_until(None)
    return count, _sound_notes(plan, sound)


def _with_ends(first: Frame, others: Iterator[Frame], duration: Fraction) -> Iterator[tuple[Frame, Fraction]]:
    """Each frame with the time at which the next one replaces it."""
    shown = first
    for following in others:
        yield shown, following.time
        shown = following
    yield shown, max(duration, shown.time)


def _sound_notes(plan: EncodePlan, track: AudioTrack | None) -> list[str]:
    if not track:
        return []
    given, (made, encoder) = plan.recipe.spec.audio, track.adapted
    notes = []
    if made.sample_rate != given.sample_rate:
        notes.append(f"the sound is resampled to {made.sample_rate} Hz for {encoder}")
    if made.channels != given.channels:
        notes.append(f"the sound is mixed down to {made.channels} channels")
    return notes
