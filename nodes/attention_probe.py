"""One forward of a MODEL that looks at the attention of a layer, in either host."""

from __future__ import annotations

from typing import Any

import torch
from comfy.patcher_extension import WrappersMP
from comfy.samplers import CFGGuider, ksampler
from torch import Tensor

from ..kernels.attention.block_mask import BlockMask
from .attention.attention_map import Energy
from .attention.token_grid import TokenGrid
from .film_attention import OVERRIDE, attentions_of, forward_options, video_grid, with_override
from .sparse_attention import SparseAttention

KEY = "kinograph_attention_probe"


class AttentionProbe:
    """Looks at one layer.

    Attributes:
        energy: what was seen; None while nothing was. layers: how many attend to themselves.
        mask: what the model's sparse attention would keep there; None where it has none.
    """

    def __init__(self, layer: int, sparse: SparseAttention | None) -> None:
        self.layer, self.sparse = layer, sparse
        self.energy: Energy | None = None
        self.mask: BlockMask | None = None
        self.layers = 0

    def forward(self, executor: Any, x: Tensor, *given: Any, **named: Any) -> Any:
        """Wrapper around the network's forward."""
        options = forward_options(given, named)
        if options is None or not torch.is_tensor(x) or x.ndim != 5:
            raise ValueError("this model's latent is no film [batch, channels, frames, height, width]")
        video, previous = video_grid(executor.class_obj, x), options.get(OVERRIDE)
        self.layers = 0

        def override(
            func: Any, q: Tensor, k: Tensor, v: Tensor, heads: int, *rest: Any, **more: Any
        ) -> Tensor:
            split = bool(more.get("skip_reshape"))
            grid = video.of(q.shape[2 if split else 1])
            if q.shape == k.shape and grid is not None:
                self._see(
                    grid, *(x if split else x.unflatten(-1, (heads, -1)).transpose(1, 2) for x in (q, k))
                )
            if previous is not None:
                return previous(func, q, k, v, heads, *rest, **more)
            return func(q, k, v, heads, *rest, **more)

        return with_override(executor, x, given, named, options, override)

    def _see(self, grid: TokenGrid, query: Tensor, key: Tensor) -> None:
        if self.layers == self.layer:
            self.energy = Energy.of(grid, query, key)
            if self.sparse is not None:
                self.mask = self.sparse.method.plan(grid, self.layer).mask(query, key)
        self.layers += 1


def probed(
    model: Any, positive: list, latent: Tensor, layer: int, percent: float, seed: int
) -> AttentionProbe:
    """What a layer of a MODEL looks at in one step of sampling.

    Args:
        latent: raw, [B,Z,T,h,w]; noise is added to it.
        percent: which step, as the share of sampling that lies before it.

    Raises:
        ValueError: the model has no such layer.
    """
    sparse = [one for one in attentions_of(model) if isinstance(one, SparseAttention)]
    probe = AttentionProbe(layer, sparse[-1] if sparse else None)
    patched = model.clone()
    patched.add_wrapper_with_key(WrappersMP.DIFFUSION_MODEL, KEY, probe.forward)
    guider = CFGGuider(patched)
    guider.set_conds(positive, positive)
    guider.set_cfg(1.0)
    sampling = model.get_model_object("model_sampling")
    sigmas = torch.tensor([float(sampling.percent_to_sigma(percent)), 0.0])
    noise = torch.randn(latent.shape, generator=torch.Generator().manual_seed(seed), dtype=latent.dtype)
    reports = [(one, one.report) for one in attentions_of(model)]
    guider.sample(noise, latent, ksampler("euler"), sigmas, disable_pbar=True, seed=seed)
    for attention, report in reports:
        attention.report = report  # that of the film, not of this step
    if probe.energy is None:
        raise ValueError(f"the model has no layer {layer}: they are 0 to {probe.layers - 1}")
    return probe
