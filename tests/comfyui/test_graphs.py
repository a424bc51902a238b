"""Every node of the pack runs in a real ComfyUI, alone and between core's nodes."""

from __future__ import annotations

import av
import numpy as np
import pytest
from comfyui.client import NodeFailed, node
from PIL import Image

LOAD = node("KinoLoadVideo", file="clip.mp4")
CORE_LOAD = node("LoadVideo", file="clip.mp4")


def info_of(video: list) -> dict:
    return {"info": node("KinoVideoInfo", video=video)}


def picture_of(path) -> tuple[int, int, int, bool]:
    """Width, height, frames and whether there is sound, all decoded."""
    with av.open(str(path)) as container:
        stream = container.streams.video[0]
        frames = sum(1 for _ in container.decode(stream))
        return stream.width, stream.height, frames, bool(container.streams.audio)


EDITS = {
    "trim": node("KinoTrimVideo", video=["load", 0], start=0.4, end=1.2),
    "crop": node("KinoCropVideo", video=["load", 0], width=48, height=32),
    "resize": node("KinoResizeVideo", video=["load", 0], width=48, height=48),
    "retime": node("KinoRetimeVideo", video=["load", 0], fps=50.0, speed=2.0),
}
EDITED = {"trim": (96, 64, 20), "crop": (48, 32, 50), "resize": (48, 32, 50), "retime": (96, 64, 50)}


@pytest.mark.parametrize("edit", EDITS)
def test_our_video_is_saved_by_core(comfyui, clip, edit):
    outputs = comfyui.run({"load": LOAD, "edit": EDITS[edit], "save": node("SaveVideo", video=["edit", 0])})
    [file] = comfyui.saved(outputs["save"])
    assert picture_of(file) == (*EDITED[edit], True)


@pytest.mark.parametrize("edit", EDITS)
def test_our_video_is_taken_apart_by_core(comfyui, clip, edit):
    graph = {"load": LOAD, "edit": EDITS[edit], "parts": node("GetVideoComponents", video=["edit", 0])}
    graph["save"] = node("SaveImage", images=["parts", 0])
    graph["sound"] = node("SaveAudio", audio=["parts", 1])
    outputs = comfyui.run(graph)
    pictures = comfyui.saved(outputs["save"])
    width, height, frames = EDITED[edit]
    assert len(pictures) == frames
    with Image.open(pictures[0]) as picture:
        assert picture.size == (width, height)
    assert comfyui.saved(outputs["sound"])


@pytest.mark.parametrize("edit", EDITS)
def test_cores_video_goes_through_ours(comfyui, clip, edit):
    graph = {"load": CORE_LOAD, "edit": EDITS[edit]} | info_of(["edit", 0])
    [text] = comfyui.run(graph)["info"]["text"]
    width, height, frames = EDITED[edit]
    assert all(f"{fact}" in text for fact in (width, height, frames))


def test_a_video_that_core_made_of_images_goes_through_ours(comfyui):
    graph = {"images": node("EmptyImage", width=64, height=32, batch_size=6, color=0x204060)}
    graph["video"] = node("CreateVideo", images=["images", 0], fps=6.0)
    graph["trim"] = node("KinoTrimVideo", video=["video", 0], end=0.5)
    graph["frames"] = node("KinoFramesFromVideo", video=["trim", 0])
    graph["save"] = node("SaveImage", images=["frames", 0])
    pictures = comfyui.saved(comfyui.run(graph)["save"])
    assert len(pictures) == 3
    with Image.open(pictures[0]) as picture:
        assert picture.getpixel((9, 9)) == pytest.approx((0x20, 0x40, 0x60), abs=1)


@pytest.fixture
def deep_alpha(comfyui) -> str:
    """A clip of 4 frames, 10 bits per colour, its left half transparent."""
    path = comfyui.base / "input" / "deep_alpha.mkv"
    with av.open(str(path), "w") as container:
        stream = container.add_stream("ffv1", rate=4)
        stream.width, stream.height, stream.pix_fmt = 64, 32, "yuva444p10le"
        pixels = np.full((32, 64, 4), 0x8000, np.uint16)
        pixels[:, :32, 3], pixels[:, 32:, 3] = 0, 0xFFFF
        for _ in range(4):
            container.mux(stream.encode(av.VideoFrame.from_ndarray(pixels, "rgba64le")))
        container.mux(stream.encode())
    return path.name


def test_alpha_and_ten_bits_pass_through_core(comfyui, deep_alpha):
    graph = {"load": node("KinoLoadVideo", file=deep_alpha)}
    graph["parts"] = node("GetVideoComponents", video=["load", 0])
    graph["image"] = node("SaveImage", images=["parts", 0])
    graph["frames"] = node("KinoFramesFromVideo", video=["load", 0], count=1)
    graph["mask"] = node("MaskToImage", mask=["frames", 1])
    graph["show"] = node("PreviewImage", images=["mask", 0])
    graph["save"] = node("SaveVideo", video=["load", 0])
    if "bit_depth" in comfyui.listed["GetVideoComponents"]["output_name"]:
        graph["depth"] = node("PreviewAny", source=["parts", 3])
    outputs = comfyui.run(graph)
    with Image.open(comfyui.saved(outputs["image"])[0]) as picture:
        assert picture.mode == "RGB" and picture.getpixel((40, 9)) == pytest.approx((128,) * 3, abs=2)
    with Image.open(comfyui.saved(outputs["show"])[0]) as mask:
        assert mask.getpixel((8, 9))[0] > 250 and mask.getpixel((56, 9))[0] < 5
    assert outputs.get("depth", {"text": ["10"]})["text"] == ["10"]
    assert picture_of(comfyui.saved(outputs["save"])[0])[:3] == (64, 32, 4)


@pytest.fixture
def slicing(comfyui) -> None:
    if "Video Slice" not in comfyui.listed:
        pytest.skip("this ComfyUI has no Video Slice node")


def test_a_video_that_core_trimmed_goes_through_ours(comfyui, clip, slicing):
    graph = {"load": CORE_LOAD, "slice": node("Video Slice", video=["load", 0], start_time=0.6, duration=0.8)}
    graph["edit"] = node("KinoRetimeVideo", video=["slice", 0], fps=50.0)
    graph["save"] = node("SaveVideo", video=["edit", 0])
    [file] = comfyui.saved(comfyui.run(graph)["save"])
    assert picture_of(file) == (96, 64, 40, True)


def test_a_strict_trim_beyond_the_end_of_ours_is_refused(comfyui, clip, slicing):
    graph = {"load": LOAD, "save": node("SaveVideo", video=["slice", 0])}
    graph["slice"] = node("Video Slice", video=["load", 0], start_time=1.5, duration=5, strict_duration=True)
    with pytest.raises(NodeFailed, match="Video Slice"):
        comfyui.run(graph)


def test_core_trims_our_video(comfyui, clip, slicing):
    graph = {"load": LOAD, "edit": EDITS["retime"]}
    graph["slice"] = node("Video Slice", video=["edit", 0], start_time=0.2, duration=0.5)
    graph["save"] = node("SaveVideo", video=["slice", 0])
    [file] = comfyui.saved(comfyui.run(graph)["save"])
    assert picture_of(file) == (96, 64, 25, True)
