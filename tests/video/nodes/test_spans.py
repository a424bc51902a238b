from __future__ import annotations

from fractions import Fraction

import pytest
from kinograph.nodes.video.spans import Span, SpanError, Spans
from kinograph.nodes.video.timecode import timecode


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0, "0:00.000"), (59.9996, "1:00.000"), (Fraction(29, 25), "0:01.160"), (3723.5, "1:02:03.500")],
)
def test_timecode(seconds, text):
    assert timecode(seconds) == text


def _spans(*bounds: tuple[int, int]) -> Spans:
    return Spans(
        tuple(Span(Fraction(start), Fraction(end), f"{start}-{end}") for start, end in bounds), Fraction(10)
    )


def test_spans_are_ordered_and_numbered_from_both_ends():
    spans = _spans((5, 7), (0, 6), (8, 10))
    assert [span.label for span in spans] == ["0-6", "5-7", "8-10"]
    assert spans.at(0).label == "0-6"
    assert spans.at(-1).label == "8-10"
    assert spans.to_text().splitlines()[1] == "  1  0:05.000 – 0:07.000     2.000 s  5-7"


@pytest.mark.parametrize("index", [3, -4])
def test_an_index_beyond_the_spans_tells_how_many_there_are(index):
    with pytest.raises(SpanError, match="3 were found"):
        _spans((0, 1), (1, 2), (2, 3)).at(index)


def test_no_spans_at_all_is_said():
    with pytest.raises(SpanError, match="none were found"):
        _spans().at(0)


@pytest.mark.parametrize("bounds", [(3, 3), (4, 3), (-1, 2), (9, 11)])
def test_spans_that_do_not_fit_are_refused(bounds):
    with pytest.raises(SpanError, match=r"0:10\.000"):
        _spans(bounds)
