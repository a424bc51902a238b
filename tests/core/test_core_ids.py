"""Core's nodes as ComfyUI 0.8 has them: a graph saved here must open and run there."""

from __future__ import annotations

import asyncio

import pytest
from kinograph.host.core import comfy_entrypoint
from kinograph.host.execution.definition import define, object_info

CORE = {
    "LoadImage": ("image:COMBO", "IMAGE MASK"),
    "SaveImage": ("images:IMAGE filename_prefix:STRING=ComfyUI", ""),
    "PreviewImage": ("images:IMAGE", ""),
    "EmptyImage": ("width:INT=512 height:INT=512 batch_size:INT=1 color:INT=0", "IMAGE"),
    "ImageScale": (
        "image:IMAGE upscale_method:COMBO width:INT=512 height:INT=512 crop:COMBO",
        "IMAGE",
    ),
    "MaskToImage": ("mask:MASK", "IMAGE"),
    "ImageFromBatch": ("image:IMAGE batch_index:INT=0 length:INT=1", "IMAGE"),
    "RepeatImageBatch": ("image:IMAGE amount:INT=1", "IMAGE"),
    "LoadVideo": ("file:COMBO", "VIDEO"),
    "SaveVideo": (
        "video:VIDEO filename_prefix:STRING=video/ComfyUI format:COMBO=auto codec:COMBO=auto",
        "",
    ),
    "CreateVideo": ("images:IMAGE fps:FLOAT=30.0 audio:AUDIO", "VIDEO"),
    "GetVideoComponents": ("video:VIDEO", "IMAGE AUDIO FLOAT"),
    "LoadAudio": ("audio:COMBO", "AUDIO"),
    "SaveAudio": ("audio:AUDIO filename_prefix:STRING=audio/ComfyUI", ""),
    "SaveAudioMP3": ("audio:AUDIO filename_prefix:STRING=audio/ComfyUI quality:COMBO=V0", ""),
    "SaveAudioOpus": ("audio:AUDIO filename_prefix:STRING=audio/ComfyUI quality:COMBO=128k", ""),
    "PreviewAudio": ("audio:AUDIO", ""),
    "CLIPTextEncode": ("text:STRING clip:CLIP", "CONDITIONING"),
    "CLIPSetLastLayer": ("clip:CLIP stop_at_clip_layer:INT=-1", "CLIP"),
    "ConditioningCombine": (
        "conditioning_1:CONDITIONING conditioning_2:CONDITIONING",
        "CONDITIONING",
    ),
    "ConditioningConcat": (
        "conditioning_to:CONDITIONING conditioning_from:CONDITIONING",
        "CONDITIONING",
    ),
    "ConditioningZeroOut": ("conditioning:CONDITIONING", "CONDITIONING"),
    "VAEDecode": ("samples:LATENT vae:VAE", "IMAGE"),
    "VAEEncode": ("pixels:IMAGE vae:VAE", "LATENT"),
    "EmptyHunyuanLatentVideo": (
        "width:INT=848 height:INT=480 length:INT=25 batch_size:INT=1",
        "LATENT",
    ),
    "EmptyLatentImage": ("width:INT=512 height:INT=512 batch_size:INT=1", "LATENT"),
    "CheckpointLoaderSimple": ("ckpt_name:COMBO", "MODEL CLIP VAE"),
    "UNETLoader": ("unet_name:COMBO weight_dtype:COMBO", "MODEL"),
    "CLIPLoader": ("clip_name:COMBO type:COMBO device:COMBO", "CLIP"),
    "VAELoader": ("vae_name:COMBO", "VAE"),
    "ModelSamplingSD3": ("model:MODEL shift:FLOAT=3.0", "MODEL"),
    "LoraLoaderModelOnly": ("model:MODEL lora_name:COMBO strength_model:FLOAT=1.0", "MODEL"),
    "KSampler": (
        "model:MODEL seed:INT=0 steps:INT=20 cfg:FLOAT=8.0 sampler_name:COMBO scheduler:COMBO "
        "positive:CONDITIONING negative:CONDITIONING latent_image:LATENT denoise:FLOAT=1.0",
        "LATENT",
    ),
    "RandomNoise": ("noise_seed:INT=0", "NOISE"),
    "DisableNoise": ("", "NOISE"),
    "KSamplerSelect": ("sampler_name:COMBO", "SAMPLER"),
    "BasicScheduler": ("model:MODEL scheduler:COMBO steps:INT=20 denoise:FLOAT=1.0", "SIGMAS"),
    "SplitSigmas": ("sigmas:SIGMAS step:INT=0", "SIGMAS SIGMAS"),
    "BasicGuider": ("model:MODEL conditioning:CONDITIONING", "GUIDER"),
    "CFGGuider": ("model:MODEL positive:CONDITIONING negative:CONDITIONING cfg:FLOAT=8.0", "GUIDER"),
    "SamplerCustomAdvanced": (
        "noise:NOISE guider:GUIDER sampler:SAMPLER sigmas:SIGMAS latent_image:LATENT",
        "LATENT LATENT",
    ),
    "PrimitiveString": ("value:STRING", "STRING"),
    "PrimitiveStringMultiline": ("value:STRING", "STRING"),
    "PrimitiveInt": ("value:INT", "INT"),
    "PrimitiveFloat": ("value:FLOAT", "FLOAT"),
    "PrimitiveBoolean": ("value:BOOLEAN", "BOOLEAN"),
    "PreviewAny": ("source:*", ""),
}
"""Id → inputs in order as name:TYPE=default, and output types in order."""


