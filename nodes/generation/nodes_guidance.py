"""Nodes that change how a MODEL is guided and how often it runs, for any sampler node."""

from __future__ import annotations

from typing import Any

from comfy_api.latest import io

from .nodes_sampling import CATEGORY, cfg_input, guidance_inputs


def _percent(name: str, default: float, tooltip: str) -> io.Input:
    return io.Float.Input(name, default=default, min=0.0, max=1.0, step=0.01, tooltip=tooltip)


class KinoGuidance(io.ComfyNode):
    """A MODEL under another guidance."""

    @classmethod
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            node_id="KinoGuidance",
            display_name="Guidance",
            category=CATEGORY,
            description="Changes how the prompt guides a model of films, in any sampler node: scaled to fit "
            "(CFG-Zero*), varying over steps or frames, or only in a part of sampling.",
            inputs=[
                io.Model.Input("model", tooltip="A video model."),
                *guidance_inputs(),
                io.Int.Input(
                    "zero_steps",
                    default=0,
                    min=0,
                    max=100,
                    tooltip="Steps at the start that do not move, for cfg_zero_star; the paper takes one.",
                ),
                _percent("start_percent", 0.0, "Share of sampling from which on there is guidance."),
                _percent("end_percent", 1.0, "Share of sampling up to which there is; then steps cost half."),
            ],
            outputs=[io.Model.Output(display_name="model", tooltip="The same model under this guidance.")],
        )

    @classmethod
    def execute(
        cls,
        model: Any,
        guidance: str,
        cfg_end: float,
        zero_steps: int,
        start_percent: float,
        end_percent: float,
    ) -> io.NodeOutput:
        from ..guiding import ModelGuidance

        way = ModelGuidance(guidance, cfg_end, zero_steps, start_percent, end_percent)
        return io.NodeOutput(way.on(model))


class KinoGuider(io.ComfyNode):
    """A GUIDER with such a guidance."""

    @classmethod
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            node_id="KinoGuider",
            display_name="Kino Guider",
            category=CATEGORY,
            description="A guider for SamplerCustomAdvanced with one of Kinograph's ways of guidance.",
            inputs=[
                io.Model.Input("model", tooltip="A video model."),
                io.Conditioning.Input("positive", tooltip="What the film shows."),
                io.Conditioning.Input("negative", tooltip="What it does not."),
                cfg_input(),
                *guidance_inputs(),
            ],
            outputs=[io.Guider.Output(display_name="guider", tooltip="For SamplerCustomAdvanced.")],
        )

    @classmethod
    def execute(
        cls, model: Any, positive: list, negative: list, cfg: float, guidance: str, cfg_end: float
    ) -> io.NodeOutput:
        from comfy.samplers import CFGGuider

        from ..guiding import ModelGuidance

        guider = CFGGuider(ModelGuidance(guidance, cfg_end).on(model))
        guider.set_conds(positive, negative)
        guider.set_cfg(cfg)
        return io.NodeOutput(guider)


class KinoStepCache(io.ComfyNode):
    """A MODEL that skips forwards."""

    @classmethod
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            node_id="KinoStepCache",
            display_name="Step Cache",
            category=CATEGORY,
            description="Skips a model's forwards while their input has hardly changed, in any sampler node "
            "(as TeaCache and EasyCache do). The log tells what was skipped and the error of that.",
            inputs=[
                io.Model.Input("model", tooltip="A diffusion model."),
                io.Float.Input(
                    "threshold",
                    default=0.1,
                    min=0.0,
                    max=10.0,
                    step=0.01,
                    tooltip="Skip while the change summed up since the last forward stays below this share; "
                    "0 skips nothing.",
                ),
                io.Int.Input(
                    "warm_up", default=2, min=1, max=100, tooltip="Steps at the start that are never skipped."
                ),
                io.Int.Input(
                    "final", default=1, min=1, max=100, tooltip="Steps at the end that are never skipped."
                ),
                io.Combo.Input(
                    "measure",
                    options=["output_change", "input_change"],
                    default="output_change",
                    tooltip="What is taken for change: how much the answer moved per change of the input "
                    "(EasyCache), or the input's own change (TeaCache without its polynomial).",
                ),
                io.Combo.Input(
                    "reuse",
                    options=["velocity", "residual"],
                    default="velocity",
                    tooltip="What a skipped step uses again: the last velocity, or its difference to the "
                    "input, as the papers.",
                ),
                io.Boolean.Input(
                    "measure_error",
                    default=False,
                    tooltip="Compute the skipped steps too, for their exact error and no gain in time: to "
                    "choose a threshold by. The film is that of the skipping.",
                ),
            ],
            outputs=[io.Model.Output(display_name="model", tooltip="The same model with the cache.")],
        )

    @classmethod
    def execute(
        cls,
        model: Any,
        threshold: float,
        warm_up: int,
        final: int,
        measure: str,
        reuse: str,
        measure_error: bool,
    ) -> io.NodeOutput:
        from ..cached_steps import CachedSteps
        from .step_cache import CachePlan

        plan = CachePlan(threshold, warm_up, final, measure, reuse)
        return io.NodeOutput(CachedSteps(plan, measure_error).on(model))


NODES = [KinoGuidance, KinoGuider, KinoStepCache]
