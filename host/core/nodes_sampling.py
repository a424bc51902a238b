"""Core's sampling nodes, on whatever MODEL, NOISE, GUIDER and SAMPLER is wired."""

from __future__ import annotations

from typing import Any

from comfy_api.latest import io

SAMPLERS = ("euler", "heun", "dpmpp_2m")
SCHEDULERS = ("simple", "sgm_uniform", "normal")
"""The names of `comfy.samplers`, which is not asked: it would import torch for a list of nodes."""
MOST_STEPS = 10_000
SCALES = ("downscale_ratio_spacial", "downscale_ratio_temporal")
"""What an empty LATENT tells of the size of its cells."""


def seed_input(name: str) -> io.Input:
    return io.Int.Input(
        name,
        default=0,
        min=0,
        max=0xFFFFFFFFFFFFFFFF,
        control_after_generate=True,
        tooltip="The same seed draws the same noise.",
    )


def steps_input() -> io.Input:
    return io.Int.Input("steps", default=20, min=1, max=MOST_STEPS, tooltip="How often noise is removed.")


def denoise_input() -> io.Input:
    tooltip = "Below 1, the latent keeps some of what it shows."
    return io.Float.Input("denoise", default=1.0, min=0.0, max=1.0, step=0.01, tooltip=tooltip)


def cfg_input() -> io.Input:
    tooltip = "How strongly the positive is followed, away from the negative; 1 leaves the negative out."
    return io.Float.Input("cfg", default=8.0, min=0.0, max=100.0, step=0.1, round=0.01, tooltip=tooltip)


def with_samples(latent: dict[str, Any], samples: Any) -> dict[str, Any]:
    """The LATENT with other samples, which need no hint on an empty one's scale any more."""
    return {**{key: value for key, value in latent.items() if key not in SCALES}, "samples": samples}


class KSampler(io.ComfyNode):
    @classmethod
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            node_id="KSampler",
            display_name="KSampler",
            category="sampling",
            description="Turns noise into latents, guided by the positive and the negative.",
            inputs=[
                io.Model.Input("model", tooltip="The model that removes the noise."),
                seed_input("seed"),
                steps_input(),
                cfg_input(),
                io.Combo.Input("sampler_name", options=list(SAMPLERS), tooltip="How steps are computed."),
                io.Combo.Input("scheduler", options=list(SCHEDULERS), tooltip="How noise levels are spaced."),
                io.Conditioning.Input("positive", tooltip="What is wanted."),
                io.Conditioning.Input("negative", tooltip="What is not."),
                io.Latent.Input("latent_image", tooltip="The latent to start from; its size counts."),
                denoise_input(),
            ],
            outputs=[io.Latent.Output(tooltip="The latent without noise.")],
        )

    @classmethod
    def execute(
        cls,
        model: Any,
        seed: int,
        steps: int,
        cfg: float,
        sampler_name: str,
        scheduler: str,
        positive: list,
        negative: list,
        latent_image: dict[str, Any],
        denoise: float,
    ) -> io.NodeOutput:
        import comfy.sample
        import latent_preview

        latent = comfy.sample.fix_empty_latent_channels(
            model, latent_image["samples"], *(latent_image.get(scale) for scale in SCALES)
        )
        samples = comfy.sample.sample(
            model,
            comfy.sample.prepare_noise(latent, seed, latent_image.get("batch_index")),
            steps,
            cfg,
            sampler_name,
            scheduler,
            positive,
            negative,
            latent,
            denoise=denoise,
            noise_mask=latent_image.get("noise_mask"),
            callback=latent_preview.prepare_callback(model, steps),
            seed=seed,
        )
        return io.NodeOutput(with_samples(latent_image, samples))


NODES = [KSampler]
