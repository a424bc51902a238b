"""The node that loads networks for frames in between."""

from __future__ import annotations

from comfy_api.latest import io

from .. import node_views
from ..interp_model import interpolation_files
from ..runtime import node_id, show_text
from ..sockets import InterpolationModel

NUMBER_TYPES = ("auto", "float32", "bfloat16", "float16")


class KinoLoadInterpolationModel(io.ComfyNode):
    """A network for frames in between, from a file."""

    @classmethod
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            node_id="KinoLoadInterpolationModel",
            display_name="Load Interpolation Model",
            category="Kinograph/interpolation",
            description="Loads a network that makes frames in between, for these nodes and ComfyUI's own: "
            "RIFE 4.0 to 4.26, lite and heavy ones too, in the layouts of its makers, ComfyUI and ncnn, and "
            "VFIMamba. The version is told by the weights.",
            inputs=[
                io.Combo.Input(
                    "file",
                    options=interpolation_files(),
                    tooltip="A file in models/kinograph/interpolation, where `kinograph models get "
                    "rife-4.14` puts one, or in models/frame_interpolation.",
                ),
                io.Combo.Input(
                    "dtype",
                    options=list(NUMBER_TYPES),
                    default="auto",
                    tooltip="Number type of the convolutions; motion is always float32. auto: float16 on a "
                    "GPU, bfloat16 on a processor that computes in it, else float32.",
                ),
            ],
            outputs=[
                InterpolationModel.Output(
                    display_name="interp_model",
                    tooltip="For Interpolate Video, Interpolate Frames, Slow Motion and ComfyUI's own node.",
                ),
                io.String.Output(display_name="report", tooltip="What was found in the file."),
            ],
            hidden=[io.Hidden.unique_id],
        )

    @classmethod
    def execute(cls, file: str, dtype: str) -> io.NodeOutput:
        from ..interp_model import load_model

        model, report = load_model(file, dtype)
        show_text(report, node_id(cls))
        return io.NodeOutput(model, report, ui=node_views.views(node_views.report(report)))


NODES = [KinoLoadInterpolationModel]
