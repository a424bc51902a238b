"""Decoded frames to tensors and back."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import av


def frame_pixels(frame: av.VideoFrame) -> Any:
    """RGB or RGBA pixels [H,W,C], turned upright: uint8, or uint16 from more than 8 bits."""
    import numpy as np

    components = frame.format.components
    deep = max(component.bits for component in components) > 8
    has_alpha = any(component.is_alpha for component in components) or frame.format.name == "pal8"
    name = ("rgba64le" if has_alpha else "rgb48le") if deep else ("rgba" if has_alpha else "rgb24")
    return np.rot90(frame.to_ndarray(format=name), round(frame.rotation / 90))


def stacked_images(pixels: list[Any]) -> tuple[Any, Any]:
    """Frames of `frame_pixels` as tensors in 0..1: (images [T,H,W,3], alpha [T,H,W,1] or None)."""
    import numpy as np
    import torch

    if not pixels:
        return torch.zeros(0, 0, 0, 3), None
    whole = np.stack(pixels)
    values = torch.from_numpy(whole.astype(np.float32)).div_(np.iinfo(whole.dtype).max)
    return values[..., :3], values[..., 3:] if values.shape[-1] == 4 else None


def frame_from_image(image: Any, deep: bool) -> av.VideoFrame:
    """A frame from pixels [H,W,3] in 0..1, with 16 bits per channel where `deep`."""
    import av
    import numpy as np

    largest, kind, name = (65535, np.uint16, "rgb48le") if deep else (255, np.uint8, "rgb24")
    scaled = (image[..., :3].float().clamp(0, 1) * largest).round().cpu().numpy().astype(kind)
    return av.VideoFrame.from_ndarray(np.ascontiguousarray(scaled), format=name)
