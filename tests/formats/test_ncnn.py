"""ncnn's graphs and weights are read as they are written, and damaged ones are refused."""

from __future__ import annotations

import struct

import pytest
import torch
from kinograph.formats.ncnn import NcnnError, read_graph, read_tensors

GRAPH = """7767517
4 5
Input                    in0                      0 1 in0
Convolution              conv_0                   1 1 in0 a 0=2 1=3 3=2 4=1 5=1 6=54 9=2 -23310=1,2.000000e-01
PReLU                    slopes                   1 1 a b 0=2
Deconvolution            up                       1 1 b out0 0=1 1=4 11=2 3=2 5=0 6=16
"""
HALF = 0x01306B47


def floats(*numbers: float) -> bytes:
    return struct.pack(f"<{len(numbers)}f", *numbers)


def weights(tag: int = 0) -> bytes:
    numbers = torch.arange(54.0)
    conv = (numbers.half() if tag == HALF else numbers).numpy().tobytes()
    return b"".join(
        [
            struct.pack("<I", tag),
            conv,
            floats(0.5, -0.5),
            floats(0.25, 0.75),
            struct.pack("<I", 0),
            floats(*range(16)),
        ]
    )


def test_layers_have_their_blobs_and_settings() -> None:
    layers = read_graph(GRAPH)
    assert [layer.kind for layer in layers] == ["Input", "Convolution", "PReLU", "Deconvolution"]
    conv = layers[1]
    assert (conv.name, conv.inputs, conv.outputs) == ("conv_0", ("in0",), ("a",))
    assert conv.number(3) == 2 and conv.number(11, 3) == 3
    assert conv.settings[10] == [pytest.approx(0.2)]


@pytest.mark.parametrize("tag", [0, HALF])
def test_weights_come_in_pytorchs_order_of_axes(tag: int) -> None:
    made = read_tensors(read_graph(GRAPH), weights(tag))
    assert made["conv_0.weight"].shape == (2, 3, 3, 3)
    assert made["conv_0.weight"].dtype == (torch.float16 if tag else torch.float32)
    assert made["conv_0.weight"].flatten().tolist() == list(range(54))
    assert made["conv_0.bias"].tolist() == [0.5, -0.5]
    assert made["slopes.slope"].tolist() == [0.25, 0.75]
    assert made["up.weight"].shape == (2, 1, 2, 4)  # two channels seen come first, then the one made
    assert "up.bias" not in made


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", "does not begin with 7767517"),
        ("<html>sign in first</html>\n", "does not begin with 7767517"),
        (GRAPH.replace("4 5", "9 5"), "4 layers where its head tells of 9"),
        (GRAPH.replace("1 1 a b", "x 1 a b"), "is no layer"),
        (GRAPH.replace("0=2 1=3", "0=2=1"), "is no layer"),
    ],
)
def test_what_is_no_graph_is_refused(text: str, why: str) -> None:
    with pytest.raises(NcnnError, match=why):
        read_graph(text)


@pytest.mark.parametrize(
    ("data", "why"),
    [
        (weights()[:-4], "4 bytes too early"),
        (weights() + bytes(8), "8 bytes of the weights belong to no layer"),
        (struct.pack("<I", 0x000D4B38) + weights()[4:], "0x000d4b38; only half and single"),
    ],
)
def test_weights_that_do_not_fit_the_graph_are_refused(data: bytes, why: str) -> None:
    with pytest.raises(NcnnError, match=why):
        read_tensors(read_graph(GRAPH), data)


@pytest.mark.parametrize("huge", ["6=99999999999", "6=-54", "0=-2 6=54"])
def test_sizes_that_no_file_has_are_refused_without_taking_memory(huge: str) -> None:
    layers = read_graph(GRAPH.replace("6=54", huge))
    with pytest.raises(NcnnError):
        read_tensors(layers, weights())
