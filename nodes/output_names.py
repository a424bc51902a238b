"""Names of saved files: subfolders, %tokens%, and counters that never overwrite."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from .folders import check_portable, output_folder
from .video.new_file import claim

_DATE = re.compile("%date:([^%]+)%")
_DATE_PARTS = {
    "yyyy": "%Y",
    "yy": "%y",
    "MM": "%m",
    "dd": "%d",
    "HH": "%H",
    "hh": "%H",
    "mm": "%M",
    "ss": "%S",
}
_SHORT_PARTS = {"M": "month", "d": "day", "H": "hour", "h": "hour", "m": "minute", "s": "second"}
_DATE_PART = re.compile("|".join([*_DATE_PARTS, *_SHORT_PARTS]))
_MOMENT = {"year": "%Y", "month": "%m", "day": "%d", "hour": "%H", "minute": "%M", "second": "%S"}


@dataclass
class OutputFile:
    """A file being written.

    part: the hidden path to write to.
    path: where it will be; the number may still grow if another program takes the name meanwhile.
    subfolder: below the output folder, written with "/"; "" for the folder itself.
    """

    part: Path
    path: Path
    subfolder: str

    @property
    def name(self) -> str:
        """The name below the output folder, written with "/"."""
        return f"{self.subfolder}/{self.path.name}" if self.subfolder else self.path.name


def expand_tokens(prefix: str, facts: Mapping[str, object], now: datetime) -> str:
    """Replace `%date:yyyy-MM-dd%`, `%year%` … `%second%` and `%fact%` in a file name prefix.

    Args:
        prefix: as the user wrote it; other text between percent signs is kept.
        facts: more tokens and their values, e.g. `{"width": 640}`.
        now: local time. Date parts: yyyy yy MM M dd d HH H (or hh h) mm m ss s.
    """
    prefix = _DATE.sub(lambda match: _DATE_PART.sub(lambda part: _date_part(part[0], now), match[1]), prefix)
    values = {name: now.strftime(form) for name, form in _MOMENT.items()} | dict(facts)
    for name, value in values.items():
        prefix = prefix.replace(f"%{name}%", str(value))
    return prefix


def _date_part(part: str, now: datetime) -> str:
    return now.strftime(_DATE_PARTS[part]) if part in _DATE_PARTS else str(getattr(now, _SHORT_PARTS[part]))


@contextmanager
def new_output(prefix: str, suffix: str, facts: Mapping[str, object]) -> Iterator[OutputFile]:
    """Reserve the next free name below the output folder; publish the file at the end, or leave nothing.

    Names are `prefix_00001_.mp4`, as the host's own. The body writes to `part`; when it returns, the part
    takes its final name in one step, and when it raises, the part is removed. Threads and processes that
    ask at the same time get different numbers.

    Args:
        prefix: subfolders and stem, with tokens, e.g. "video/%date:yyyy-MM-dd%/clip".
        suffix: of the file, e.g. ".mp4".
        facts: more tokens and their values.

    Raises:
        PathRefused: the name leaves the output folder or some system cannot store it.
    """
    name = expand_tokens(prefix, facts, datetime.now())
    check_portable(name)
    subfolder, _, stem = name.rpartition("/")
    folder = output_folder(subfolder)
    number, part = _reserve(folder, stem, suffix)
    output = OutputFile(part, folder / f"{stem}_{number:05}_{suffix}", subfolder)
    try:
        yield output
        while not _published(output):
            number += 1
            output.path = folder / f"{stem}_{number:05}_{suffix}"
    finally:
        part.unlink(missing_ok=True)


def _reserve(folder: Path, stem: str, suffix: str) -> tuple[int, Path]:
    """Create the hidden part file of the first number that no file and no other part has."""
    number = max(_numbers(folder, stem), default=0) + 1
    while True:
        part = folder / f".{stem}_{number:05}_.part{suffix}"
        try:
            part.open("xb").close()
        except FileExistsError:
            number += 1
            continue
        # whoever held this part before may have published between the listing and now
        if number not in _numbers(folder, stem):
            return number, part
        part.unlink()
        number += 1


def _numbers(folder: Path, stem: str) -> set[int]:
    """Numbers that files of this stem have, whatever their suffix and case."""
    numbered = re.compile(re.escape(stem) + r"_(\d+)_.*", re.IGNORECASE)
    matches = (numbered.fullmatch(entry) for entry in os.listdir(folder))
    return {int(match[1]) for match in matches if match}


def _published(output: OutputFile) -> bool:
    """Give the part its final name; False if that name is taken."""
    try:
        claim(output.part, output.path)
    except FileExistsError:
        return False
    return True
