"""Small nodes, old style and new, from which the executor's tests build their graphs."""

from __future__ import annotations

import asyncio

from comfy.utils import ProgressBar
from comfy_api.latest import io
from comfy_execution.graph import ExecutionBlocker
from comfy_execution.graph_utils import GraphBuilder


class V1Node:
    """Gives an old-style node what most of them share."""

    RETURN_TYPES = ("INT",)
    FUNCTION = "work"
    CATEGORY = "tests"
    REQUIRED: dict = {}
    OPTIONAL: dict = {}
    HIDDEN: dict = {}

    @classmethod
    def INPUT_TYPES(cls):
        return {"required": cls.REQUIRED, "optional": cls.OPTIONAL, "hidden": cls.HIDDEN}


class Number(V1Node):
    REQUIRED = {"value": ("INT", {"default": 0, "min": -1000, "max": 1000})}

    def work(self, value):
        return (value,)


class Add(V1Node):
    REQUIRED = {"a": ("INT", {}), "b": ("INT", {"default": 1})}

    def work(self, a, b):
        return (a + b,)


class Sum(V1Node):
    """Takes inputs that it does not declare."""

    REQUIRED = {"a": ("INT", {})}

    def work(self, a, **more):
        return (a + sum(more.values()),)


class Show(V1Node):
    REQUIRED = {"value": ("*", {})}
    RETURN_TYPES = ()
    OUTPUT_NODE = True

    def work(self, value):
        return {"ui": {"values": [value]}}


class ShowAndPass(V1Node):
    REQUIRED = {"value": ("INT", {})}
    OUTPUT_NODE = True

    def work(self, value):
        return {"ui": {"values": [value]}, "result": (value,)}


class Count(V1Node):
    """An output list: 0 … count - 1."""

    REQUIRED = {"count": ("INT", {})}
    OUTPUT_IS_LIST = (True,)

    def work(self, count):
        return (list(range(count)),)


class Total(V1Node):
    """Takes whole lists."""

    REQUIRED = {"values": ("INT", {})}
    INPUT_IS_LIST = True

    def work(self, values):
        return (sum(value for value in values if not isinstance(value, ExecutionBlocker)),)


class LazySwitch(V1Node):
    REQUIRED = {
        "first": ("BOOLEAN", {}),
        "a": ("INT", {"lazy": True}),
        "b": ("INT", {"lazy": True}),
    }

    def check_lazy_status(self, first, a, b):
        wanted, value = ("a", a) if first else ("b", b)
        return [wanted] if value is None else []

    def work(self, first, a, b):
        return (a if first else b,)


class AsyncLazySwitch(LazySwitch):
    async def check_lazy_status(self, first, a, b):
        await asyncio.sleep(0.01)
        return super().check_lazy_status(first, a, b)


class AsksForNothing(V1Node):
    """Asks for an input that it does not have."""

    REQUIRED = {"value": ("INT", {})}

    def check_lazy_status(self, value):
        return ["nothing"]

    def work(self, value):
        return (value,)


class Fail(V1Node):
    REQUIRED = {"value": ("INT", {})}

    def work(self, value):
        raise RuntimeError(f"cannot work with {value}")


class BlockOdd(V1Node):
    REQUIRED = {"value": ("INT", {})}
    OPTIONAL = {"message": ("STRING", {"default": ""})}

    def work(self, value, message=""):
        return (ExecutionBlocker(message or None) if value % 2 else value,)


class AsyncNumber(V1Node):
    """Reports its progress while it waits."""

    REQUIRED = {"value": ("INT", {})}
    OPTIONAL = {"seconds": ("FLOAT", {"default": 0.05})}

    async def work(self, value, seconds=0.05):
        bar = ProgressBar(value)
        for _ in range(4):
            await asyncio.sleep(seconds / 4)
            bar.update(value / 4)
        return (value,)


class AsyncFail(V1Node):
    REQUIRED = {"value": ("INT", {})}

    async def work(self, value):
        await asyncio.sleep(0.01)
        raise RuntimeError(f"failed after waiting with {value}")


class Ids(V1Node):
    """What the old style's hidden inputs hold."""

    REQUIRED = {"tag": ("STRING", {"default": ""})}
    HIDDEN = {"me": "UNIQUE_ID", "prompt": "PROMPT", "dynprompt": "DYNPROMPT", "info": "EXTRA_PNGINFO"}
    RETURN_TYPES = ("*",)

    def work(self, tag, me, prompt, dynprompt, info):
        return ({"me": me, "nodes": sorted(prompt), "known": dynprompt.has_node(me), "info": info},)


class Fingerprinted(V1Node):
    REQUIRED = {"value": ("INT", {})}
    mark = 0

    @classmethod
    def IS_CHANGED(cls, value):
        return cls.mark

    def work(self, value):
        return (value,)


