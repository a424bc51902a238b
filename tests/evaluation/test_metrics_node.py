"""Video Metrics in the embedded host."""

from __future__ import annotations

from fractions import Fraction

import folder_paths
import pytest
import torch
from kinograph.nodes.evaluation.nodes_metrics import PERCEPTUAL_FILE, KinoVideoMetrics
from kinograph.nodes.evaluation.perceptual import PerceptualDistance
from kinograph.nodes.lazy_video import LazyVideo
from kinograph.nodes.model_files import FOLDER, ModelMissing
from kinograph.nodes.synthetic.parsing import parse_caption
from kinograph.nodes.synthetic.recipe import SyntheticRecipe
from kinograph.nodes.video.image_function import ImageFunction
from kinograph.nodes.video.recipe import VideoError
from kinograph.nodes.video.trim import Trim
from safetensors.torch import save_file

PROMPT = "a large red square moving right"


@pytest.fixture
def video() -> LazyVideo:
    """6 frames of 96 × 96."""
    return LazyVideo(Trim(SyntheticRecipe(parse_caption(PROMPT, 4)), Fraction(0), Fraction(6, 24)))


@pytest.fixture
def darker(video) -> LazyVideo:
    return LazyVideo(ImageFunction(video.recipe, lambda images: images * 0.8, "darker"))


@pytest.fixture
def model_folder(tmp_path, monkeypatch):
    """The only place where models of the pack are looked for."""
    monkeypatch.setitem(folder_paths.folder_names_and_paths, FOLDER, ([str(tmp_path)], {".safetensors"}))
    return tmp_path


def measure(video, reference, count=0, given_every=0, motion=False, perceptual=False, **more) -> tuple:
    return KinoVideoMetrics.execute(video, reference, count, given_every, motion, perceptual, **more).args


def test_a_video_and_its_frames_are_measured_alike(video, darker):
    frames = [one.get_components().images for one in (darker, video)]
    assert measure(darker, video)[:5] == pytest.approx(measure(*frames)[:5])
    assert measure(darker, video)[0] < 30


def test_what_was_not_asked_for_is_minus_one(video, darker):
    psnr, ssim, perceptual, tof, flicker, inside, outside, report, table = measure(darker, video)
    assert (perceptual, tof, inside, outside) == (-1, -1, -1, -1)
    assert 0 < ssim < 1 and flicker < 0.5
    assert f"PSNR {psnr:.2f} dB" in report and len(table.splitlines()) == 7


def test_given_frames_and_motion(video, darker):
    found = measure(darker, video, given_every=2, motion=True)
    assert found[3] >= 0 and found[7].startswith("3 of 6 frames judged")


@pytest.mark.parametrize("count", [1, 6])
def test_a_mask_splits_the_error(video, count):
    true = video.get_components().images
    mask = torch.zeros(count, 96, 96)
    mask[:, :48] = 1
    made = true + 0.1 * mask[..., None]
    *_, inside, outside, _, _ = measure(made, true, mask=mask)
    assert inside == pytest.approx(20, abs=1e-3) and outside == 100


def test_a_part_is_compared_whatever_comes_after_it(video, darker):
    true = video.get_components().images
    whole = measure(darker, video)
    part = measure(darker, true[:4], count=3, mask=torch.ones(6, 96, 96))
    assert part[8].splitlines()[1:] != whole[8].splitlines()[1:4]  # it has a mask
    assert [line.split(",")[:2] for line in part[8].splitlines()] == [
        line.split(",")[:2] for line in whole[8].splitlines()[:4]
    ]


def test_what_cannot_be_compared_is_refused_with_both_sizes(video):
    true = video.get_components().images
    with pytest.raises(VideoError, match=r"5 frames of 96 × 96, the reference 6 frames of 96 × 96"):
        measure(true[:5], video)
    with pytest.raises(VideoError, match=r"2 frames of 96 × 96, the reference 4 frames"):
        measure(true[:2], video, count=4)
    with pytest.raises(VideoError, match=r"the mask has 2 frames of 96 × 96, the video 6"):
        measure(video, video, mask=torch.ones(2, 96, 96))
    with pytest.raises(VideoError, match="no frame of 1 is left to judge"):
        measure(true[:1], true[:1], given_every=2)


def test_without_its_weights_the_perceptual_distance_is_refused(video, model_folder):
    with pytest.raises(ModelMissing, match="kinograph models get stlpips"):
        measure(video, video, perceptual=True)


def test_with_weights_it_is_measured(video, darker, model_folder):
    path = model_folder / PERCEPTUAL_FILE
    path.parent.mkdir()
    save_file(PerceptualDistance().state_dict(), path)
    found = measure(darker, video, perceptual=True)
    assert found[2] not in (0, -1) and "perceptual" in found[7]
    assert measure(video, video, perceptual=True)[2] == 0
