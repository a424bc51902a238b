"""AnimeInbet's network: which vertices of two line drawings belong together, and which get hidden.

A vertex is described by the picture around it, its place, and its place in the graph's spectrum; layers of
attention within and between the drawings compare them, and optimal transport pairs them. The modules' names
are the published checkpoints' keys. Source: Siyao et al. 2023, "Deep Geometrized Cartoon Line Inbetweening";
after SuperGlue, Sarlin et al. 2020.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Mapping
from itertools import pairwise
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn

from ..vae.weights_file import WeightsError, read_weights
from .line_graph import LineGraph
from .line_inbetween import HALF, Correspondence
from .strokes import rasterised
from .transport import log_transport, mutual_matches

HEADS = 4
ITERATIONS = 20
LEAST = 0.2
"""Share of a vertex that must go to its partner."""
VISIBLE = -0.7
"""Of a vertex that is not hidden, the least logit; below 0 as the authors set it for inference."""
LONGER, SHORTER = 0.75, 0.25
"""Share of the way that a vertex is seen which is, or is not, seen half way."""
SPECTRUM = 64
"""Eigenvectors that tell a vertex's place in its graph."""
INK = 2.0
"""Thickness, in pixels, of the lines in the pictures that the network was trained on."""


def _perceptron(*widths: int) -> nn.Sequential:
    """Layers over channels [B,C,N], normalised over the vertices between them."""
    layers: list[nn.Module] = []
    for before, after in pairwise(widths):
        layers += [nn.Conv1d(before, after, 1), nn.InstanceNorm1d(after), nn.ReLU()]
    return nn.Sequential(*layers[:-2])


class Encoder(nn.Module):
    """A vertex's place, or its place in the spectrum, [B,N,C] → [B,D,N]."""

    def __init__(self, *widths: int) -> None:
        super().__init__()
        self.encoder = _perceptron(*widths)

    def forward(self, x: Tensor) -> Tensor:
        return self.encoder(x.transpose(1, 2))


class PictureEncoder(nn.Module):
    """A picture [B,3,H,W] in −1..1 → features of its pixels [B,D,H,W]."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.layer1 = nn.Conv2d(3, width // 4, 7, padding=3)
        self.layer2 = nn.Conv2d(width // 4, width // 2, 3, padding=1)
        self.layer3 = nn.Conv2d(width // 2, width, 3, padding=1)

    def forward(self, picture: Tensor) -> Tensor:
        x = self.layer1(picture)
        for layer in (self.layer2, self.layer3):
            x = layer(nn.functional.instance_norm(x).relu())
        return nn.functional.instance_norm(x)


class VertexDescriptor(nn.Module):
    """What is drawn at each vertex [N,2]: [1,D,N]."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.encoder = PictureEncoder(width)

    def forward(self, picture: Tensor, places: Tensor) -> Tensor:
        x, y = places.long().unbind(dim=-1)
        return self.encoder(picture)[:, :, y, x]


class Attention(nn.Module):
    """Attention of some vertices [B,D,M] to others [B,D,N]; a head's channels lie HEADS apart."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.merge = nn.Conv1d(width, width, 1)
        self.proj = nn.ModuleList(nn.Conv1d(width, width, 1) for _ in range(3))

    def forward(self, x: Tensor, source: Tensor) -> Tensor:
        query, key, value = (
            layer(given).unflatten(1, (-1, HEADS)).permute(0, 2, 3, 1)  # [B,heads,N,d]
            for layer, given in zip(self.proj, (x, source, source), strict=True)
        )
        message = nn.functional.scaled_dot_product_attention(query, key, value)
        return self.merge(message.permute(0, 3, 1, 2).flatten(1, 2))


class Propagation(nn.Module):
    """What a layer adds to vertices that look at others."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.attn = Attention(width)
        self.mlp = _perceptron(2 * width, 2 * width, width)

    def forward(self, x: Tensor, source: Tensor) -> Tensor:
        return self.mlp(torch.cat([x, self.attn(x, source)], dim=1))


