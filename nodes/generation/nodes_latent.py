"""The node that makes the latent a film is sampled from."""

from __future__ import annotations

from typing import Any

from comfy_api.latest import io

from .. import node_views
from ..runtime import node_id, show_text
from .nodes_sampling import CATEGORY

SPACES = ("auto", "Wan 2.1", "Wan 2.2", "Hunyuan Video", "LTX-Video")


class KinoVideoLatent(io.ComfyNode):
    """A LATENT of a film, empty or with given ends."""

    @classmethod
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            node_id="KinoVideoLatent",
            display_name="Video Latent",
            category=CATEGORY,
            description="Makes the latent that a film is sampled from: empty, or with first and last frames "
            "given as pictures, or with a film to go on from. Sizes are rounded to what the model takes.",
            inputs=[
                io.Int.Input("width", default=832, min=16, max=16384, tooltip="Pixels across."),
                io.Int.Input("height", default=480, min=16, max=16384, tooltip="Pixels down."),
                io.Int.Input(
                    "frames",
                    default=81,
                    min=1,
                    max=100_000,
                    tooltip="Frames of the whole film, given ones too.",
                ),
                io.Int.Input("batch_size", default=1, min=1, max=4096, tooltip="How many films."),
                io.Combo.Input(
                    "latent_space",
                    options=list(SPACES),
                    default="auto",
                    tooltip="Whose latents. auto: the wired VAE's, else Wan 2.1's.",
                ),
                io.Vae.Input("vae", optional=True, tooltip="The model's VAE, which encodes the pictures."),
                io.Image.Input(
                    "start",
                    optional=True,
                    tooltip="The first picture, or several; they are cut and scaled to the film's size.",
                ),
                io.Image.Input("end", optional=True, tooltip="The last picture, or several."),
                io.Latent.Input(
                    "prefix", optional=True, tooltip="A film to go on from; its width and height count then."
                ),
            ],
            outputs=[
                io.Latent.Output(
                    display_name="latent", tooltip="With a noise mask that is 0 where frames are given."
                ),
                io.Int.Output(display_name="first", tooltip="Latent frames given at the start."),
                io.Int.Output(display_name="last", tooltip="Latent frames given at the end."),
                io.String.Output(display_name="report", tooltip="Sizes, and what was rounded."),
            ],
            hidden=[io.Hidden.unique_id],
        )

    @classmethod
    def execute(
        cls,
        width: int,
        height: int,
        frames: int,
        batch_size: int,
        latent_space: str,
        vae: Any | None = None,
        start: Any | None = None,
        end: Any | None = None,
        prefix: dict[str, Any] | None = None,
    ) -> io.NodeOutput:
        from ..film_latent import Given, film_latent, space_of

        space = space_of(latent_space, vae)
        made = film_latent((frames, height, width), batch_size, space, Given(start, end, prefix), vae)
        show_text(made.report, node_id(cls))
        shown = node_views.views(node_views.report(made.report))
        return io.NodeOutput(made.latent, made.first, made.last, made.report, ui=shown)


NODES = [KinoVideoLatent]
