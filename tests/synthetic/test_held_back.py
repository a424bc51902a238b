"""The combinations kept from training, and prompts for them."""

from __future__ import annotations

import pytest
from kinograph.nodes.synthetic.held_back import HELD_BACK, held_back_combinations, held_back_prompts
from kinograph.nodes.synthetic.parsing import parse_caption
from kinograph.nodes.synthetic.sampling import ClipOptions, sample_clip


def test_about_a_tenth_is_held_back_and_prompts_name_only_that():
    assert 0.08 < len(held_back_combinations()) / (10 * 12 * 19) < 0.12
    for prompt in held_back_prompts(40):
        (obj,) = parse_caption(prompt, seed=0).scenes[0].objects
        assert HELD_BACK(obj)


def test_prompts_are_the_same_each_time_and_a_longer_list_begins_with_the_shorter():
    assert held_back_prompts(5) == held_back_prompts(20)[:5]
    assert len(set(held_back_prompts(100))) == 100


def test_training_clips_never_show_a_held_back_combination():
    options = ClipOptions(hold_out=HELD_BACK, max_objects=4)
    drawn = [obj for seed in range(300) for obj in sample_clip(seed, options).scenes[0].objects]
    assert not any(map(HELD_BACK, drawn))


def test_more_prompts_than_combinations_are_refused():
    with pytest.raises(ValueError, match="held back"):
        held_back_prompts(100_000)
