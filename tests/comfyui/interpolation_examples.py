"""Graphs of the nodes that make frames in between."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from comfyui.client import node
from interpolation.rife_weights import published, small
from safetensors.torch import save_file

RIFE, FIVE_BLOCKS = "random_rife.safetensors", "random_rife_of_five_blocks.safetensors"


def write_rifes(models: Path) -> None:
    """Small random RIFEs: one in our folder, and one in ComfyUI's of the kind that its loader knows."""
    five = replace(small("4.25, 4.26"), head=16)  # which ComfyUI takes for granted
    for folder, name, config in (
        ("kinograph/interpolation", RIFE, small("4.5–4.6")),
        ("frame_interpolation", FIVE_BLOCKS, five),
    ):
        (models / folder).mkdir(parents=True, exist_ok=True)
        save_file(published(config), models / folder / name)


GIVEN = {
    "model": node("KinoLoadInterpolationModel", file=RIFE, dtype="float32"),
    "load": node("KinoLoadVideo", file="clip.mp4"),
    "part": node("KinoTrimVideo", video=["load", 0], start=0.8, end=1.2),
}
"""Ten frames with a cut in the middle."""

FASTER = {
    **GIVEN,
    "video": node("KinoInterpolateVideo", interp_model=["model", 0], video=["part", 0], fps=60.0),
}

EXAMPLES = {
    "KinoLoadInterpolationModel": {
        **GIVEN,
        "video": node("KinoSlowMotion", interp_model=["model", 0], video=["part", 0], slower=2.0),
        "save": node("SaveVideo", video=["video", 0], filename_prefix="rife"),
        "show": node("PreviewAny", source=["model", 1]),
    },
    "KinoInterpolateVideo": {
        **FASTER,
        "save": node("KinoEncodeVideo", video=["video", 0]),
        "info": node("KinoVideoInfo", video=["save", 0]),
        "show": node("PreviewAny", source=["info", 4]),
    },
    "KinoSlowMotion": {
        **GIVEN,
        "cuts": node("KinoSceneCuts", video=["part", 0], method="content", min_length=0.1),
        "video": node(
            "KinoSlowMotion", interp_model=["model", 0], video=["part", 0], slower=3.0, scenes=["cuts", 0]
        ),
        "save": node("SaveVideo", video=["video", 0], filename_prefix="slow"),
    },
    "KinoInterpolateFrames": {
        **GIVEN,
        "frames": node("KinoFramesFromVideo", video=["part", 0]),
        "more": node("KinoInterpolateFrames", interp_model=["model", 0], images=["frames", 0], count=23),
        "show": node("PreviewImage", images=["more", 0]),
        "show_count": node("PreviewAny", source=["more", 1]),
    },
    "KinoInterpolationReport": {
        **FASTER,
        "report": node("KinoInterpolationReport", video=["video", 0]),
        "save": node("KinoEncodeVideo", video=["report", 0]),
        "second": node("KinoTrimVideo", video=["report", 0], spans=["report", 2], span_index=1),
        "show": node("KinoVideoInfo", video=["second", 0]),
    },
}
