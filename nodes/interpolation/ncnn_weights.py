"""RIFE out of an ncnn graph: its layers have names of their own, so each is told by its place in the graph.

Seen from each transposed convolution backwards, a chain of ten convolutions is a block, and one of one or
three is the head, of which the graph has a copy for each frame.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import torch
from torch import Tensor

from ...formats.ncnn import Layer, NcnnError, read_graph, read_tensors
from ..vae.weights_file import Weights, WeightsError, read_weights

GRAPH = "ncnn"
"""Key in a safetensors file's metadata: the graph whose layers name its tensors."""
BLOCK_CONVOLUTIONS = 10
CONVOLUTIONS = ("Convolution", "ConvolutionDepthWise")
PASSED_OVER = ("Split", "ReLU", "Noop", "Dropout")
SUM, PRODUCT = 0, 2


def read_weights_or_ncnn(path: Path) -> Weights:
    """Weights out of a file, those of an ncnn graph under the names that RIFE's have elsewhere.

    Args:
        path: what `read_weights` takes, or either of a .param and a .bin of the same name.

    Raises:
        WeightsError: the file cannot be read, its other half is missing, or its graph is no RIFE.
    """
    graph = path.with_suffix(".param")
    try:
        if path.suffix == ".param" or (path.suffix == ".bin" and graph.is_file()):
            return _pair(graph, path.with_suffix(".bin"))
        weights = read_weights(path)
        if GRAPH not in weights.metadata:
            return weights
        layers = read_graph(weights.metadata[GRAPH])
        return Weights(published(layers, weights.tensors), weights.metadata, weights.name)
    except (NcnnError, LookupError) as fault:
        raise WeightsError(f"{path.name} is no RIFE for ncnn that can be read: {fault}") from fault


def _pair(graph: Path, weights: Path) -> Weights:
    for file in (graph, weights):
        if not file.is_file():
            raise WeightsError(f"there is no {file.name} beside {graph.stem}: ncnn's models are two files")
    layers = read_graph(graph.read_text(encoding="utf-8", errors="replace"))
    return Weights(published(layers, read_tensors(layers, weights.read_bytes())), name=graph.name)


@dataclass
class _Chain:
    """Convolutions one after another, the last of them transposed.

    Attributes:
        slopes, scales: of a convolution's activation and result, by its name.
        sums: whether convolutions add to what they see.
    """

    layers: list[Layer]
    slopes: dict[str, Tensor] = field(default_factory=dict)
    scales: dict[str, Tensor] = field(default_factory=dict)
    sums: bool = False


def published(layers: list[Layer], tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """The weights of a RIFE under the published keys.

    Raises:
        NcnnError: the graph is of something else.
        KeyError: the weights lack a layer's.
    """
    chains = [_chain(layer, layers, tensors) for layer in layers if layer.kind == "Deconvolution"]
    blocks = [chain for chain in chains if len(chain.layers) == BLOCK_CONVOLUTIONS + 1]
    heads = [chain for chain in chains if len(chain.layers) in (2, 4)]
    if not blocks or len(blocks) + len(heads) < len(chains):
        lengths = ", ".join(str(len(chain.layers) - 1) for chain in chains)
        raise NcnnError(f"its chains of convolutions are {lengths or 0} long; a RIFE 4.x has blocks of ten")
    shuffles = any(layer.kind == "PixelShuffle" for layer in layers)
    made: dict[str, Tensor] = {}
    for index, chain in enumerate(blocks):
        made |= {f"block{index}.{key}": tensor for key, tensor in _block(chain, tensors, shuffles).items()}
    for chain in heads[:1]:
        places = (0, 1) if len(chain.layers) == 2 else (0, 2, 4, 6)
        for place, layer in zip(places, chain.layers, strict=True):
            made |= _parts(f"encode.{place}", layer, tensors)
    return made


def _chain(last: Layer, layers: list[Layer], tensors: Mapping[str, Tensor]) -> _Chain:
    """Walk back from a transposed convolution to where pictures come together."""
    makers = {blob: layer for layer in layers for blob in layer.outputs}
    chain = _Chain([last])
    slope, scale = None, None
    layer = makers[last.inputs[0]]
    while True:
        before = [makers[blob] for blob in layer.inputs]
        if layer.kind in CONVOLUTIONS:
            chain.layers.insert(0, layer)
            chain.slopes |= {layer.name: slope} if slope is not None else {}
            chain.scales |= {layer.name: scale} if scale is not None else {}
            slope, scale = None, None
        elif layer.kind == "PReLU":
            slope = tensors[f"{layer.name}.slope"]
        elif layer.kind == "BinaryOp" and layer.number(0) == PRODUCT and _constant_of(before):
            scale = tensors[f"{_constant_of(before).name}.data"]
        elif layer.kind == "BinaryOp" and layer.number(0) == SUM and len(before) == 2:
            chain.sums = True
        elif layer.kind not in PASSED_OVER:
            return chain
        # of two, the one that is computed; the other is a constant, or a copy of what came before
        layer = next(one for one in before if len(before) == 1 or one.kind not in ("Split", "MemoryData"))


def _constant_of(layers: list[Layer]) -> Layer | None:
    return next((layer for layer in layers if layer.kind == "MemoryData"), None)


def _block(chain: _Chain, tensors: Mapping[str, Tensor], shuffles: bool) -> dict[str, Tensor]:
    *convolutions, last = chain.layers
    residual = chain.sums and not chain.slopes  # with slopes, 4.0's whole chain adds and not each of it
    inner = "convblock.{}.conv" if residual else "convblock.{}.0"
    places = ["conv0.0.0", "conv0.1.0", *(inner.format(index) for index in range(8))]
    made: dict[str, Tensor] = {}
    for place, layer in zip(places, convolutions, strict=True):
        made |= _parts(place, layer, tensors)
        if layer.name in chain.slopes:
            made[f"{place[:-2]}.1.weight"] = chain.slopes[layer.name]
        if residual and place.endswith(".conv"):
            whole = torch.ones(len(made[f"{place}.weight"]))
            made[place.replace(".conv", ".beta")] = chain.scales.get(layer.name, whole)
    return made | _parts("lastconv.0" if shuffles else "lastconv", last, tensors)


def _parts(place: str, layer: Layer, tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    return {f"{place}.{part}": tensors[f"{layer.name}.{part}"] for part in ("weight", "bias")}
