"""The value of a VAE socket: in ComfyUI a `comfy.sd.VAE`, elsewhere an object with its methods."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any

from .hosted_network import HostedNetwork
from .runtime import managed_vae, result_device, vae_number_type

if TYPE_CHECKING:
    import torch
    from torch import Tensor, nn


class VideoVAE:
    """A video autoencoder with the attributes and methods that nodes use of a `comfy.sd.VAE`.

    It streams: a film of any length takes the memory of one chunk beside the result, and equals one decoded
    at once. IMAGE tensors are [T, H, W, 3] in 0..1, latents [B, Z, T, h, w].
    """

    def __init__(self, network: nn.Module, patcher: Any, dtype: torch.dtype, output_device: Any) -> None:
        self.first_stage_model, self.patcher = network, patcher
        self.device, self.output_device = patcher.load_device, output_device
        self.vae_dtype, self.working_dtypes = dtype, [dtype]
        self.hosted = HostedNetwork(network, patcher, self.device, dtype)
        self.latent_channels, self.latent_dim, self.output_channels = network.facts.channels, 3, 3
        self._set_scales(network.space, network.time)
        self.process_input = lambda images: images * 2 - 1
        self.process_output = lambda pixels: ((pixels + 1) / 2).clamp(0, 1)
        self.memory_used_encode = lambda shape, dtype: _pixels(shape) * self.hosted.encoding.working
        self.memory_used_decode = lambda shape, dtype: (
            _pixels(shape) * network.space**2 * self.hosted.decoding.working
        )
        self.disable_offload = self.not_video = self.handles_tiling = False
        self.crop_input = True
        self.size = self.pad_channel_value = self.extra_1d_channel = self.format_encoded = None

    def _set_scales(self, space: int, time: int) -> None:
        self.upscale_ratio = (lambda frames: max(0, frames * time - (time - 1)), space, space)
        self.downscale_ratio = (lambda frames: max(0, (frames + time - 1) // time), space, space)
        self.upscale_index_formula = self.downscale_index_formula = (time, space, space)

    def decode(self, samples_in: Tensor, vae_options: dict[str, Any] | None = None) -> Tensor:
        """Latents → images [B, T, H, W, 3], in tiles where memory needs it."""
        return self._decoded(samples_in, 0, 0)

    def decode_tiled(
        self, samples: Tensor, tile_x: int | None = None, tile_y: int | None = None, **others: Any
    ) -> Tensor:
        """Latents → images [B, T, H, W, 3] in tiles of at most tile_x × tile_y cells.

        Tiles in time and the overlap are not taken over: time is streamed without seams, and a quarter of
        each tile overlaps.
        """
        sides = [side for side in (tile_x, tile_y) if side]
        return self._decoded(samples, 0, max(sides, default=0) * self.hosted.space)

    def _decoded(self, samples: Tensor, budget_mb: int, tile: int) -> Tensor:
        import torch

        from .vae.films import decode_film
        from .vae.streaming import FilmSize

        samples = checked_latents(samples, self.latent_channels)
        how = self.hosted.plan(FilmSize(*samples.shape[2:]), samples.shape[0], budget_mb, tile)
        chunks = [
            self.process_output(chunk.float()).to(self.output_device)
            for chunk in decode_film(self.hosted, samples, how, report=_log)
        ]
        return torch.cat(chunks, dim=2).movedim(1, -1)

    def encode(self, pixel_samples: Tensor) -> Tensor:
        """Images [T, H, W, C] or [B, T, H, W, C] → the mean latents.

        As core's VAEs do: rows, columns and last frames that fill no latent cell are cut off.
        """
        return self._encoded(pixel_samples, 0)

    def encode_tiled(
        self, pixel_samples: Tensor, tile_x: int | None = None, tile_y: int | None = None, **others: Any
    ) -> Tensor:
        """The same in tiles of at most tile_x × tile_y pixels; `decode_tiled` tells of the other values."""
        return self._encoded(pixel_samples, max((side for side in (tile_x, tile_y) if side), default=0))

    def _encoded(self, images: Tensor, tile: int) -> Tensor:
        from .vae.films import encode_film
        from .vae.streaming import FilmSize, latent_size

        pixels = self.process_input(self._whole_cells(images)).movedim(-1, 1)  # [B, 3, T, H, W]
        plane = latent_size(self.hosted, FilmSize(*pixels.shape[2:]))
        how = self.hosted.plan(plane, pixels.shape[0], 0, tile, encoding=True)
        film = encode_film(
            self.hosted, lambda: pixels.split(self.hosted.time, dim=2), plane, how, report=_log
        )
        return film.latents.to(self.output_device)

    def _whole_cells(self, images: Tensor) -> Tensor:
        """[T, H, W, C] or [B, T, H, W, C] → [B, T, H, W, 3] without what fills no latent cell."""
        images = images[..., :3] if images.ndim == 5 else images[None, ..., :3]
        _, frames, height, width, _ = images.shape
        space, time = self.hosted.space, self.hosted.time
        top, left = height % space // 2, width % space // 2
        return images[
            :,
            : (frames - 1) // time * time + 1,
            top : top + height // space * space,
            left : left + width // space * space,
        ]

    def throw_exception_if_invalid(self) -> None:
        """Never: there is always a network."""

    def model_size(self) -> int:
        """Bytes of the weights."""
        return self.patcher.model_size()

    def get_sd(self) -> dict[str, Tensor]:
        """The weights in the published key layout."""
        return self.first_stage_model.state_dict()

    def spacial_compression_decode(self) -> int:
        return self.hosted.space

    def spacial_compression_encode(self) -> int:
        return self.hosted.space

    def temporal_compression_decode(self) -> int:
        return self.hosted.time

    def is_dynamic(self) -> bool:
        return False


def _pixels(shape: Any) -> int:
    return shape[0] * shape[-2] * shape[-1]


def _log(note: str) -> None:
    import logging

    logging.warning("Kinograph: %s", note)


def checked_latents(samples: Tensor, channels: int) -> Tensor:
    """The latents as [B, Z, T, h, w].

    Raises:
        ValueError: they are nested, or made by another VAE.
    """
    if getattr(samples, "is_nested", False):
        raise ValueError(
            "this latent holds a video and something else (sound, say) in one; "
            "wire it through a node that separates them first"
        )
    found = samples.shape[1] if samples.ndim > 1 else 0
    if samples.ndim != 5 or found != channels:
        raise ValueError(
            f"the latent has {found} channels and {samples.ndim} dimensions {list(samples.shape)}, the VAE "
            f"needs {channels} channels and 5 dimensions [batch, channels, frames, height, width]; "
            "wire the VAE of the model that made the latent"
        )
    return samples


@cache
def vae_class() -> type:
    """`VideoVAE`, in ComfyUI as a `comfy.sd.VAE` too."""
    try:
        from comfy.sd import VAE
    except ModuleNotFoundError:  # the embedded host has no such module
        return VideoVAE
    return type("VideoVAE", (VideoVAE, VAE), {"__doc__": VideoVAE.__doc__, "__module__": __name__})


def load_video_vae(path: str, dtype_name: str, latents: str | None) -> VideoVAE:
    """Load a file as the value of a VAE socket.

    Args:
        dtype_name: "auto" or a torch dtype's name.
        latents: which latents a tiny VAE is for; None tells by the file.
    """
    import torch

    from .vae.load import load_vae

    dtype = vae_number_type() if dtype_name == "auto" else getattr(torch, dtype_name)
    network = load_vae(path, dtype=dtype, latents=latents)
    return vae_class()(network, managed_vae(network), dtype, result_device())
