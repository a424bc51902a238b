"""Times as people read them on a film: `1:02:03.456`."""

from __future__ import annotations

from fractions import Fraction


def timecode(seconds: Fraction | float) -> str:
    """Seconds as `M:SS.mmm`, or `H:MM:SS.mmm` from one hour on, rounded to a millisecond."""
    milliseconds = round(seconds * 1000)
    minutes, milliseconds = divmod(milliseconds, 60_000)
    hours, minutes = divmod(minutes, 60)
    rest = f"{milliseconds // 1000:02}.{milliseconds % 1000:03}"
    return f"{hours}:{minutes:02}:{rest}" if hours else f"{minutes}:{rest}"
