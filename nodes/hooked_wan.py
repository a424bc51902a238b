"""A Wan transformer as other packs expect to find it in a MODEL: with every place where they hook in."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import Any

import torch
from comfy.patcher_extension import WrapperExecutor, WrappersMP, get_all_wrappers
from torch import Tensor, nn

from ..kernels.attention.dispatch import AttentionSite, attend
from .generation.load import Checkpoint
from .generation.wan import PATCH, Conditions, WanTransformer
from .generation.wan_config import WanConfig
from .generation.wan_patches import unpatchified
from .generation.wan_positions import rotations
from .runtime import throw_if_cancelled

try:
    from comfy.ldm.modules.attention import optimized_attention
except ModuleNotFoundError:  # the embedded host leaves attention to the network's own dispatch
    optimized_attention = None


class HookedWan(WanTransformer):
    """The network of a MODEL, in ComfyUI and elsewhere.

    Its forward runs through the DIFFUSION_MODEL wrappers, attends with ComfyUI's attention and its
    override, tells `block_index`, `total_blocks` and `grid_sizes`, and honours `patches_replace["dit"]`,
    `rope_options` and the patches after both attentions and after blocks. A cancel is noticed between
    blocks.

    Args:
        dtype: that of the weights.
    """

    def __init__(self, config: WanConfig, operations: Any, dtype: torch.dtype) -> None:
        super().__init__(config, operations)
        self.dtype, self.patch_size = dtype, PATCH

    @classmethod
    def of(cls, checkpoint: Checkpoint, operations: Any, dtype: torch.dtype) -> HookedWan:
        """A checkpoint's network.

        Args:
            operations: layer classes, as `torch.nn` or ComfyUI's `comfy.ops`.

        Raises:
            WeightsError: weights are missing, unknown or of other shapes.
        """
        with torch.device("meta"):
            network = cls(checkpoint.config, operations, dtype)
        weights = {name: weight.to(dtype) for name, weight in checkpoint.weights.items()}
        replace(checkpoint, weights=weights).fill(network)
        return network

    def forward(
        self,
        x: Tensor,
        timestep: Tensor,
        context: Tensor,
        clip_fea: Tensor | None = None,
        time_dim_concat: Tensor | None = None,
        transformer_options: dict[str, Any] | None = None,
        **others: Any,
    ) -> Tensor:
        """The velocity, with the arguments that core's `WanModel` takes.

        Args:
            x: [B,C,T,h,w]. timestep: [B] or [B,T]. context: [B,L,W]. clip_fea: [B,N,W].

        Raises:
            ValueError: the conditioning holds frames that this network has no input for.
        """
        options = {} if transformer_options is None else transformer_options
        wrappers = get_all_wrappers(WrappersMP.DIFFUSION_MODEL, options)
        executor = WrapperExecutor.new_class_executor(self._forward, self, wrappers)
        return executor.execute(x, timestep, context, clip_fea, time_dim_concat, options, **others)

    def _forward(
        self,
        x: Tensor,
        timestep: Tensor,
        context: Tensor,
        clip_fea: Tensor | None = None,
        time_dim_concat: Tensor | None = None,
        transformer_options: dict[str, Any] | None = None,
        **others: Any,
    ) -> Tensor:
        if time_dim_concat is not None or {"reference_latent", "context_latents"} & others.keys():
            raise ValueError(
                "the conditioning brings reference frames, which this network has no input for; "
                'load the model with network "auto"'
            )
        options = {} if transformer_options is None else transformer_options
        if self.config.image_width is None:
            clip_fea = None  # as core's, which drops the features where no layer reads them
        self._check(x, timestep, context, clip_fea)
        tokens, time, given = self.embed(x, timestep, context, clip_fea, HookedAttention(options))
        options |= {"grid_sizes": given.grid, "total_blocks": given.blocks, "block_type": "double"}
        if (rope := options.get("rope_options")) is not None:
            given = replace(given, rotation=_moved(given, rope, self.config.head_width))
        if after_text := options.get("patches", {}).get("attn2_patch"):
            given = replace(given, after_text=partial(_patched, after_text, options))
        for index, block in enumerate(self.blocks):
            throw_if_cancelled()
            options["block_index"] = index
            tokens = _run_block(block, index, tokens, given, options)
            for patch in options.get("patches", {}).get("double_block", ()):
                seen = {"img": tokens, "x": x, "vec": time, "block_index": index, "img_offset": 0}
                tokens = patch({**seen, "transformer_options": options})["img"]
        velocity = unpatchified(self.head(tokens, time), given.grid)
        return velocity[..., : x.shape[3], : x.shape[4]]


def _moved(given: Conditions, rope: dict[str, float], head_width: int) -> Tensor:
    """The rotations where other packs have scaled or shifted the places of the patches."""
    scale, shift = (
        tuple(rope.get(f"{kind}_{axis}", default) for axis in "tyx")
        for kind, default in (("scale", 1.0), ("shift", 0.0))
    )
    return rotations(given.grid, head_width, given.rotation.device, scale, shift)


def _patched(patches: list[Any], options: dict[str, Any], tokens: Tensor) -> Tensor:
    """What other packs make of the tokens after the attention to the text."""
    for patch in patches:
        tokens = patch({"x": tokens, "transformer_options": options})
    return tokens


def _run_block(
    block: nn.Module, index: int, tokens: Tensor, given: Conditions, options: dict[str, Any]
) -> Tensor:
    """A block, or what another pack put in its place."""
    replacement = options.get("patches_replace", {}).get("dit", {}).get(("double_block", index))
    if replacement is None:
        return block(tokens, given)

    def original(args: dict[str, Any]) -> dict[str, Tensor]:
        changed = replace(given, text=args["txt"], time=args["vec"], rotation=args["pe"])
        return {"img": block(args["img"], changed)}

    seen = {"img": tokens, "txt": given.text, "vec": given.time, "pe": given.rotation}
    return replacement({**seen, "transformer_options": options}, {"original_block": original})["img"]


class HookedAttention:
    """Attends as ComfyUI does, in one forward.

    Queries, keys and values [B,H,S,D] are handed on as core's Wan does, [B,S,H·D], which overrides expect.
    """

    def __init__(self, options: dict[str, Any]) -> None:
        self.options = options
        self.after = options.get("patches", {}).get("attn1_patch", ())

    def __call__(self, query: Tensor, key: Tensor, value: Tensor, site: AttentionSite) -> Tensor:
        flat = [heads.transpose(1, 2).flatten(2) for heads in (query, key, value)]
        # core keeps low-precision kernels off the few tokens of a picture, where they overflow
        picture = {"low_precision_attention": False} if site.kind == "image" else {}
        made = self._attended(*flat, heads=query.shape[1], site=site, **picture)
        if site.kind == "self":
            for patch in self.after:
                seen = {"q": query.transpose(1, 2), "k": key.transpose(1, 2)}
                made = patch({"x": made, **seen, "transformer_options": self.options})
        return made.unflatten(-1, (query.shape[1], -1)).transpose(1, 2)

    def _attended(
        self, query: Tensor, key: Tensor, value: Tensor, heads: int, site: AttentionSite, **named: Any
    ) -> Tensor:
        if optimized_attention is not None:
            return optimized_attention(
                query, key, value, heads=heads, transformer_options=self.options, **named
            )
        override = self.options.get("optimized_attention_override")
        if override is None:
            return _dense(query, key, value, heads, site=site)
        named["transformer_options"] = self.options
        return override(_dense, query, key, value, heads=heads, **named)


def _dense(
    query: Tensor,
    key: Tensor,
    value: Tensor,
    heads: int,
    skip_reshape: bool = False,
    skip_output_reshape: bool = False,
    site: AttentionSite | None = None,
    **others: Any,
) -> Tensor:
    """Core's attention function where core is absent: [B,S,H·D] in and out.

    Args:
        skip_reshape: query, key and value are [B,H,S,D]. skip_output_reshape: so is the result.
    """
    if not skip_reshape:
        query, key, value = (flat.unflatten(-1, (heads, -1)).transpose(1, 2) for flat in (query, key, value))
    made = attend(query, key, value, site)
    return made if skip_output_reshape else made.transpose(1, 2).flatten(2)
