"""Nodes that sample films, and the parts of that for core's SamplerCustomAdvanced."""

from __future__ import annotations

from typing import Any

from comfy_api.latest import io

from .. import node_views
from ..methods import chosen_method, discover, method_input
from ..runtime import node_id, show_text
from .film_windows import NODE

discover(f"{__package__}.methods")

CATEGORY = "Kinograph/generation"
FLAT = "flat"
SAMPLERS = ("euler", "heun", "dpmpp_2m", "unipc")
SCHEDULES = (
    "simple",
    "linear",
    "wan",
    "wan_diffusers",
    "normal",
    "sgm_uniform",
    "beta",
    "linear_quadratic",
    "karras",
    "exponential",
    "kl_optimal",
)
"""The names in `flow_sigmas` and `samplers`, which are not asked: they would import torch at start."""
GUIDANCE = ("cfg", "cfg_zero_star", "over_steps", "over_frames")


def sampler_input() -> io.Input:
    return io.Combo.Input(
        "sampler",
        options=list(SAMPLERS),
        default="unipc",
        tooltip="How a step is computed. euler is plain, unipc and dpmpp_2m need fewer steps, heun calls the "
        "model twice a step.",
    )


def schedule_inputs() -> list[io.Input]:
    return [
        io.Combo.Input(
            "scheduler",
            options=list(SCHEDULES),
            default="simple",
            tooltip="How noise levels are spaced over the steps.",
        ),
        io.Int.Input("steps", default=20, min=1, max=1000, tooltip="How often noise is removed."),
        io.Float.Input(
            "shift",
            default=0.0,
            min=0.0,
            max=100.0,
            step=0.1,
            tooltip="Above 1, more steps are spent at high noise, which long and large films need; 0 takes "
            "the model's own.",
        ),
        io.Float.Input(
            "denoise",
            default=1.0,
            min=0.01,
            max=1.0,
            step=0.01,
            tooltip="Below 1, the film starts from the latent with part of the noise, and keeps its look.",
        ),
    ]


def cfg_input() -> io.Input:
    return io.Float.Input(
        "cfg",
        default=5.0,
        min=0.0,
        max=100.0,
        step=0.1,
        tooltip="How strongly the positive is followed, away from the negative; 1 leaves the negative out.",
    )


def guidance_inputs() -> list[io.Input]:
    return [
        io.Combo.Input(
            "guidance",
            options=list(GUIDANCE),
            default="cfg",
            tooltip="cfg: plain. cfg_zero_star: with the negative scaled to fit. over_steps, over_frames: "
            "the scale goes from cfg at the first step or frame to cfg_end at the last.",
        ),
        io.Float.Input(
            "cfg_end",
            default=1.0,
            min=0.0,
            max=100.0,
            step=0.1,
            tooltip="The scale at the last step or frame, for over_steps and over_frames.",
        ),
    ]


def _working_inputs() -> list[io.Input]:
    return [
        io.Float.Input(
            "skip_threshold",
            default=0.0,
            min=0.0,
            max=10.0,
            step=0.01,
            tooltip="Skips the model while its input has changed by less than this share since it last ran; "
            "0 skips nothing, 0.05 to 0.2 is common. The report tells the error.",
        ),
        io.Int.Input(
            "preview_every",
            default=4,
            min=0,
            max=1000,
            tooltip="Steps between previews of the whole film; 0 shows none.",
        ),
        io.Vae.Input(
            "preview_vae",
            optional=True,
            tooltip="Decodes the previews, best a tiny VAE; without one they are rough colours.",
        ),
    ]


