"""EF-Net (Chen et al. 2025, "Sci-Fi: Symmetric Constraint for Frame Inbetweening"): a film's last frame.

A few blocks of CogVideoX's kind see the last frame alone. A layer gives each of its tokens h one number per
latent frame, c_j, and the products c_j·h are what frame j is told of it; with the noisy film's own tokens
they make what is added to the transformer's first blocks. Key names are the published checkpoint's, sizes are
read off the weights. Shapes: B films, T latent frames, P patches of a frame, L text tokens, D channels of a
token.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from ..generation.wan_patches import padded
from ..generation.wan_positions import timestep_waves
from ..vae.weights_file import Weights, WeightsError, misfit

PATCH = 2
SPATIAL_SCALE = 1.875
"""Patches of the pictures of training to a step of the positions."""
KNOWN = {
    "patch_embed.proj.weight",
    "patch_embed.text_proj.weight",
    "time_embedding.linear_1.weight",
    "transformer_blocks.0.attn1.norm_q.weight",
    "weights.0.weight",
    "first_weights.0.weight",
}
"""Keys of its weights; its sizes are read off these."""
SLOPE = 0.01
"""Of the leaky rectifier."""


@dataclass(frozen=True)
class EndFrameConfig:
    """Sizes.

    Attributes:
        width: D. head_width: of attention. blocks: of its own, and of the transformer that are told.
        frames: latent frames that it was trained for; for others its numbers are interpolated.
        time_width, text_width: channels of the time's embedding and of the text's tokens.
    """

    width: int = 3072
    head_width: int = 64
    blocks: int = 4
    frames: int = 13
    channels: int = 16
    time_width: int = 512
    text_width: int = 4096

    @classmethod
    def of(cls, weights: Mapping[str, Tensor]) -> EndFrameConfig:
        """Read off a network's weights."""
        width, channels = weights["patch_embed.proj.weight"].shape[:2]
        return cls(
            width=width,
            head_width=len(weights["transformer_blocks.0.attn1.norm_q.weight"]),
            blocks=sum(key.startswith("out_projectors.") and key.endswith(".weight") for key in weights),
            frames=len(weights["weights.0.weight"]),
            channels=channels,
            time_width=len(weights["time_embedding.linear_1.weight"]),
            text_width=weights["patch_embed.text_proj.weight"].shape[1],
        )


class EndFrameNet(nn.Module):
    """What to add after each of a transformer's first blocks."""

    def __init__(self, config: EndFrameConfig) -> None:
        super().__init__()
        self.config, width = config, config.width
        self.patch_embed, self.patch_embed_first = (PatchEmbedding(config) for _ in range(2))
        self.time_embedding = nn.ModuleDict(
            {
                "linear_1": nn.Linear(width, config.time_width),
                "linear_2": nn.Linear(config.time_width, config.time_width),
            }
        )
        self.transformer_blocks = nn.ModuleList(JointBlock(config) for _ in range(config.blocks))
        self.weights = nn.ModuleList(nn.Linear(width, config.frames) for _ in range(config.blocks))
        self.first_weights = nn.ModuleList(nn.Linear(2 * width, width) for _ in range(config.blocks))
        self.out_projectors = nn.ModuleList(nn.Linear(width, width) for _ in range(config.blocks))

    def forward(self, film: Tensor, end: Tensor, text: Tensor, timestep: Tensor) -> list[Tensor]:
        """One feature [B,T·P,D] for each block.

        Args:
            film: the noisy film [B,C,T,h,w]. end: its last frame, clean, [1 or B,C,1,h,w].
            text: [B,L,text width]. timestep: [B], of 0 … 1000.
        """
        end = end.expand(len(film), -1, -1, -1, -1)
        waves = timestep_waves(timestep, self.config.width).to(film.dtype)
        time = self.time_embedding["linear_2"](F.silu(self.time_embedding["linear_1"](waves)))
        hidden, noisy = self.patch_embed(padded(end)), self.patch_embed_first(padded(film))
        text = self.patch_embed.text_proj(text)
        features = []
        for index, block in enumerate(self.transformer_blocks):
            hidden, text = block(hidden, text, time)
            told = expanded(hidden, self.weights[index](hidden), film.shape[2])
            fused = self.first_weights[index](torch.cat([told, noisy], dim=2))
            features.append(self.out_projectors[index](F.leaky_relu(fused, SLOPE)))
        return features


def expanded(hidden: Tensor, numbers: Tensor, frames: int) -> Tensor:
    """Tokens [B,P,D] and their numbers for each frame [B,P,K] → c_j·h for each of `frames`, [B,frames·P,D].

    Where there are more or fewer frames than numbers, those between are taken from both neighbours.
    """
    if numbers.shape[2] != frames:
        numbers = F.interpolate(numbers, size=frames, mode="linear", align_corners=True)
    return (numbers.transpose(1, 2)[..., None] * hidden[:, None]).flatten(1, 2)


