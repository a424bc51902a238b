"""Text to conditioning, and what is done with conditioning.

CONDITIONING is a list of [[B, L, W] tensor, dict of what accompanies it].
"""

from __future__ import annotations

import logging
from typing import Any

from comfy_api.latest import io

CATEGORY = "conditioning"
Conditioning = list[list[Any]]


class CLIPTextEncode(io.ComfyNode):
    @classmethod
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            node_id="CLIPTextEncode",
            display_name="CLIP Text Encode (Prompt)",
            category=CATEGORY,
            description="Turns text into the conditioning that guides a diffusion model.",
            inputs=[
                io.String.Input("text", multiline=True, dynamic_prompts=True, tooltip="The text to encode."),
                io.Clip.Input("clip", tooltip="The text encoder."),
            ],
            outputs=[io.Conditioning.Output(tooltip="The encoded text.")],
        )

    @classmethod
    def execute(cls, text: str, clip: Any) -> io.NodeOutput:
        if clip is None:
            raise ValueError(
                "The clip input is empty: its checkpoint has no text encoder; load one separately"
            )
        return io.NodeOutput(clip.encode_from_tokens_scheduled(clip.tokenize(text)))


class CLIPSetLastLayer(io.ComfyNode):
    @classmethod
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            node_id="CLIPSetLastLayer",
            display_name="CLIP Set Last Layer",
            category=CATEGORY,
            inputs=[
                io.Clip.Input("clip"),
                io.Int.Input(
                    "stop_at_clip_layer",
                    default=-1,
                    min=-24,
                    max=-1,
                    step=1,
                    tooltip="Counted from the end; -1 is the last layer.",
                ),
            ],
            outputs=[io.Clip.Output()],
        )

    @classmethod
    def execute(cls, clip: Any, stop_at_clip_layer: int) -> io.NodeOutput:
        shortened = clip.clone()
        shortened.clip_layer(stop_at_clip_layer)
        return io.NodeOutput(shortened)


class ConditioningCombine(io.ComfyNode):
    @classmethod
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            node_id="ConditioningCombine",
            display_name="Conditioning (Combine)",
            category=CATEGORY,
            inputs=[io.Conditioning.Input("conditioning_1"), io.Conditioning.Input("conditioning_2")],
            outputs=[io.Conditioning.Output()],
        )

    @classmethod
    def execute(cls, conditioning_1: Conditioning, conditioning_2: Conditioning) -> io.NodeOutput:
        return io.NodeOutput(conditioning_1 + conditioning_2)


class ConditioningConcat(io.ComfyNode):
    @classmethod
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            node_id="ConditioningConcat",
            display_name="Conditioning (Concat)",
            category=CATEGORY,
            inputs=[io.Conditioning.Input("conditioning_to"), io.Conditioning.Input("conditioning_from")],
            outputs=[io.Conditioning.Output()],
        )

    @classmethod
    def execute(cls, conditioning_to: Conditioning, conditioning_from: Conditioning) -> io.NodeOutput:
        import torch

        if len(conditioning_from) > 1:
            logging.warning(
                "ConditioningConcat: conditioning_from has %d parts; only its first is appended",
                len(conditioning_from),
            )
        tail = conditioning_from[0][0]
        return io.NodeOutput([[torch.cat((head, tail), 1), dict(beside)] for head, beside in conditioning_to])


class ConditioningZeroOut(io.ComfyNode):
    @classmethod
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            node_id="ConditioningZeroOut",
            display_name="ConditioningZeroOut",
            category="advanced/conditioning",
            inputs=[io.Conditioning.Input("conditioning")],
            outputs=[io.Conditioning.Output()],
        )

    @classmethod
    def execute(cls, conditioning: Conditioning) -> io.NodeOutput:
        return io.NodeOutput([[tensor * 0, _without_pooled(beside)] for tensor, beside in conditioning])


def _without_pooled(beside: dict[str, Any]) -> dict[str, Any]:
    """The same with zeros for what was pooled of the text."""
    pooled = beside.get("pooled_output")
    return dict(beside) if pooled is None else {**beside, "pooled_output": pooled * 0}


NODES = [CLIPTextEncode, CLIPSetLastLayer, ConditioningCombine, ConditioningConcat, ConditioningZeroOut]
