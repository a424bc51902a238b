"""Whole films through a video autoencoder, chunk by chunk: nothing is held but a chunk and the state.

Shapes: B batch, T frames or latent frames, H × W pixels, h × w latent cells, Z latent channels. A film of T
frames has 1 + ⌈(T − 1) / time⌉ latent frames of ⌈H / space⌉ × ⌈W / space⌉ cells: what is missing to a whole
cell is filled by repeating the right and bottom edge and the last frame, and cut off again after decoding.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple, Protocol

import torch
from torch import Tensor
from torch.nn import functional as F


class VideoAutoencoder(Protocol):
    """What the networks of this folder offer, and what wraps them: pixels are −1..1, latents raw.

    space: pixels per latent cell, across and down.
    time: frames per latent frame; the film's first frame has one of its own.
    """

    space: int
    time: int
    config: Any

    def encode_chunk(self, pixels: Tensor, state: Any, last: bool = True) -> tuple[Tensor, Tensor, Any]:
        """The next [B,3,T,H,W], T = time·n + 1 at first (`state` None) and time·n later.

        Returns:
            mean and log variance [B,Z,n + 1 or n,h,w], and the state for the next chunk, which takes the
            given one's place.
        """

    def decode_chunk(self, latents: Tensor, state: Any, last: bool = True) -> tuple[Tensor, Any]:
        """The next [B,Z,T,h,w] as pixels [B,3,time·T,H,W] (time − 1 fewer at first), and the state.

        A network that looks ahead gives frames later, the rest of them at the `last` chunk.
        """


class FilmSize(NamedTuple):
    """Frames, rows and columns of a film."""

    frames: int
    height: int
    width: int

    def padded(self, network: VideoAutoencoder) -> FilmSize:
        """The size that fills whole latent frames and cells."""
        return decoded_size(network, latent_size(network, self))


def latent_size(network: VideoAutoencoder, size: FilmSize) -> FilmSize:
    """Latent frames, rows and columns of a film."""
    return FilmSize(
        1 + -(-(size.frames - 1) // network.time),
        -(-size.height // network.space),
        -(-size.width // network.space),
    )


def decoded_size(network: VideoAutoencoder, latents: FilmSize) -> FilmSize:
    """The film that latents of this size decode to."""
    frames = network.time * (latents.frames - 1) + 1
    return FilmSize(frames, latents.height * network.space, latents.width * network.space)


def decode_frames(
    network: VideoAutoencoder, latents: Tensor, *, chunk: int = 1, size: FilmSize | None = None
) -> Iterator[Tensor]:
    """Decode [B,Z,T,h,w], `chunk` latent frames at a time.

    Args:
        size: what to keep of the film: its first frames, its top left corner; all of it when None.

    Yields:
        pixels [B,3,t,H,W] of the film's next frames; not clamped.
    """
    kept = size or decoded_size(network, FilmSize(*latents.shape[2:]))
    state, left = None, kept.frames
    for piece, last in _marking_last(latents.split(chunk, dim=2)):
        pixels, state = network.decode_chunk(piece, state, last)
        if pixels.shape[2]:
            yield pixels[:, :, :left, : kept.height, : kept.width]
            left -= pixels.shape[2]
        if left <= 0:
            return


class EncodedFilm(NamedTuple):
    """A film's latents [B,Z,T,h,w] and the size it had before padding."""

    latents: Tensor
    size: FilmSize


def encode_frames(
    network: VideoAutoencoder,
    film: Iterable[Tensor],
    *,
    chunk: int = 1,
    noise: torch.Generator | None = None,
) -> EncodedFilm:
    """Encode a film of any size and length.

    Args:
        film: its frames in order, as pieces [B,3,t,H,W] of any t ≥ 1, in −1..1.
        chunk: latent frames made at a time.
        noise: draw the latents from their distribution with this generator (on the CPU); None takes the mean.

    Raises:
        ValueError: the film has no frame.
    """
    lengths: list[int] = []
    whole = _in_chunks(_counted(film, lengths), network.time * (chunk - 1) + 1, network.time * chunk)
    state, made, height, width = None, [], 0, 0
    for piece, last in _marking_last(whole):
        height, width = piece.shape[3:]
        padded = padded_chunk(network, piece, first=state is None)
        mean, log_variance, state = network.encode_chunk(padded, state, last)
        made.append(mean.float().cpu() if noise is None else _drawn(mean, log_variance, noise))
    if not made:
        raise ValueError("the video has no frame to encode; choose an earlier start or another file")
    return EncodedFilm(torch.cat(made, dim=2), FilmSize(sum(lengths), height, width))


def padded_chunk(network: VideoAutoencoder, pixels: Tensor, *, first: bool) -> Tensor:
    """Repeat the last frame, row and column of [B,3,T,H,W] until they fill whole latent cells."""
    _, _, frames, height, width = pixels.shape
    missing = (-(frames - first) % network.time, -height % network.space, -width % network.space)
    if not any(missing):
        return pixels
    return F.pad(pixels, (0, missing[2], 0, missing[1], 0, missing[0]), mode="replicate")


def _drawn(mean: Tensor, log_variance: Tensor, noise: torch.Generator) -> Tensor:
    deviation = (0.5 * log_variance.float().clamp(-30, 20)).exp().cpu()
    return mean.float().cpu() + deviation * torch.randn(mean.shape, generator=noise)


def _marking_last(pieces: Iterable[Tensor]) -> Iterator[tuple[Tensor, bool]]:
    """Each piece, and whether it is the last one."""
    held = None
    for piece in pieces:
        if held is not None:
            yield held, False
        held = piece
    if held is not None:
        yield held, True


def _counted(film: Iterable[Tensor], lengths: list[int]) -> Iterator[Tensor]:
    for piece in film:
        lengths.append(piece.shape[2])
        yield piece


def _in_chunks(film: Iterable[Tensor], first: int, then: int) -> Iterator[Tensor]:
    """The same frames in pieces of `first`, then `then` each; the last may be shorter."""
    held: list[Tensor] = []
    wanted, count = first, 0
    for piece in film:
        held.append(piece)
        count += piece.shape[2]
        while count >= wanted:
            joined = torch.cat(held, dim=2)
            yield joined[:, :, :wanted]
            held, count = [joined[:, :, wanted:]], count - wanted
            wanted = then
    if count:
        yield torch.cat(held, dim=2)
