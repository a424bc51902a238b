"""A Wan transformer out of a file: told by its keys, in any layout in which it is found."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from ...kernels.linear import layers
from ..vae.weights_file import Weights, WeightsError, misfit, read_weights_in
from . import wan_layouts
from .recognise_transformer import relative, what_model
from .scaled_fp8 import EIGHT_BITS, unscaled
from .wan import WanTransformer
from .wan_config import WanConfig

PREFIXES = ("model.diffusion_model.", "diffusion_model.", "transformer.", "model.", "module.")
"""Under which checkpoints, and programs that train, keep the transformer."""


@dataclass(frozen=True)
class Checkpoint:
    """A transformer's weights in the published key layout, all of one dtype.

    Attributes:
        name: for messages: the file's name.
        metadata: the file's own words.
    """

    name: str
    config: WanConfig
    weights: Mapping[str, Tensor]
    metadata: Mapping[str, str] = field(default_factory=dict)

    def fill(self, network: WanTransformer) -> None:
        """Give a network of this config these weights, themselves and not copies.

        Raises:
            WeightsError: weights are missing, unknown or of other shapes.
        """
        self._check_keys(network)
        network.load_state_dict(self.weights, assign=True)
        network.eval().requires_grad_(False)

    def _check_keys(self, network: WanTransformer) -> None:
        if fault := misfit(self.weights, network.state_dict()):
            raise WeightsError(
                f"{self.name} is no whole Wan transformer: {fault}; fetch it again, or choose a file "
                "that is in one piece"
            )


def load_transformer(
    source: Path | str | Mapping[str, Tensor],
    *,
    operations: Any = layers,
    dtype: torch.dtype | None = None,
    metadata: Mapping[str, str] | None = None,
) -> WanTransformer:
    """Load the transformer of Wan 2.1 or 2.2, for inference.

    Args: as of `read_transformer`, and
        operations: layer classes, as `torch.nn` or ComfyUI's `comfy.ops`.

    Raises:
        WeightsError: the file cannot be read, is no such transformer, or lacks weights.
    """
    checkpoint = read_transformer(source, dtype=dtype, metadata=metadata)
    with torch.device("meta"):
        network = WanTransformer(checkpoint.config, operations)
    checkpoint.fill(network)
    return network


def read_transformer(
    source: Path | str | Mapping[str, Tensor],
    *,
    dtype: torch.dtype | None = None,
    metadata: Mapping[str, str] | None = None,
) -> Checkpoint:
    """Read a transformer's sizes and weights, without building it.

    Args:
        source: a file (.safetensors, or a pickle of tensors), also a whole checkpoint; a folder as diffusers
            has it; or weights.
        dtype: of the weights; when None the one that most of the file is in, bfloat16 for 8 bits.
        metadata: of weights that come without a file.

    Returns:
        the weights where they were: a file's are mapped and not copied, unless their dtype changes.

    Raises:
        WeightsError: the file cannot be read or is no such transformer.
    """
    weights = (
        Weights(source, metadata or {}) if isinstance(source, Mapping) else read_weights_in(Path(source))
    )
    tensors = transformer_part(weights.tensors)
    _refuse_other_models(weights, tensors)
    try:
        dtype = dtype or _main_dtype(tensors)
        plain = unscaled(tensors, weights.metadata, dtype)
        published = {key: tensor.to(dtype) for key, tensor in wan_layouts.to_published(plain).items()}
        config = WanConfig.of(published, weights.metadata)
    except (LookupError, TypeError, ArithmeticError) as fault:  # from names or shapes that no Wan has
        raise WeightsError(
            f"{weights.name} is incomplete or laid out in an unknown way ({fault}); fetch it again"
        ) from fault
    return Checkpoint(weights.name, config, published, weights.metadata)


def _refuse_other_models(weights: Weights, tensors: Mapping[str, Tensor]) -> None:
    """Raise where the transformer's part of a file is none, or one with more layers."""
    if not wan_layouts.is_known(tensors):
        raise WeightsError(
            f"{weights.name} is no Wan transformer: {what_model(weights.tensors)}; needed is the transformer "
            "of Wan 2.1 or Wan 2.2 (text-to-video, image-to-video or TI2V)"
        )
    if name := relative(tensors):
        raise WeightsError(
            f"{weights.name} is {name}, a Wan with layers that this network has not; needed is a plain "
            "Wan 2.1 or 2.2 (text-to-video, image-to-video or TI2V)"
        )


def transformer_part(tensors: Mapping[str, Tensor]) -> Mapping[str, Tensor]:
    """The transformer's weights out of a checkpoint; all where none are marked as such."""
    for prefix in PREFIXES:
        part = {key[len(prefix) :]: tensor for key, tensor in tensors.items() if key.startswith(prefix)}
        if wan_layouts.is_known(part):
            return part
    return tensors


def _main_dtype(tensors: Mapping[str, Tensor]) -> torch.dtype:
    """The dtype of most numbers, bfloat16 where these are in 8 bits."""
    numbers: Counter[torch.dtype] = Counter()
    for tensor in tensors.values():
        if tensor.is_floating_point() or tensor.dtype in EIGHT_BITS:
            numbers[tensor.dtype] += tensor.numel()
    main = numbers.most_common(1)[0][0]
    return torch.bfloat16 if main in EIGHT_BITS else main
