"""LoRAs of Wan (Hu et al. 2021): small changes of weights, in the layouts in which they are found.

Names: the published ones (as "diffusion_model.…" in ComfyUI), diffusers' ("transformer.…"), and kohya's, with
underscores ("lora_unet_…"). Beside low-rank pairs there are full differences: of a weight (`.diff`), a bias
(`.diff_b`) or a block's modulation (`.diff_m`).

O and I are a layer's outputs and inputs, R the rank.
"""

from __future__ import annotations

import json
import math
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from ..vae.weights_file import Weights, WeightsError, read_weights
from .wan_layouts import diffusers_name, published

PREFIXES = ("base_model.model.", "model.", "diffusion_model.", "transformer.", "unet.")
UNDERSCORED = ("lora_unet__", "lora_unet_", "lora_transformer_", "lycoris_")
PARTS = {
    ".lora_down.weight": "down",
    ".lora_up.weight": "up",
    ".lora_A.weight": "down",
    ".lora_B.weight": "up",
    ".lora_A.default.weight": "down",
    ".lora_B.default.weight": "up",
    ".lora.down.weight": "down",
    ".lora.up.weight": "up",
    ".lora_B.bias": "bias",
    ".alpha": "alpha",
    ".diff": "difference",
    ".diff_b": "bias difference",
    ".diff_m": "modulation difference",
}
"""By how a key ends, what it holds for the layer that it begins with."""
OTHER_KINDS = {".dora_scale": "a DoRA", ".hada_w1_a": "a LoHa", ".lokr_w1": "a LoKr", ".lokr_w1_a": "a LoKr"}
"""By how a key ends, what is not read here and would be wrong if it were left out."""


@dataclass(frozen=True)
class Patch:
    """The change of one weight at strength 1: factor · up × down, plus difference, whichever there is.

    Attributes:
        down: [R,I,…]. up: [O,R,…].
        factor: alpha over rank.
        difference: of the weight's shape.
    """

    down: Tensor | None = None
    up: Tensor | None = None
    factor: float = 1.0
    difference: Tensor | None = None

    def change(self, shape: torch.Size, device: torch.device) -> Tensor:
        """What is added to a weight of this shape, float32."""
        total = torch.zeros(shape, device=device)
        if self.up is not None and self.down is not None:
            up, down = (part.to(device, torch.float32).flatten(1) for part in (self.up, self.down))
            total += (up @ down).view(shape) * self.factor
        if self.difference is not None:
            total += self.difference.to(device, torch.float32).view(shape)
        return total


@dataclass(frozen=True)
class Lora:
    """A file's patches by the published names of the weights, and the keys that fit none of them."""

    name: str
    patches: Mapping[str, Patch]
    unknown: tuple[str, ...] = ()

    @property
    def complaint(self) -> str | None:
        """What was left out, as a sentence; None where nothing was."""
        if not self.unknown:
            return None
        return (
            f"{len(self.unknown)} keys of {self.name} fit no weight of this model and are left out, the "
            f"first {', '.join(self.unknown[:3])}: it is in part made for another model"
        )


def read_lora(
    source: Path | str | Mapping[str, Tensor],
    weights: Mapping[str, Tensor],
    metadata: Mapping[str, str] | None = None,
) -> Lora:
    """Read a LoRA for a network with these weights (published names, as in its `state_dict()`).

    Raises:
        OtherKindError: it is a DoRA, a LoHa or a LoKr.
        WeightsError: it cannot be read, fits nothing, or is for a model of another size.
    """
    if isinstance(source, Mapping):
        read = Weights(source, metadata or {}, "the LoRA")
    else:
        read = read_weights(Path(source))
    _refuse_other_kinds(read)
    layers, unknown = _by_layer(read.tensors, _Names(weights))
    alpha = _alpha(read.metadata)
    patches: dict[str, Patch] = {}
    for layer, parts in layers.items():
        for name, patch in _patches(layer, parts, alpha):
            if name in weights:
                _check_size(read.name, name, patch, weights[name].shape)
                patches[name] = patch
            else:
                unknown.append(f"{layer} ({name})")
    if not patches:
        raise WeightsError(
            f"{read.name} has nothing for this model ({len(read.tensors)} tensors, first "
            f"{', '.join(sorted(read.tensors)[:3])}); needed is a LoRA of Wan"
        )
    return Lora(read.name, patches, tuple(sorted(unknown)))


def patched(weight: Tensor, patch: Patch, strength: float) -> Tensor:
    """A weight with a share of the change added, in its own dtype."""
    change = patch.change(weight.shape, weight.device)
    return weight.float().add(change, alpha=strength).to(weight.dtype)


def merge(network: nn.Module, patches: Mapping[str, Patch], strength: float) -> None:
    """Replace a network's patched weights by new ones; the old are left as they are, others may use them."""
    for name, patch in patches.items():
        owner, leaf = _place(network, name)
        weight = getattr(owner, leaf)
        made = patched(weight.detach(), patch, strength)
        setattr(owner, leaf, nn.Parameter(made, requires_grad=weight.requires_grad))