class PatchEmbedding(nn.Module):
    """Patches of 2 × 2 cells as tokens, with sines and cosines of their places; and the text's layer."""

    def __init__(self, config: EndFrameConfig) -> None:
        super().__init__()
        self.proj = nn.Conv2d(config.channels, config.width, PATCH, stride=PATCH)
        self.text_proj = nn.Linear(config.text_width, config.width)

    def forward(self, latents: Tensor) -> Tensor:
        """[B,C,T,h,w], even sides → [B,T·P,D]."""
        patches = self.proj(latents.transpose(1, 2).flatten(0, 1))  # [B·T,D,h/2,w/2]
        tokens = patches.flatten(2).transpose(1, 2).reshape(len(latents), -1, patches.shape[1])
        grid = (latents.shape[2], *patches.shape[2:])
        return tokens + place_waves(grid, patches.shape[1], latents.device).to(tokens.dtype)


def place_waves(grid: tuple[int, int, int], width: int, device: torch.device) -> Tensor:
    """[T·P,width]: a quarter of the channels tells the time, the others column and row, as in CogVideoX."""
    time, space = width // 4, 3 * width // 8
    frames, rows, columns = (torch.arange(length, device=device, dtype=torch.float64) for length in grid)
    parts = (
        _waves(frames, time)[:, None, None],
        _waves(columns / SPATIAL_SCALE, space)[None, None],
        _waves(rows / SPATIAL_SCALE, space)[None, :, None],
    )
    return torch.cat([part.expand(*grid, -1) for part in parts], dim=-1).flatten(0, 2)


def _waves(places: Tensor, width: int) -> Tensor:
    """[n] → [n,width]: sines, then cosines."""
    half = width // 2
    rates = 10000.0 ** -(torch.arange(half, dtype=places.dtype, device=places.device) / half)
    angles = places[:, None] * rates
    return torch.cat([angles.sin(), angles.cos()], dim=-1)


class JointBlock(nn.Module):
    """Text and picture look at each other in one attention, then a feed-forward layer: CogVideoX's block."""

    def __init__(self, config: EndFrameConfig) -> None:
        super().__init__()
        width = config.width
        self.heads = width // config.head_width
        self.norm1, self.norm2 = (TimedNorm(width, config.time_width) for _ in range(2))
        self.attn1 = nn.ModuleDict({f"to_{name}": nn.Linear(width, width) for name in "qkv"})
        self.attn1["to_out"] = nn.ModuleList([nn.Linear(width, width)])
        for name in ("norm_q", "norm_k"):
            self.attn1[name] = nn.LayerNorm(config.head_width, eps=1e-6)
        widen = nn.ModuleDict({"proj": nn.Linear(width, 4 * width)})
        self.ff = nn.ModuleDict({"net": nn.ModuleList([widen, nn.Identity(), nn.Linear(4 * width, width)])})

    def forward(self, picture: Tensor, text: Tensor, time: Tensor) -> tuple[Tensor, Tensor]:
        """picture [B,P,D], text [B,L,D], time [B,time width] → both."""
        for norm, layer in ((self.norm1, self._attended), (self.norm2, self._fed)):
            normed, gates = norm(text, picture, time)
            made = layer(normed).split([text.shape[1], picture.shape[1]], dim=1)
            text, picture = (
                x + gate * part for x, gate, part in zip((text, picture), gates, made, strict=True)
            )
        return picture, text

    def _attended(self, tokens: Tensor) -> Tensor:
        query, key, value = (
            self.attn1[f"to_{name}"](tokens).unflatten(-1, (self.heads, -1)).transpose(1, 2) for name in "qkv"
        )
        made = F.scaled_dot_product_attention(self.attn1["norm_q"](query), self.attn1["norm_k"](key), value)
        return self.attn1["to_out"][0](made.transpose(1, 2).flatten(2))

    def _fed(self, tokens: Tensor) -> Tensor:
        widen, _, narrow = self.ff["net"]
        return narrow(F.gelu(widen["proj"](tokens), approximate="tanh"))


class TimedNorm(nn.Module):
    """A layer norm whose scale, shift and gate come from the time, for text and picture apart."""

    def __init__(self, width: int, time_width: int) -> None:
        super().__init__()
        self.linear = nn.Linear(time_width, 6 * width)
        self.norm = nn.LayerNorm(width, eps=1e-5)

    def forward(self, text: Tensor, picture: Tensor, time: Tensor) -> tuple[Tensor, tuple[Tensor, Tensor]]:
        """Both normed, text first, [B,L + P,D]; and their gates [B,1,D]."""
        shift, scale, gate, text_shift, text_scale, text_gate = self.linear(F.silu(time))[:, None].chunk(
            6, dim=2
        )
        normed = [self.norm(text) * (1 + text_scale) + text_shift, self.norm(picture) * (1 + scale) + shift]
        return torch.cat(normed, dim=1), (text_gate, gate)


def end_frame_net(weights: Weights, dtype: torch.dtype) -> EndFrameNet:
    """The network of a file.

    Raises:
        WeightsError: it is no EF-Net.
    """
    tensors = weights.tensors
    if KNOWN - tensors.keys():
        raise WeightsError(
            f"{weights.name} holds no EF-Net (first keys: {', '.join(sorted(tensors)[:3])}); pick Sci-Fi's "
            "EF_Net file"
        )
    network = EndFrameNet(EndFrameConfig.of(tensors))
    own = network.state_dict()
    used = {key: tensor for key, tensor in tensors.items() if key in own}
    if fault := misfit(used, own):
        raise WeightsError(f"{weights.name} is no whole EF-Net: {fault}; fetch it again")
    network.load_state_dict(used)
    return network.to(dtype).eval().requires_grad_(False)
