"""What the pack's web extension draws on nodes, in the classic and in the Vue rendering."""

from __future__ import annotations

import io
import itertools
from collections.abc import Iterator

import pytest
import torch
from kinograph.nodes.sampling_progress import contact_sheet

from browser.editor import CLASSIC, VUE, Editor, Node
from browser.scripts import PLAYING

SEEDS = itertools.count(1)
"""What ran before is not run again, and then only output nodes tell what they made."""
PREVIEW = """([node, jpeg]) => {
  const blob = new Blob([new Uint8Array(jpeg)], {type: 'image/jpeg'});
  const ids = {nodeId: node, displayNodeId: node, parentNodeId: node, realNodeId: node};
  app.api.dispatchCustomEvent('b_preview_with_metadata', {blob, ...ids, promptId: 'a run', jobId: 'a run'});
}"""
SHADES = """async film => {
  const shades = new Set();
  for (let look = 0; look < 40; look++) {
    const {data} = film.getContext('2d').getImageData(film.width / 2, film.height / 2, 1, 1);
    shades.add(data[0]);
    await new Promise(resolve => setTimeout(resolve, 50));
  }
  return [...shades];
}"""
PANEL_IN_NODE = """id => {
  const node = app.canvas.graph.getNodeById(id);
  const corner = (x, y) => app.canvasPosToClientPos([node.pos[0] + x, node.pos[1] + y]);
  const [[left, top], [right, bottom]] = [corner(0, 0), corner(...node.size)];
  const shell = document.querySelector(`[data-node-id="${id}"]`)?.getBoundingClientRect()
    ?? {left, top, right, bottom};
  const panel = node.widgets.find(({name}) => name === 'kinograph').element.getBoundingClientRect();
  return panel.height > 0 && panel.left >= shell.left - 1 && panel.top >= shell.top - 1
    && panel.right <= shell.right + 1 && panel.bottom <= shell.bottom + 1;
}"""
"""Of the classic rendering the editor knows where a node is drawn, of the Vue rendering it lags behind."""


@pytest.fixture(params=[CLASSIC, VUE])
def drawn(editor: Editor, request: pytest.FixtureRequest) -> Iterator[Editor]:
    editor.render(request.param)
    yield editor
    editor.render(CLASSIC)


def film(editor: Editor, x: float, y: float) -> Node:
    """A source of a film that was never made before: 128 × 96, one second, 24 frames."""
    return editor.add("KinoSyntheticClip", x, y, width=128, height=96, seconds=1, seed=next(SEEDS))


def fits(node: Node) -> bool:
    """Whether the panel stands inside of its node, once that has grown."""
    node.editor.page.wait_for_function(PANEL_IN_NODE, arg=node.id)
    return True


def test_a_written_film_plays_and_steps_by_frames(drawn: Editor):
    clip, written = film(drawn, 100, 60), drawn.add("KinoEncodeVideo", 600, 60)
    clip.ask("node.connect(0, app.graph.nodes[1], 0)")
    drawn.run()
    drawn.page.wait_for_function(PLAYING)
    drawn.page.locator("video").evaluate("film => { film.pause(); film.currentTime = 0; }")
    for press, frame in (("forward", 1), ("forward", 2), ("back", 1)):
        drawn.page.get_by_title(f"One frame {press}").click()
        drawn.page.locator(".kino-place").filter(has_text=f"· {frame} / 24").wait_for()
    assert fits(written)
    assert drawn.page.locator("video:visible").count() == 1
    assert "frames" in drawn.page.locator(".kino-report").inner_text()


def test_the_slider_between_two_films_follows_the_pointer(drawn: Editor):
    first, second = (film(drawn, 60, y) for y in (60, 500))
    compared = drawn.add("KinoCompareVideos", 520, 60)
    drawn.add("PreviewAny", 900, 60)
    first.ask("node.connect(0, app.graph.nodes[2], 0)")
    second.ask("node.connect(0, app.graph.nodes[2], 1)")
    compared.ask("node.connect(3, app.graph.nodes[3], 0)")
    drawn.run()
    drawn.page.locator(".kino-stage").wait_for()
    drawn.page.wait_for_function(
        "() => [...document.querySelectorAll('.kino-stage video')].every(film => film.readyState > 1)"
    )
    assert fits(compared)
    stage = drawn.page.locator(".kino-stage").bounding_box()
    for share in (0.25, 0.75):
        drawn.page.mouse.move(stage["x"] + share * stage["width"], stage["y"] + stage["height"] / 2)
        left = drawn.page.locator(".kino-line").evaluate("line => parseFloat(line.style.left)")
        assert left == pytest.approx(100 * share, abs=1)
    assert drawn.page.locator(".kino-report").inner_text().startswith("PSNR")


def test_spans_stand_on_a_line_of_time(drawn: Editor):
    clip, cuts = film(drawn, 60, 60), drawn.add("KinoSceneCuts", 520, 60)
    drawn.add("PreviewAny", 900, 60)
    clip.ask("node.connect(0, app.graph.nodes[1], 0)")
    cuts.ask("node.connect(1, app.graph.nodes[2], 0)")
    drawn.run()
    drawn.page.locator(".kino-span").hover()
    assert "0:00.000 – 0:01.000" in drawn.page.locator(".kino-told").inner_text()
    assert "1 scene in 0:01.000" in drawn.page.locator(".kino-report").inner_text()
    assert fits(cuts)


def test_a_film_plays_while_it_is_sampled_and_only_once_on_its_node(drawn: Editor):
    sampler = drawn.add("KinoSampler", 500, 60)
    greys = torch.linspace(0, 1, 4)[:, None, None, None].expand(4, 36, 64, 3)
    jpeg = io.BytesIO()
    contact_sheet(greys).save(jpeg, format="JPEG")
    drawn.page.evaluate(PREVIEW, [sampler.id, list(jpeg.getvalue())])
    shown = drawn.page.locator("canvas.kino-film")
    shown.wait_for()
    assert len(shown.evaluate(SHADES)) == 4
    assert fits(sampler)
    assert drawn.page.locator('img[src^="blob:"]:visible').count() == 0


def test_a_method_that_is_chosen_again_has_the_values_it_had(drawn: Editor):
    cuts = drawn.add("KinoSceneCuts", 500, 60)
    cuts.type("method.adaptive_threshold", "5")
    cuts.choose("method", "content")
    cuts.type("method.threshold", "31")
    cuts.choose("method", "adaptive")
    assert cuts.value("method.adaptive_threshold") == 5
    cuts.choose("method", "content")
    assert cuts.value("method.threshold") == 31
    assert drawn.prompt()[cuts.id]["inputs"]["method.threshold"] == 31
