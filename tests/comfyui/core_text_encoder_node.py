"""Nodes for a real ComfyUI: its own UMT5 at the sizes of a file, and the difference of two conditionings."""

from __future__ import annotations

import json

import comfy.sd
import comfy.utils
import folder_paths
import torch
from comfy import sd1_clip
from comfy.text_encoders.spiece_tokenizer import SPieceTokenizer
from comfy.text_encoders.t5 import T5

NAME = "umt5xxl"


def core_clip(weights: dict) -> comfy.sd.CLIP:
    """Core's CLIP for Wan, at the sizes of these weights and with texts of their length."""
    length = int(weights.pop("text_length"))
    hidden, width = weights["encoder.block.0.layer.1.DenseReluDense.wi_0.weight"].shape
    sizes = {
        "d_model": width,
        "d_ff": hidden,
        "d_kv": 64,
        "num_heads": weights["encoder.block.0.layer.0.SelfAttention.relative_attention_bias.weight"].shape[1],
        "num_layers": sum(key.endswith("wo.weight") for key in weights),
        "vocab_size": len(weights["shared.weight"]),
        "dense_act_fn": "gelu_pytorch_tanh",
        "is_gated_act": True,
        "model_type": "umt5",
    }

    class Encoder(sd1_clip.SDClipModel):
        def __init__(self, **options):
            special = {"end": 1, "pad": 0}
            super().__init__(
                textmodel_json_config=sizes,
                special_tokens=special,
                model_class=T5,
                enable_attention_masks=True,
                zero_out_masked=True,
                **options,
            )

    class Model(sd1_clip.SD1ClipModel):
        def __init__(self, **options):
            super().__init__(name=NAME, clip_model=Encoder, **options)

    class Rows(sd1_clip.SDTokenizer):
        def __init__(self, embedding_directory=None, tokenizer_data=None):
            super().__init__(
                tokenizer_data["spiece_model"],
                pad_with_end=False,
                embedding_size=width,
                embedding_key=NAME,
                tokenizer_class=SPieceTokenizer,
                has_start_token=False,
                pad_to_max_length=False,
                max_length=99999999,
                min_length=length,
                pad_token=0,
            )

    class Tokenizer(sd1_clip.SD1Tokenizer):
        def __init__(self, embedding_directory=None, tokenizer_data=None):
            super().__init__(tokenizer_data=tokenizer_data, name=NAME, tokenizer=Rows)

    class Target:
        params = {}
        clip, tokenizer = Model, Tokenizer

    data = {"spiece_model": weights.pop("spiece_model")}
    return comfy.sd.CLIP(
        Target, tokenizer_data=data, state_dict=[weights], model_options={"dtype": torch.float32}
    )


class CoreTextEncoder:
    RETURN_TYPES = ("CLIP",)
    FUNCTION = "load"
    CATEGORY = "tests"

    @classmethod
    def INPUT_TYPES(cls) -> dict:
        return {"required": {"name": (folder_paths.get_filename_list("text_encoders"),)}}

    def load(self, name: str) -> tuple:
        path = folder_paths.get_full_path_or_raise("text_encoders", name)
        return (core_clip(comfy.utils.load_torch_file(path)),)


class NoModel:
    """What LoraLoader takes for a MODEL where only the text encoder matters."""

    RETURN_TYPES = ("MODEL",)
    FUNCTION = "made"
    CATEGORY = "tests"

    @classmethod
    def INPUT_TYPES(cls) -> dict:
        return {"required": {}}

    def made(self) -> tuple:
        return (None,)


class CompareConditionings:
    """What two conditionings have in common and how far they are apart, as JSON."""

    RETURN_TYPES = ("STRING",)
    FUNCTION = "compare"
    CATEGORY = "tests"

    @classmethod
    def INPUT_TYPES(cls) -> dict:
        return {"required": {"one": ("CONDITIONING",), "other": ("CONDITIONING",)}}

    def compare(self, one: list, other: list) -> tuple:
        facts = {
            "shapes": [[list(tensor.shape) for tensor, _ in each] for each in (one, other)],
            "keys": [[sorted(beside) for _, beside in each] for each in (one, other)],
            "difference": max(
                (first - second).abs().max().item() if first.shape == second.shape else float("inf")
                for (first, _), (second, _) in zip(one, other, strict=True)
            ),
            "largest": max(tensor.abs().max().item() for tensor, _ in one),
        }
        return (json.dumps(facts),)


NODE_CLASS_MAPPINGS = {
    "CoreTextEncoder": CoreTextEncoder,
    "CompareConditionings": CompareConditionings,
    "NoModel": NoModel,
}
