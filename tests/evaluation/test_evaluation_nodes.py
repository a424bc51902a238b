"""The nodes that judge videos."""

from __future__ import annotations

import math
from fractions import Fraction

import pytest
from kinograph.nodes.evaluation.nodes import KinoClipOracle, KinoCompareVideos
from kinograph.nodes.lazy_video import LazyVideo
from kinograph.nodes.synthetic.parsing import parse_caption
from kinograph.nodes.synthetic.recipe import SyntheticRecipe
from kinograph.nodes.video.recipe import VideoError
from kinograph.nodes.video.trim import Trim

PROMPT = "a large red square moving right"


def video(text: str, seed: int = 4) -> LazyVideo:
    return LazyVideo(SyntheticRecipe(parse_caption(text, seed)))


def read(clip, prompt: str) -> tuple:
    return KinoClipOracle.execute(clip, prompt, 24.0, 4096).args


def test_the_oracle_takes_a_video_or_its_frames():
    clip = video(PROMPT)
    assert read(clip, PROMPT) == read(clip.get_components().images, PROMPT)
    assert read(clip, PROMPT)[1:] == (True, True, True, True)


def test_the_oracle_says_what_is_not_as_asked():
    report, whole, color, shape, motion = read(video(PROMPT), "a large blue square moving right")
    assert (whole, color, shape, motion) == (False, False, True, True)
    assert report.endswith("not as asked: color")


def test_a_prompt_in_other_words_is_refused_before_anything_runs():
    assert "unknown words: zebra" in KinoClipOracle.validate_inputs(prompt="a red zebra")
    assert KinoClipOracle.validate_inputs(prompt="") is True


def test_equal_videos_compare_as_equal_and_others_do_not():
    psnr, ssim, flicker, _ = KinoCompareVideos.execute(video(PROMPT), video(PROMPT), 3, 4096).args
    assert (psnr, flicker) == (math.inf, 0.0) and ssim == pytest.approx(1)
    psnr, ssim, _, report = KinoCompareVideos.execute(video(PROMPT), video(PROMPT, 5), 3, 4096).args
    assert psnr < 30 and ssim < 0.99 and f"{psnr:.2f} dB" in report


def test_videos_of_different_length_are_refused_with_both_sizes():
    short = LazyVideo(Trim(video(PROMPT).recipe, Fraction(0), Fraction(3, 24)))
    with pytest.raises(VideoError, match=r"3 frames of 96 × 96.*trim"):
        KinoCompareVideos.execute(short, video(PROMPT), 0, 4096)
