"""VideoGen's step between frames: motion between latents, and frames along it that a model may refine.

The motion between neighbouring latent frames moves both of them to the time in between, where they are laid
over each other; the frames that are there stay as they are, (n − 1)·factor + 1 come out. VideoGen trains a
network for the motion and one to refine; here cells are compared, and a sampler refines with part of the
noise. Source: Li et al. 2023, "VideoGen: A Reference-Guided Latent Diffusion Approach for High Definition
Text-to-Video Generation".
"""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

from ...methods import param, register
from ..inside import FILL_NODE

if TYPE_CHECKING:
    from torch import Tensor

    from ..inside import Filled, Tick


@register(
    "latent_flow",
    node=FILL_NODE,
    system="videogen",
    paper="VideoGen: A Reference-Guided Latent Diffusion Approach for High Definition Text-to-Video "
    "Generation (Li et al.)",
    year=2023,
    test="tests/interpolation/test_latent_interpolation.py",
)
class LatentFlow:
    """Both neighbours, moved to the time in between."""

    factor: int = param(2, "How many times as many latent frames.", min=1, max=16, step=1)
    reach: float = param(
        3.0,
        "Cells of motion between neighbours that are looked at on each side. A cell is 8 pixels with "
        "Wan 2.1.",
        min=0.0,
        max=16.0,
        step=0.5,
    )

    def filled(self, samples: Tensor, tick: Tick) -> Filled:
        from ..inside import Filled
        from ..latent_fill import made_between, spread
        from ..latent_flow import frames_between

        film = spread(samples, self.factor).clone()
        times = [step / self.factor for step in range(1, self.factor)]
        for index, (before, after) in enumerate(pairwise(samples.unbind(2))):
            between = frames_between(before.float(), after.float(), times, self.reach)
            for step, made in enumerate(between, start=index * self.factor + 1):
                film[:, :, step] = made.to(film)
            tick(1)
        return Filled(film, made_between(film, self.factor))
