"""The VAE nodes in the embedded host: what they give, and what they refuse."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import kinograph
import pytest
import torch
from kinograph.nodes.lazy_video import LazyVideo
from kinograph.nodes.vae import nodes
from kinograph.nodes.vae.nodes import (
    NODES,
    KinoDecodeToVideo,
    KinoEncodeVideoToLatent,
    KinoLatentPreview,
    KinoLoadVideoVAE,
)
from kinograph.nodes.vae_films import FILM
from kinograph.nodes.vae_object import VideoVAE, vae_class
from kinograph.nodes.video.encode import encode
from kinograph.nodes.video.tensor_source import TensorSource
from safetensors.torch import save_file

PAGES = Path(kinograph.__file__).parent / "web/docs"
AUTO = {"tile": 0, "memory_budget": 0}


@pytest.fixture(scope="module")
def vae(tame_network, tmp_path_factory) -> VideoVAE:
    path = tmp_path_factory.mktemp("vae") / "tame.safetensors"
    save_file(tame_network.state_dict(), path)
    patch = pytest.MonkeyPatch()
    patch.setattr(nodes, "vae_path", lambda name: str(path))
    [loaded] = KinoLoadVideoVAE.execute("tame.safetensors", "float32", "auto").args
    patch.undo()
    return loaded


@pytest.fixture(scope="module")
def film() -> torch.Tensor:
    """Six frames [6,30,44,3] that fill no whole cells."""
    return torch.rand(6, 30, 44, 3, generator=torch.Generator().manual_seed(0))


@pytest.fixture(scope="module")
def latent(vae, film) -> dict:
    video = LazyVideo(TensorSource(film, Fraction(24)))
    return KinoEncodeVideoToLatent.execute(video, vae, sample=False, seed=0, **AUTO).args[0]


def decoded(latent: dict, vae: VideoVAE, **settings) -> tuple[list[LazyVideo], str]:
    settings = {"fps": 24.0, **AUTO, "crop": True, **settings}
    return KinoDecodeToVideo.execute(latent, vae, **settings).args


def test_a_film_comes_back_with_its_own_size(vae, film, latent):
    assert latent["samples"].shape == (1, 16, 3, 4, 6)
    [video], _ = decoded(latent, vae)
    assert video.get_frame_count() == 6 and video.get_dimensions() == (44, 30)
    assert video.get_components().images.shape == film.shape


def test_padding_stays_where_it_is_wanted_or_the_latent_has_changed(vae, latent):
    [video], _ = decoded(latent, vae, crop=False)
    assert (video.get_frame_count(), video.get_dimensions()) == (9, (48, 32))
    shorter = {**latent, "samples": latent["samples"][:, :, :2]}
    [video], _ = decoded(shorter, vae)
    assert (video.get_frame_count(), video.get_dimensions()) == (5, (48, 32))


def test_the_video_shows_what_the_vae_decodes(vae, latent):
    [video], _ = decoded(latent, vae, crop=False)
    expected = vae.decode(latent["samples"])[0]
    assert (video.get_components().images - expected).abs().max() <= 0.5 / 255 + 1e-4


def test_frames_are_decoded_once_for_two_pulls(vae, latent, monkeypatch):
    [video], _ = decoded(latent, vae)
    runs = []
    run = vae.hosted.network.decode_chunk
    monkeypatch.setattr(
        vae.hosted.network, "decode_chunk", lambda *given, **named: runs.append(1) or run(*given, **named)
    )
    first, second = (video.get_components().images for _ in range(2))
    assert first.equal(second) and len(runs) == 3


def test_a_pull_from_the_middle_begins_with_the_frame_on_screen(vae, latent):
    [video], _ = decoded(latent, vae)
    frames = list(video.recipe.frames(Fraction(3, 24)))
    assert [frame.time for frame in frames] == [Fraction(index, 24) for index in (3, 4, 5)]


def test_a_batch_gives_a_video_each_and_sound_is_shared(vae, latent):
    batch = {"samples": latent["samples"].repeat(2, 1, 1, 1, 1)}
    sound = {"waveform": torch.zeros(1, 2, 4000), "sample_rate": 8000}
    videos, _ = decoded(batch, vae, audio=sound)
    assert len(videos) == 2
    assert all(video.recipe.spec.audio.sample_rate == 8000 for video in videos)


def test_tiles_are_told(vae, latent):
    _, report = decoded(latent, vae, tile=16)
    assert "tiles of 16 × 16 pixels" in report


def test_a_file_tells_that_memory_ran_out_while_it_was_made(vae, monkeypatch, tmp_path):
    run = vae.hosted.network.decode_chunk

    def short_of_memory(latents, state, last):
        if latents.shape[3] > 16:
            raise torch.OutOfMemoryError("out of memory")
        return run(latents, state, last)

    [video], _ = decoded({"samples": torch.zeros(1, 16, 1, 17, 9)}, vae)
    monkeypatch.setattr(vae.hosted.network, "decode_chunk", short_of_memory)
    report = encode(video.recipe, tmp_path / "film.mp4")
    assert report.frames == 1 and any("memory ran out" in note for note in report.notes)


def test_latents_of_another_model_are_refused_with_both_numbers(vae):
    with pytest.raises(ValueError, match=r"48 channels.* needs 16 channels"):
        decoded({"samples": torch.zeros(1, 48, 2, 4, 4)}, vae)


def test_nested_latents_are_refused(vae):
    class Nested:
        is_nested = True

    with pytest.raises(ValueError, match="separates"):
        decoded({"samples": Nested()}, vae)


def test_rough_colours_give_one_picture_per_latent_frame(latent):
    images, video = KinoLatentPreview.execute(latent, "auto", 48, 24.0).args
    assert images.shape == (3, 32, 48, 3) and images.min() >= 0 and images.max() <= 1
    assert video.get_frame_rate() == 6


def test_a_preview_through_a_vae_shows_every_frame_small(vae, latent):
    images, video = KinoLatentPreview.execute(latent, "auto", 22, 24.0, vae).args
    assert images.shape == (6, 15, 22, 3) and video.get_frame_rate() == 24


def test_unknown_latents_cannot_be_shown_without_their_vae():
    with pytest.raises(ValueError, match="7 channels"):
        KinoLatentPreview.execute({"samples": torch.zeros(1, 7, 1, 2, 2)}, "auto", 64, 24.0)


def test_the_vae_cuts_what_fills_no_cell_as_cores_do(vae, film):
    latents = vae.encode(film)
    assert latents.shape == (1, 16, 2, 3, 5)
    images = vae.decode(latents)
    assert images.shape == (1, 5, 24, 40, 3) and images.min() >= 0 and images.max() <= 1


def test_encoding_reports_what_was_padded(vae, film, latent):
    video = LazyVideo(TensorSource(film, Fraction(24)))
    drawn, report = KinoEncodeVideoToLatent.execute(video, vae, sample=True, seed=1, **AUTO).args
    assert "padded from 6 frames of 44 × 30 to 9 frames of 48 × 32" in report
    assert drawn[FILM] == (6, 30, 44) and not drawn["samples"].equal(latent["samples"])


def test_an_unknown_file_is_refused_by_name():
    with pytest.raises(FileNotFoundError, match="absent"):
        KinoLoadVideoVAE.execute("absent.safetensors", "auto", "auto")


def test_without_comfyui_a_vae_is_the_packs_own_class():
    assert vae_class() is VideoVAE


@pytest.mark.parametrize("node", NODES, ids=lambda node: node.__name__)
def test_help_and_tooltips_are_complete(node):
    schema = node.GET_SCHEMA()
    page = (PAGES / f"{schema.node_id}.md").read_text(encoding="utf-8")
    assert page.startswith(f"# {schema.display_name}\n")
    assert [entry.id for entry in schema.inputs if f"`{entry.id}`" not in page] == []
    assert all(entry.tooltip for entry in (*schema.inputs, *schema.outputs))
    assert schema.category == "Kinograph/vae" and schema.description
