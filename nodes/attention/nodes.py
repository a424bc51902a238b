"""Nodes that make a MODEL's attention sparse, and that show what it is."""

from __future__ import annotations

from typing import Any

from comfy_api.latest import io

from ..methods import chosen_method, discover, method_input
from .plan import NODE, QUANTIZED

discover(f"{__package__}.methods")

CATEGORY = "Kinograph/attention"
BACKENDS = ("auto", "dense", "triton", "flex", "gathered", "naive")
QUANTIZED_BACKENDS = ("auto", "triton", "simulation")


def schedule_inputs(start: float, dense_layers: int) -> list[io.Input]:
    """When and where attention is changed."""
    return [
        io.Float.Input(
            "start_percent",
            default=start,
            min=0.0,
            max=1.0,
            step=0.01,
            tooltip="Share of the steps at the start that stay as they are: there the layout is made.",
        ),
        io.Float.Input(
            "end_percent",
            default=1.0,
            min=0.0,
            max=1.0,
            step=0.01,
            tooltip="Share of the steps from which on all is as it was.",
        ),
        io.Int.Input(
            "dense_layers",
            default=dense_layers,
            min=0,
            max=1000,
            tooltip="Layers at the start of the network that stay as they are.",
        ),
        io.String.Input(
            "layers",
            default="",
            tooltip='Numbers of the layers that may change, from 0, as in "1-20, 25"; empty: all.',
        ),
    ]


class KinoSparseAttention(io.ComfyNode):
    """A MODEL whose tokens look at some others only."""

    @classmethod
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            node_id=NODE,
            display_name="Sparse Attention",
            category=CATEGORY,
            description="Lets each token of a film look at those that matter, in any sampler node: long and "
            "large films in a part of the time. Works on video models of any family; wire Attention Report "
            "behind the sampler to see what it did.",
            inputs=[
                io.Model.Input("model", tooltip="A video model."),
                *schedule_inputs(0.25, 1),
                io.Combo.Input(
                    "backend",
                    options=list(BACKENDS),
                    default="auto",
                    tooltip="How blocks are computed. auto takes the fastest that can, and the report says "
                    "why not others. One that is named here and cannot run is an error.",
                ),
                method_input(NODE, "radial", "Which tokens a token looks at."),
            ],
            outputs=[io.Model.Output(display_name="model", tooltip="The same model with sparse attention.")],
        )

    @classmethod
    def execute(
        cls,
        model: Any,
        start_percent: float,
        end_percent: float,
        dense_layers: int,
        layers: str,
        backend: str,
        method: dict[str, Any],
    ) -> io.NodeOutput:
        from ..sparse_attention import SparseAttention
        from .schedule import Schedule, layer_numbers

        schedule = Schedule(start_percent, end_percent, dense_layers, layer_numbers(layers))
        return io.NodeOutput(SparseAttention(chosen_method(NODE, method), schedule, backend).on(model))


class KinoQuantizedAttention(io.ComfyNode):
    """A MODEL that attends in few bits."""

    @classmethod
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            node_id=QUANTIZED,
            display_name="Quantised Attention",
            category=CATEGORY,
            description="Computes a video model's attention in few bits, in any sampler node. On a GPU it is "
            "a kernel; elsewhere it is simulated number for number, which shows its error and saves no time. "
            "Attention Report tells which it was.",
            inputs=[
                io.Model.Input("model", tooltip="A video model."),
                *schedule_inputs(0.0, 0),
                io.Combo.Input(
                    "backend",
                    options=list(QUANTIZED_BACKENDS),
                    default="auto",
                    tooltip="triton: the kernel, or an error with the reason. simulation: number for number. "
                    "auto: the kernel where it can, and the report says why not else.",
                ),
                method_input(QUANTIZED, "sageattention2", "How many bits, of what."),
            ],
            outputs=[io.Model.Output(display_name="model", tooltip="The model with quantised attention.")],
        )

    @classmethod
    def execute(
        cls,
        model: Any,
        start_percent: float,
        end_percent: float,
        dense_layers: int,
        layers: str,
        backend: str,
        method: dict[str, Any],
    ) -> io.NodeOutput:
        from ..quantized_attention import QuantizedAttention
        from .schedule import Schedule, layer_numbers

        schedule = Schedule(start_percent, end_percent, dense_layers, layer_numbers(layers))
        chosen = chosen_method(QUANTIZED, method)
        attention = QuantizedAttention(chosen.options(), chosen.least, schedule, backend)
        return io.NodeOutput(attention.on(model))


