"""A custom node that gives INTERP_MODELs: a mixer of two frames, and ComfyUI's own networks untrained."""

from __future__ import annotations

import torch
from comfy import model_management
from comfy.model_patcher import ModelPatcher
from comfy_api.latest import ComfyExtension, io


class Mixer(torch.nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.gain = torch.nn.Parameter(torch.ones(1))

    def extract_features(self, image):
        return image

    def memory_used_forward(self, shape, dtype):
        return 100 * shape[1] * shape[2]

    def forward(self, image0, image1, timestep=0.5, cache=None):
        return torch.lerp(image0, image1, timestep) * self.gain


def network_of(kind: str) -> torch.nn.Module:
    torch.manual_seed(1)
    if kind == "mixer":
        return Mixer()
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
            inputs=[io.Combo.Input("kind", options=["mixer", "rife", "film"])],
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
