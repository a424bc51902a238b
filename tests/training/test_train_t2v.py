"""Training the text-to-video model, at toy size."""

from __future__ import annotations

import random
from fractions import Fraction

import pytest
import torch
from kinograph.nodes.synthetic.held_back import HELD_BACK
from kinograph.nodes.synthetic.spec import ClipSpec, MotionSpec, ObjectSpec, SceneSpec
from kinograph.nodes.vae.wan21 import Wan21Config, Wan21VAE
from kinograph.training import t2v_clips
from kinograph.training.caption_tokenizer import caption_lines, train_tokenizer
from kinograph.training.t2v_clips import (
    Batch,
    LatentClips,
    LatentPictures,
    fingerprint,
    object_places,
    training_clip,
)
from kinograph.training.train_t2v import Run, Sizes, learning_rate
from kinograph.training.vae_clips import FIRST_UNSEEN_SEED


@pytest.fixture(scope="module")
def run() -> Run:
    sizes = Sizes(width=128, blocks=2, feedforward=128, text_width=32, text_layers=1)
    return Run(sizes, train_tokenizer(caption_lines(40), 400), "a vae", torch.device("cpu"))


def two_clips() -> Batch:
    objects = torch.zeros(2, 2, 4, 4, dtype=torch.bool)
    return Batch(torch.randn(2, 16, 2, 4, 4), objects, ["a red circle", "a blue star"], [False, False])


def test_no_training_clip_shows_a_combination_that_is_held_back():
    for seed in (*range(200), *range(FIRST_UNSEEN_SEED, FIRST_UNSEEN_SEED + 50)):
        assert not any(HELD_BACK(obj) for scene in training_clip(seed).spec.scenes for obj in scene.objects)


def test_a_step_changes_transformer_and_text_encoder(run):
    rng = random.Random(0)
    before = {name: tensor.clone() for name, tensor in run.networks.state_dict().items()}
    for _ in range(2):  # the head begins at zero and lets nothing through at first
        run.advance(two_clips(), rng, 1.0)
    changed = {
        name.split(".")[0] for name, new in run.networks.state_dict().items() if not new.equal(before[name])
    }
    assert changed == {"transformer", "text"}


def test_a_run_goes_on_where_it_was(run, tmp_path):
    run.save(tmp_path / "checkpoint.pt")
    other = Run.resume(tmp_path / "checkpoint.pt", torch.device("cpu"))
    clips = two_clips()
    expected = run.advance(clips, random.Random(9), 1.0)
    assert other.advance(clips, random.Random(9), 1.0) == pytest.approx(expected, rel=1e-4)
    assert (other.step, other.vae) == (run.step, run.vae)


def test_a_loss_that_is_no_number_stops_the_run_before_the_weights_take_it(run):
    before = run.transformer.head.head.weight.detach().clone()
    with pytest.raises(RuntimeError, match="non-finite"):
        run.advance(
            two_clips()._replace(latents=torch.full((2, 16, 2, 4, 4), torch.nan)), random.Random(0), 1.0
        )
    assert torch.equal(run.transformer.head.head.weight, before)


def test_clean_frames_add_nothing_to_the_loss(run):
    latents, noise = torch.randn(1, 16, 3, 4, 4), torch.randn(1, 16, 3, 4, 4)
    sigmas = torch.tensor([[0.0, 0.5, 0.5]])
    other = noise.clone()
    other[:, :, 0] = 100.0
    with torch.no_grad():
        losses = [run.loss(latents, ["a red circle"], given, sigmas).item() for given in (noise, other)]
    assert losses[0] == losses[1]


def test_errors_count_more_where_objects_are_and_little_noise_hides_them(run):
    latents, texts = torch.randn(1, 16, 1, 4, 4), ["a red circle"]
    weights = torch.zeros(1, 1, 4, 4)
    weights[..., :2] = 8
    with torch.no_grad():
        velocity = torch.zeros(1, 16, 1, 4, 4)
        velocity[..., :2] = 1.0  # all of the error is on the objects
        for level, share in ((0.25, 7 / 8), (1.0, 1 / 2)):
            sigmas = torch.tensor([[level]])
            run.transformer.head.head.weight.zero_()
            run.transformer.head.head.bias.zero_()
            loss = run.loss(latents, texts, latents + velocity, sigmas, weights)
            assert loss.item() == pytest.approx(share, rel=1e-3)


def test_the_places_of_objects_follow_them_through_the_latent_frames():
    ball = ObjectSpec("circle", "red", size="small", x=-0.35, motion=MotionSpec("right", speed=1.0))
    spec = ClipSpec(96, 96, Fraction(24), (SceneSpec(0, 17 / 24, (ball,)),))
    places = object_places(spec, 17)
    assert places.shape == (5, 12, 12)
    columns = [place.nonzero()[:, 1].float().mean().item() for place in places]
    assert columns == sorted(columns) and columns[0] < 3 and columns[-1] > 8
    assert places.float().mean() < 0.35
    assert object_places(spec, 1).equal(places[:1])


def test_the_rate_rises_holds_and_falls_to_zero():
    rates = [learning_rate(step / 1000, step) for step in range(1000)]
    assert rates[0] < rates[100] < rates[300] == 1.0 == rates[499] > rates[800] > rates[999] > 0
    assert learning_rate(1.0, 1000) == 0


def test_latents_are_computed_once_and_kept(tmp_path, monkeypatch):
    monkeypatch.setattr(t2v_clips, "SHARD", 2)
    vae = Wan21VAE(Wan21Config(width=4)).eval()
    clips = LatentClips(tmp_path, vae)
    assert list(clips.load(3)) == [2, 4]
    again = LatentClips(tmp_path, None)
    list(again.load(3))
    assert again.latents.shape == (3, 16, 5, 12, 12) and again.latents.equal(clips.latents)
    assert again.captions == clips.captions and len(again.captions[0]) == 4


def test_pictures_are_first_frames_of_other_clips(tmp_path, monkeypatch):
    monkeypatch.setattr(t2v_clips, "SHARD", 3)
    vae = Wan21VAE(Wan21Config(width=4)).eval()
    pictures, clips = LatentPictures(tmp_path / "pictures", vae), LatentClips(tmp_path, vae)
    list(pictures.load(3)), list(clips.load(3))
    batch = pictures.batch(random.Random(0), 3)
    assert batch.latents.shape == (3, 16, 1, 12, 12) and batch.later == [False] * 3
    assert not set(map(str, pictures.captions)) & set(map(str, clips.captions))


def test_a_clip_from_the_middle_of_a_film_is_as_long_as_the_others():
    clip = next(clip for clip in map(training_clip, range(100)) if clip.start == 2)
    vae = Wan21VAE(Wan21Config(width=4)).eval()
    assert t2v_clips.rendered(clip).shape == (1, 3, 25, 96, 96)
    assert t2v_clips.clip_latents(vae, clip).shape == (1, 16, 5, 12, 12)


def test_weights_are_told_apart_by_what_is_in_them(tmp_path):
    one, same, other = (tmp_path / name for name in ("one", "same", "other"))
    for path, content in ((one, b"weights"), (same, b"weights"), (other, b"others")):
        path.write_bytes(content)
    assert fingerprint(one) == fingerprint(same) != fingerprint(other)
