from __future__ import annotations

from fractions import Fraction

import numpy as np
from kinograph.nodes.video.contact_sheet import (
    BACKGROUND,
    SheetLayout,
    contact_sheet,
    frames_at,
    sheet_layout,
)
from kinograph.nodes.video.source import FileSource

RED, GREEN, BLUE, WHITE = (250, 0, 0), (0, 250, 0), (0, 0, 250), (250, 250, 250)


def _tile(sheet: np.ndarray, layout: SheetLayout, index: int) -> np.ndarray:
    left, top = layout.corner(index)
    return sheet[top : top + layout.tile_height, left : left + layout.tile_width]


def _caption(sheet: np.ndarray, layout: SheetLayout, index: int) -> np.ndarray:
    left, top = layout.corner(index)
    below = top + layout.tile_height
    return sheet[below : below + layout.caption, left : left + layout.tile_width]


def test_tiles_show_the_middle_of_their_part_in_reading_order(painted):
    recipe = painted(tuple([RED] * 5 + [GREEN] * 5 + [BLUE] * 5 + [WHITE] * 5))
    layout = sheet_layout(recipe, columns=2, rows=2, tile_width=96)
    sheet = contact_sheet(recipe, layout, Fraction(0), Fraction(2), "title")
    assert sheet.shape == (layout.size[1], layout.size[0], 3)
    assert layout.tile_height == 54
    for index, colour in enumerate((RED, GREEN, BLUE, WHITE)):
        assert np.abs(_tile(sheet, layout, index).astype(int) - colour).max() <= 2


def test_every_tile_has_its_own_time_code_and_the_header_its_title(painted):
    recipe = painted(tuple([RED] * 40))
    layout = sheet_layout(recipe, columns=3, rows=1, tile_width=120)
    sheet = contact_sheet(recipe, layout, Fraction(0), Fraction(4), "a title")
    captions = [_caption(sheet, layout, index) for index in range(3)]
    assert all((caption != BACKGROUND).any() for caption in captions)
    assert not np.array_equal(captions[0], captions[1])
    assert not np.array_equal(captions[1], captions[2])
    other = contact_sheet(recipe, layout, Fraction(0), Fraction(4), "another title")
    assert (other != sheet)[: layout.corner(0)[1]].any()
    assert not (other != sheet)[layout.corner(0)[1] :].any()


def test_everything_stays_inside_the_margin(painted):
    for tile_width in (64, 100, 333):
        layout = sheet_layout(painted((RED,) * 9), columns=3, rows=2, tile_width=tile_width)
        sheet = contact_sheet(painted((RED,) * 9), layout, Fraction(0), Fraction(9, 10), "long " * 99)
        inner = sheet[layout.margin // 2 : -layout.margin // 2, layout.margin : -layout.margin]
        assert (inner != BACKGROUND).any()
        outside = sheet.copy()
        outside[layout.margin // 2 : -layout.margin // 2, layout.margin : -layout.margin] = BACKGROUND
        assert (outside == BACKGROUND).all()


def test_a_part_of_the_video_is_shown_alone(painted):
    recipe = painted(tuple([RED] * 10 + [BLUE] * 10))
    layout = sheet_layout(recipe, columns=4, rows=1, tile_width=64)
    sheet = contact_sheet(recipe, layout, Fraction(1), Fraction(2), "")
    assert all(np.abs(_tile(sheet, layout, index).astype(int) - BLUE).max() <= 2 for index in range(4))


def test_frames_on_screen_are_found_by_decoding_on_and_by_seeking(bikes):
    source = FileSource.of(bikes)
    near = [Fraction(n, 10) for n in range(0, 95, 7)]
    far = [Fraction(1, 100), Fraction(999, 100)]
    for moments in (near, far):
        expected = [Fraction(int(moment * 25), 25) for moment in moments]
        assert [frame.time for frame in frames_at(source, moments)] == expected
