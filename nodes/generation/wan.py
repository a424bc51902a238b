"""Wan's diffusion transformer (Wan Team 2025): the velocity of noisy video latents, given text.

Key names are the published checkpoints'. Sizes are read off the weights with `WanConfig.of`.
Shapes: B batch, C channels, T latent frames, h × w latent pixels; a patch is 1×2×2 of them;
S = T·P tokens, P patches a frame, D channels of a token, H heads, L text tokens, N image tokens.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from ...kernels.attention.dispatch import Attention, AttentionSite, Kind, attend
from ...kernels.linear import layers
from .wan_config import WanConfig
from .wan_patches import padded, unpatchified
from .wan_positions import rotate, rotations, timestep_waves

PATCH = (1, 2, 2)


@dataclass(frozen=True)
class Conditions:
    """What one pass gives to every block.

    Attributes:
        grid: patches over time, height and width; their product is S.
        time: [B,T,6,D], shift, scale and gate of self-attention and of the feed-forward layer; T is 1 where
            all frames have one timestep.
        text: [B,L,D]. image: [B,N,D], where there is one.
        rotation: [S,1,D/2H], complex: turns queries and keys by their position.
        blocks: how many there are.
        after_text: changes the tokens [B,S,D] after the attention to the text.
    """

    grid: tuple[int, int, int]
    time: Tensor
    text: Tensor
    image: Tensor | None
    rotation: Tensor
    blocks: int
    attention: Attention
    after_text: Callable[[Tensor], Tensor] | None = None

    def attend(self, query: Tensor, key: Tensor, value: Tensor, kind: Kind, block: int) -> Tensor:
        """[B,S,H,D/H] → [B,S,D]: attention of all heads, side by side."""
        site = AttentionSite(kind, block, self.blocks, self.grid)
        heads = self.attention(query.transpose(1, 2), key.transpose(1, 2), value.transpose(1, 2), site)
        return heads.transpose(1, 2).flatten(2)


class WanTransformer(nn.Module):
    """From noisy latents to their velocity, with one noise level per clip or per latent frame.

    Args:
        operations: layer classes, as `torch.nn` or ComfyUI's `comfy.ops`.
    """

    def __init__(self, config: WanConfig, operations: Any = layers) -> None:
        super().__init__()
        self.config = config
        width, linear = config.width, operations.Linear
        self.patch_embedding = operations.Conv3d(config.in_channels, width, PATCH, stride=PATCH)
        self.text_embedding = nn.Sequential(
            linear(config.text_width, width), nn.GELU(approximate="tanh"), linear(width, width)
        )
        self.time_embedding = nn.Sequential(
            linear(config.frequency_width, width), nn.SiLU(), linear(width, width)
        )
        self.time_projection = nn.Sequential(nn.SiLU(), linear(width, 6 * width))
        if config.image_width is not None:
            self.img_emb = ImageEmbedding(config.image_width, config, operations)
        self.blocks = nn.ModuleList(Block(config, index, operations) for index in range(config.blocks))
        self.head = Head(config, operations)

    def forward(
        self,
        latents: Tensor,
        timestep: Tensor,
        context: Tensor,
        image_features: Tensor | None = None,
        *,
        attention: Attention = attend,
    ) -> Tensor:
        """The velocity of latents, noise minus clean.

        Args:
            latents: [B,C,T,h,w], normalised, then mask and picture where the network takes them; of the
                weights' dtype, or float32 under autocast. Odd sizes are padded and cropped back.
            timestep: [B] or [B,T], 1000 times the noise level.
            context: [B,L,text width], zero beyond the text.
            image_features: [B,N,image width], CLIP's, for a network that takes them.

        Returns:
            [B,out channels,T,h,w].

        Raises:
            ValueError: the channels or the frames are not what this network takes.
        """
        self._check(latents, timestep, context, image_features)
        height, width = latents.shape[3:]
        x, head_time, conditions = self.embed(latents, timestep, context, image_features, attention)
        for block in self.blocks:
            x = block(x, conditions)
        x = self.head(x, head_time)
        return unpatchified(x, conditions.grid)[..., :height, :width]

    def embed(
        self,
        latents: Tensor,
        timestep: Tensor,
        context: Tensor,
        image_features: Tensor | None,
        attention: Attention,
    ) -> tuple[Tensor, Tensor, Conditions]:
        """What the blocks work on: tokens [B,S,D], the head's time [B,T,D], and the conditions."""
        patches = self.patch_embedding(padded(latents))  # [B,D,T,h/2,w/2]
        grid = tuple(patches.shape[2:])
        tokens = patches.flatten(2).transpose(1, 2).to(latents.dtype, memory_format=torch.contiguous_format)
        if timestep.dim() == 1:
            timestep = timestep[:, None]  # the whole film counts as one frame
        elif timestep.device.type == "cpu" and timestep.eq(timestep[:, :1]).all():  # not asked of a GPU
            timestep = timestep[:, :1]
        with torch.autocast(latents.device.type, enabled=False):  # bfloat16 cannot tell the timesteps apart
            waves = timestep_waves(timestep, self.config.frequency_width)
            time = self.time_embedding(waves.to(latents.dtype))  # [B,T,D]
            shifts = self.time_projection(time).unflatten(-1, (6, -1))
        image = None if image_features is None else self.img_emb(image_features)
        return (
            tokens,
            time,
            Conditions(
                grid=grid,
                time=shifts,
                text=self.text_embedding(context),
                image=image,
                rotation=rotations(grid, self.config.head_width, latents.device),
                blocks=self.config.blocks,
                attention=attention,
            ),
        )

    def _check(self, latents: Tensor, timestep: Tensor, context: Tensor, image: Tensor | None) -> None:
        config, (batch, channels, frames) = self.config, latents.shape[:3]
        if channels != config.in_channels:
            raise ValueError(
                f"the latents have {channels} channels; this transformer takes {config.in_channels}, "
                f"{config.given_channels} of them mask and given picture"
            )
        if timestep.shape not in ((batch,), (batch, frames)):
            raise ValueError(
                f"timesteps {list(timestep.shape)} for {batch} clips of {frames} latent frames; needed is "
                f"one per clip [{batch}] or one per frame [{batch}, {frames}]"
            )
        if context.shape[-1] != config.text_width:
            raise ValueError(
                f"the text tokens have {context.shape[-1]} channels, this transformer takes "
                f"{config.text_width}; use the text encoder that belongs to it"
            )
        if image is not None and config.image_width is None:
            raise ValueError("image features are given, but this transformer has no input for them")


