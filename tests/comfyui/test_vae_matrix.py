"""Core's nodes that take a VAE take ours, and our nodes take core's, with the same results."""

from __future__ import annotations

import re

import numpy as np
import pytest
from comfyui.client import NodeFailed, node
from comfyui.examples import VAE
from PIL import Image

LOADERS = {
    "ours": node("KinoLoadVideoVAE", vae_name=VAE),
    "core's": node("VAELoader", vae_name=VAE),
}
SIZE = {"width": 64, "height": 48, "length": 9, "batch_size": 1}
GUIDED = {"positive": ["text", 0], "negative": ["text", 0], "vae": ["vae", 0]}
START = {
    "clip": node("KinoSyntheticClip", seed=3, width=64, height=48, seconds=0.375),
    "frames": node("KinoFramesFromVideo", video=["clip", 0]),
    "text": node("EmptyConditioning"),
}
"""Nine frames."""

ENCODE = node("VAEEncode", pixels=["frames", 0], vae=["vae", 0])
GRAPHS: dict[str, dict] = {
    "VAEDecode": {"made": ENCODE, "images": node("VAEDecode", samples=["made", 0], vae=["vae", 0])},
    "VAEDecodeTiled": {
        "made": ENCODE,
        "images": node("VAEDecodeTiled", samples=["made", 0], vae=["vae", 0], tile_size=64, overlap=0),
    },
    "VAEEncode": {"made": ENCODE},
    "VAEEncodeTiled": {"made": node("VAEEncodeTiled", pixels=["frames", 0], vae=["vae", 0], tile_size=64)},
    "VAEEncodeForInpaint": {
        "mask": node("SolidMask", value=0.0, width=64, height=48),
        "made": node("VAEEncodeForInpaint", pixels=["frames", 0], vae=["vae", 0], mask=["mask", 0]),
    },
    "WanImageToVideo": {"guide": node("WanImageToVideo", **GUIDED, **SIZE, start_image=["frames", 0])},
    "WanFirstLastFrameToVideo": {
        "guide": node(
            "WanFirstLastFrameToVideo", **GUIDED, **SIZE, start_image=["frames", 0], end_image=["frames", 0]
        )
    },
    "WanFunControlToVideo": {
        "guide": node("WanFunControlToVideo", **GUIDED, **SIZE, control_video=["frames", 0])
    },
    "WanVaceToVideo": {"guide": node("WanVaceToVideo", **GUIDED, **SIZE, control_video=["frames", 0])},
    "WanPhantomSubjectToVideo": {
        "guide": node("WanPhantomSubjectToVideo", **GUIDED, **SIZE, images=["frames", 0])
    },
    "LTXVAddGuide": {
        "made": ENCODE,
        "guide": node("LTXVAddGuide", **GUIDED, latent=["made", 0], image=["frames", 0], strength=1.0),
    },
    "LTXVImgToVideoInplace": {
        "made": ENCODE,
        "guide": node("LTXVImgToVideoInplace", vae=["vae", 0], image=["frames", 0], latent=["made", 0]),
    },
}
LATENT_OF = {"LTXVAddGuide": 2, "LTXVImgToVideoInplace": 0, "WanPhantomSubjectToVideo": 3}


def shown(comfyui, loader: str, name: str) -> tuple[list, list[np.ndarray]]:
    """What a graph shows of its result: the text of latents and conditioning, and decoded pictures."""
    graph = {**START, "vae": LOADERS[loader], **GRAPHS[name]}
    if "guide" in graph:
        output = LATENT_OF.get(name, 2)
        graph["show"] = node("PreviewAny", source=["guide", output])
        graph["show_text"] = node("PreviewAny", source=["guide", 0])
    else:
        graph["show"] = node("PreviewAny", source=["made", 0])
    if "images" in graph:
        graph["show_images"] = node("PreviewImage", images=["images", 0])
    outputs = comfyui.run(graph)
    texts = [outputs[key]["text"] for key in ("show", "show_text") if key in outputs]
    files = comfyui.saved(outputs["show_images"]) if "show_images" in outputs else []
    return texts, [np.asarray(Image.open(path)).astype(int) for path in files]


