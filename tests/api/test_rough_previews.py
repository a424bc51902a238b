"""Previews of what a sampler is about to make, in rough colours."""

from __future__ import annotations

from types import SimpleNamespace

import torch
from kinograph.host.api import latent_preview
from kinograph.host.api.comfy.utils import set_progress_bar_global_hook

RED_OF_THE_SECOND = SimpleNamespace(
    latent_rgb_factors=[[0.0, 0.0, 0.0], [1.0, 0.0, 0.0]], latent_rgb_factors_bias=[0.0, -1.0, -1.0]
)


def test_the_first_frame_is_shown_by_the_format_s_factors():
    film = torch.zeros(1, 2, 3, 4, 6)
    film[0, 1, 0] = 1.0
    kind, image, side = latent_preview.rough_picture(film, RED_OF_THE_SECOND)
    assert (kind, image.size) == ("JPEG", (6, 4)) and side > 0
    assert image.getpixel((0, 0)) == (255, 0, 0)


def test_latents_without_a_map_have_no_picture():
    assert latent_preview.rough_picture(torch.zeros(1, 2, 4, 6), SimpleNamespace()) is None


def test_each_step_shows_its_picture_on_the_progress_bar():
    shown = []
    set_progress_bar_global_hook(lambda value, total, preview, node_id: shown.append((value, total, preview)))
    try:
        model = SimpleNamespace(get_model_object=lambda name: RED_OF_THE_SECOND)
        last = {}
        step_done = latent_preview.prepare_callback(model, 2, last)
        for step in range(2):
            step_done(step, torch.ones(1, 2, 4, 6), None, 2)
    finally:
        set_progress_bar_global_hook(None)
    assert [(value, total) for value, total, _ in shown] == [(1, 2), (2, 2)]
    assert all(preview[1].size == (6, 4) for _, _, preview in shown) and last["x0"].shape == (1, 2, 4, 6)
