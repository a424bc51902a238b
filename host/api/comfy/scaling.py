"""Image scaling, whole or in tiles; tensors are [B,C,H,W] or [B,C,T,H,W]."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable
from typing import Any


def lanczos(samples: Any, width: int, height: int) -> Any:
    """Scale [B,C,H,W] pictures (0..1, C of 1, 3 or 4) with Pillow's Lanczos filter, in 8 bits."""
    import numpy as np
    import torch
    from PIL import Image

    pixels = (samples.detach().float().clamp(0, 1) * 255).byte().movedim(1, -1).cpu().numpy()
    scaled = [
        np.asarray(
            Image.fromarray(picture.squeeze(-1) if picture.shape[-1] == 1 else picture).resize(
                (width, height), Image.LANCZOS
            )
        )
        for picture in pixels
    ]
    stacked = torch.from_numpy(np.stack(scaled)).reshape(len(scaled), height, width, -1).movedim(-1, 1)
    return (stacked.float() / 255).to(samples.device, samples.dtype)


def bislerp(samples: Any, width: int, height: int) -> Any:
    """Scale latents [B,C,H,W] by spherical interpolation of the channel vectors, rows then columns."""
    return _slerp_along(_slerp_along(samples.float(), 3, width), 2, height).to(samples.dtype)


def _slerp_along(samples: Any, dim: int, size: int) -> Any:
    import torch

    old = samples.shape[dim]
    shape = [1] * samples.ndim
    shape[dim] = size
    position = ((torch.arange(size, device=samples.device) + 0.5) * old / size - 0.5).clamp(0, old - 1)
    left = position.floor().long()
    weight = (position - left).reshape(shape)
    first, second = samples.index_select(dim, left), samples.index_select(dim, (left + 1).clamp(max=old - 1))
    norm_1, norm_2 = first.norm(dim=1, keepdim=True), second.norm(dim=1, keepdim=True)
    unit_1, unit_2 = first / norm_1.clamp_min(1e-12), second / norm_2.clamp_min(1e-12)
    cosine = (unit_1 * unit_2).sum(1, keepdim=True)
    angle = cosine.clamp(-1, 1).acos()
    sine = angle.sin().clamp_min(1e-12)
    direction = ((1 - weight) * angle).sin() / sine * unit_1 + (weight * angle).sin() / sine * unit_2
    nearly_parallel = cosine.abs() > 1 - 1e-5
    straight = torch.lerp(first, second, weight.to(first.dtype).expand_as(first))
    return torch.where(
        nearly_parallel, straight, direction * torch.lerp(norm_1, norm_2, weight.to(norm_1.dtype))
    )


def common_upscale(samples: Any, width: int, height: int, upscale_method: str, crop: str) -> Any:
    """Scale to an exact size.

    Args:
        samples: [B,C,H,W] or [B,C,T,H,W].
        upscale_method: "bislerp", "lanczos" or a mode of `torch.nn.functional.interpolate`.
        crop: "center" cuts to the new aspect ratio first; "disabled" stretches.
    """
    if samples.ndim > 4:
        flat = samples.movedim(1, -3).reshape(-1, samples.shape[1], *samples.shape[-2:])
        scaled = common_upscale(flat, width, height, upscale_method, crop)
        grouped = scaled.reshape(samples.shape[0], *samples.shape[2:-2], *scaled.shape[1:])
        return grouped.movedim(-3, 1)
    if crop == "center":
        samples = _center_crop(samples, width / height)
    if upscale_method == "bislerp":
        return bislerp(samples, width, height)
    if upscale_method == "lanczos":
        return lanczos(samples, width, height)
    import torch

    return torch.nn.functional.interpolate(samples, size=(height, width), mode=upscale_method)


def _center_crop(samples: Any, aspect: float) -> Any:
    height, width = samples.shape[-2:]
    left = round((width - height * aspect) / 2) if width / height > aspect else 0
    top = round((height - width / aspect) / 2) if width / height < aspect else 0
    return samples[..., top : height - top, left : width - left]


