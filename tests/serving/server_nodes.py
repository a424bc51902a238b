"""A pack of nodes that make a server work: slow, talkative, failing, writing."""

from __future__ import annotations

import os
import time

from comfy_api.latest import ComfyExtension, io, ui


class SlowCount(io.ComfyNode):
    """Counts to a number, in steps that can be cancelled."""

    @classmethod
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            node_id="TestSlowCount",
            inputs=[
                io.Int.Input("steps", default=3, min=0, max=100_000),
                io.Float.Input("seconds", default=0.0, min=0.0, max=10.0, step=0.001),
                io.Int.Input("seed", default=0, min=0, max=2**31),
            ],
            outputs=[io.Int.Output()],
            hidden=[io.Hidden.unique_id],
        )

    @classmethod
    def execute(cls, steps: int, seconds: float, seed: int) -> io.NodeOutput:
        from comfy.utils import ProgressBar

        bar = ProgressBar(steps)
        for _ in range(steps):
            time.sleep(seconds)
            bar.update(1)
        return io.NodeOutput(steps)


class Show(io.ComfyNode):
    """Shows a number as text."""

    @classmethod
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            node_id="TestShow",
            inputs=[io.Int.Input("number", default=0, min=0, max=2**31)],
            outputs=[],
            is_output_node=True,
        )

    @classmethod
    def execute(cls, number: int) -> io.NodeOutput:
        return io.NodeOutput(ui=ui.PreviewText(str(number)))


class Draw(io.ComfyNode):
    """Sends a preview and a line of text while it works."""

    @classmethod
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            node_id="TestDraw",
            inputs=[io.Int.Input("seed", default=0, min=0, max=2**31)],
            outputs=[],
            is_output_node=True,
            hidden=[io.Hidden.unique_id],
        )

    @classmethod
    def execute(cls, seed: int) -> io.NodeOutput:
        from comfy.utils import ProgressBar
        from PIL import Image
        from server import PromptServer

        PromptServer.instance.send_progress_text("half way", cls.hidden.unique_id)
        ProgressBar(2).update_absolute(1, 2, ("JPEG", Image.new("RGB", (64, 32), "red"), 16))
        return io.NodeOutput()


class Fail(io.ComfyNode):
    """Raises."""

    @classmethod
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            node_id="TestFail",
            inputs=[io.String.Input("reason", default="on purpose")],
            outputs=[],
            is_output_node=True,
        )

    @classmethod
    def execute(cls, reason: str) -> io.NodeOutput:
        raise ValueError(reason)


class Write(io.ComfyNode):
    """Saves a text in pieces, so that a kill can fall between two."""

    @classmethod
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            node_id="TestWrite",
            inputs=[
                io.String.Input("name", default="text"),
                io.Int.Input("steps", default=1, min=1, max=1000),
                io.Float.Input("seconds", default=0.0, min=0.0, max=10.0, step=0.001),
            ],
            outputs=[],
            is_output_node=True,
        )

    @classmethod
    def execute(cls, name: str, steps: int, seconds: float) -> io.NodeOutput:
        import folder_paths
        from kinograph.host.whole_file import whole_file

        os.makedirs(folder_paths.get_output_directory(), exist_ok=True)
        path = os.path.join(folder_paths.get_output_directory(), f"{name}.txt")
        with whole_file(path) as part, open(part, "w") as file:
            for _ in range(steps):
                file.write("piece\n")
                file.flush()
                time.sleep(seconds)
        return io.NodeOutput(ui={"text": [name], "files": [{"filename": f"{name}.txt", "type": "output"}]})


class Odd(io.ComfyNode):
    """Shows what JSON can hold only in part, or not at all."""

    @classmethod
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            node_id="TestOdd",
            inputs=[io.Boolean.Input("hopeless", default=False)],
            outputs=[],
            is_output_node=True,
        )

    @classmethod
    def execute(cls, hopeless: bool) -> io.NodeOutput:
        inner = {("a", "tuple"): 1} if hopeless else {"nan": float("nan"), "object": object, "set": {1}}
        return io.NodeOutput(ui={"odd": [inner]})


class TestNodes(ComfyExtension):
    async def get_node_list(self) -> list[type[io.ComfyNode]]:
        return [SlowCount, Show, Draw, Fail, Write, Odd]


async def comfy_entrypoint() -> TestNodes:
    return TestNodes()
