"""Text to film without nodes: a transformer, its text encoder and its autoencoder, put together.

What the nodes do in a graph, for scripts, training and benchmarks. B films, Z latent channels, T latent
frames.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor

from ..vae.load import load_vae
from ..vae.streaming import VideoAutoencoder, decode_frames
from .film_windows import FrameSchedule
from .flow_sigmas import flow_sigmas
from .frame_schedules import sample_film
from .guidance import Guidance, constant
from .load import load_transformer
from .methods.fvdm import Flat
from .samplers import SAMPLERS, Velocity
from .text_encoder import TextEncoder, load_text_encoder
from .wan import WanTransformer


@dataclass(frozen=True)
class Sampling:
    """How films are sampled: as the sampler node's widgets."""

    steps: int = 20
    cfg: float = 4.0
    sampler: str = "unipc"
    scheduler: str = "simple"
    shift: float = 3.0


DEFAULT = Sampling()


@dataclass(frozen=True)
class Pipeline:
    """Three networks that belong together."""

    transformer: WanTransformer
    text: TextEncoder
    vae: VideoAutoencoder

    @classmethod
    def load(cls, transformer: Path, text: Path, vae: Path) -> Pipeline:
        """Of files, in float32.

        Raises:
            WeightsError: one cannot be read.
        """
        return cls(
            load_transformer(transformer, dtype=torch.float32),
            load_text_encoder(text, dtype=torch.float32),
            load_vae(vae, dtype=torch.float32),
        )

    @torch.inference_mode()
    def sampled(
        self,
        prompts: Sequence[str],
        noise: Tensor,
        given: Tensor | None = None,
        schedule: FrameSchedule | None = None,
        settings: Sampling = DEFAULT,
    ) -> Tensor:
        """Raw latents of films, [B,Z,T,h,w].

        Args:
            prompts: one for each film.
            noise: [B,Z,T,h,w]; its size is the films'.
            given: raw latents of that size, which count where the schedule takes frames as given.
            schedule: noise levels per frame; one for all when None.
        """
        film = torch.zeros_like(noise) if given is None else self.vae.facts.normalised(given)
        sigmas = flow_sigmas(settings.scheduler, settings.steps, shift=settings.shift)
        velocity = self.velocity(prompts, settings.cfg)
        made = sample_film(
            lambda window: velocity, SAMPLERS[settings.sampler], schedule or Flat(), sigmas, film, noise
        )
        return self.vae.facts.raw(made)

    def velocity(self, prompts: Sequence[str], cfg: float) -> Velocity:
        """The guided velocity of films with these prompts, and none as the negative."""
        context = self.text.encode([*prompts, *[""] * len(prompts)])
        guide = Guidance(constant(cfg))

        def guided(x: Tensor, sigma: Tensor) -> Tensor:
            both = self.transformer(x.repeat(2, 1, 1, 1, 1), sigma.repeat(2, 1) * 1000, context)
            return guide(*both.chunk(2), sigma)

        return guided

    @torch.inference_mode()
    def decoded(self, latents: Tensor) -> Tensor:
        """Raw latents [B,Z,T,h,w] → films [B,3,frames,H,W] in 0..1."""
        films = [torch.cat(list(decode_frames(self.vae, film[None])), dim=2) for film in latents]
        return (torch.cat(films).clamp(-1, 1) + 1) / 2
