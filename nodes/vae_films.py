"""Films between VIDEO and LATENT, through whatever VAE is wired: ours, core's, or another pack's."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from fractions import Fraction
from typing import TYPE_CHECKING, Any, NamedTuple

from .hosted_network import HostedNetwork, network_of
from .vae_object import checked_latents
from .video.recipe import Recipe, VideoError

if TYPE_CHECKING:
    from torch import Tensor

    from .vae.decoded_video import Decode
    from .vae.streaming import FilmSize

FILM = "kinograph_film"
"""Key of a LATENT that tells the size of the film it was encoded from, (frames, height, width)."""

PICTURES_AT_ONCE = 8


class Cut(NamedTuple):
    """How a film is cut to fit into memory: `tile` in pixels, `budget_mb` in megabytes, 0 is automatic."""

    tile: int = 0
    budget_mb: int = 0


class Decoder(NamedTuple):
    """What a film is decoded with: see `nodes.vae.decoded_video.DecodedVideo` for the first three."""

    decode: Decode
    key: str
    size: FilmSize
    notes: list[str]


def decoded_videos(latent: dict[str, Any], vae: Any, fps: Fraction, cut: Cut, *, crop: bool) -> list[Recipe]:
    """A lazy video for each film of a LATENT's batch; each is decoded once, when it is first pulled.

    Args:
        crop: cut off what was added to fill whole latent cells, where the LATENT tells.

    Raises:
        ValueError: the latent is nested or not of this VAE.
    """
    from .vae.decoded_video import DecodedVideo
    from .video.spool import Spool

    samples = latent["samples"]
    network, reason = network_of(vae)
    if network is None:
        films = _films_of_foreign(vae, samples)
        decoders = [_foreign_decoder(vae, film, reason) for film in films]
    else:
        samples = checked_latents(samples, network.facts.channels)
        films = list(samples.split(1))
        decoders = [_streaming_decoder(network, film, latent if crop else {}, cut) for film in films]
    return [
        Spool(DecodedVideo(film, made.decode, made.key, made.size, fps, made.notes))
        for film, made in zip(films, decoders, strict=True)
    ]


def _streaming_decoder(network: HostedNetwork, samples: Tensor, latent: dict[str, Any], cut: Cut) -> Decoder:
    """Decodes [1,Z,T,h,w] chunk by chunk."""
    from .vae.films import decode_film
    from .vae.streaming import FilmSize, decoded_size

    plane = FilmSize(*samples.shape[2:])
    size = _size_before_padding(latent, decoded_size(network, plane), network)
    how = network.plan(plane, 1, cut.budget_mb, cut.tile)

    def decode(note: Callable[[str], None]) -> Iterator[Tensor]:
        for pixels in decode_film(network, samples, how, size=size, report=note):
            yield _images(pixels)

    key = f"{network.facts.name}, {network.digest}, {network.dtype}, {how}"
    notes = [f"decoded in {how.describe(network.space)}"] if how.tiling else []
    return Decoder(decode, key, size, notes)


def _images(pixels: Tensor) -> Tensor:
    """[1,3,t,H,W] in −1..1 → images [t,H,W,3] in 0..1."""
    return ((pixels[0].float().cpu() + 1) / 2).clamp(0, 1).permute(1, 2, 3, 0)


def _size_before_padding(latent: dict[str, Any], decoded: FilmSize, network: HostedNetwork) -> FilmSize:
    """The film's size as the LATENT tells it, where that still fits: nodes between may have changed it."""
    from .vae.streaming import FilmSize

    told = latent.get(FILM)
    if told is None or FilmSize(*told).padded(network) != decoded:
        return decoded
    return FilmSize(*told)


def _films_of_foreign(vae: Any, samples: Tensor) -> list[Tensor]:
    """The films of a batch: [B,Z,T,h,w] one by one; pictures [B,Z,h,w] together are one film."""
    if getattr(samples, "is_nested", False) or samples.ndim == 5:
        return list(checked_latents(samples, vae.latent_channels).split(1))
    found = samples.shape[1]
    if samples.ndim != 4 or found != vae.latent_channels:
        raise ValueError(
            f"the latent has {found} channels, the VAE needs {vae.latent_channels}; "
            "wire the VAE of the model that made the latent"
        )
    return [samples]


def _foreign_decoder(vae: Any, samples: Tensor, reason: str) -> Decoder:
    """Decodes with the VAE's own method: pictures a few at a time, a film at once."""
    from .vae.streaming import FilmSize

    space = vae.spacial_compression_decode()
    time = vae.temporal_compression_decode() or 1
    pictures = samples.ndim == 4
    frames = samples.shape[0] if pictures else time * (samples.shape[2] - 1) + 1
    size = FilmSize(frames, samples.shape[-2] * space, samples.shape[-1] * space)

    def decode(note: Callable[[str], None]) -> Iterator[Tensor]:
        for piece in samples.split(PICTURES_AT_ONCE) if pictures else (samples,):
            images = vae.decode(piece)[..., :3].float().cpu()
            yield _of_size(images.reshape(-1, *images.shape[-3:]), size)

    held = "pictures go through it a few at a time" if pictures else "the whole film is decoded at once"
    key = f"{type(vae.first_stage_model).__name__}, {id(vae.first_stage_model)}"
    return Decoder(decode, key, size, [f"the VAE decodes by itself: {reason}; {held}"])


def _of_size(images: Tensor, size: FilmSize) -> Tensor:
    if tuple(images.shape[1:3]) != (size.height, size.width):
        raise VideoError(
            f"the VAE decoded pictures of {images.shape[2]} × {images.shape[1]} where it told of "
            f"{size.width} × {size.height}; decode with VAE Decode and wire Create Video"
        )
    return images


class Encoded(NamedTuple):
    """A LATENT and what is to be told of it."""

    latent: dict[str, Any]
    report: str


def encoded_video(
    recipe: Recipe, vae: Any, cut: Cut, *, seed: int | None, tick: Callable[[int], None]
) -> Encoded:
    """Encode a film of any length, holding one chunk of it.

    Args:
        seed: draw the latents from their distribution; None takes the mean.
        tick: called with the number of frames just encoded.

    Raises:
        ValueError: the VAE cannot be streamed.
    """
    import torch

    from .vae.films import encode_film
    from .vae.pulled_pixels import pulled_pixels
    from .vae.streaming import FilmSize, latent_size

    network, reason = network_of(vae)
    if network is None:
        raise ValueError(
            f"this VAE cannot encode a film piece by piece: {reason}; "
            "load it with Load Video VAE, or wire Frames from Video and VAE Encode"
        )
    spec, notes = recipe.spec, []
    plane = latent_size(network, FilmSize(spec.frame_count, spec.height, spec.width))
    how = network.plan(plane, 1, cut.budget_mb, cut.tile, encoding=True)
    film = encode_film(
        network,
        lambda: pulled_pixels(recipe, network.time, tick),
        plane,
        how,
        noise=None if seed is None else lambda: torch.Generator().manual_seed(seed),
        report=notes.append,
    )
    padded = film.size.padded(network)
    if padded != film.size:
        notes.append(f"padded from {_told(film.size)} to {_told(padded)} by repeating the edges")
    told = f"{_told(film.size)} → latent {list(film.latents.shape)}, in {how.describe(network.space)}"
    latent = {"samples": film.latents, FILM: tuple(film.size)}
    return Encoded(latent, "\n".join([told, *notes]))


def _told(size: FilmSize) -> str:
    return f"{size.frames} frames of {size.width} × {size.height}"