class KinoSampler(io.ComfyNode):
    """Latents of a film from noise, by any schedule of noise levels per frame."""

    @classmethod
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            node_id=NODE,
            display_name="Kino Sampler",
            category=CATEGORY,
            description="Makes a film's latents with a flow model (Wan, LTX-Video, Hunyuan Video). On Wan "
            "models each frame can have a noise level of its own: so it goes on from given frames, fills in "
            "between both ends, or makes films longer than the model does at once.",
            inputs=[
                io.Model.Input("model", tooltip="The video model."),
                io.Conditioning.Input("positive", tooltip="What the film shows."),
                io.Conditioning.Input("negative", tooltip="What it does not."),
                io.Latent.Input(
                    "latent", tooltip="Its size is the film's; it holds the given frames, from Video Latent."
                ),
                io.Int.Input(
                    "seed",
                    default=0,
                    min=0,
                    max=0xFFFFFFFFFFFFFFFF,
                    control_after_generate=True,
                    tooltip="The same seed gives the same film.",
                ),
                *schedule_inputs(),
                sampler_input(),
                cfg_input(),
                *guidance_inputs(),
                *_working_inputs(),
                method_input(
                    NODE,
                    FLAT,
                    "Noise levels of the frames: alike for text to video, or zero for given ones. Frames "
                    "are given by Video Latent; its mask tells how many.",
                ),
            ],
            outputs=[
                io.Latent.Output(display_name="latent", tooltip="The film's latents."),
                io.String.Output(
                    display_name="report", tooltip="Time per step, what was skipped and its error."
                ),
            ],
            hidden=[io.Hidden.unique_id],
        )

    @classmethod
    def execute(
        cls,
        model: Any,
        positive: list,
        negative: list,
        latent: dict[str, Any],
        method: dict[str, Any],
        preview_vae: Any | None = None,
        **settings: Any,
    ) -> io.NodeOutput:
        from ..sampled_film import Prompts, Settings, sampled_film

        schedule = chosen_method(NODE, method)
        made, report = sampled_film(
            model,
            Prompts(positive, negative),
            latent,
            Settings(**settings),
            None if method["method"] == FLAT else schedule,
            preview_vae,
            node_id(cls),
        )
        show_text(report, node_id(cls))
        return io.NodeOutput(made, report, ui=node_views.views(node_views.report(report)))


class KinoSamplerSelect(io.ComfyNode):
    """A SAMPLER."""

    @classmethod
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            node_id="KinoSamplerSelect",
            display_name="Kino Sampler Select",
            category=CATEGORY,
            description="A sampler for SamplerCustomAdvanced, with noise levels per frame on Wan models.",
            inputs=[
                sampler_input(),
                method_input(NODE, FLAT, "Noise levels of the frames: alike, or zero for given ones."),
            ],
            outputs=[io.Sampler.Output(display_name="sampler", tooltip="For SamplerCustomAdvanced.")],
        )

    @classmethod
    def execute(cls, sampler: str, method: dict[str, Any]) -> io.NodeOutput:
        from ..sampling import film_sampler

        schedule = chosen_method(NODE, method)
        return io.NodeOutput(film_sampler(sampler, None if method["method"] == FLAT else schedule))


class KinoFlowSigmas(io.ComfyNode):
    """SIGMAS of a flow model."""

    @classmethod
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            node_id="KinoFlowSigmas",
            display_name="Flow Sigmas",
            category=CATEGORY,
            description="Noise levels for SamplerCustomAdvanced, spaced and shifted for flow models.",
            inputs=[
                io.Model.Input("model", tooltip="Whose shift is taken where none is set."),
                *schedule_inputs(),
            ],
            outputs=[io.Sigmas.Output(display_name="sigmas", tooltip="From 1, noise, to 0, the film.")],
        )

    @classmethod
    def execute(cls, model: Any, scheduler: str, steps: int, shift: float, denoise: float) -> io.NodeOutput:
        from ..model import shift_of
        from .flow_sigmas import flow_sigmas

        return io.NodeOutput(flow_sigmas(scheduler, steps, shift=shift or shift_of(model), denoise=denoise))


NODES = [KinoSampler, KinoSamplerSelect, KinoFlowSigmas]