class GraphAttention(nn.Module):
    """Layers that look, in turn, within each drawing and at the other."""

    def __init__(self, width: int, layers: int) -> None:
        super().__init__()
        self.layers = nn.ModuleList(Propagation(width) for _ in range(layers))

    def forward(self, first: Tensor, second: Tensor, check: Callable[[], None]) -> tuple[Tensor, Tensor]:
        for index, layer in enumerate(self.layers):
            check()
            sources = (second, first) if index % 2 else (first, second)
            first, second = first + layer(first, sources[0]), second + layer(second, sources[1])
        return first, second


class VertexMatcher(nn.Module):
    """The correspondence transformer.

    Args:
        places, spectrum: widths of the encoders' layers, the last one the network's.
        layers: of attention.
    """

    def __init__(self, places: tuple[int, ...], spectrum: tuple[int, ...], layers: int) -> None:
        super().__init__()
        width = places[-1]
        self.kenc, self.tenc = Encoder(2, *places), Encoder(SPECTRUM, *spectrum)
        self.gnn = GraphAttention(width, layers)
        self.final_proj = nn.Conv1d(width, width, 1)
        self.bin_score = nn.Parameter(torch.ones(()))
        self.vertex_desc = VertexDescriptor(width)

    def described(self, graph: LineGraph) -> Tensor:
        """A drawing's vertices [1,D,V] before any attention."""
        device = self.bin_score.device
        limits = np.array([graph.width - 1, graph.height - 1])
        pixels = np.round(graph.vertices).clip(0, limits)
        places = torch.from_numpy(pixels).float().to(device)
        size = places.new_tensor([graph.width, graph.height])
        normalised = (places - size / 2) / (0.7 * size.max())
        spectrum = torch.from_numpy(spectral_places(graph)).float().to(device)
        x = self.vertex_desc(drawn(graph).to(device), places)
        return x + self.tenc(spectrum[None]) + self.kenc(normalised[None])

    def forward(
        self, first: LineGraph, second: LineGraph, check: Callable[[], None] = lambda: None
    ) -> tuple[Tensor, Tensor, Tensor]:
        """Logarithms of the transport plan [1,M,N], and both drawings' descriptors [1,D,M], [1,D,N].

        Args:
            check: called before each layer; raises when the user cancelled.
        """
        described = self.gnn(self.described(first), self.described(second), check)
        one, other = (self.final_proj(x) for x in described)
        scores = one.transpose(1, 2) @ other / one.shape[1] ** 0.5
        return log_transport(scores, self.bin_score, ITERATIONS)[:, :-1, :-1], one, other


class LineNetwork(nn.Module):
    """The whole: the matcher, and the visibility of each vertex half way to the other drawing."""

    def __init__(self, matcher: VertexMatcher, with_visibility: bool) -> None:
        super().__init__()
        self.corr = matcher
        self.mask_map = _perceptron(matcher.final_proj.out_channels, 32, 1) if with_visibility else None

    @torch.no_grad()
    def correspondence(
        self, first: LineGraph, second: LineGraph, check: Callable[[], None] = lambda: None
    ) -> Correspondence:
        """What belongs together; a vertex without a partner moves as those that look like it do.

        Args:
            check: see `VertexMatcher.forward`.

        Raises:
            ValueError: a drawing has fewer than two vertices.
        """
        if min(len(first.vertices), len(second.vertices)) < 2:
            raise ValueError(
                f"drawings of {len(first.vertices)} and {len(second.vertices)} vertices; the learned matcher "
                "needs two at least: choose the method geometric, or check the threshold of Vectorise Lines"
            )
        plan, one, other = self.corr(first, second, check)
        places = [torch.from_numpy(graph.vertices).to(plan) for graph in (first, second)]
        ways = [
            (rows.softmax(dim=-1) @ places[1 - side] - places[side])
            for side, rows in enumerate((plan[0], plan[0].T))
        ]
        motions = tuple(
            ((x[0].T @ x[0]).softmax(dim=-1) @ way).double().cpu().numpy()
            for x, way in zip((one, other), ways, strict=True)
        )
        matches = mutual_matches(plan[0].exp(), LEAST).cpu().numpy()
        return Correspondence(matches, motions, (self._lasting(one), self._lasting(other)))

    def _lasting(self, described: Tensor) -> np.ndarray:
        """For which share of its way each vertex [1,D,V] is seen, by whether it is half way: [V]."""
        if self.mask_map is None:
            return np.full(described.shape[-1], HALF)
        seen_half_way = (self.mask_map(described)[0, 0] > VISIBLE).cpu().numpy()
        return np.where(seen_half_way, LONGER, SHORTER)


