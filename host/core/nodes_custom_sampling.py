"""Core's parts of sampling, each a node: noise, samplers, noise levels and guiders."""

from __future__ import annotations

from typing import Any

from comfy_api.latest import io

from .nodes_sampling import (
    MOST_STEPS,
    SAMPLERS,
    SCALES,
    SCHEDULERS,
    cfg_input,
    denoise_input,
    seed_input,
    steps_input,
    with_samples,
)

CUSTOM = "sampling/custom_sampling"


class RandomNoise(io.ComfyNode):
    @classmethod
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            node_id="RandomNoise",
            category=f"{CUSTOM}/noise",
            inputs=[seed_input("noise_seed")],
            outputs=[io.Noise.Output()],
        )

    @classmethod
    def execute(cls, noise_seed: int) -> io.NodeOutput:
        return io.NodeOutput(SeededNoise(noise_seed))


class DisableNoise(io.ComfyNode):
    @classmethod
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            node_id="DisableNoise", category=f"{CUSTOM}/noise", inputs=[], outputs=[io.Noise.Output()]
        )

    @classmethod
    def execute(cls) -> io.NodeOutput:
        return io.NodeOutput(NoNoise())


class SeededNoise:
    """The value of a NOISE socket: noise from a seed."""

    def __init__(self, seed: int) -> None:
        self.seed = seed

    def generate_noise(self, input_latent: dict[str, Any]) -> Any:
        import comfy.sample

        return comfy.sample.prepare_noise(input_latent["samples"], self.seed, input_latent.get("batch_index"))


class NoNoise:
    """The value of a NOISE socket that adds none."""

    seed = 0

    def generate_noise(self, input_latent: dict[str, Any]) -> Any:
        import comfy.sample

        return comfy.sample.prepare_empty_noise(input_latent["samples"])


class KSamplerSelect(io.ComfyNode):
    @classmethod
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            node_id="KSamplerSelect",
            category=f"{CUSTOM}/samplers",
            inputs=[io.Combo.Input("sampler_name", options=list(SAMPLERS))],
            outputs=[io.Sampler.Output()],
        )

    @classmethod
    def execute(cls, sampler_name: str) -> io.NodeOutput:
        from comfy.samplers import sampler_object

        return io.NodeOutput(sampler_object(sampler_name))


class BasicScheduler(io.ComfyNode):
    @classmethod
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            node_id="BasicScheduler",
            category=f"{CUSTOM}/schedulers",
            inputs=[
                io.Model.Input("model"),
                io.Combo.Input("scheduler", options=list(SCHEDULERS)),
                steps_input(),
                denoise_input(),
            ],
            outputs=[io.Sigmas.Output()],
        )

    @classmethod
    def execute(cls, model: Any, scheduler: str, steps: int, denoise: float) -> io.NodeOutput:
        from comfy.samplers import partial_sigmas

        sampling = model.get_model_object("model_sampling")
        return io.NodeOutput(partial_sigmas(sampling, scheduler, steps, denoise))


class SplitSigmas(io.ComfyNode):
    @classmethod
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            node_id="SplitSigmas",
            category=f"{CUSTOM}/sigmas",
            inputs=[
                io.Sigmas.Input("sigmas"),
                io.Int.Input("step", default=0, min=0, max=MOST_STEPS),
            ],
            outputs=[
                io.Sigmas.Output(display_name="high_sigmas"),
                io.Sigmas.Output(display_name="low_sigmas"),
            ],
        )

    @classmethod
    def execute(cls, sigmas: Any, step: int) -> io.NodeOutput:
        return io.NodeOutput(sigmas[: step + 1], sigmas[step:])


class BasicGuider(io.ComfyNode):
    @classmethod
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            node_id="BasicGuider",
            category=f"{CUSTOM}/guiders",
            inputs=[io.Model.Input("model"), io.Conditioning.Input("conditioning")],
            outputs=[io.Guider.Output()],
        )

    @classmethod
    def execute(cls, model: Any, conditioning: list) -> io.NodeOutput:
        from comfy.samplers import CFGGuider as Guider

        guider = Guider(model)
        guider.inner_set_conds({"positive": conditioning})
        return io.NodeOutput(guider)


class CFGGuider(io.ComfyNode):
    @classmethod
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            node_id="CFGGuider",
            category=f"{CUSTOM}/guiders",
            inputs=[
                io.Model.Input("model"),
                io.Conditioning.Input("positive"),
                io.Conditioning.Input("negative"),
                cfg_input(),
            ],
            outputs=[io.Guider.Output()],
        )

    @classmethod
    def execute(cls, model: Any, positive: list, negative: list, cfg: float) -> io.NodeOutput:
        from comfy.samplers import CFGGuider as Guider

        guider = Guider(model)
        guider.set_conds(positive, negative)
        guider.set_cfg(cfg)
        return io.NodeOutput(guider)


class SamplerCustomAdvanced(io.ComfyNode):
    @classmethod
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            node_id="SamplerCustomAdvanced",
            category=CUSTOM,
            inputs=[
                io.Noise.Input("noise"),
                io.Guider.Input("guider"),
                io.Sampler.Input("sampler"),
                io.Sigmas.Input("sigmas"),
                io.Latent.Input("latent_image"),
            ],
            outputs=[
                io.Latent.Output(display_name="output"),
                io.Latent.Output(display_name="denoised_output"),
            ],
        )

    @classmethod
    def execute(
        cls, noise: Any, guider: Any, sampler: Any, sigmas: Any, latent_image: dict[str, Any]
    ) -> io.NodeOutput:
        import comfy.sample
        import latent_preview
        from comfy.model_management import intermediate_device

        patcher = guider.model_patcher
        samples = comfy.sample.fix_empty_latent_channels(
            patcher, latent_image["samples"], *(latent_image.get(scale) for scale in SCALES)
        )
        latent, last = with_samples(latent_image, samples), {}
        made = guider.sample(
            noise.generate_noise(latent),
            samples,
            sampler,
            sigmas,
            denoise_mask=latent.get("noise_mask"),
            callback=latent_preview.prepare_callback(patcher, len(sigmas) - 1, last),
            seed=noise.seed,
        )
        output = with_samples(latent, made.to(intermediate_device()))
        if "x0" not in last:
            return io.NodeOutput(output, output)
        return io.NodeOutput(output, with_samples(latent, patcher.model.process_latent_out(last["x0"].cpu())))


NODES = [
    RandomNoise,
    DisableNoise,
    KSamplerSelect,
    BasicScheduler,
    SplitSigmas,
    BasicGuider,
    CFGGuider,
    SamplerCustomAdvanced,
]
