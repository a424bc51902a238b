"""A pack of nodes that are slow, show a preview or fail on demand, for tests of the editor."""

from __future__ import annotations

import time

import comfy.utils
from comfy_api.latest import ComfyExtension, io
from PIL import Image


class ProbeSteps(io.ComfyNode):
    @classmethod
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            node_id="ProbeSteps",
            display_name="Probe Steps",
            category="probes",
            inputs=[
                io.Int.Input("steps", default=5, min=1, max=100_000),
                io.Float.Input("pause", default=0.02, min=0.0, max=1.0, tooltip="Seconds per step"),
                io.Int.Input("seed", default=0, min=0, max=2**63, control_after_generate=True),
            ],
            outputs=[io.String.Output("words")],
        )

    @classmethod
    def execute(cls, steps: int, pause: float, seed: int) -> io.NodeOutput:
        bar = comfy.utils.ProgressBar(steps)
        for step in range(steps):
            time.sleep(pause)
            picture = Image.new("RGB", (32, 32), (200, 40, step % 256))
            bar.update_absolute(step + 1, steps, ("JPEG", picture, 64))
        return io.NodeOutput(f"{steps} steps")


class ProbeFails(io.ComfyNode):
    @classmethod
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            node_id="ProbeFails",
            display_name="Probe Fails",
            category="probes",
            inputs=[io.String.Input("words", force_input=True)],
            outputs=[io.String.Output("never")],
        )

    @classmethod
    def execute(cls, words: str) -> io.NodeOutput:
        raise ValueError(f"the probe refuses {words}")


class ProbeExtension(ComfyExtension):
    async def get_node_list(self) -> list[type[io.ComfyNode]]:
        return [ProbeSteps, ProbeFails]


async def comfy_entrypoint() -> ComfyExtension:
    return ProbeExtension()