def drawn(graph: LineGraph) -> Tensor:
    """A drawing as black lines on white, [1,3,H,W] in −1..1."""
    return torch.from_numpy(1 - 2 * rasterised(graph, INK)).expand(1, 3, -1, -1)


def spectral_places(graph: LineGraph) -> np.ndarray:
    """Each vertex's absolute values in the slowest eigenvectors of a random walk on the graph, [V,SPECTRUM].

    The walk may stay where it is; where the drawing is in several pieces it may also jump anywhere. Fewer
    vertices than that have zeros for the rest.
    """
    count = len(graph.vertices)
    near = 2 * np.eye(count)
    near[graph.edges[:, 0], graph.edges[:, 1]] = near[graph.edges[:, 1], graph.edges[:, 0]] = 2
    if not _hangs_together(graph):
        near += 1 / count
    root = np.sqrt(near.sum(axis=1))
    _, vectors = np.linalg.eigh(np.eye(count) - near / np.outer(root, root))
    slow = vectors[:, 1 : 1 + min(SPECTRUM, max(count - 2, 0))] / root[:, None]
    return np.pad(np.abs(slow), ((0, 0), (0, SPECTRUM - slow.shape[1])))


def _hangs_together(graph: LineGraph) -> bool:
    reached, waiting = {0}, [0]
    while waiting:
        fresh = [one for one in graph.neighbours[waiting.pop()] if one not in reached]
        reached.update(fresh)
        waiting += fresh
    return len(reached) == len(graph.vertices)


def load_line_network(path: Path) -> LineNetwork:
    """Read a checkpoint of the whole or of the matcher alone; its sizes are read off the weights.

    Raises:
        WeightsError: the file cannot be read, or holds another network.
    """
    with torch.serialization.safe_globals([(OrderedDict, "easydict.EasyDict")]):  # the authors' settings
        given = read_weights(path).tensors
    weights = {key.removeprefix("module."): value for key, value in given.items()}
    if not any(key.startswith("corr.") for key in weights):
        weights = {f"corr.{key}": value for key, value in weights.items()}
    try:
        network = _network_of(weights)
        network.load_state_dict(weights)
    except (KeyError, RuntimeError) as error:
        raise WeightsError(
            f"{path.name} holds no AnimeInbet network ({error}); choose the authors' epoch_20 or the "
            "matcher's epoch_50"
        ) from error
    return network.eval().requires_grad_(False)


def _network_of(weights: Mapping[str, Tensor]) -> LineNetwork:
    """An empty network of the sizes of those weights."""

    def widths(prefix: str) -> tuple[int, ...]:
        steps = sorted(
            int(key.removeprefix(prefix).split(".")[0])
            for key in weights
            if key.startswith(prefix) and key.endswith(".weight")
        )
        return tuple(weights[f"{prefix}{step}.weight"].shape[0] for step in steps)

    places, spectrum = widths("corr.kenc.encoder."), widths("corr.tenc.encoder.")
    if not places or not spectrum:
        raise KeyError("corr.kenc.encoder, corr.tenc.encoder")
    layers = len({key.split(".")[3] for key in weights if key.startswith("corr.gnn.layers.")})
    return LineNetwork(VertexMatcher(places, spectrum, layers), "mask_map.0.weight" in weights)
