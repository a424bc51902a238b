"""The quality benchmark: its intervals, and that its judges ask a model for the right films."""

from __future__ import annotations

import numpy as np
import pytest
from kinograph.benchmarks import quality
from kinograph.nodes.synthetic.held_back import held_back_prompts


class PerfectModel:
    """Makes the real films, and has a VAE that loses one bit."""

    def from_text(self, prompt, seed):
        return quality.real_film(prompt, seed)

    def from_first_frame(self, prompt, seed, frame):
        film = self.through_vae(quality.real_film(prompt, seed))
        assert np.array_equal(film[0], self.through_vae(frame))
        return film

    def between(self, prompt, seed, first, last):
        return self.through_vae(quality.real_film(prompt, seed))

    def extended(self, prompt, seed, film, times):
        return np.concatenate([film] * times)

    def through_vae(self, film):
        return film & 0xFE


CASES = [(prompt, 0) for prompt in held_back_prompts(4)]


def test_a_perfect_model_gets_full_marks_and_loses_nothing_to_the_vae():
    model = PerfectModel()
    judges = (quality.judge_text, quality.judge_first_frame, quality.judge_ends, quality.judge_extension)
    figures = {name: figure for judge in judges for name, figure in judge(model, CASES).items()}
    assert set(figures) == set(quality.MODEL_FIGURES)
    for name, figure in figures.items():
        assert figure.value == (0 if "psnr" in name else 1), name


def test_a_model_that_ignores_its_prompt_gets_none():
    model = PerfectModel()
    model.from_text = lambda prompt, seed: np.full((17, 96, 96, 3), 120, np.uint8)
    assert quality.judge_text(model, CASES)["colour"].value == 0


def test_wilson_intervals_are_those_of_the_textbook():
    assert quality.wilson(8, 10) == pytest.approx((0.4902, 0.9433), abs=1e-3)
    low, high = quality.wilson(10, 10)
    assert high == pytest.approx(1) and low == pytest.approx(0.7225, abs=1e-3)


def test_figures_of_the_model_are_null_without_one(monkeypatch):
    monkeypatch.setattr(quality, "embedded_model", lambda: None)
    figures = quality.run(quick=True)["figures"]
    assert figures["oracle_on_truth"] > 0.8
    assert {name for name, value in figures.items() if value is None} == set(quality.MODEL_FIGURES)
