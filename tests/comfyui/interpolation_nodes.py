"""A custom node that gives ComfyUI's own networks for frames in between, untrained."""

from __future__ import annotations

import torch
from comfy import model_management
from comfy.model_patcher import ModelPatcher
from comfy_api.latest import ComfyExtension, io


def network_of(kind: str) -> torch.nn.Module:
    torch.manual_seed(1)
    if kind == "rife":
        from comfy_extras.frame_interpolation_models.ifnet import IFNet

        network = IFNet(channels=(32, 16, 16, 16, 16))
    else:
        from comfy_extras.frame_interpolation_models.film_net import FILMNet

        network = FILMNet(filters=8, flow_filters=(8, 8, 8, 8))
    for weight in network.parameters():
        torch.nn.init.normal_(weight, std=0.02)
    return network


class UntrainedInterpolation(io.ComfyNode):
    @classmethod
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            node_id="UntrainedInterpolation",
            category="test",
            inputs=[io.Combo.Input("kind", options=["rife", "film"])],
            outputs=[io.Custom("INTERP_MODEL").Output()],
        )

    @classmethod
    def execute(cls, kind: str) -> io.NodeOutput:
        device = model_management.get_torch_device()
        return io.NodeOutput(ModelPatcher(network_of(kind).eval(), device, torch.device("cpu")))


class Extension(ComfyExtension):
    async def get_node_list(self) -> list[type[io.ComfyNode]]:
        return [UntrainedInterpolation]


async def comfy_entrypoint() -> ComfyExtension:
    return Extension()
