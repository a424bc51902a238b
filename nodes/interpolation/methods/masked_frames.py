"""Video LDM's step between frames: the model fills in what a mask leaves open.

Known frames stand at every factor-th place under a mask of 0, the others under 1, and one run of the model
makes these; Video LDM does so twice, four times the frames each time. It trains its model for such masks;
here the mask is the LATENT's own, which a sampler keeps frames by, and which for models with a noise level
per frame is that level: known frames are clean throughout. Source: Blattmann et al. 2023, "Align your
Latents: High-Resolution Video Synthesis with Latent Diffusion Models".
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ...methods import param, register
from ..inside import FILL_NODE

if TYPE_CHECKING:
    from torch import Tensor

    from ..inside import Filled, Tick


@register(
    "masked_frames",
    node=FILL_NODE,
    system="video_ldm",
    paper="Align your Latents: High-Resolution Video Synthesis with Latent Diffusion Models "
    "(Blattmann et al.)",
    year=2023,
    weights="best a network trained with noise levels per frame: the embedded one",
    test="tests/interpolation/test_latent_interpolation.py",
)
class MaskedFrames:
    """Known frames under a mask; a blend of both neighbours waits between them."""

    factor: int = param(4, "How many times as many latent frames.", min=1, max=16, step=1)

    def filled(self, samples: Tensor, tick: Tick) -> Filled:
        import torch

        from ..inside import Filled
        from ..latent_fill import made_between, spread

        film = spread(samples, self.factor).clone()
        for step in range(1, self.factor):
            film[:, :, step :: self.factor] = torch.lerp(
                samples[:, :, :-1], samples[:, :, 1:], step / self.factor
            )
        return Filled(film, made_between(film, self.factor))