@pytest.fixture
def info(home) -> dict:
    nodes = asyncio.run(asyncio.run(comfy_entrypoint()).get_node_list())
    return object_info(define({node.GET_SCHEMA().node_id: node for node in nodes}))


def signature(node: dict) -> tuple[str, str]:
    declared = {**node["input"].get("required", {}), **node["input"].get("optional", {})}
    inputs = []
    for name, (kind, options) in declared.items():
        default = f"={options['default']}" if options.get("default", "") != "" else ""
        inputs.append(f"{name}:{kind}{default}")
    return " ".join(inputs), " ".join(node["output"])


def test_ids_inputs_defaults_and_outputs_are_cores(info):
    assert {node_id: signature(node) for node_id, node in info.items()} == CORE


def test_savers_and_previews_are_the_roots(info):
    roots = {node_id for node_id, node in info.items() if node["output_node"]}
    assert roots == {node_id for node_id in CORE if node_id.startswith(("Save", "Preview"))}


def test_the_editors_default_graph_opens_with_no_node_missing(info):
    """Older editors open it whenever there is nothing else to open."""
    default = "CheckpointLoaderSimple CLIPTextEncode EmptyLatentImage KSampler VAEDecode SaveImage"
    assert set(default.split()) <= set(info)


def test_choices_are_cores(info):
    scale = info["ImageScale"]["input"]["required"]
    assert scale["upscale_method"][1]["options"] == [
        "nearest-exact",
        "bilinear",
        "area",
        "bicubic",
        "lanczos",
    ]
    assert scale["crop"][1]["options"] == ["disabled", "center"]
    assert info["PrimitiveInt"]["input"]["required"]["value"][1]["control_after_generate"] is True
    assert info["LoadVideo"]["input"]["required"]["file"][1]["video_upload"] is True
    assert info["LoadImage"]["input"]["required"]["image"][1]["image_upload"] is True


def test_loaders_offer_the_files_of_their_kind(home, info):
    for name in ("a.mp4", "b.png", "c.wav", "d.txt"):
        (home / "input" / name).touch()
    nodes = asyncio.run(asyncio.run(comfy_entrypoint()).get_node_list())
    offered = {
        node.GET_SCHEMA().node_id: node.define_schema().inputs[0].options
        for node in nodes
        if node.GET_SCHEMA().node_id.startswith("Load")
    }
    assert offered == {"LoadImage": ["b.png"], "LoadVideo": ["a.mp4"], "LoadAudio": ["a.mp4", "c.wav"]}