class Remembering(V1Node):
    """Keeps state on its object, as loaders do."""

    REQUIRED = {"value": ("INT", {})}

    def __init__(self):
        self.calls = 0

    def work(self, value):
        self.calls += 1
        return (self.calls,)


class Validated(V1Node):
    REQUIRED = {"value": ("INT", {"max": 10}), "other": ("INT", {"max": 10})}

    @classmethod
    def VALIDATE_INPUTS(cls, value):
        return True if value in (None, 7, 70) else f"{value} is not seven"

    def work(self, value, other):
        return (value,)


class AnyNumber(V1Node):
    """Judges the types of what is wired itself."""

    REQUIRED = {"value": ("INT", {})}

    @classmethod
    def VALIDATE_INPUTS(cls, input_types):
        return True if input_types["value"] in ("INT", "FLOAT") else f"no number: {input_types['value']}"

    def work(self, value):
        return (int(value),)


class Text(V1Node):
    RETURN_TYPES = ("STRING",)
    REQUIRED = {"text": ("STRING", {"multiline": True})}

    def work(self, text):
        return (text,)


class Choose(V1Node):
    REQUIRED = {"mode": (["fast", "slow"], {"default": "fast"})}
    RETURN_TYPES = ("STRING",)

    def work(self, mode):
        return (mode,)


class Countdown(V1Node):
    """Expands into itself, one less, until nothing is left: returns 1 + 2 + … + value."""

    REQUIRED = {"value": ("INT", {})}
    OPTIONAL = {"sum": ("INT", {"default": 0})}

    def work(self, value, sum=0):
        if value == 0:
            return (sum,)
        graph = GraphBuilder()
        added = graph.node("Add", a=value, b=sum)
        rest = graph.node("Countdown", value=value - 1, sum=added.out(0))
        return {"result": (rest.out(0),), "expand": graph.finalize()}


class ExpandTo(V1Node):
    """Expands into a graph given as it is."""

    REQUIRED = {"graph": ("*", {}), "result": ("*", {})}
    RETURN_TYPES = ("*",)

    def work(self, graph, result):
        return {"result": (result["to"],), "expand": graph["nodes"]}


class AsyncExpand(V1Node):
    """Builds its subgraph after a wait."""

    REQUIRED = {"value": ("INT", {})}

    async def work(self, value):
        await asyncio.sleep(0.02)
        graph = GraphBuilder()
        added = graph.node("Add", a=value, b=100)
        return {"result": (added.out(0),), "expand": graph.finalize()}


class Triple(io.ComfyNode):
    @classmethod
    def define_schema(cls):
        return io.Schema(
            node_id="Triple",
            inputs=[io.Int.Input("value", min=0, max=100)],
            outputs=[io.Int.Output(display_name="threefold", tooltip="3 times the value")],
            hidden=[io.Hidden.unique_id],
        )

    @classmethod
    def execute(cls, value):
        assert cls.hidden.unique_id
        return io.NodeOutput(3 * value)


class NewAdd(io.ComfyNode):
    @classmethod
    def define_schema(cls):
        return io.Schema(
            node_id="NewAdd", inputs=[io.Int.Input("a"), io.Int.Input("b")], outputs=[io.Int.Output()]
        )

    @classmethod
    def execute(cls, a, b):
        return io.NodeOutput(a + b)


class NewShow(io.ComfyNode):
    @classmethod
    def define_schema(cls):
        return io.Schema(
            node_id="NewShow",
            display_name="New Show",
            inputs=[io.AnyType.Input("value")],
            is_output_node=True,
        )

    @classmethod
    def execute(cls, value):
        return io.NodeOutput(ui={"values": [value], "info": [cls.hidden.extra_pnginfo]})


class Sized(io.ComfyNode):
    """A dynamic combo with nested inputs."""

    @classmethod
    def define_schema(cls):
        options = [
            io.DynamicCombo.Option("none", []),
            io.DynamicCombo.Option(
                "box", [io.Int.Input("width", min=1, max=9), io.Int.Input("depth", optional=True)]
            ),
        ]
        return io.Schema(
            node_id="Sized",
            inputs=[io.DynamicCombo.Input("size", options=options)],
            outputs=[io.AnyType.Output()],
        )

    @classmethod
    def execute(cls, size):
        return io.NodeOutput(size)


class Gather(io.ComfyNode):
    """As many inputs as are wired."""

    @classmethod
    def define_schema(cls):
        template = io.Autogrow.TemplatePrefix(io.Int.Input("item"), prefix="item", min=1, max=4)
        return io.Schema(
            node_id="Gather",
            inputs=[io.Autogrow.Input("items", template=template)],
            outputs=[io.AnyType.Output()],
        )

    @classmethod
    def execute(cls, items):
        return io.NodeOutput(items)


