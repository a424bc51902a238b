"""What the web extension computes before it draws."""

from __future__ import annotations

import io

import pytest
import torch
from kinograph.nodes.sampling_progress import contact_sheet
from PIL import ImageOps


def test_a_preview_tells_the_editor_its_grid(javascript, tmp_path):
    sheet = ImageOps.contain(contact_sheet(torch.rand(13, 60, 80, 3)), (300, 300))
    jpeg = io.BytesIO()
    sheet.save(jpeg, format="JPEG", quality=95)
    body = "return (await web('contact_sheet.js')).gridOf(Uint8Array.from(given.jpeg))"
    found = javascript(body, jpeg=list(jpeg.getvalue()[:500]))
    assert found == {"count": 13, "columns": 4, "rows": 4}


def test_a_picture_without_a_comment_is_one_picture(javascript):
    body = "return (await web('contact_sheet.js')).gridOf(Uint8Array.from([255, 216, 255, 218, 0, 2]))"
    assert javascript(body) == {"count": 1, "columns": 1, "rows": 1}


def test_pictures_of_a_sheet_are_in_reading_order(javascript):
    body = """const { placeOf } = await web('contact_sheet.js');
        const grid = { count: 5, columns: 3, rows: 2 };
        return [0, 2, 3, 4].map((index) => placeOf(index, grid, 300, 100))"""
    assert javascript(body) == [[0, 0, 100, 50], [200, 0, 100, 50], [0, 50, 100, 50], [100, 50, 100, 50]]


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0, "0:00.000"),
        (61.5, "1:01.500"),
        (3661.0004, "1:01:01.000"),
        (59.9996, "1:00.000"),
        (-1, "0:00.000"),
    ],
)
def test_times_are_written_as_players_do(javascript, seconds, text):
    assert javascript("return (await web('time_code.js')).timeCode(given.seconds)", seconds=seconds) == text


def test_stepping_by_frames_lands_on_each_frame_once(javascript):
    body = """const { frameAt, timeOf } = await web('time_code.js');
        const fps = 30000 / 1001, frames = 200;
        const landed = (frame) => frameAt(timeOf(frame, fps), fps, frames);
        return [...Array(frames).keys()].filter((frame) => landed(frame) !== frame)"""
    assert javascript(body) == []


def test_spans_that_overlap_get_rows_of_their_own(javascript):
    spans = [{"start": 0, "end": 4}, {"start": 1, "end": 2}, {"start": 2, "end": 5}, {"start": 4, "end": 6}]
    body = "return (await web('views/timeline.js')).rowsOf(given.spans)"
    assert javascript(body, spans=spans) == [0, 1, 1, 0]


def test_long_lines_of_a_report_count_as_several(javascript):
    body = "return (await web('views/report.js')).wrappedLines('short\\n' + 'x'.repeat(100) + '\\n', 342)"
    assert javascript(body) == 4
