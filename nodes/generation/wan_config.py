"""The sizes of a Wan transformer, read off its weights (published key layout) and its metadata."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from torch import Tensor

from ..vae.weights_file import WeightsError

HEAD_WIDTH = 128
"""Channels of a head in every published Wan."""
NAMES = {
    "dim": "width",
    "ffn_dim": "feedforward",
    "num_layers": "blocks",
    "in_dim": "in_channels",
    "out_dim": "out_channels",
    "text_dim": "text_width",
    "freq_dim": "frequency_width",
}
"""What the metadata call the sizes that show in the weights."""


@dataclass(frozen=True)
class WanConfig:
    """Sizes of the network; the default is Wan 2.1's text-to-video model of 1.3 billion parameters.

    Attributes:
        width: channels of a token; `heads` divides it.
        feedforward: channels within a feed-forward layer.
        in_channels: of the latents and, for image-to-video, the mask and latents given with them.
        out_channels: of the velocity, which are the latents'.
        text_width: channels of a text token.
        image_width: channels of CLIP's features of the given picture; None for a network without.
        image_tokens: positions learnt for the features of a first and a last picture; None for one picture.
        frequency_width: sines and cosines that stand for a timestep.
    """

    width: int = 1536
    heads: int = 12
    blocks: int = 30
    feedforward: int = 8960
    in_channels: int = 16
    out_channels: int = 16
    text_width: int = 4096
    image_width: int | None = None
    image_tokens: int | None = None
    frequency_width: int = 256
    epsilon: float = 1e-6

    @property
    def head_width(self) -> int:
        return self.width // self.heads

    @property
    def given_channels(self) -> int:
        """Channels of `in_channels` that are not the noisy latents but given: mask and picture."""
        return self.in_channels - self.out_channels

    @classmethod
    def of(cls, weights: Mapping[str, Tensor], metadata: Mapping[str, str] | None = None) -> WanConfig:
        """Read the sizes off weights in the published key layout.

        Args:
            metadata: where "config" is JSON with a part "transformer", its `num_heads` and `eps` are
                believed, and its sizes must be those of the weights.

        Raises:
            WeightsError: the metadata contradict the weights.
        """
        told = _told(metadata)
        width = weights["head.modulation"].shape[-1]
        image = weights.get("img_emb.proj.1.weight")
        positions = weights.get("img_emb.emb_pos")
        indices = {key.split(".")[1] for key in weights if key.startswith("blocks.")}
        config = cls(
            width=width,
            heads=told.get("num_heads", width // HEAD_WIDTH),
            blocks=len(indices),
            feedforward=weights["blocks.0.ffn.0.weight"].shape[0],
            in_channels=weights["patch_embedding.weight"].shape[1],
            out_channels=weights["head.head.weight"].shape[0] // 4,
            text_width=weights["text_embedding.0.weight"].shape[1],
            image_width=None if image is None else image.shape[1],
            image_tokens=None if positions is None else positions.shape[1],
            frequency_width=weights["time_embedding.0.weight"].shape[1],
            epsilon=told.get("eps", 1e-6),
        )
        _check(config, told)
        return config


def _told(metadata: Mapping[str, str] | None) -> dict[str, Any]:
    """The transformer's part of the metadata."""
    try:
        config = json.loads((metadata or {}).get("config", "{}"))
    except (ValueError, RecursionError) as error:
        raise WeightsError("the metadata of this transformer are no JSON; fetch the file again") from error
    told = config.get("transformer") if isinstance(config, dict) else None
    return told if isinstance(told, dict) else {}


def _check(config: WanConfig, told: Mapping[str, Any]) -> None:
    for name, attribute in NAMES.items():
        found = getattr(config, attribute)
        if told.get(name, found) != found:
            raise WeightsError(
                f"the metadata give {name} {told[name]!r}, the weights {found}: they are not of one model"
            )
    heads = config.heads
    if not isinstance(heads, int) or heads < 1 or config.width % heads or config.head_width % 2:
        raise WeightsError(
            f"{config.width} channels cannot be {heads!r} heads; Wan's heads have {HEAD_WIDTH} channels"
        )
    if not isinstance(config.epsilon, float) or not 0 < config.epsilon < 1:
        raise WeightsError(f"the metadata give eps {config.epsilon!r}; needed is a small positive number")