def numbers(texts: list) -> list[float]:
    """Every number that a shown tensor has in its text."""
    return [float(found) for found in re.findall(r"-?\d+\.\d*(?:e[-+]\d+)?", str(texts))]


@pytest.mark.parametrize("name", GRAPHS)
def test_a_node_of_core_makes_of_our_vae_what_it_makes_of_its_own(comfyui, name):
    if name not in comfyui.listed:
        pytest.skip(f"this ComfyUI has no {name}")
    try:
        expected, expected_pictures = shown(comfyui, "core's", name)
    except NodeFailed as failure:  # some nodes take no video VAE, or no other than LTX-Video's
        with pytest.raises(NodeFailed, match=re.escape(str(failure))):
            shown(comfyui, "ours", name)
        return
    texts, pictures = shown(comfyui, "ours", name)
    np.testing.assert_allclose(numbers(texts), numbers(expected), atol=2e-3)
    assert len(pictures) == len(expected_pictures)
    for ours, theirs in zip(pictures, expected_pictures, strict=True):
        assert np.abs(ours - theirs).max() <= 1


def test_a_saved_vae_is_the_file_it_came_from(comfyui):
    graph = {"vae": LOADERS["ours"], "save": node("VAESave", vae=["vae", 0], filename_prefix="vae/again")}
    comfyui.run(graph)
    [path] = (comfyui.base / "output" / "vae").glob("again*")
    from safetensors.torch import load_file

    before, after = load_file(comfyui.base / "models" / "vae" / VAE), load_file(path)
    assert before.keys() == after.keys()
    assert all(before[key].equal(after[key].float()) for key in before)


def films(comfyui, loader: str) -> list[np.ndarray]:
    """A film through our nodes and the VAE of a loader."""
    graph = {
        "clip": START["clip"],
        "vae": LOADERS[loader],
        "encode": node("KinoEncodeVideoToLatent", video=["clip", 0], vae=["vae", 0]),
        "decode": node("KinoDecodeToVideo", samples=["encode", 0], vae=["vae", 0], fps=24.0),
        "parts": node("GetVideoComponents", video=["decode", 0]),
        "show": node("PreviewImage", images=["parts", 0]),
        "show_report": node("PreviewAny", source=["decode", 1]),
    }
    outputs = comfyui.run(graph)
    assert "by itself" not in outputs["show_report"]["text"][0]
    return [np.asarray(Image.open(path)) for path in comfyui.saved(outputs["show"])]


def test_cores_wan_vae_streams_through_our_nodes(comfyui):
    ours, cores = films(comfyui, "ours"), films(comfyui, "core's")
    assert len(ours) == 9
    for one, other in zip(ours, cores, strict=True):
        np.testing.assert_array_equal(one, other)


def test_another_vae_of_core_decodes_by_itself_and_says_so(comfyui):
    graph = {
        "vae": node("VAELoader", vae_name="pixel_space"),
        "image": node("EmptyImage", width=32, height=32, batch_size=3, color=0x4080C0),
        "encode": node("VAEEncode", pixels=["image", 0], vae=["vae", 0]),
        "decode": node("KinoDecodeToVideo", samples=["encode", 0], vae=["vae", 0], fps=24.0),
        "show": node("KinoVideoInfo", video=["decode", 0]),
        "save": node("KinoEncodeVideo", video=["decode", 0], filename_prefix="foreign"),
    }
    [text] = comfyui.run(graph)["show"]["text"]
    assert "32 x 32" in text and "3 frames" in text and "by itself" in text


def test_a_latent_of_other_channels_is_refused_with_both_numbers(comfyui):
    graph = {
        "vae": LOADERS["ours"],
        "latent": node("EmptyLatentImage", width=64, height=64),
        "decode": node("KinoDecodeToVideo", samples=["latent", 0], vae=["vae", 0]),
        "show": node("KinoVideoInfo", video=["decode", 0]),
    }
    with pytest.raises(NodeFailed, match=r"4 channels.*16 channels"):
        comfyui.run(graph)