class Block(nn.Module):
    """Self-attention, attention to the text (and picture), and a feed-forward layer, each added."""

    def __init__(self, config: WanConfig, index: int, operations: Any) -> None:
        super().__init__()
        width = config.width
        self.epsilon = config.epsilon
        self.self_attn = SelfAttention(config, index, operations)
        self.norm3 = operations.LayerNorm(width, eps=config.epsilon)
        self.cross_attn = CrossAttention(config, index, operations)
        self.ffn = FeedForward(
            operations.Linear(width, config.feedforward),
            nn.GELU(approximate="tanh"),
            operations.Linear(config.feedforward, width),
        )
        self.modulation = nn.Parameter(torch.randn(1, 6, width) / width**0.5)

    def forward(self, x: Tensor, given: Conditions) -> Tensor:
        """[B,S,D] → [B,S,D]."""
        time = self.modulation.to(given.time) + given.time  # [B,T,6,D]
        shift, scale, gate, ffn_shift, ffn_scale, ffn_gate = time.unsqueeze(3).unbind(2)  # each [B,T,1,D]
        frames = x.unflatten(1, (len(gate[0]), -1))  # [B,T,P,D]
        normed = modulated(frames, shift, scale, self.epsilon).flatten(1, 2)
        made = self.self_attn(normed, given)
        x = torch.addcmul(frames, made.view_as(frames), gate).flatten(1, 2)
        x = x + self.cross_attn(lowered(self.norm3(x)), given)
        if given.after_text is not None:
            x = given.after_text(x)
        frames = x.unflatten(1, (len(gate[0]), -1))
        made = self.ffn(modulated(frames, ffn_shift, ffn_scale, self.epsilon))
        return torch.addcmul(frames, made, ffn_gate).flatten(1, 2)


class SelfAttention(nn.Module):
    """Every token of the film looks at every other."""

    def __init__(self, config: WanConfig, index: int, operations: Any) -> None:
        super().__init__()
        self.index, self.heads, width = index, config.heads, config.width
        self.q, self.k, self.v, self.o = (operations.Linear(width, width) for _ in range(4))
        self.norm_q, self.norm_k = (operations.RMSNorm(width, eps=config.epsilon) for _ in range(2))

    def forward(self, x: Tensor, given: Conditions) -> Tensor:
        """[B,S,D] → [B,S,D]."""
        value = split(self.v(x), self.heads)
        query = rotate(split(self.norm_q(self.q(x)), self.heads), given.rotation).to(value.dtype)
        key = rotate(split(self.norm_k(self.k(x)), self.heads), given.rotation).to(value.dtype)
        return self.o(given.attend(query, key, value, "self", self.index))


