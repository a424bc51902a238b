"""A last frame for a MODEL, told to its first blocks by a network beside it."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Any

import torch
from comfy.patcher_extension import WrappersMP
from torch import Tensor, nn

from . import runtime
from .attention.schedule import Schedule, progress
from .block_outputs import hooked, number_type_beside, refuse_beside, refuse_unless_wan, wrap_outermost
from .film_attention import forward_options
from .interpolation.end_frame_net import EndFrameNet, end_frame_net
from .vae.weights_file import WeightsError, read_weights

KEY = "kinograph_end_frame"
NAME = "Apply End Frame"
COGVIDEO = "CogVideoXTransformer3DModel"
"""ComfyUI's network for CogVideoX, which the published file was trained with."""


def load_end_frame_net(path: Path, model: Any) -> Any:
    """A file's network, in the host's patcher.

    Raises:
        WeightsError: it is no EF-Net, or one for a model of another size.
        ValueError: the model is of another family.
    """
    network = model.model.diffusion_model
    refuse_unless_wan(network, NAME, (COGVIDEO,))
    if getattr(network, "patch_size_t", None) is not None:
        raise ValueError(
            f"{NAME} is for CogVideoX 1.0 and Wan; this is CogVideoX 1.5, whose tokens are others"
        )
    beside = end_frame_net(read_weights(path), number_type_beside(model))
    found, wanted = beside.config, getattr(network, "dim", None) or network.config.width
    if found.width != wanted or found.blocks > len(network.blocks):
        raise WeightsError(
            f"{path.name} is for the first {found.blocks} blocks of a model with tokens of {found.width} "
            f"channels, the model has {wanted} and {len(network.blocks)} blocks; Sci-Fi's is for CogVideoX-5B"
        )
    return runtime.managed(beside)


class EndFrame:
    """A network and an end frame, on a MODEL.

    Args:
        beside: the host's patcher around an `EndFrameNet`.
        end: [1,C,1,h,w], normalised.
        schedule: in which steps.
    """

    def __init__(self, beside: Any, end: Tensor, strength: float, schedule: Schedule) -> None:
        self.beside, self.end = beside, end
        self.strength, self.schedule = strength, schedule

    def models(self) -> list[Any]:
        """Asked by the host: what it must load beside the MODEL."""
        return [self.beside]

    def on(self, model: Any) -> Any:
        """The MODEL with it."""
        patched = model.clone()
        if self.strength:
            patched.set_model_patch(self, KEY)  # no network calls it; the host asks it for `models`
            wrap_outermost(patched, WrappersMP.DIFFUSION_MODEL, KEY, self.forward)
        return patched

    def forward(
        self, executor: Any, x: Tensor, timestep: Tensor, context: Tensor, *given: Any, **named: Any
    ) -> Tensor:
        """Wrapper around the network's forward: x [B,C,T,h,w], timestep [B] or [B,T], context [B,L,W]."""
        options, network = forward_options(given, named), executor.class_obj
        done = progress(float(options["sigmas"][0]), options["sample_sigmas"].float().cpu())
        if not self.schedule.holds_at(done):
            return executor(x, timestep, context, *given, **named)
        if type(network).__name__ != COGVIDEO:
            refuse_beside((context, *given), named, NAME)
        features = self._features(x, timestep, context)
        hooks = [partial(_add, self.strength * feature) for feature in features]
        with hooked(network.blocks[: len(hooks)], hooks):
            return executor(x, timestep, context, *given, **named)

    def _features(self, x: Tensor, timestep: Tensor, context: Tensor) -> list[Tensor]:
        """What is added to the first blocks' tokens.

        Raises:
            ValueError: the end frame or the text is not of the film's kind.
        """
        network: EndFrameNet = self.beside.model
        config, end = network.config, self.end
        if end.shape[3:] != x.shape[3:]:
            raise ValueError(
                f"the end frame has {end.shape[4]} × {end.shape[3]} cells, the film of {x.shape[4]} × "
                f"{x.shape[3]} needs one of its size; encode a picture as large as the film"
            )
        if context.shape[-1] != config.text_width:
            raise ValueError(
                f"the prompt's tokens have {context.shape[-1]} channels, the end frame's network takes "
                f"{config.text_width}; use the text encoder that it was trained with"
            )
        if timestep.ndim > 1:  # levels per frame: as noisy as the noisiest
            timestep = timestep.flatten(1).amax(dim=1)
        dtype = network.patch_embed.proj.weight.dtype
        film, end, text = (one.to(x.device, dtype) for one in (x[:, : config.channels], end, context))
        return [feature.to(x.dtype) for feature in network(film, end, text, timestep)]


def _add(feature: Tensor, _: nn.Module, given: Any, made: Any) -> Any:
    """Hook of a block: the feature is added to the film's tokens, which CogVideoX gives beside the text's."""
    tokens, *others = made if isinstance(made, tuple) else (made,)
    if tokens.shape[1] != feature.shape[1]:
        raise ValueError(
            f"{NAME} finds {tokens.shape[1]} tokens where the film has {feature.shape[1]}: another node on "
            "this model adds some or leaves frames out; put it after this one, as High Frame Rate, or leave "
            "it out"
        )
    return (tokens + feature, *others) if others else tokens + feature


def with_end_frame(
    model: Any, path: Path, end: dict[str, Any], strength: float, schedule: Schedule
) -> tuple[Any, str]:
    """The MODEL with a file's network and the last frame of a LATENT; and what is to be told.

    Raises:
        ValueError: the latent is of another model.
    """
    beside = load_end_frame_net(path, model)
    config, samples = beside.model.config, end["samples"]
    if samples.ndim != 5 or samples.shape[1] != config.channels:
        raise ValueError(
            f"the end frame's latent is {list(samples.shape)}; needed is [1, {config.channels}, frames, "
            "height, width]: encode a picture with the model's VAE"
        )
    last = model.model.process_latent_in(samples[:1, :, -1:].to(torch.float32))
    told = (
        f"{path.name}: {config.blocks} blocks tell the end frame, trained for films of {config.frames} "
        "latent frames"
    )
    if len(samples) > 1:
        told += f"; of {len(samples)} films of the end latent, the first one's last frame is used"
    return EndFrame(beside, last, strength, schedule).on(model), told
