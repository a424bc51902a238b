"""Random weights of any RIFE in the published key layout, and in ncnn's."""

from __future__ import annotations

import struct
from collections.abc import Mapping
from dataclasses import replace

import torch
from kinograph.nodes.interpolation.rife import Rife
from kinograph.nodes.interpolation.rife_config import VERSIONS, RifeConfig
from kinograph.nodes.interpolation.rife_load import rife
from kinograph.nodes.vae.weights_file import Weights
from torch import Tensor

SMALL = {4: (16, 12, 8, 8), 5: (16, 12, 8, 8, 8)}
UNREAD = {"4.10–4.19, 4.24": 6, "4.5–4.6": 6}
"""Outputs of a block where there are more than are read."""


def small(version: str) -> RifeConfig:
    """A version's structure in few channels."""
    config = VERSIONS[version]
    return replace(config, widths=SMALL[len(config.widths)], head=config.head and 8)


def published(config: RifeConfig, outputs: int | None = None, seed: int = 0) -> dict[str, Tensor]:
    """Random weights under the published keys, strong enough that motion is a few pixels."""
    generator = torch.Generator().manual_seed(seed)
    made: dict[str, Tensor] = {}

    def conv(key: str, *shape: int, gain: float = 1.5) -> None:
        inputs = shape[0] * 4 if "lastconv" in key else shape[1] * 9
        made[f"{key}.weight"] = torch.randn(shape, generator=generator) * gain / inputs**0.5
        channels = shape[1] if shape[2] == 4 else shape[0]
        made[f"{key}.bias"] = torch.randn(channels, generator=generator) * 0.1

    def slopes(key: str, channels: int) -> None:
        if config.prelu:
            made[key] = torch.rand(channels, generator=generator)

    for index, width in enumerate(config.widths):
        block, seen = f"block{index}", config.later_channels if index else config.first_channels
        conv(f"{block}.conv0.0.0", width // 2, seen, 3, 3)
        slopes(f"{block}.conv0.0.1.weight", width // 2)
        conv(f"{block}.conv0.1.0", width, width // 2, 3, 3)
        slopes(f"{block}.conv0.1.1.weight", width)
        for inner in range(8):
            place = f"{block}.convblock.{inner}"
            conv(f"{place}.{'conv' if config.residual else 0}", width, width // config.groups, 3, 3)
            slopes(f"{place}.1.weight", width)
            if config.residual:
                made[f"{place}.beta"] = torch.rand(1, width, 1, 1, generator=generator) * 0.3
        count = (outputs or 5 + config.state) * (4 if config.shuffles else 1)
        last = f"{block}.lastconv{'.0' if config.shuffles else ''}"
        conv(last, width, count, 4, 4, gain=0.1 if config.prelu else 0.4)  # else large motion starts again
    head(config, conv)
    return made


def head(config: RifeConfig, conv) -> None:
    """The convolutions of the head, as 4.13 and later name them where there are four."""
    if not config.features:
        return
    places = ["encode.0", "encode.1"] if config.head_layers == 2 else [f"encode.cnn{n}" for n in range(4)]
    conv(places[0], config.head, 3, 3, 3)
    for place in places[1:-1]:
        conv(place, config.head, config.head, 3, 3)
    conv(places[-1], config.head, config.features, 4, 4)


def network(version: str, dtype: torch.dtype = torch.float32) -> Rife:
    """A version's network in few channels."""
    config = small(version)
    made = Rife(config)
    made.load_state_dict(rife_state(published(config, UNREAD.get(version)), config))
    return made.to(dtype, memory_format=torch.channels_last).eval().requires_grad_(False)


def rife_state(weights: Mapping[str, Tensor], config: RifeConfig) -> dict[str, Tensor]:
    from kinograph.nodes.interpolation.rife_layouts import folded

    return folded(weights, config)


def loaded(weights: Mapping[str, Tensor]) -> Rife:
    """What our loader makes of weights."""
    return rife(Weights(dict(weights), name="flownet.pkl"))


def pair(height: int, width: int, shift: tuple[int, int] = (3, 5)) -> tuple[Tensor, Tensor]:
    """A smooth random picture and the same moved, [1,3,H,W]."""
    generator = torch.Generator().manual_seed(1)
    small_picture = torch.rand(1, 3, height // 8, width // 8, generator=generator)
    picture = torch.nn.functional.interpolate(small_picture, size=(height, width), mode="bicubic")
    picture = picture.clamp(0, 1)
    return picture, picture.roll(shift, (2, 3))


def relative(made: Tensor, truth: Tensor) -> float:
    return float((made - truth).detach().norm() / truth.detach().norm())


class NcnnWriter:
    """A graph and its weights as a converter writes them; only what a reader looks at."""

    def __init__(self) -> None:
        self.lines: list[str] = []
        self.data = b""

    def layer(self, kind: str, inputs: list[str], outputs: list[str], settings: str = "") -> str:
        name = f"layer_{len(self.lines)}"
        counts = f"{len(inputs)} {len(outputs)}"
        self.lines.append(" ".join([kind, name, counts, *inputs, *outputs, settings]).strip())
        return outputs[0]

    def conv(self, weights: Mapping[str, Tensor], key: str, blob: str, stride: int, half: bool) -> str:
        weight, bias = weights[f"{key}.weight"], weights[f"{key}.bias"]
        turned = weight.transpose(0, 1) if weight.shape[-1] == 4 else weight  # ncnn has the outputs first
        kind = "Deconvolution" if weight.shape[-1] == 4 else "Convolution"
        size = f"0={len(bias)} 1={weight.shape[-1]} 3={stride} 4=1 5=1 6={weight.numel()}"
        tag = 0x01306B47 if half else 0
        numbers = turned.contiguous().to(torch.float16 if half else torch.float32).numpy().tobytes()
        self.data += struct.pack("<I", tag) + numbers + bytes(-len(numbers) % 4) + bias.numpy().tobytes()
        return self.layer(kind, [blob], [f"{key}.{len(self.lines)}.out"], size)

    def text(self) -> str:
        return "\n".join(["7767517", f"{len(self.lines)} {len(self.lines) + 9}", *self.lines, ""])


def ncnn_model(config: RifeConfig, weights: Mapping[str, Tensor], half: bool = False) -> tuple[str, bytes]:
    """The published weights as an ncnn graph: `beta`, if any, by itself; the head once for each frame."""
    writer = NcnnWriter()
    for blob in ("in0", "in1", "in2"):
        writer.layer("Input", [], [blob], "0=0")
    for image in ("in0", "in1") if config.features else ():
        blob, keys = image, sorted({key.rpartition(".")[0] for key in weights if key.startswith("encode")})
        for key in keys:
            blob = writer.conv(weights, key, blob, 2 if key == keys[0] else 1, half)
            blob = writer.layer("ReLU", [blob], [f"{image}.{key}.leaky"], "0=2.000000e-01")
    for index in range(len(config.widths)):
        blob = writer.layer("Concat", ["in0", "in1", "in2"], [f"seen{index}"])
        _write_block(writer, weights, f"block{index}", config, half)
    return writer.text(), writer.data


def _write_block(
    writer: NcnnWriter, weights: Mapping[str, Tensor], block: str, config: RifeConfig, half: bool
) -> None:
    blob = f"seen{block[-1]}"
    for place in ("conv0.0", "conv0.1"):
        blob = writer.conv(weights, f"{block}.{place}.0", blob, 2, half)
        blob = _write_activation(writer, weights, f"{block}.{place}", blob)
    whole = [f"{block}.whole.one", f"{block}.whole.other"]
    writer.layer("Split", [blob], whole)
    blob = whole[0]
    for inner in range(8):
        place = f"{block}.convblock.{inner}"
        twins = [f"{place}.one", f"{place}.other"]
        writer.layer("Split", [blob], twins)
        blob = writer.conv(weights, f"{place}.{'conv' if config.residual else 0}", twins[1], 1, half)
        if (beta := weights.get(f"{place}.beta")) is not None:
            constant = writer.layer("MemoryData", [], [f"{place}.beta"], f"0=1 1=1 2={beta.numel()}")
            writer.data += beta.numpy().tobytes()
            blob = writer.layer("BinaryOp", [blob, constant], [f"{place}.scaled"], "0=2")
        if config.residual:
            blob = writer.layer("BinaryOp", [blob, twins[0]], [f"{place}.sum"], "0=0")
        blob = _write_activation(writer, weights, place, blob)
    if config.prelu:
        blob = writer.layer("BinaryOp", [blob, whole[1]], [f"{block}.sum"], "0=0")
    last = f"{block}.lastconv{'.0' if config.shuffles else ''}"
    blob = writer.conv(weights, last, blob, 2, half)
    if config.shuffles:
        writer.layer("PixelShuffle", [blob], [f"{block}.out"], "0=2")


def _write_activation(writer: NcnnWriter, weights: Mapping[str, Tensor], place: str, blob: str) -> str:
    slopes = weights.get(f"{place}.1.weight")
    if slopes is None:
        return writer.layer("ReLU", [blob], [f"{place}.leaky"], "0=2.000000e-01")
    writer.data += slopes.numpy().tobytes()
    return writer.layer("PReLU", [blob], [f"{place}.sloped"], f"0={slopes.numel()}")
