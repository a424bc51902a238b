"""ncnn's networks: a graph in text (.param) and its weights (.bin).

A line of the graph has a layer's kind and name, how many blobs go in and out, their names, and settings as
`index=value`; an array's index is -23300 minus its own. The weights follow one another in the order of the
layers, each aligned to four bytes; those of convolutions say of themselves which precision they have.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from torch import Tensor

MAGIC = "7767517"
ARRAY_INDEX = -23300
HALF_PRECISION, SINGLE_PRECISION = 0x01306B47, (0, 0x0002C056)
"""What stands before weights that may be of either precision."""

Setting = float | list[float]


class NcnnError(ValueError):
    """A .param or .bin that cannot be read; the message says what was found."""


@dataclass(frozen=True)
class Layer:
    """A layer of a graph.

    Attributes:
        inputs, outputs: names of blobs.
        settings: by index, what the kind's documentation tells.
    """

    kind: str
    name: str
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    settings: dict[int, Setting]

    def number(self, index: int, otherwise: int = 0) -> int:
        """A setting that is a whole number."""
        value = self.settings.get(index, otherwise)
        return otherwise if isinstance(value, list) else int(value)


def read_graph(text: str) -> list[Layer]:
    """The layers of a .param file, in its order, in which every layer's inputs come before it.

    Raises:
        NcnnError: it is no such file, or its layers stand in another order.
    """
    lines = [line for line in text.splitlines() if line.strip()]
    if len(lines) < 2 or lines[0].strip() != MAGIC:
        raise NcnnError(f"it does not begin with {MAGIC}, as ncnn's graphs in text do")
    layers = [_layer(line) for line in lines[2:]]
    if str(len(layers)) != lines[1].split()[0]:
        raise NcnnError(f"it has {len(layers)} layers where its head tells of {lines[1].split()[0]}")
    _check_order(layers)
    return layers


def _check_order(layers: list[Layer]) -> None:
    """Raise where a graph could run in a circle: each blob is made once, before it is used."""
    known: set[str] = set()
    for layer in layers:
        if not known.issuperset(layer.inputs) or not known.isdisjoint(layer.outputs):
            raise NcnnError(f"its layer {layer.name} takes what is not made yet, or makes what is made")
        known.update(layer.outputs)


def _layer(line: str) -> Layer:
    try:
        kind, name, inputs, outputs, *rest = line.split()
        blobs, settings = rest[: int(inputs) + int(outputs)], rest[int(inputs) + int(outputs) :]
        pairs = dict(_setting(word) for word in settings)
    except ValueError as error:
        raise NcnnError(f"its line {line[:60]!r} is no layer ({error})") from error
    return Layer(kind, name, tuple(blobs[: int(inputs)]), tuple(blobs[int(inputs) :]), pairs)


def _setting(word: str) -> tuple[int, Setting]:
    index, value = word.split("=")
    if int(index) > ARRAY_INDEX:
        return int(index), float(value)
    return ARRAY_INDEX - int(index), [float(one) for one in value.split(",")[1:]]


def read_tensors(layers: list[Layer], data: bytes) -> dict[str, Tensor]:
    """The weights of a .bin file, by layer and part, e.g. "conv_22.weight", in PyTorch's order of axes.

    Raises:
        NcnnError: they do not fit the graph, or are in 8 bits.
    """
    stream = _Stream(data)
    made: dict[str, Tensor] = {}
    for layer in layers:
        if layer.kind in READERS:
            parts = READERS[layer.kind](layer, stream)
            made |= {f"{layer.name}.{part}": tensor for part, tensor in parts.items()}
    if stream.left:
        raise NcnnError(f"{stream.left} bytes of the weights belong to no layer that is known here")
    return made


class _Stream:
    """Weights one after another."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._place = 0

    @property
    def left(self) -> int:
        return len(self._data) - self._place

    def tagged(self, *shape: int) -> Tensor:
        """Weights that say which precision they have."""
        import torch

        tag = int.from_bytes(self._taken(4), "little")
        if tag != HALF_PRECISION and tag not in SINGLE_PRECISION:
            raise NcnnError(f"weights are stored as {tag:#010x}; only half and single precision are known")
        return self._tensor(torch.float16 if tag == HALF_PRECISION else torch.float32, shape)

    def plain(self, *shape: int) -> Tensor:
        """Weights in single precision."""
        import torch

        return self._tensor(torch.float32, shape)

    def _tensor(self, dtype: object, shape: tuple[int, ...]) -> Tensor:
        import torch

        size = math.prod(shape) * dtype.itemsize
        raw = bytearray(self._taken(-(-size // 4) * 4)[:size])
        return torch.frombuffer(raw, dtype=dtype).view(shape)

    def _taken(self, size: int) -> bytes:
        if size > self.left:
            raise NcnnError(f"the weights end {size - self.left} bytes too early")
        self._place += size
        return self._data[self._place - size : self._place]


def _convolution(layer: Layer, stream: _Stream) -> dict[str, Tensor]:
    made, across = layer.number(0), layer.number(1)
    down = layer.number(11, across)
    if min(made, across, down) < 1 or (seen := layer.number(6) // (made * across * down)) < 1:
        raise NcnnError(f"the layer {layer.name} tells no size")
    parts = {"weight": stream.tagged(made, seen, down, across)}
    return parts | ({"bias": stream.plain(made)} if layer.number(5) else {})


def _deconvolution(layer: Layer, stream: _Stream) -> dict[str, Tensor]:
    parts = _convolution(layer, stream)
    return parts | {"weight": parts["weight"].transpose(0, 1).contiguous()}  # which PyTorch has first


def _slopes(layer: Layer, stream: _Stream) -> dict[str, Tensor]:
    return {"slope": stream.plain(max(layer.number(0), 0))}


def _constant(layer: Layer, stream: _Stream) -> dict[str, Tensor]:
    sides = [layer.number(index) for index in (2, 11, 1, 0)]  # channels, depth, height, width
    return {"data": stream.plain(*(side for side in sides if side > 0))}


READERS: dict[str, Callable[[Layer, _Stream], dict[str, Tensor]]] = {
    "Convolution": _convolution,
    "ConvolutionDepthWise": _convolution,
    "Deconvolution": _deconvolution,
    "PReLU": _slopes,
    "MemoryData": _constant,
}
