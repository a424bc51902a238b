"""Nodes between video and latents."""

from __future__ import annotations

from typing import Any

import folder_paths
from comfy_api.latest import io

from .. import node_views
from ..lazy_video import LazyVideo, as_recipe, frame_rate
from ..methods import offer
from ..runtime import Progress, node_id, show_text, someone_watches
from ..video.describe import facts_line

TINY_PREFIXES = ("tae", "lighttae")
"""Tiny video VAEs lie in models/vae_approx, among picture VAEs and upscalers."""
PICTURE_VAES = ("taesd", "taef1", "taef2")
NUMBER_TYPES = ("auto", "float32", "bfloat16", "float16")
TINY_LATENTS = ("auto", "wan2.1", "wan2.2", "hunyuan", "wan2.1 raw", "wan2.2 raw")
SPACES = ("auto", "Wan 2.1", "Wan 2.2", "Hunyuan Video", "LTX-Video")


offer(
    "ltx-video",
    node="KinoLoadVideoVAE",
    system="ltx_video",
    paper="LTX-Video (HaCohen et al.)",
    year=2024,
    weights="a checkpoint of LTX-Video, or its VAE alone, in models/vae",
    test="tests/vae/test_ltx.py",
)


def vae_files() -> list[str]:
    """Names of the files that may be a video VAE, for a widget's choices."""
    tiny = [
        name
        for name in folder_paths.get_filename_list("vae_approx")
        if name.startswith(TINY_PREFIXES) and not name.startswith(PICTURE_VAES)
    ]
    return [*folder_paths.get_filename_list("vae"), *tiny]


def vae_path(name: str) -> str:
    """The installed file of that name.

    Raises:
        FileNotFoundError: there is none.
    """
    path = folder_paths.get_full_path("vae", name) or folder_paths.get_full_path("vae_approx", name)
    if path is None:
        raise FileNotFoundError(f"there is no VAE {name!r} in models/vae; put it there, or pick another")
    return path


class KinoLoadVideoVAE(io.ComfyNode):
    """A video VAE from a file."""

    @classmethod
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            node_id="KinoLoadVideoVAE",
            display_name="Load Video VAE",
            category="Kinograph/vae",
            description="Loads the VAE of Wan 2.1, Wan 2.2 or LTX-Video, or a tiny one (TAEHV), in any "
            "layout. It works with every node that takes a VAE, and decodes films of any length in the "
            "memory of one piece.",
            inputs=[
                io.Combo.Input(
                    "vae_name",
                    options=vae_files(),
                    tooltip="A file in models/vae, or a tiny video VAE in models/vae_approx.",
                ),
                io.Combo.Input(
                    "dtype",
                    options=list(NUMBER_TYPES),
                    default="auto",
                    tooltip="Number type it computes in. auto: what ComfyUI takes for VAEs on this device.",
                ),
                io.Combo.Input(
                    "tiny_latents",
                    options=list(TINY_LATENTS),
                    default="auto",
                    tooltip="Only for a tiny VAE: whose latents it decodes. auto tells by name and channels.",
                ),
            ],
            outputs=[io.Vae.Output(display_name="vae", tooltip="The VAE.")],
        )

    @classmethod
    def execute(cls, vae_name: str, dtype: str, tiny_latents: str) -> io.NodeOutput:
        from ..vae_object import load_video_vae

        latents = None if tiny_latents == "auto" else tiny_latents
        return io.NodeOutput(load_video_vae(vae_path(vae_name), dtype, latents))


def _memory_widgets() -> list[io.Input]:
    return [
        io.Int.Input(
            "tile",
            default=0,
            min=0,
            max=8192,
            step=16,
            tooltip="Side of the tiles in pixels; 0 takes the largest that fit into memory, whole frames at "
            "best. Tiles fade into each other.",
        ),
        io.Int.Input(
            "memory_budget",
            default=0,
            min=0,
            max=1_000_000,
            tooltip="Megabytes that the work may take beside the weights; 0 takes most of what is free.",
        ),
    ]


class KinoDecodeToVideo(io.ComfyNode):
    """A lazy video decoded from latents."""

    @classmethod
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            node_id="KinoDecodeToVideo",
            display_name="Decode to Video",
            category="Kinograph/vae",
            description="Makes a video of latents. Frames are decoded while it is saved or looked at, piece "
            "by piece, so its length does not matter.",
            inputs=[
                io.Latent.Input("samples", tooltip="Latents of a film; a batch gives one video each."),
                io.Vae.Input("vae", tooltip="The VAE of the model that made them."),
                io.Float.Input(
                    "fps",
                    default=16.0,
                    min=0.01,
                    max=1000.0,
                    step=0.001,
                    tooltip="Frames per second: 16 for Wan 2.1, 24 for Wan 2.2 and most others.",
                ),
                *_memory_widgets(),
                io.Boolean.Input(
                    "crop",
                    default=True,
                    tooltip="Cut off what Encode Video to Latent added to fill whole latent cells.",
                ),
                io.Audio.Input("audio", optional=True, tooltip="Sound for the video."),
            ],
            outputs=[
                io.Video.Output(
                    display_name="video", tooltip="One for each film of the batch.", is_output_list=True
                ),
                io.String.Output(display_name="report", tooltip="How it is decoded."),
            ],
            hidden=[io.Hidden.unique_id],
        )

    @classmethod
    def execute(
        cls,
        samples: dict[str, Any],
        vae: Any,
        fps: float,
        tile: int,
        memory_budget: int,
        crop: bool,
        audio: dict[str, Any] | None = None,
    ) -> io.NodeOutput:
        from ..vae_films import Cut, decoded_videos
        from ..video.replaced_sound import ReplacedSound

        recipes = decoded_videos(samples, vae, frame_rate(fps), Cut(tile, memory_budget), crop=crop)
        notes = dict.fromkeys(note for recipe in recipes for note in recipe.notes)
        report = "\n".join([facts_line(recipes[0].spec), *notes])
        show_text(report, node_id(cls))
        if audio is not None:
            waveforms = audio["waveform"]
            recipes = [
                ReplacedSound(recipe, waveforms[index % len(waveforms)], int(audio["sample_rate"]))
                for index, recipe in enumerate(recipes)
            ]
        shown = node_views.views(node_views.report(report))
        return io.NodeOutput([LazyVideo(recipe) for recipe in recipes], report, ui=shown)


