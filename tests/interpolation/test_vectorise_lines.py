"""Raster drawings become graphs that draw the same picture."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from interpolation.line_drawings import HEIGHT, WIDTH, ellipse, figure, ink, polyline, vectorised
from kinograph.nodes.interpolation.skeleton import chains, links, simplified, thin
from kinograph.nodes.interpolation.strokes import paint, rasterised
from kinograph.nodes.interpolation.vectorise import DARK, LIGHT, ink_of


def test_a_drawing_comes_back_where_it_was():
    drawn = ink(figure(10))
    graph = vectorised(drawn)
    near = paint(graph.segments, HEIGHT, WIDTH, 6.0).coverage > 0.5
    assert (drawn & ~near).sum() <= 2
    again = rasterised(graph, 3.0) > 0.5
    assert (again & drawn).sum() > 0.9 * max(again.sum(), drawn.sum())


def test_crossings_and_ends_are_vertices():
    graph = vectorised(ink(np.concatenate([polyline((20, 20), (120, 100)), polyline((20, 100), (120, 20))])))
    assert sorted(graph.degrees[graph.degrees != 2].tolist()) == [1, 1, 1, 1, 4]
    crossing = graph.vertices[graph.degrees == 4][0]
    np.testing.assert_allclose(crossing, [70, 60], atol=1.5)


def test_a_closed_line_stays_closed():
    graph = vectorised(ink(ellipse(80, 60, 40, 30)))
    assert (graph.degrees == 2).all()
    assert len(graph.edges) == len(graph.vertices)


def test_a_shifted_drawing_gives_the_shifted_graph():
    drawn = ink(figure())
    one, other = vectorised(drawn), vectorised(np.roll(drawn, (7, 5), (0, 1)))
    np.testing.assert_allclose(other.vertices - one.vertices, np.broadcast_to([5, 7], one.vertices.shape))
    assert (one.edges == other.edges).all()


def test_edges_are_no_longer_than_asked():
    graph = vectorised(ink(polyline((10, 60), (150, 60))), spacing=20.0)
    lengths = np.linalg.norm(graph.segments[:, 1] - graph.segments[:, 0], axis=1)
    assert lengths.max() <= 20.0
    assert len(graph.edges) == 7


def test_short_side_lines_are_left_out_and_short_lines_stay():
    lines = np.concatenate([polyline((20, 60), (140, 60)), polyline((80, 60), (80, 53))])
    alone = polyline((20, 20), (26, 20))
    graph = vectorised(ink(np.concatenate([lines, alone])), spur=10.0)
    assert graph.degrees.max() == 2
    assert (graph.vertices[:, 1] < 30).any()


@pytest.mark.parametrize("drawn", [np.zeros((HEIGHT, WIDTH), bool), np.ones((1, 1), bool)])
def test_a_page_without_lines_is_an_empty_graph(drawn):
    graph = vectorised(drawn)
    assert len(graph.vertices) == len(graph.edges) == 0
    assert rasterised(graph, 2.0).max() == 0


def test_thin_lines_are_one_pixel_wide_and_hang_together():
    lines = thin(ink(figure(), 7.0))
    squares = lines[:-1, :-1] & lines[1:, :-1] & lines[:-1, 1:] & lines[1:, 1:]
    assert not squares.any()
    places, pairs = links(lines)
    reached = {0}
    runs = chains(len(places), pairs)
    for _ in runs:
        for run in runs:
            if reached & set(run):
                reached |= set(run)
    assert len(reached) == len(places)


def test_every_step_belongs_to_one_line():
    places, pairs = links(thin(ink(figure())))
    steps = [tuple(sorted(step)) for run in chains(len(places), pairs) for step in pairwise(run)]
    assert sorted(steps) == sorted(tuple(sorted(pair)) for pair in pairs.tolist())


def test_simplified_lines_keep_corners_only():
    line = np.array([(0, 0), (1, 0.1), (2, 0), (3, 0), (3, 1), (3, 2)], float)
    assert simplified(line, 0.5) == [0, 3, 5]


def test_ink_is_dark_or_light_and_alpha_shows_paper():
    page = np.ones((2, 2, 4), np.float32)
    page[0, 0, :3] = 0.0
    page[1, 1] = 0.0  # black, but not there
    assert ink_of(page, 0.5, DARK).tolist() == [[True, False], [False, False]]
    assert ink_of(1 - page[..., :3], 0.5, LIGHT).tolist() == [[True, False], [False, True]]


def test_a_drawing_is_drawn_at_any_size():
    graph = vectorised(ink(figure()))
    large = rasterised(graph, 6.0, 2.0)
    assert large.shape == (2 * HEIGHT, 2 * WIDTH)
    shrunk = large.reshape(HEIGHT, 2, WIDTH, 2).mean(axis=(1, 3))
    assert np.abs(shrunk - rasterised(graph, 3.0)).max() < 0.3