class Checked(io.ComfyNode):
    """Checks one input itself and leaves the dynamic one to the host."""

    @classmethod
    def define_schema(cls):
        options = [io.DynamicCombo.Option("on", [io.Int.Input("level", max=5)])]
        inputs = [io.Int.Input("value", max=5), io.DynamicCombo.Input("power", options=options)]
        return io.Schema(node_id="Checked", inputs=inputs, outputs=[io.Int.Output()])

    @classmethod
    def validate_inputs(cls, *, value):
        return value < 100 or f"{value} is a hundred or more"

    @classmethod
    def execute(cls, value, power):
        return io.NodeOutput(value * power["level"])


class CheckedWhole(Checked):
    """Checks the dynamic input itself."""

    @classmethod
    def validate_inputs(cls, power):
        return power["level"] != 3 or f"level 3 of {power['power']} is broken"


class NewCount(io.ComfyNode):
    @classmethod
    def define_schema(cls):
        return io.Schema(
            node_id="NewCount",
            inputs=[io.Int.Input("count")],
            outputs=[io.Int.Output(is_output_list=True)],
        )

    @classmethod
    def execute(cls, count):
        return io.NodeOutput(list(range(count)))


class NewTotal(io.ComfyNode):
    @classmethod
    def define_schema(cls):
        inputs = [io.Int.Input("values"), io.Int.Input("start")]
        return io.Schema(node_id="NewTotal", inputs=inputs, outputs=[io.Int.Output()], is_input_list=True)

    @classmethod
    def execute(cls, values, start):
        return io.NodeOutput(sum(values, start[0]))


class NewBlock(io.ComfyNode):
    @classmethod
    def define_schema(cls):
        return io.Schema(node_id="NewBlock", inputs=[io.Int.Input("value")], outputs=[io.Int.Output()])

    @classmethod
    def execute(cls, value):
        return io.NodeOutput(value) if value else io.NodeOutput(block_execution="nothing to do")


class NewLazy(io.ComfyNode):
    """Needs `b` only when `a` is below zero; the nested one only when `b` is needed."""

    @classmethod
    def define_schema(cls):
        return io.Schema(
            node_id="NewLazy",
            inputs=[io.Int.Input("a"), io.Int.Input("b", lazy=True)],
            outputs=[io.Int.Output()],
        )

    @classmethod
    def check_lazy_status(cls, a, b):
        return ["b"] if a < 0 and b is None else []

    @classmethod
    def execute(cls, a, b):
        return io.NodeOutput(b if a < 0 else a)


class NewExpand(io.ComfyNode):
    """Adds through a subgraph, and shows the sum inside it."""

    @classmethod
    def define_schema(cls):
        return io.Schema(
            node_id="NewExpand",
            inputs=[io.Int.Input("a"), io.Int.Input("b")],
            outputs=[io.Int.Output()],
            enable_expand=True,
        )

    @classmethod
    def execute(cls, a, b):
        graph = GraphBuilder()
        total = graph.node("Add", a=a, b=b)
        graph.node("Show", value=total.out(0))
        return io.NodeOutput(total.out(0), expand=graph.finalize())


class NewFingerprint(io.ComfyNode):
    mark: list = [0]

    @classmethod
    def define_schema(cls):
        return io.Schema(node_id="NewFingerprint", inputs=[io.Int.Input("value")], outputs=[io.Int.Output()])

    @classmethod
    async def fingerprint_inputs(cls, value):
        await asyncio.sleep(0)
        return cls.mark[0]

    @classmethod
    async def validate_inputs(cls, value):
        await asyncio.sleep(0)
        return value != 13 or "thirteen brings bad luck"

    @classmethod
    async def execute(cls, value):
        await asyncio.sleep(0.01)
        return io.NodeOutput(value)


class Stateful(io.ComfyNode):
    @classmethod
    def define_schema(cls):
        return io.Schema(node_id="Stateful", inputs=[], outputs=[io.Int.Output()])

    @classmethod
    def execute(cls):
        cls.kept = 1
        return io.NodeOutput(1)


class Unrepeatable(io.ComfyNode):
    @classmethod
    def define_schema(cls):
        return io.Schema(
            node_id="Unrepeatable",
            inputs=[io.Int.Input("value")],
            outputs=[io.Int.Output()],
            not_idempotent=True,
        )

    @classmethod
    def execute(cls, value):
        return io.NodeOutput(value)


def all_nodes():
    """Every node class here by its name."""
    known = globals().values()
    return {
        node.__name__: node
        for node in known
        if isinstance(node, type) and node.__module__ == __name__ and node is not V1Node
    }
