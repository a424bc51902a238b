"""LaVie's step between frames: a film of copies, which the model makes anew as a whole.

Each new frame begins as the frame nearest to it, 16 become 61, and none is kept: the model smooths the steps
from copy to copy, those frames too that were there. LaVie's model sees the copies beside the noise, as
further channels; here they lie under the noise, so a sampler takes them with part of it. Source: Wang et al.
2023, "LaVie: High-Quality Video Generation with Cascaded Latent Diffusion Models".
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ...methods import param, register
from ..inside import FILL_NODE

if TYPE_CHECKING:
    from torch import Tensor

    from ..inside import Filled, Tick


@register(
    "nearest_frames",
    node=FILL_NODE,
    system="lavie",
    paper="LaVie: High-Quality Video Generation with Cascaded Latent Diffusion Models (Wang et al.)",
    year=2023,
    test="tests/interpolation/test_latent_interpolation.py",
)
class NearestFrames:
    """Copies of the nearest frames, all to be made anew."""

    factor: int = param(4, "How many times as many latent frames.", min=1, max=16, step=1)

    def filled(self, samples: Tensor, tick: Tick) -> Filled:
        from ..inside import Filled
        from ..latent_fill import spread

        return Filled(spread(samples, self.factor).clone(), None)
