"""The nodes for line drawings, from pictures to pictures."""

from __future__ import annotations

import folder_paths
import numpy as np
import pytest
import torch
from comfy.model_management import InterruptProcessingException, interrupt_current_processing
from interpolation.line_drawings import HEIGHT, WIDTH, figure, ink
from interpolation.small_line_network import network
from kinograph.nodes.interpolation import line_matching, line_network
from kinograph.nodes.interpolation.nodes_lines import (
    KinoInbetweenLines,
    KinoRasteriseLines,
    KinoVectoriseLines,
)
from kinograph.nodes.methods import MethodError
from kinograph.nodes.model_files import ModelMissing, register_folder
from server import PromptServer

GEOMETRIC = {"method": "geometric"}
LEARNED = {"method": "learned"}


@pytest.fixture
def models(tmp_path, monkeypatch):
    """An empty models folder of a host."""
    monkeypatch.setattr(folder_paths, "models_dir", str(tmp_path))
    before = folder_paths.folder_names_and_paths.pop("kinograph", None)
    register_folder()
    yield tmp_path / "kinograph"
    folder_paths.folder_names_and_paths.pop("kinograph")
    if before is not None:
        folder_paths.folder_names_and_paths["kinograph"] = before


def drawings(*shifts: int) -> torch.Tensor:
    """Dark lines on white, [B,H,W,3]."""
    pages = [1.0 - np.roll(ink(figure()), shift, axis=1) for shift in shifts]
    return torch.from_numpy(np.stack(pages)).float()[..., None].expand(-1, -1, -1, 3)


def vectorised(images: torch.Tensor, kind: str = "dark") -> tuple:
    return KinoVectoriseLines.execute(images, kind, 0.5, 0.5, 12.0, 4.0).args[0]


def test_pictures_become_pictures_with_new_ones_between():
    keys = vectorised(drawings(0, 12, 24))
    lines, report = KinoInbetweenLines.execute(keys, 2, "linear", GEOMETRIC).args
    assert [lines[index] is keys[index // 3] for index in (0, 3, 6)] == [True] * 3
    assert report.splitlines()[1].startswith("1 to 2: ")
    images, mask = KinoRasteriseLines.execute(lines, 3.0, 1.0, "dark").args
    assert images.shape == (7, HEIGHT, WIDTH, 3) and mask.shape == (7, HEIGHT, WIDTH)
    assert torch.equal(images[..., 0], 1 - mask)
    torch.testing.assert_close(mask[2], mask[0].roll(8, dims=1), atol=0.02, rtol=0)


def test_dots_are_left_out_and_told():
    page = drawings(0).clone()
    assert "dots" not in KinoVectoriseLines.execute(page, "dark", 0.5, 0.5, 12.0, 4.0).args[1]
    page[0, 10:13, 10:13] = page[0, 100, 20] = 0.0
    lines, report = KinoVectoriseLines.execute(page, "dark", 0.5, 0.5, 12.0, 4.0).args
    assert len(lines[0].edges) == len(vectorised(drawings(0))[0].edges)
    assert report.endswith("edges; 2 dots, which have no length, are left out")


def test_further_keys_come_after_the_first_ones():
    lines = KinoInbetweenLines.execute(
        vectorised(drawings(0)), 1, "linear", GEOMETRIC, vectorised(drawings(8))
    ).args[0]
    assert len(lines) == 3
    np.testing.assert_allclose(lines[1].vertices.mean(axis=0) - lines[0].vertices.mean(axis=0), [4, 0])


def test_light_lines_and_a_larger_size():
    graph = vectorised(1 - drawings(0), "light")
    assert (graph[0].vertices == vectorised(drawings(0))[0].vertices).all()
    images, mask = KinoRasteriseLines.execute(graph, 3.0, 2.0, "light").args
    assert images.shape == (1, 2 * HEIGHT, 2 * WIDTH, 3)
    assert torch.equal(images[..., 1], mask)


@pytest.mark.parametrize("watched", [True, False])
def test_the_drawings_can_be_played_where_someone_looks(tmp_path, monkeypatch, watched):
    monkeypatch.setattr(folder_paths, "temp_directory", str(tmp_path))
    monkeypatch.setattr(PromptServer.instance, "client_id", "editor" if watched else None)
    shown = KinoRasteriseLines.execute(vectorised(drawings(0, 4)), 3.0, 1.0, "dark").ui["kino_view"]
    assert [(view["kind"], view["frames"]) for view in shown] == [("player", 2)] * watched
    assert len(list(tmp_path.glob("*.mp4"))) == watched


def test_one_drawing_and_an_unknown_method_are_refused():
    keys = vectorised(drawings(0))
    with pytest.raises(ValueError, match="1 key drawing"):
        KinoInbetweenLines.execute(keys, 1, "linear", GEOMETRIC)
    with pytest.raises(MethodError, match="geometric, learned"):
        KinoInbetweenLines.execute(keys, 1, "linear", {"method": "guess"}, keys)


def test_the_learned_matcher_says_where_its_weights_go(models):
    keys = vectorised(drawings(0, 12))
    with pytest.raises(ModelMissing, match=r"interpolation.animeinbet\.pt.* from the authors' page"):
        KinoInbetweenLines.execute(keys, 1, "linear", LEARNED)


def test_the_learned_matcher_draws_between(models):
    (models / "interpolation").mkdir(parents=True)
    torch.save({"model": network().state_dict()}, models / "interpolation" / "animeinbet.pt")
    keys = vectorised(drawings(0, 12))
    lines, report = KinoInbetweenLines.execute(keys, 3, "ease", LEARNED).args
    assert len(lines) == 5 and lines[0] is keys[0] and lines[-1] is keys[1]
    assert "vertices matched" in report


@pytest.mark.parametrize(
    ("method", "place", "step", "most"),
    [
        (GEOMETRIC, line_matching, "_counted", 1),
        (GEOMETRIC, line_matching, "grown", 1),
        (LEARNED, line_network.Propagation, "forward", 2),
    ],
)
def test_a_cancel_stops_within_one_matching(models, monkeypatch, method, place, step, most):
    """Of large drawings it takes minutes; the small network has three layers of two looks each."""
    (models / "interpolation").mkdir(parents=True)
    torch.save({"model": network().state_dict()}, models / "interpolation" / "animeinbet.pt")
    done, whole = [], getattr(place, step)

    def cancelled(*given):
        interrupt_current_processing()
        done.append(step)
        return whole(*given)

    monkeypatch.setattr(place, step, cancelled)
    with pytest.raises(InterruptProcessingException):
        KinoInbetweenLines.execute(vectorised(drawings(0, 12)), 3, "linear", method)
    assert len(done) <= most
