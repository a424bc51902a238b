"""Drawings between two drawings: exact ends, exact motion, no ghosts."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from interpolation.line_drawings import HEIGHT, WIDTH, figure, ink, polyline, random_graph, vectorised
from kinograph.nodes.interpolation.line_graph import LineGraph
from kinograph.nodes.interpolation.line_inbetween import (
    HALF,
    Correspondence,
    LineInbetween,
    key_pairs,
    spread_motion,
)
from kinograph.nodes.interpolation.line_matching import grown, match_lines, without_jumps
from kinograph.nodes.interpolation.strokes import rasterised

SHIFT = np.array([13.0, -8.0])


def known(first: LineGraph, second: LineGraph, matches: np.ndarray) -> Correspondence:
    """A correspondence that is told, with motions along with what is matched."""
    back = np.full(len(second.vertices), -1)
    back[matches[matches >= 0]] = np.nonzero(matches >= 0)[0]
    motions = []
    for graph, other, partner in ((first, second, matches), (second, first, back)):
        motion = np.zeros_like(graph.vertices)
        motion[partner >= 0] = other.vertices[partner[partner >= 0]] - graph.vertices[partner >= 0]
        motions.append(spread_motion(graph, motion, partner >= 0))
    lasting = (np.full(len(first.vertices), HALF), np.full(len(second.vertices), HALF))
    return Correspondence(matches, tuple(motions), lasting)


def moved(graph: LineGraph, by: np.ndarray) -> LineGraph:
    return LineGraph.of(graph.vertices + by, graph.edges, graph.width, graph.height)


def test_both_ends_are_the_drawings_themselves():
    first, second = vectorised(ink(figure())), vectorised(ink(figure(40)))
    between = LineInbetween((first, second), match_lines(first, second))
    assert between.at(0.0) is first
    assert between.at(1.0) is second


@pytest.mark.parametrize("t", [0.25, 0.5, 0.9])
def test_a_shift_moves_every_vertex_by_its_share(t):
    first = random_graph()
    second = moved(first, SHIFT)
    found = known(first, second, np.arange(len(first.vertices)))
    made = LineInbetween((first, second), found).at(t)
    np.testing.assert_allclose(made.vertices, first.vertices + t * SHIFT, atol=1e-9)
    assert (made.edges == first.edges).all()


def test_the_geometric_matcher_finds_a_shift():
    first = vectorised(ink(figure()))
    second = moved(first, SHIFT)
    found = match_lines(first, second)
    assert (found.matches == np.arange(len(first.vertices))).all()
    np.testing.assert_allclose(found.motions[1], np.broadcast_to(-SHIFT, second.vertices.shape))


def test_the_geometric_matcher_follows_a_lifted_hand():
    first, second = vectorised(ink(figure())), vectorised(ink(figure(20)))
    found = match_lines(first, second)
    hand = np.argmax(first.vertices[:, 0])
    goal = second.vertices[np.argmax(second.vertices[:, 0])]
    np.testing.assert_allclose(first.vertices[hand] + found.motions[0][hand], goal, atol=4)
    still = first.vertices[:, 0] < 70
    assert np.linalg.norm(found.motions[0][still], axis=1).mean() < 1.0


def limb(turn: float) -> LineGraph:
    """A body of two vertices, and an arm of four that is turned, in degrees."""
    way = np.array([np.cos(np.radians(turn)), np.sin(np.radians(turn))])
    arm = [(50, 50) + 10 * step * way for step in range(1, 5)]
    return LineGraph.of([(50, 50), (50, 90), *arm], [(0, 1), (0, 2), (2, 3), (3, 4), (4, 5)], WIDTH, HEIGHT)


def test_partners_are_followed_along_a_limb_that_turned():
    known_ones = np.array([0, 1, -1, -1, -1, -1])
    assert grown(limb(0), limb(-70), known_ones).tolist() == [0, 1, 2, 3, 4, 5]
    assert grown(limb(0), limb(150), known_ones).tolist() == known_ones.tolist()


def test_a_partner_far_from_those_of_its_neighbours_is_dropped():
    kept = without_jumps(limb(0), limb(0), np.array([0, 1, 2, 3, 1, 5]))
    assert kept.tolist() == [0, 1, 2, 3, -1, -1]  # the last has no other neighbour, and is found anew
    assert grown(limb(0), limb(0), kept).tolist() == [0, 1, 2, 3, 4, 5]


def test_edges_are_those_of_either_drawing_less_the_hidden_ones():
    """A square of which one drawing has a roof, the other a cellar."""
    corners = [(40, 40), (80, 40), (80, 80), (40, 80)]
    square = [(0, 1), (1, 2), (2, 3), (0, 3)]
    first = LineGraph.of([*corners, (60, 10)], [*square, (0, 4), (1, 4)], WIDTH, HEIGHT)
    second = moved(LineGraph.of([*corners, (60, 110)], [*square, (2, 4), (3, 4)], WIDTH, HEIGHT), SHIFT)
    between = LineInbetween((first, second), known(first, second, np.array([0, 1, 2, 3, -1])))
    counts = between.counts
    assert (counts.shared, counts.only_first, counts.only_second) == (4, 2, 2)
    assert (counts.leaving, counts.coming) == (2, 2)
    union = counts.shared + counts.only_first + counts.only_second
    drawn = {t: len(between.at(t).edges) for t in (0.0, 0.2, 0.5, 0.8, 1.0)}
    assert drawn == {0.0: 6, 0.2: union - 2, 0.5: union - 4, 0.8: union - 2, 1.0: 6}


def test_a_line_with_other_vertices_is_not_drawn_twice():
    first = LineGraph.of([(20, 60), (120, 60)], [(0, 1)], WIDTH, HEIGHT)
    second = LineGraph.of([(20, 60), (70, 60), (120, 60)], [(0, 1), (1, 2)], WIDTH, HEIGHT)
    between = LineInbetween((first, second), known(first, second, np.array([0, 2])))
    assert (between.counts.leaving, between.counts.coming) == (0, 0)
    assert [len(between.at(t).edges) for t in (0.4, 0.5, 0.6)] == [1, 1, 2]


def test_a_line_that_the_other_lacks_is_seen_as_long_as_it_is_said_to_last():
    empty, full = LineGraph.of([], [], WIDTH, HEIGHT), random_graph()
    found = known(full, empty, np.full(len(full.vertices), -1))
    longer = replace(found, lasting=(np.full(len(full.vertices), 0.75), np.zeros(0)))
    drawn = LineInbetween((full, empty), longer)
    assert len(drawn.at(0.7).edges) == len(full.edges)
    assert len(drawn.at(0.8).edges) == 0


def test_an_edge_torn_between_two_lines_is_not_drawn():
    first = LineGraph.of([(20, 20), (30, 20), (40, 20)], [(0, 1), (1, 2)], WIDTH, HEIGHT)
    second = LineGraph.of([(20, 20), (30, 20), (40, 110), (50, 110)], [(0, 1), (2, 3)], WIDTH, HEIGHT)
    between = LineInbetween((first, second), known(first, second, np.array([0, 1, 2])))
    lengths = np.linalg.norm(np.diff(between.at(0.4).segments, axis=1)[:, 0], axis=1)
    assert lengths.max() < 11


def test_a_drawing_between_has_one_figure_and_clean_lines():
    first, second = vectorised(ink(figure())), vectorised(np.roll(ink(figure()), 20, axis=1))
    made = rasterised(LineInbetween((first, second), match_lines(first, second)).at(0.5), 3.0)
    expected = np.roll(rasterised(first, 3.0), 10, axis=1)
    np.testing.assert_allclose(made, expected, atol=0.02)
    fade = (rasterised(first, 3.0) + rasterised(second, 3.0)) / 2
    grey = [((one > 0.3) & (one < 0.7)).sum() / (one > 0.3).sum() for one in (made, fade)]
    assert grey[0] < 0.3 < 0.8 < grey[1]


def test_motion_spreads_along_lines_and_else_from_the_nearest():
    graph = LineGraph.of([(0, 0), (10, 0), (20, 0), (90, 90)], [(0, 1), (1, 2)], WIDTH, HEIGHT)
    motion = np.array([(4.0, 0), (0, 0), (8, 0), (0, 0)])
    found = spread_motion(graph, motion, np.array([True, False, True, False]))
    assert found.tolist() == [[4, 0], [6, 0], [8, 0], [8, 0]]
    assert not spread_motion(graph, motion, np.zeros(4, bool)).any()


def test_drawings_of_two_sizes_single_and_very_large_ones_are_refused():
    graph = random_graph()
    other = LineGraph.of(graph.vertices, graph.edges, WIDTH + 1, HEIGHT)
    with pytest.raises(ValueError, match="160x120 and 161x120"):
        LineInbetween((graph, other), known(graph, other, np.arange(len(graph.vertices))))
    with pytest.raises(ValueError, match="1 key drawing"):
        key_pairs((graph,))
    large = LineGraph.of(np.zeros((10_001, 2)), [], WIDTH, HEIGHT)
    with pytest.raises(ValueError, match="10001 vertices"):
        key_pairs((graph, large))


def test_an_empty_drawing_lets_the_other_come_and_go():
    empty, full = LineGraph.of([], [], WIDTH, HEIGHT), vectorised(ink(polyline((20, 20), (90, 90))))
    between = LineInbetween((empty, full), match_lines(empty, full))
    assert len(between.at(0.4).edges) == 0
    assert len(between.at(0.6).edges) == len(full.edges)
