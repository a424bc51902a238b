"""One small graph for every node of the pack: what it is wired to in practice, ending in something shown."""

from __future__ import annotations

from typing import Any

from comfyui import between_examples, inside_examples, interpolation_examples, sampling_examples
from comfyui.client import node

CLIP = "clip.mp4"
VAE = "random_wan21_vae.safetensors"
TEXT_ENCODER = "random_umt5.safetensors"
LOAD = {"load": node("KinoLoadVideo", file=CLIP)}

ENCODED = {
    "clip": node("KinoSyntheticClip", seed=3, width=72, height=50, seconds=0.25),
    "vae": node("KinoLoadVideoVAE", vae_name=VAE),
    "encode": node("KinoEncodeVideoToLatent", video=["clip", 0], vae=["vae", 0]),
}
"""Six frames whose sizes fill no whole latent cells."""

SOFTENED = {
    **LOAD,
    "soft": node("KinoResizeVideo", video=["load", 0], width=32, height=32, mode="stretch"),
    "back": node("KinoResizeVideo", video=["soft", 0], width=64, height=48, mode="stretch"),
    "same": node("KinoResizeVideo", video=["load", 0], width=64, height=48, mode="stretch"),
}


def _decoded(class_type: str, **inputs: Any) -> dict:
    """A VIDEO → VIDEO node, its result taken apart by core."""
    return {
        **LOAD,
        "edit": node(class_type, video=["load", 0], **inputs),
        "parts": node("GetVideoComponents", video=["edit", 0]),
        "show": node("PreviewImage", images=["parts", 0]),
    }


