"""Frames made inside models in a real ComfyUI: on core's own Wan as on ours."""

from __future__ import annotations

import pytest
from comfyui.client import NodeFailed, node
from comfyui.examples import VAE
from comfyui.inside_examples import BRIDGE, END_FRAME_WIDE, sketched
from comfyui.test_sampling import (
    CLOSE,
    LOADERS,
    SHARED,
    compared,
    core_sampler,
    files,  # noqa: F401
    kino_sampler,
)


def faster(model: str = "model", **values) -> dict:
    settings = {f"method.{name}": value for name, value in {"factor": 2, **values}.items()}
    return node("KinoHighFrameRate", model=[model, 0], method="zerosmooth", **settings)


def film(loader: str, sampler=core_sampler, **values) -> dict:
    return {"model": LOADERS[loader], **SHARED, "rate": faster(**values), "film": sampler("rate")}


@pytest.mark.parametrize("values", [{"borrow": 0.0}, {"borrow": 1.0}, {"strength": 0.5, "layers": "1"}])
def test_a_high_frame_rate_is_the_same_on_cores_network_as_on_ours(comfyui, values):
    facts = compared(comfyui, film("core's", **values), film("ours", **values))
    assert facts["difference"] < CLOSE, facts


@pytest.mark.parametrize("loader", LOADERS)
def test_it_changes_the_film_but_not_at_strength_0(comfyui, loader):
    plain = {"model": LOADERS[loader], **SHARED, "film": core_sampler()}
    assert compared(comfyui, film(loader, strength=0.0), plain)["difference"] == 0
    assert compared(comfyui, film(loader), plain)["difference"] > 0.1


def drawn(loader: str, **inputs) -> dict:
    return {
        "model": LOADERS[loader],
        **SHARED,
        "vae": node("KinoLoadVideoVAE", vae_name=VAE),
        "sketch": node("EmptyImage", width=40, height=40, color=0xFF8000),
        "drawn": sketched(**inputs),
        "film": core_sampler("drawn"),
    }


@pytest.mark.parametrize("inputs", [{}, {"residual": 0.0}, {"strength": 0.0}])
def test_sketches_steer_cores_network_as_ours(comfyui, inputs):
    facts = compared(comfyui, drawn("core's", **inputs), drawn("ours", **inputs))
    assert facts["difference"] < CLOSE, facts
    plain = {"model": LOADERS["core's"], **SHARED, "film": core_sampler()}
    assert compared(comfyui, drawn("core's", **inputs), plain)["difference"] > 0.01


def ending(model: dict, **inputs) -> dict:
    end = node("KinoEndFrame", model=["model", 0], file=END_FRAME_WIDE, end_latent=["end", 0], **inputs)
    return {
        "model": model,
        **SHARED,
        "end": node("RandomLatent", frames=1),
        "ending": end,
        "film": core_sampler("ending"),
    }


def test_an_end_frame_is_told_to_cores_network_as_to_ours(comfyui):
    facts = compared(comfyui, ending(LOADERS["core's"]), ending(LOADERS["ours"]))
    assert facts["difference"] < CLOSE, facts
    assert (
        compared(comfyui, ending(LOADERS["ours"]), ending(LOADERS["ours"], strength=0.0))["difference"] > 0.01
    )


def test_an_end_frame_is_told_to_cogvideox(comfyui):
    families = comfyui.listed["SmallCoreModel"]["input"]["required"]["family"][0]
    if "cogvideox" not in families:
        pytest.skip("this ComfyUI has no CogVideoX")
    model = node("SmallCoreModel", family="cogvideox")
    plain = {"model": model, **SHARED, "film": core_sampler()}
    assert compared(comfyui, ending(model, strength=0.0), plain)["difference"] == 0
    assert compared(comfyui, ending(model), plain)["difference"] > 1e-4


@pytest.mark.parametrize("loader", LOADERS)
def test_kino_sampler_makes_what_cores_makes(comfyui, loader):
    facts = compared(comfyui, film(loader), film(loader, kino_sampler))
    assert facts["difference"] < CLOSE, facts


def test_frames_given_by_a_mask_are_kept_by_cores_sampler(comfyui):
    graph = {
        "model": LOADERS["core's"],
        **SHARED,
        "first": core_sampler(),
        "more": node("KinoLatentInterpolation", latent=["first", 0], method="masked_frames"),
    }
    sampled = {**graph, "film": core_sampler(latent_image=["more", 0])}
    given = {**graph, "film": graph["more"]}
    frames = compared(comfyui, sampled, given)["frames"]
    assert [apart < CLOSE for apart in frames] == [index % 4 == 0 for index in range(len(frames))]


def test_cores_own_node_makes_pictures_by_bridges(comfyui, clip):
    if "FrameInterpolate" not in comfyui.listed:
        pytest.skip("this ComfyUI interpolates no frames")
    graph = {
        "vae": node("KinoLoadVideoVAE", vae_name=VAE),
        "bridge": node("KinoBrownianBridge", vae=["vae", 0], file=BRIDGE, steps=2),
        "load": node("KinoLoadVideo", file=clip),
        "frames": node("KinoFramesFromVideo", video=["load", 0], count=3),
        "more": node("FrameInterpolate", interp_model=["bridge", 0], images=["frames", 0], multiplier=4),
        "show": node("PreviewImage", images=["more", 0]),
    }
    assert len(comfyui.run(graph)["show"]["images"]) == 9


def test_lengths_that_do_not_fit_are_refused_with_those_that_do(comfyui):
    graph = {
        **film("core's", factor=5),
        "vae": node("VAELoader", vae_name=VAE),
        "images": node("VAEDecode", samples=["film", 0], vae=["vae", 0]),
        "show": node("PreviewImage", images=["images", 0]),
    }
    with pytest.raises(NodeFailed, match="as with 6 or 11"):
        comfyui.run(graph)
