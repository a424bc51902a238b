"""The recipe and the data sets."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest
import torch
from kinograph.nodes.synthetic.clip import Clip
from kinograph.nodes.synthetic.dataset import FIELDS, SyntheticClips, SyntheticStream
from kinograph.nodes.synthetic.recipe import SyntheticRecipe
from kinograph.nodes.synthetic.sampling import ClipOptions, sample_clip
from torch.utils.data import DataLoader

SMALL = ClipOptions(width=48, height=32, seconds=0.5)


def test_the_recipe_yields_the_clips_frames_and_sound():
    spec = sample_clip(
        1, ClipOptions(width=49, height=35, fps=Fraction(30000, 1001), kind="mixed", seconds=3.0)
    )
    recipe, clip = SyntheticRecipe(spec), Clip(spec)
    frames = list(recipe.frames())
    assert recipe.spec.frame_count == len(frames) == clip.count
    assert [frame.time for frame in frames] == [index * Fraction(1001, 30000) for index in range(clip.count)]
    for index in (0, 40, 89):
        assert np.array_equal(frames[index].image.to_ndarray(format="rgb24"), clip.frames[index])
    sound = np.concatenate(list(recipe.audio()), axis=1)
    assert sound.shape == (1, round(recipe.spec.duration * 16000))
    assert np.allclose(sound, clip.audio, atol=1e-6)


def test_the_recipe_starts_at_the_frame_on_screen():
    recipe = SyntheticRecipe(sample_clip(1, ClipOptions(fps=Fraction(10), seconds=2.0)))
    first = next(recipe.frames(Fraction(57, 100)))
    assert first.time == Fraction(1, 2)
    sound = np.concatenate(list(recipe.audio(Fraction(57, 100))), axis=1)
    assert sound.shape[1] == round(Fraction(143, 100) * 16000)


def test_a_long_large_clip_costs_nothing_before_it_is_pulled():
    spec = sample_clip(0, ClipOptions(width=1920, height=1080, seconds=3600, kind="talking_face"))
    late = next(SyntheticRecipe(spec).frames(Fraction(3599)))
    assert (late.image.width, late.image.height) == (1920, 1080)


def test_the_fingerprint_tells_clips_apart():
    prints = {SyntheticRecipe(sample_clip(seed)).fingerprint() for seed in (0, 0, 1)}
    assert len(prints) == 2


def test_items_have_the_stated_shapes_and_collate():
    data = SyntheticClips(SMALL, tuple(FIELDS), length=3, owners=4)
    batch = next(iter(DataLoader(data, batch_size=3)))
    shapes = {name: tuple(value.shape[1:]) for name, value in batch.items() if torch.is_tensor(value)}
    assert shapes == {
        "seed": (),
        "video": (3, 12, 32, 48),
        "audio": (1, 8000),
        "masks": (4, 12, 32, 48),
        "whole_masks": (4, 12, 32, 48),
        "labels": (12, 32, 48),
        "flow": (11, 32, 48, 2),
        "flow_hidden": (11, 32, 48),
        "backward_flow": (11, 32, 48, 2),
        "backward_hidden": (11, 32, 48),
        "depth": (12, 32, 48),
        "boxes": (12, 4, 4),
        "mouth": (12, 3),
        "landmarks": (12, 68, 2),
    }
    assert batch["video"].dtype == torch.uint8
    assert (
        batch["video"][0, :, 3]
        .permute(1, 2, 0)
        .equal(torch.from_numpy(Clip(sample_clip(0, SMALL)).frames[3]))
    )


def test_things_that_are_not_there_have_no_box_and_an_empty_mask():
    alone = SyntheticClips(ClipOptions(max_objects=1), ("boxes", "masks"), owners=3)[0]
    assert not alone["boxes"][:, 0].isnan().any()
    assert alone["boxes"][:, 1:].isnan().all()
    assert not alone["masks"][1:].any()


def test_only_what_is_asked_for_is_computed(monkeypatch):
    for name in ("frames", "masks", "forward_flow", "depth", "audio"):
        monkeypatch.setattr(Clip, name, property(lambda clip: pytest.fail("computed")))
    assert set(SyntheticClips(SMALL, ("caption", "spec"))[5]) == {"seed", "caption", "spec"}


def test_workers_and_ranks_share_out_the_seeds():
    seen = []
    for rank in range(2):
        stream = SyntheticStream(SMALL, ("canonical_caption",), first_seed=100, rank=rank, world=2)
        loader = iter(DataLoader(stream, batch_size=None, num_workers=2))
        seen += [next(loader)["seed"] for _ in range(6)]
    assert sorted(seen) == list(range(100, 112))


def test_a_worker_makes_the_same_item_as_the_main_process():
    data = SyntheticClips(SMALL, length=4)
    for alone, loaded in zip(data, DataLoader(data, batch_size=None, num_workers=1), strict=True):
        assert alone["video"].equal(loaded["video"])
        assert alone["caption"] == loaded["caption"]


def test_unknown_fields_and_too_many_objects_are_refused():
    with pytest.raises(ValueError, match="no field smell; choose from video"):
        SyntheticClips(SMALL, ("smell",))
    crowd = SyntheticClips(ClipOptions(min_objects=4, max_objects=4), owners=3)
    with pytest.raises(ValueError, match="seed 0 has 4 objects"):
        crowd[0]
