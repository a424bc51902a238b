"""Nodes for a real ComfyUI: inputs without encoders, counted hooks, small models of other families."""

from __future__ import annotations

import importlib.util
import json
from collections import Counter

import comfy.ldm.hunyuan_video.model
import comfy.ldm.lightricks.model
import comfy.ops
import comfy.patcher_extension
import comfy.sd
import torch

WRAPPERS = comfy.patcher_extension.WrappersMP
COUNTS: dict[str, Counter] = {}
FAMILIES = ["ltx", "hunyuan"]
if importlib.util.find_spec("comfy.ldm.cogvideo"):  # not in every version
    FAMILIES.append("cogvideox")


class RandomConditioning:
    RETURN_TYPES = ("CONDITIONING",)
    FUNCTION = "made"
    CATEGORY = "tests"

    @classmethod
    def INPUT_TYPES(cls) -> dict:
        numbers = {"seed": ("INT", {}), "width": ("INT", {}), "tokens": ("INT", {"default": 6})}
        return {"required": {**numbers, "masked": ("BOOLEAN", {"default": False})}}

    def made(self, seed: int, width: int, tokens: int, masked: bool) -> tuple:
        generator = torch.Generator().manual_seed(seed)
        text = torch.randn(1, tokens, width, generator=generator)
        beside = {"pooled_output": torch.randn(1, 768, generator=generator)}
        if masked:
            beside["attention_mask"] = torch.ones(1, tokens, dtype=torch.int64)
        return ([[text, beside]],)


class RandomLatent:
    """A film of noise whose first frames its mask keeps."""

    RETURN_TYPES = ("LATENT",)
    FUNCTION = "made"
    CATEGORY = "tests"

    @classmethod
    def INPUT_TYPES(cls) -> dict:
        return {
            "required": {
                "frames": ("INT", {}),
                "kept": ("INT", {"default": 0}),
                "channels": ("INT", {"default": 16}),
            }
        }

    def made(self, frames: int, kept: int, channels: int) -> tuple:
        generator = torch.Generator().manual_seed(9)
        latent = {"samples": torch.randn(1, channels, frames, 4, 6, generator=generator)}
        if kept:
            latent["noise_mask"] = torch.ones(1, 1, frames, 4, 6)
            latent["noise_mask"][:, :, :kept] = 0
        return (latent,)


class CompareLatents:
    """How far two films are apart, over all and in each frame, as JSON."""

    RETURN_TYPES = ("STRING",)
    FUNCTION = "compare"
    CATEGORY = "tests"

    @classmethod
    def INPUT_TYPES(cls) -> dict:
        return {"required": {"one": ("LATENT",), "other": ("LATENT",)}}

    def compare(self, one: dict, other: dict) -> tuple:
        first, second = one["samples"], other["samples"]
        apart = (first - second).abs()
        facts = {
            "shape": list(first.shape),
            "difference": apart.max().item(),
            "frames": apart.amax(dim=(0, 1, 3, 4)).tolist(),
            "spread": first.std().item(),
        }
        return (json.dumps(facts),)


class CountHooks:
    """A MODEL with one of each hook that packs use, all of them counted under a name."""

    RETURN_TYPES = ("MODEL",)
    FUNCTION = "patched"
    CATEGORY = "tests"

    @classmethod
    def INPUT_TYPES(cls) -> dict:
        return {"required": {"model": ("MODEL",), "name": ("STRING", {})}}

    def patched(self, model, name: str) -> tuple:
        counts = COUNTS[name] = Counter()
        model = model.clone()

        def override(function, *given, **named):
            options = named["transformer_options"]
            where = f"{options['block_index']} of {options['total_blocks']}"
            grid = tuple(options["grid_sizes"]) if "grid_sizes" in options else "none"
            counts[f"attention {where}, {tuple(given[0].shape)}"] += 1
            counts[f"grid {grid}"] += 1
            return function(*given, **named)

        def wrapper(place):
            def around(executor, *given, **named):
                counts[place] += 1
                return executor(*given, **named)

            return around

        def block(args, extra):
            counts[f"block {tuple(args['img'].shape)}"] += 1
            return extra["original_block"](args)

        model.model_options["transformer_options"]["optimized_attention_override"] = override
        for place in (WRAPPERS.APPLY_MODEL, WRAPPERS.DIFFUSION_MODEL, WRAPPERS.CALC_COND_BATCH):
            model.add_wrapper_with_key(place, "tests", wrapper(place))
        model.set_model_patch_replace(block, "dit", "double_block", 1)
        return (model,)


class HookCounts:
    """What was counted by the time that a film is there, as JSON."""

    RETURN_TYPES = ("STRING",)
    FUNCTION = "counted"
    CATEGORY = "tests"

    @classmethod
    def INPUT_TYPES(cls) -> dict:
        return {"required": {"name": ("STRING", {}), "samples": ("LATENT",)}}

    def counted(self, name: str, samples: dict) -> tuple:
        return (json.dumps(COUNTS[name]),)


class SmallCoreModel:
    """Core's own MODEL of another family, with a small network of random weights."""

    RETURN_TYPES = ("MODEL",)
    FUNCTION = "made"
    CATEGORY = "tests"

    @classmethod
    def INPUT_TYPES(cls) -> dict:
        return {"required": {"family": (FAMILIES,)}}

    def made(self, family: str) -> tuple:
        torch.manual_seed(0)
        network, metadata = getattr(self, f"_{family}")()
        weights = {key: torch.randn(weight.shape) * 0.05 for key, weight in network.state_dict().items()}
        return (comfy.sd.load_diffusion_model_state_dict(weights, metadata=metadata),)

    def _ltx(self) -> tuple:
        sizes = {"num_attention_heads": 2, "attention_head_dim": 32, "cross_attention_dim": 64}
        sizes |= {"caption_channels": 64, "num_layers": 2, "in_channels": 128}
        network = comfy.ldm.lightricks.model.LTXVModel(**sizes, operations=comfy.ops.disable_weight_init)
        return network, {"config": json.dumps({"transformer": sizes})}

    def _cogvideox(self) -> tuple:
        import comfy.ldm.cogvideo.model

        network = comfy.ldm.cogvideo.model.CogVideoXTransformer3DModel(
            num_attention_heads=4,
            in_channels=32,
            time_embed_dim=32,
            text_embed_dim=4096,
            num_layers=2,
            use_rotary_positional_embeddings=True,
            operations=comfy.ops.disable_weight_init,
        )
        return network, None

    def _hunyuan(self) -> tuple:
        network = comfy.ldm.hunyuan_video.model.HunyuanVideo(
            image_model="hunyuan_video",
            in_channels=16,
            out_channels=16,
            patch_size=[1, 2, 2],
            vec_in_dim=768,
            context_in_dim=64,
            hidden_size=256,
            mlp_ratio=4.0,
            num_heads=2,
            depth=1,
            depth_single_blocks=1,
            axes_dim=[16, 56, 56],
            theta=256,
            qkv_bias=True,
            guidance_embed=False,
            byt5=False,
            meanflow=False,
            use_cond_type_embedding=False,
            vision_in_dim=None,
            meanflow_sum=False,
            operations=comfy.ops.disable_weight_init,
        )
        return network, None


NODE_CLASS_MAPPINGS = {
    node.__name__: node
    for node in (
        RandomConditioning,
        RandomLatent,
        CompareLatents,
        CountHooks,
        HookCounts,
        SmallCoreModel,
    )
}