class KinoAttentionReport(io.ComfyNode):
    """What the attention of a run was."""

    @classmethod
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            node_id="KinoAttentionReport",
            display_name="Attention Report",
            category=CATEGORY,
            description="Tells how a film's attention was computed: how much of it was sparse or quantised "
            "and by which backend, why the rest was not, the time it took, and how far it was from exact.",
            inputs=[
                io.Model.Input(
                    "model", tooltip="The model that Sparse Attention gave, as the sampler got it."
                ),
                io.Latent.Input("latent", tooltip="The sampler's result: so the report comes after it."),
            ],
            outputs=[
                io.Latent.Output(display_name="latent", tooltip="The same latent."),
                io.String.Output(display_name="report", tooltip="The report, a fact in each line."),
            ],
            hidden=[io.Hidden.unique_id],
            is_output_node=True,
        )

    @classmethod
    def execute(cls, model: Any, latent: dict[str, Any]) -> io.NodeOutput:
        from .. import node_views
        from ..film_attention import attentions_of

        attentions = attentions_of(model)
        if not attentions:
            raise ValueError(
                "this model attends as it always does; wire the one that the node Sparse Attention or "
                "Quantised Attention gives"
            )
        report = "\n".join(line for attention in attentions for line in attention.report.lines())
        return io.NodeOutput(latent, report, ui=node_views.views(node_views.report(report)))


class KinoAttentionMap(io.ComfyNode):
    """Pictures of where a layer's attention goes."""

    @classmethod
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            node_id="KinoAttentionMap",
            display_name="Attention Map",
            category=CATEGORY,
            description="Shows where a layer of a video model looks: the blocks that sparse attention keeps, "
            "the attention there is, and how it falls with the distance in time and space. Runs one step.",
            inputs=[
                io.Model.Input("model", tooltip="A video model, with sparse attention or without."),
                io.Conditioning.Input("positive", tooltip="What the film shows."),
                io.Latent.Input("latent", tooltip="A film; noise is added to it. An empty one is all noise."),
                io.Int.Input("layer", default=1, min=0, max=1000, tooltip="Which layer, from 0."),
                io.Float.Input(
                    "percent",
                    default=0.5,
                    min=0.0,
                    max=0.99,
                    step=0.01,
                    tooltip="Which step of sampling: the share that lies before it. Early ones are noisy.",
                ),
                io.Int.Input("seed", default=0, min=0, max=2**64 - 1, tooltip="Of the noise."),
                io.Int.Input(
                    "side",
                    default=512,
                    min=64,
                    max=4096,
                    step=16,
                    tooltip="Width and height of a picture, pixels.",
                ),
            ],
            outputs=[
                io.Image.Output(
                    display_name="maps",
                    tooltip="Three pictures: kept blocks, attention, and attention by distance (time to the "
                    "right, space downwards).",
                ),
                io.String.Output(display_name="report", tooltip="The shares in numbers."),
            ],
            hidden=[io.Hidden.unique_id],
            is_output_node=True,
        )

    @classmethod
    def execute(
        cls,
        model: Any,
        positive: list,
        latent: dict[str, Any],
        layer: int,
        percent: float,
        seed: int,
        side: int,
    ) -> io.NodeOutput:
        from comfy_api.latest import ui

        from .. import node_views
        from ..attention_probe import probed
        from ..runtime import someone_watches
        from .attention_map import pictures, told

        probe = probed(model, positive, latent["samples"], layer, percent, seed)
        maps, report = pictures(probe.energy, probe.mask, side), told(probe.energy, probe.mask)
        shown = node_views.views(node_views.report(report))
        if someone_watches():
            shown |= ui.PreviewImage(maps, cls=cls).as_dict()
        return io.NodeOutput(maps, report, ui=shown)


NODES = [KinoSparseAttention, KinoQuantizedAttention, KinoAttentionReport, KinoAttentionMap]