class KinoEncodeVideoToLatent(io.ComfyNode):
    """Latents of a video."""

    @classmethod
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            node_id="KinoEncodeVideoToLatent",
            display_name="Encode Video to Latent",
            category="Kinograph/vae",
            description="Encodes a video of any size and length without holding its frames.",
            inputs=[
                io.Video.Input("video", tooltip="The video to encode; its sound is left out."),
                io.Vae.Input("vae", tooltip="From Load Video VAE, or core's for Wan or LTX-Video."),
                *_memory_widgets(),
                io.Boolean.Input(
                    "sample",
                    default=False,
                    tooltip="Draw the latents from the distribution that the VAE gives, rather than take its "
                    "mean.",
                ),
                io.Int.Input(
                    "seed",
                    default=0,
                    min=0,
                    max=0xFFFFFFFFFFFFFFFF,
                    control_after_generate=True,
                    tooltip="For drawing them.",
                ),
            ],
            outputs=[
                io.Latent.Output(display_name="latent", tooltip="Raw latents [1, channels, frames, h, w]."),
                io.String.Output(display_name="report", tooltip="Sizes, and what was padded."),
            ],
            hidden=[io.Hidden.unique_id],
        )

    @classmethod
    def execute(
        cls, video: io.Video.Type, vae: Any, tile: int, memory_budget: int, sample: bool, seed: int
    ) -> io.NodeOutput:
        from ..vae_films import Cut, encoded_video

        recipe = as_recipe(video)
        progress = Progress(recipe.spec.frame_count, node_id=node_id(cls), stage="encoding to latents")
        made = encoded_video(
            recipe, vae, Cut(tile, memory_budget), seed=seed if sample else None, tick=progress.advance
        )
        show_text(made.report, node_id(cls))
        shown = node_views.views(node_views.report(made.report))
        return io.NodeOutput(made.latent, made.report, ui=shown)


class KinoLatentPreview(io.ComfyNode):
    """A quick look at latents."""

    @classmethod
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            node_id="KinoLatentPreview",
            display_name="Latent Preview",
            category="Kinograph/vae",
            description="Shows latents fast and small: through a tiny VAE where one is wired, else as rough "
            "colours, one picture per latent frame.",
            inputs=[
                io.Latent.Input("samples", tooltip="Latents of a film; the first of a batch is shown."),
                io.Combo.Input(
                    "latent_space",
                    options=list(SPACES),
                    default="auto",
                    tooltip="Whose latents they are, for rough colours. auto goes by their channels; 16 is "
                    "taken for Wan 2.1.",
                ),
                io.Int.Input(
                    "side", default=512, min=16, max=4096, tooltip="Longest side of the pictures, in pixels."
                ),
                io.Float.Input(
                    "fps",
                    default=16.0,
                    min=0.01,
                    max=1000.0,
                    step=0.001,
                    tooltip="Frames per second of the film.",
                ),
                io.Vae.Input("vae", optional=True, tooltip="A tiny VAE (taew2_1, taew2_2, taehv) is fast."),
            ],
            outputs=[
                io.Image.Output(display_name="images", tooltip="The pictures."),
                io.Video.Output(display_name="video", tooltip="The same, as long as the film."),
            ],
            hidden=[io.Hidden.unique_id],
        )

    @classmethod
    def execute(
        cls, samples: dict[str, Any], latent_space: str, side: int, fps: float, vae: Any | None = None
    ) -> io.NodeOutput:
        from ..vae_films import Cut, decoded_videos
        from ..video.tensor_source import TensorSource
        from .preview import rough_preview, small_images

        rate = frame_rate(fps)
        if vae is not None:
            film = {**samples, "samples": samples["samples"][:1]}
            [recipe] = decoded_videos(film, vae, rate, Cut(), crop=True)
            progress = Progress(recipe.spec.frame_count, node_id=node_id(cls), stage="decoding a preview")
            images = small_images(recipe, side, progress.advance)
        else:
            space = None if latent_space == "auto" else latent_space
            images, rate = rough_preview(samples["samples"], space, side, rate)
        film = TensorSource(images, rate)
        shown = node_views.views(node_views.film(film)) if someone_watches() else None
        return io.NodeOutput(images, LazyVideo(film), ui=shown)


NODES = [KinoLoadVideoVAE, KinoDecodeToVideo, KinoEncodeVideoToLatent, KinoLatentPreview]