def reshape_mask(input_mask: Any, output_shape: Any) -> Any:
    """A mask scaled and repeated to the shape of a latent, [B,C,H,W] or [B,C,T,H,W].

    Args:
        input_mask: […,H,W], pictures in turn; or, for a film, [T,H,W] or [B,C,T,H,W].
    """
    import torch

    plane = input_mask.shape[-2:]
    if len(output_shape) == 4:
        mask, mode = input_mask.reshape(-1, 1, *plane), "bilinear"
    else:
        mask = input_mask if input_mask.ndim == 5 else input_mask.reshape(1, 1, -1, *plane)
        mode = "trilinear"
    mask = torch.nn.functional.interpolate(mask, size=tuple(output_shape[2:]), mode=mode)
    for dim in (1, 0):
        repeats = [1] * mask.ndim
        repeats[dim] = -(-output_shape[dim] // mask.shape[dim])
        mask = mask.repeat(repeats).narrow(dim, 0, output_shape[dim])
    return mask


def get_tiled_scale_steps(width: int, height: int, tile_x: int, tile_y: int, overlap: int) -> int:
    """How many tiles `tiled_scale` works through per picture."""
    return math.prod(
        1 if size <= tile else math.ceil((size - overlap) / (tile - overlap))
        for size, tile in ((width, tile_x), (height, tile_y))
    )


def tiled_scale(
    samples: Any,
    function: Callable[[Any], Any],
    tile_x: int = 64,
    tile_y: int = 64,
    overlap: int = 8,
    upscale_amount: float = 4,
    out_channels: int = 3,
    output_device: Any = "cpu",
    pbar: Any = None,
) -> Any:
    """`tiled_scale_multidim` for pictures [B,C,H,W]."""
    return tiled_scale_multidim(
        samples, function, (tile_y, tile_x), overlap, upscale_amount, out_channels, output_device, pbar=pbar
    )


def tiled_scale_multidim(
    samples: Any,
    function: Callable[[Any], Any],
    tile: tuple[int, ...] = (64, 64),
    overlap: int | tuple[int, ...] = 8,
    upscale_amount: Any = 4,
    out_channels: int = 3,
    output_device: Any = "cpu",
    downscale: bool = False,
    index_formulas: Any = None,
    pbar: Any = None,
) -> Any:
    """Apply a scaling function to overlapping tiles and blend the seams linearly.

    Args:
        samples: [B,C,…], with one trailing dimension for each entry of `tile`.
        function: one tile [1,C,…] → [1,out_channels,…].
        overlap: shared by neighbouring tiles, in input pixels; one number or one per dimension.
        upscale_amount: factor, or callable size → size, for all dimensions or one per dimension.
        downscale: factors divide instead of multiplying.
        index_formulas: like `upscale_amount`, for the position of a tile in the output.
        pbar: a `ProgressBar`, advanced per tile.
    """
    import torch

    dims = range(len(tile))
    overlaps = _per_dimension(overlap, dims)
    sizes = _per_dimension(upscale_amount, dims)
    places = sizes if index_formulas is None else _per_dimension(index_formulas, dims)
    shape = [round(_scaled(sizes[d], samples.shape[d + 2], downscale)) for d in dims]
    output = torch.zeros([samples.shape[0], out_channels, *shape], device=output_device)
    weights = torch.zeros([samples.shape[0], 1, *shape], device=output_device)
    starts = [_tile_starts(samples.shape[d + 2], tile[d], overlaps[d]) for d in dims]
    with torch.inference_mode():
        for batch, corner in itertools.product(range(samples.shape[0]), itertools.product(*starts)):
            source = samples[batch : batch + 1]
            target, weight_target = output[batch : batch + 1], weights[batch : batch + 1]
            for d in dims:
                source = source.narrow(d + 2, corner[d], min(tile[d], samples.shape[d + 2] - corner[d]))
            scaled = function(source).to(output_device)
            for d in dims:
                place = round(_scaled(places[d], corner[d], downscale))
                target = target.narrow(d + 2, place, scaled.shape[d + 2])
                weight_target = weight_target.narrow(d + 2, place, scaled.shape[d + 2])
            feathers = [round(_scaled(sizes[d], overlaps[d], downscale)) for d in dims]
            ramp = _seam_weights(scaled, feathers)
            target += scaled * ramp
            weight_target += ramp
            if pbar is not None:
                pbar.update(1)
    return output / weights


def _per_dimension(value: Any, dims: range) -> list:
    return list(value) if isinstance(value, (tuple, list)) else [value for _ in dims]


def _scaled(factor: Any, length: int, downscale: bool) -> float:
    if callable(factor):
        return factor(length)
    return length / factor if downscale else length * factor


def _tile_starts(size: int, tile: int, overlap: int) -> list[int]:
    return [0] if size <= tile else list(range(0, size - overlap, tile - overlap))


def _seam_weights(scaled: Any, feathers: list[int]) -> Any:
    """[1,1,…] weights that rise from each edge over the overlap."""
    import torch

    ramp = torch.ones_like(scaled[:1, :1])
    for d, feather in enumerate(feathers):
        length = scaled.shape[d + 2]
        if 0 < feather < length:
            edge = torch.arange(1, length + 1, device=scaled.device, dtype=scaled.dtype)
            rising = (torch.minimum(edge, edge.flip(0)) / feather).clamp(max=1)
            ramp = ramp * rising.reshape([-1 if axis == d + 2 else 1 for axis in range(scaled.ndim)])
    return ramp
