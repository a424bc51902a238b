"""The embedded text-to-video model as `benchmarks.quality` asks for films."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from ..nodes.generation.film_windows import FrameSchedule
from ..nodes.generation.methods.fvdm import Extension, ImageToVideo, InBetween
from ..nodes.generation.pipeline import Pipeline
from ..nodes.vae.streaming import encode_frames
from ..training.train_t2v import MODEL, TEXT, VAE
from ..training.vae_clips import to_pixels

FILES = (MODEL, TEXT, VAE)
FRAMES, SIDE = 17, 96


class EmbeddedFilms:
    """Films of the embedded model, as its workflows make them."""

    def __init__(self, pipeline: Pipeline) -> None:
        self.pipeline = pipeline

    def from_text(self, prompt: str, seed: int) -> np.ndarray:
        return self._films(self._sampled(prompt, seed, self._empty(5), None))

    def from_first_frame(self, prompt: str, seed: int, frame: np.ndarray) -> np.ndarray:
        given = self._empty(5)
        given[:, :, :1] = self._encoded(frame[None])
        return self._films(self._sampled(prompt, seed, given, ImageToVideo(first=1)))

    def between(self, prompt: str, seed: int, first: np.ndarray, last: np.ndarray) -> np.ndarray:
        given = self._empty(5)
        given[:, :, :1] = self._encoded(first[None])
        given[:, :, -1:] = self._encoded(np.repeat(last[None], 5, axis=0))[:, :, 1:]
        return self._films(self._sampled(prompt, seed, given, InBetween(first=1, last=1)))

    def extended(self, prompt: str, seed: int, film: np.ndarray, times: int) -> np.ndarray:
        begun = self._encoded(film)
        given = self._empty(1 + times * (FRAMES - 1) // 4)
        given[:, :, : begun.shape[2]] = begun
        schedule = Extension(window=5, overlap=2, first=begun.shape[2])
        return self._films(self._sampled(prompt, seed, given, schedule))

    def through_vae(self, film: np.ndarray) -> np.ndarray:
        return self._films(self._encoded(film))

    def _sampled(self, prompt: str, seed: int, given: Tensor, schedule: FrameSchedule | None) -> Tensor:
        noise = torch.randn(given.shape, generator=torch.Generator().manual_seed(seed))
        return self.pipeline.sampled([prompt], noise, given, schedule)

    def _empty(self, frames: int) -> Tensor:
        facts = self.pipeline.vae.facts
        return torch.zeros(1, facts.channels, frames, SIDE // facts.space, SIDE // facts.space)

    @torch.inference_mode()
    def _encoded(self, film: np.ndarray) -> Tensor:
        """uint8 [T,H,W,3] → raw latents [1,Z,t,h,w]."""
        return encode_frames(self.pipeline.vae, [to_pixels(film[None])]).latents

    def _films(self, latents: Tensor) -> np.ndarray:
        """Raw latents [1,Z,t,h,w] → uint8 [T,H,W,3]."""
        film = self.pipeline.decoded(latents)[0]
        return (film * 255).round().byte().permute(1, 2, 3, 0).numpy()
