"""Nodes that make a MODEL's attention sparse, and that show what it is."""

from __future__ import annotations

from typing import Any

from comfy_api.latest import io

from ..methods import chosen_method, discover, method_input
from .plan import NODE

discover(f"{__package__}.methods")

CATEGORY = "Kinograph/attention"
BACKENDS = ("auto", "dense", "triton", "flex", "gathered", "naive")


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
                io.Float.Input(
                    "start_percent",
                    default=0.25,
                    min=0.0,
                    max=1.0,
                    step=0.01,
                    tooltip="Share of the steps that stay dense at the start, where the layout is made.",
                ),
                io.Float.Input(
                    "end_percent",
                    default=1.0,
                    min=0.0,
                    max=1.0,
                    step=0.01,
                    tooltip="Share of the steps from which on all is dense again.",
                ),
                io.Int.Input(
                    "dense_layers",
                    default=1,
                    min=0,
                    max=1000,
                    tooltip="Layers at the start of the network that stay dense.",
                ),
                io.String.Input(
                    "layers",
                    default="",
                    tooltip='Numbers of the layers that may be sparse, from 0, as in "1-20, 25"; empty: all.',
                ),
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


class KinoAttentionReport(io.ComfyNode):
    """What the attention of a run was."""

    @classmethod
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            node_id="KinoAttentionReport",
            display_name="Attention Report",
            category=CATEGORY,
            description="Tells how a film's attention was computed: how much of it was sparse and by which "
            "backend, why the rest was dense, the time it took, and how far it was from dense attention.",
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
        from ..sparse_attention import KEY

        patched = model.get_attachment(KEY)
        if patched is None:
            raise ValueError(
                "this model has no sparse attention; wire the model that the node Sparse Attention gives"
            )
        report = "\n".join(patched.report.lines())
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


NODES = [KinoSparseAttention, KinoAttentionReport, KinoAttentionMap]