class CrossAttention(nn.Module):
    """Every token of the film looks at the text, and at the picture where the network takes one."""

    def __init__(self, config: WanConfig, index: int, operations: Any) -> None:
        super().__init__()
        self.index, self.heads, width = index, config.heads, config.width
        self.q, self.k, self.v, self.o = (operations.Linear(width, width) for _ in range(4))
        self.norm_q, self.norm_k = (operations.RMSNorm(width, eps=config.epsilon) for _ in range(2))
        if config.image_width is not None:
            self.k_img, self.v_img = (operations.Linear(width, width) for _ in range(2))
            self.norm_k_img = operations.RMSNorm(width, eps=config.epsilon)

    def forward(self, x: Tensor, given: Conditions) -> Tensor:
        """[B,S,D] → [B,S,D]."""
        query = self.norm_q(self.q(x))
        seen = self._look(query, self.norm_k(self.k(given.text)), self.v(given.text), given, "text")
        if given.image is not None:
            key, value = self.norm_k_img(self.k_img(given.image)), self.v_img(given.image)
            seen = seen + self._look(query, key, value, given, "image")
        return self.o(seen)

    def _look(self, query: Tensor, key: Tensor, value: Tensor, given: Conditions, kind: Kind) -> Tensor:
        heads = (split(x.to(value.dtype), self.heads) for x in (query, key, value))
        return given.attend(*heads, kind, self.index)


class FeedForward(nn.Sequential):
    """Linear, GELU, linear."""

    def forward(self, x: Tensor) -> Tensor:
        widen, gelu, narrow = self
        return narrow(widen.with_gelu(x) if isinstance(widen, layers.Linear) else gelu(widen(x)))


class ImageEmbedding(nn.Module):
    """CLIP's features of one picture, or of a first and a last one, as tokens."""

    def __init__(self, width: int, config: WanConfig, operations: Any) -> None:
        super().__init__()
        self.proj = nn.Sequential(
            operations.LayerNorm(width),
            operations.Linear(width, width),
            nn.GELU(),
            operations.Linear(width, config.width),
            operations.LayerNorm(config.width),
        )
        self.emb_pos = None
        if config.image_tokens is not None:
            self.emb_pos = nn.Parameter(torch.zeros(1, config.image_tokens, width))

    def forward(self, features: Tensor) -> Tensor:
        """[B,N,image width] → [B,N,D]."""
        if self.emb_pos is not None:
            features = features + self.emb_pos[:, : features.shape[1]].to(features)
        return self.proj(features)


class Head(nn.Module):
    """From tokens back to patches of the velocity."""

    def __init__(self, config: WanConfig, operations: Any) -> None:
        super().__init__()
        self.epsilon = config.epsilon
        self.head = operations.Linear(config.width, config.out_channels * 4)
        self.modulation = nn.Parameter(torch.randn(1, 2, config.width) / config.width**0.5)

    def forward(self, x: Tensor, time: Tensor) -> Tensor:
        """[B,S,D], [B,T,D] → [B,S,4·channels]."""
        shift, scale = (self.modulation.to(time) + time.unsqueeze(2)).unsqueeze(3).unbind(2)
        frames = x.unflatten(1, (time.shape[1], -1))
        return self.head(modulated(frames, shift, scale, self.epsilon)).flatten(1, 2).to(x.dtype)


def modulated(frames: Tensor, shift: Tensor, scale: Tensor, epsilon: float) -> Tensor:
    """Layer norm of [B,T,P,D], then each frame's own scale and shift [B,T,1,D] (adaptive layer norm)."""
    if len(scale.flatten(0, -2)) == 1:  # one for all: the norm applies them by itself
        return lowered(F.layer_norm(frames, frames.shape[-1:], 1 + scale.flatten(), shift.flatten(), epsilon))
    normed = F.layer_norm(frames, frames.shape[-1:], eps=epsilon)
    return lowered(torch.addcmul(shift, normed, 1 + scale))


def lowered(x: Tensor) -> Tensor:
    """What autocast would make of x for a product: once here, rather than at each product."""
    device = x.device.type
    return x.to(torch.get_autocast_dtype(device)) if torch.is_autocast_enabled(device) else x


def split(x: Tensor, heads: int) -> Tensor:
    """[B,S,D] → [B,S,H,D/H]."""
    return x.unflatten(-1, (heads, -1))