@contextmanager
def live(network: nn.Module, patches: Mapping[str, Patch], strength: float) -> Iterator[None]:
    """Within it, the network runs with a share of the patches, and its large weights stay as they are.

    Layers add their low-rank part to what they make; all other patches are small and merged meanwhile.
    """
    with ExitStack() as stack:
        for name, patch in patches.items():
            owner, leaf = _place(network, name)
            if patch.up is not None and isinstance(owner, nn.Linear) and patch.difference is None:
                handle = owner.register_forward_hook(_LowRank(patch, strength))
                stack.callback(handle.remove)
            else:
                stack.callback(setattr, owner, leaf, getattr(owner, leaf))
                merge(network, {name: patch}, strength)
        yield


class _LowRank:
    """Adds a patch to what a linear layer makes: the hook of one layer."""

    def __init__(self, patch: Patch, strength: float) -> None:
        self.down, self.up, self.factor = patch.down, patch.up, patch.factor * strength

    def __call__(self, layer: nn.Module, given: tuple[Tensor], made: Tensor) -> Tensor:
        self.down, self.up = (part.to(made.device, made.dtype) for part in (self.down, self.up))
        x = given[0].to(made.dtype)
        return made + nn.functional.linear(nn.functional.linear(x, self.down), self.up) * self.factor


class _Names:
    """Finds the published name of a layer, however a LoRA spells it."""

    def __init__(self, weights: Iterable[str]) -> None:
        names = {name.rpartition(".")[0] for name in weights} | set(weights)
        self.known = names
        self.underscored = {
            spelled.replace(".", "_"): name for name in names for spelled in (diffusers_name(name), name)
        }

    def find(self, layer: str) -> str | None:
        for prefix in UNDERSCORED:
            if layer.startswith(prefix):
                return self.underscored.get(layer[len(prefix) :])
        for prefix in PREFIXES:
            layer = layer.removeprefix(prefix)
        name = published(layer)
        return name if name in self.known else None


class OtherKindError(WeightsError):
    """A relative of LoRA, which is not read here."""


def _refuse_other_kinds(read: Weights) -> None:
    for key in read.tensors:
        if kind := next((kind for ending, kind in OTHER_KINDS.items() if key.endswith(ending)), None):
            raise OtherKindError(
                f"{read.name} is {kind} (so says {key}), which is known in ComfyUI alone; choose a plain LoRA"
            )


def _by_layer(tensors: Mapping[str, Tensor], names: _Names) -> tuple[dict[str, dict[str, Tensor]], list[str]]:
    """The parts of each layer by the layer's published name, and keys of no known layer or part."""
    layers: dict[str, dict[str, Tensor]] = defaultdict(dict)
    unknown = []
    for key, tensor in tensors.items():
        ending = next((ending for ending in PARTS if key.endswith(ending)), None)
        layer = None if ending is None else names.find(key[: -len(ending)])
        if layer is None:
            unknown.append(key)
        else:
            layers[layer][PARTS[ending]] = tensor
    return layers, unknown


def _patches(layer: str, parts: Mapping[str, Tensor], alpha: float | None) -> Iterator[tuple[str, Patch]]:
    """The patches of one layer's weights, by their names."""
    down, up = parts.get("down"), parts.get("up")
    if (down is None) != (up is None):
        raise WeightsError(f"the LoRA has but one of the two matrices of {layer}; fetch it again")
    factor = 1.0
    if down is not None:
        if (
            min(down.dim(), up.dim()) < 2
            or not len(down)
            or ("alpha" in parts and parts["alpha"].numel() != 1)
        ):
            raise WeightsError(f"the LoRA's matrices of {layer} are none, or damaged; fetch it again")
        told = parts["alpha"].item() if "alpha" in parts else alpha
        factor = 1.0 if told is None else told / len(down)
    weight = Patch(down, up, factor, parts.get("difference"))
    if weight.up is not None or weight.difference is not None:
        # modulation is a weight itself, and not a layer with a weight
        yield layer if layer.endswith("modulation") else f"{layer}.weight", weight
    if "bias difference" in parts:
        yield f"{layer}.bias", Patch(difference=parts["bias difference"])
    if "bias" in parts:
        yield f"{layer}.bias", Patch(difference=parts["bias"] * factor)
    if "modulation difference" in parts:
        yield f"{layer}.modulation", Patch(difference=parts["modulation difference"])


def _check_size(file: str, name: str, patch: Patch, shape: torch.Size) -> None:
    """Raise unless a patch is of its weight's size."""
    fits = patch.difference is None or patch.difference.numel() == shape.numel()
    if patch.up is not None and patch.down is not None:
        (outputs, *rank), (rows, *inputs) = patch.up.shape, patch.down.shape
        found = (outputs, math.prod(rank), math.prod(inputs))
        fits = fits and found == (shape[0], rows, shape[1:].numel())
    if not fits:
        raise WeightsError(
            f"{file} changes {name} as if it had another shape than {list(shape)}: it is for a Wan of "
            "another size"
        )


def _alpha(metadata: Mapping[str, str]) -> float | None:
    """The scale that diffusers' files tell in their metadata and not beside the matrices."""
    try:
        told: Any = json.loads(metadata.get("lora_adapter_metadata", "{}"))
    except (ValueError, RecursionError) as error:
        raise WeightsError("the LoRA's metadata are no JSON; fetch it again") from error
    alpha = told.get("transformer.lora_alpha") if isinstance(told, dict) else None
    return float(alpha) if isinstance(alpha, int | float) else None


def _place(network: nn.Module, name: str) -> tuple[nn.Module, str]:
    """The module that holds a weight, and the weight's name there."""
    owner, _, leaf = name.rpartition(".")
    return network.get_submodule(owner), leaf