EXAMPLES: dict[str, dict] = {
    "KinoLoadVideo": {**LOAD, "show": node("KinoVideoInfo", video=["load", 0])},
    "KinoLoadVideoFolder": {
        "load": node("KinoLoadVideoFolder", folder=".", pattern="clip*"),
        "show": node("KinoVideoInfo", video=["load", 0]),
    },
    "KinoTrimVideo": _decoded("KinoTrimVideo", start=0.5, end=1.5),
    "KinoCropVideo": _decoded("KinoCropVideo", x=8, y=8, width=32, height=32),
    "KinoResizeVideo": _decoded("KinoResizeVideo", width=50, height=50, mode="pad"),
    "KinoRetimeVideo": _decoded("KinoRetimeVideo", fps=30.0, frames="blend", reverse=True),
    "KinoConcatenateVideos": {
        **LOAD,
        "small": node("KinoResizeVideo", video=["load", 0], width=48, height=48),
        "edit": node("KinoConcatenateVideos", video_1=["load", 0], video_2=["small", 0], cross_fade=0.4),
        "parts": node("GetVideoComponents", video=["edit", 0]),
        "show": node("PreviewImage", images=["parts", 0]),
    },
    "KinoFramesFromVideo": {
        **LOAD,
        "frames": node("KinoFramesFromVideo", video=["load", 0], start=0.5, count=5, stride=3),
        "show": node("PreviewImage", images=["frames", 0]),
        "mask": node("MaskToImage", mask=["frames", 1]),
        "show_mask": node("PreviewImage", images=["mask", 0]),
        "video": node("CreateVideo", images=["frames", 0], audio=["frames", 2], fps=["frames", 3]),
        "save": node("SaveVideo", video=["video", 0]),
    },
    "KinoContactSheet": {
        **LOAD,
        "sheet": node("KinoContactSheet", video=["load", 0], columns=2, rows=2, tile_width=64),
        "show": node("PreviewImage", images=["sheet", 0]),
    },
    "KinoVideoInfo": {
        **LOAD,
        "info": node("KinoVideoInfo", video=["load", 0]),
        "show": node("PreviewAny", source=["info", 3]),
    },
    "KinoSceneCuts": {
        **LOAD,
        "cuts": node("KinoSceneCuts", video=["load", 0], method="content"),
        "second": node("KinoTrimVideo", video=["load", 0], spans=["cuts", 0], span_index=1),
        "show": node("KinoVideoInfo", video=["second", 0]),
    },
    "KinoEncodeVideo": {
        **LOAD,
        "sound": node("GetVideoComponents", video=["load", 0]),
        "save": node("KinoEncodeVideo", video=["load", 0], audio=["sound", 1], container="mkv"),
        "info": node("KinoVideoInfo", video=["save", 0]),
        "show": node("PreviewAny", source=["info", 4]),
    },
    "KinoSyntheticClip": {
        "clip": node("KinoSyntheticClip", seed=3, width=96, height=64, seconds=1.0),
        "save": node("SaveVideo", video=["clip", 0], filename_prefix="synthetic"),
        "show": node("PreviewAny", source=["clip", 1]),
    },
    "KinoSyntheticTruth": {
        "clip": node("KinoSyntheticClip", seed=3, width=96, height=64, seconds=1.0),
        "truth": node("KinoSyntheticTruth", clip=["clip", 2], count=4),
        "show": node("PreviewImage", images=["truth", 0]),
        "mask": node("MaskToImage", mask=["truth", 1]),
        "show_mask": node("PreviewImage", images=["mask", 0]),
        "show_depth": node("PreviewImage", images=["truth", 3]),
        "save_sound": node("SaveAudio", audio=["truth", 4]),
        "show_facts": node("PreviewAny", source=["truth", 5]),
    },
    "KinoFlowToImage": {
        "clip": node("KinoSyntheticClip", seed=3, width=96, height=64, seconds=1.0),
        "truth": node("KinoSyntheticTruth", clip=["clip", 2], count=4),
        "flow": node("KinoFlowToImage", flow=["truth", 2]),
        "show": node("PreviewImage", images=["flow", 0]),
    },
    "KinoLoadVideoVAE": {
        **ENCODED,
        "images": node("VAEDecode", samples=["encode", 0], vae=["vae", 0]),
        "show": node("PreviewImage", images=["images", 0]),
    },
    "KinoEncodeVideoToLatent": {
        **ENCODED,
        "show_report": node("PreviewAny", source=["encode", 1]),
    },
    "KinoDecodeToVideo": {
        **ENCODED,
        "decode": node("KinoDecodeToVideo", samples=["encode", 0], vae=["vae", 0], fps=24.0, tile=48),
        "save": node("SaveVideo", video=["decode", 0], filename_prefix="decoded"),
        "parts": node("GetVideoComponents", video=["decode", 0]),
        "show": node("PreviewImage", images=["parts", 0]),
        "show_report": node("PreviewAny", source=["decode", 1]),
    },
    "KinoLatentPreview": {
        **ENCODED,
        "rough": node("KinoLatentPreview", samples=["encode", 0], side=64),
        "show": node("PreviewImage", images=["rough", 0]),
        "fine": node("KinoLatentPreview", samples=["encode", 0], vae=["vae", 0], side=64, fps=24.0),
        "show_info": node("KinoVideoInfo", video=["fine", 1]),
    },
    "KinoClipOracle": {
        "clip": node("KinoSyntheticClip", seed=3, width=64, height=64, seconds=0.5, camera="static"),
        "oracle": node("KinoClipOracle", clip=["clip", 0], prompt=["clip", 1]),
        "show": node("PreviewAny", source=["oracle", 0]),
    },
    "KinoCompareVideos": {
        **SOFTENED,
        "compare": node("KinoCompareVideos", video=["back", 0], reference=["same", 0], count=5),
        "show": node("PreviewAny", source=["compare", 3]),
    },
    "KinoVideoMetrics": {
        **SOFTENED,
        "metrics": node("KinoVideoMetrics", video=["back", 0], reference=["same", 0], given_every=2),
        "show": node("PreviewAny", source=["metrics", 7]),
    },
}
EXAMPLES |= sampling_examples.examples(VAE, TEXT_ENCODER)
EXAMPLES |= interpolation_examples.EXAMPLES
EXAMPLES |= between_examples.examples(EXAMPLES["KinoLoadVideoModel"])
EXAMPLES |= inside_examples.examples(EXAMPLES["KinoLoadVideoModel"])
EXAMPLES["KinoLoadTextEncoder"] = EXAMPLES["KinoSampler"]  # it begins with one
