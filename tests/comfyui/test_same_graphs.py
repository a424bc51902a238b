"""The example of every node runs in the embedded host too, and shows there what it shows in ComfyUI."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import folder_paths
import numpy as np
import pytest
from comfyui.client import completed, node, write_clip, write_text_encoder, write_vae
from comfyui.examples import EXAMPLES, TEXT_ENCODER, VAE
from comfyui.interpolation_examples import write_rifes
from comfyui.sampling_examples import WAN, write_models
from kinograph.host.execution.executor import Executor
from kinograph.host.execution.validation import validate_prompt
from kinograph.host.session import Session, open_session
from PIL import Image

MODELS = ("vae", "text_encoders", "diffusion_models", "loras", "kinograph")


@pytest.fixture(scope="module")
def session(tmp_path_factory) -> Iterator[Session]:
    """The embedded host with the clip in its input folder."""
    base = tmp_path_factory.mktemp("embedded")
    names = ("input", "output", "temp")
    before = [folder_paths.get_directory_by_type(name) for name in names]
    for name in names:
        (base / name).mkdir()
        getattr(folder_paths, f"set_{name}_directory")(str(base / name))
    write_clip(base / "input" / "clip.mp4", seconds=2)
    write_vae(base / "vae" / VAE)
    write_text_encoder(base / "text_encoders" / TEXT_ENCODER)
    write_models(base)
    write_rifes(base)
    for kind in MODELS:
        folder_paths.add_model_folder_path(kind, str(base / kind))
    yield open_session()
    for kind in MODELS:
        folder_paths.folder_names_and_paths[kind][0].remove(str(base / kind))
    for name, directory in zip(names, before, strict=True):
        getattr(folder_paths, f"set_{name}_directory")(directory)


def run(session: Session, graph: dict) -> dict[str, dict]:
    prompt = completed(graph, session.object_info())
    verdict = validate_prompt(prompt, session.definitions)
    assert verdict.complete, verdict
    finished = Executor(session.definitions).execute(prompt)
    assert finished.status == "success", finished.error
    return finished.outputs


def files(output: dict[str, list]) -> list[Path]:
    return [
        Path(folder_paths.get_directory_by_type(file["type"]), file["subfolder"], file["filename"])
        for shown in output.values()
        for file in shown
        if isinstance(file, dict)
    ]


def pictures(paths: list[Path]) -> list[np.ndarray]:
    return [np.asarray(Image.open(path)) for path in paths if path.suffix == ".png"]


@pytest.mark.parametrize("name", EXAMPLES)
def test_the_example_runs_without_comfyui(session, name):
    outputs = run(session, EXAMPLES[name])
    shown = {key for key in EXAMPLES[name] if key.startswith(("show", "save"))}
    assert shown <= set(outputs)


@pytest.mark.parametrize("name", EXAMPLES)
def test_it_shows_the_same_text_and_pictures_in_comfyui(session, comfyui, clip, name):
    here, there = run(session, EXAMPLES[name]), comfyui.run(EXAMPLES[name])
    for key in [key for key in here if key.startswith("show")]:  # saved names have counters
        assert here[key].get("text") == there[key].get("text")
        for ours, theirs in zip(pictures(files(here[key])), pictures(comfyui.saved(there[key])), strict=True):
            np.testing.assert_array_equal(ours, theirs)


def test_cores_nodes_alone_make_a_film_without_comfyui(session):
    graph = {
        "model": node("UNETLoader", unet_name=WAN),
        "clip": node("CLIPLoader", clip_name=TEXT_ENCODER, type="wan"),
        "vae": node("VAELoader", vae_name=VAE),
        "shifted": node("ModelSamplingSD3", model=["model", 0], shift=3.0),
        "positive": node("CLIPTextEncode", clip=["clip", 0], text="a red circle"),
        "negative": node("ConditioningZeroOut", conditioning=["positive", 0]),
        "latent": node("EmptyHunyuanLatentVideo", width=48, height=32, length=5),
        "film": node(
            "KSampler",
            model=["shifted", 0],
            positive=["positive", 0],
            negative=["negative", 0],
            latent_image=["latent", 0],
            steps=2,
        ),
        "images": node("VAEDecode", samples=["film", 0], vae=["vae", 0]),
        "video": node("CreateVideo", images=["images", 0], fps=16.0),
        "save": node("SaveVideo", video=["video", 0]),
    }
    assert files(run(session, graph)["save"])[0].stat().st_size > 0
