"""Nodes that do next to nothing, so that what is left to measure is the executor."""

from __future__ import annotations

from typing import Any

from comfy_api.latest import io


class AddV1:
    """The sum of a linked number and a constant, in the older style of nodes."""

    RETURN_TYPES = ("INT",)
    FUNCTION = "add"
    CATEGORY = "benchmark"

    @classmethod
    def INPUT_TYPES(cls) -> dict[str, Any]:
        return {"required": {"value": ("INT", {"default": 0}), "amount": ("INT", {"default": 1})}}

    def add(self, value: int, amount: int) -> tuple[int]:
        return (value + amount,)


class AddV3(io.ComfyNode):
    """The same as a V3 node."""

    @classmethod
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            node_id="AddV3",
            category="benchmark",
            inputs=[io.Int.Input("value", default=0), io.Int.Input("amount", default=1)],
            outputs=[io.Int.Output()],
        )

    @classmethod
    def execute(cls, value: int, amount: int) -> io.NodeOutput:
        return io.NodeOutput(value + amount)


class Sink(io.ComfyNode):
    """An output node: the root that makes the others run."""

    @classmethod
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            node_id="Sink",
            category="benchmark",
            inputs=[io.Int.Input("value", default=0)],
            is_output_node=True,
        )

    @classmethod
    def execute(cls, value: int) -> io.NodeOutput:
        return io.NodeOutput()


NODES = {"AddV1": AddV1, "AddV3": AddV3, "Sink": Sink}


def chain(kind: str, count: int) -> dict[str, Any]:
    """A prompt of `count` nodes, each fed by the one before."""
    prompt = {"0": _add(kind, 0, 0)}
    prompt |= {str(number): _add(kind, [str(number - 1), 0], number) for number in range(1, count - 1)}
    return prompt | {str(count - 1): _sink(count - 2)}


def wide(kind: str, count: int) -> dict[str, Any]:
    """A prompt of `count` nodes, all but one of which are pairs of an adder and an output fed by one node."""
    prompt = {"0": _add(kind, 0, 0)}
    for number in range(1, count - 1, 2):
        prompt[str(number)] = _add(kind, ["0", 0], number)
        prompt[str(number + 1)] = _sink(number)
    return prompt


def _add(kind: str, value: Any, amount: int) -> dict[str, Any]:
    return {"class_type": kind, "inputs": {"value": value, "amount": amount}}


def _sink(source: int) -> dict[str, Any]:
    return {"class_type": "Sink", "inputs": {"value": [str(source), 0]}}
