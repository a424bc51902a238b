"""Video autoencoders learn pictures first: as a network without a sense of time, inflated afterwards.

A causal network sees nothing before a film's first frame, so on single pictures only the last tap of each
kernel counts. Without the others a picture costs a third, and a batch holds as many scenes as frames.
"""

from __future__ import annotations

import torch
from torch import nn

from ..nodes.vae.wan21 import Downsample, Upsample, Wan21Config, Wan21VAE


def picture_network(config: Wan21Config) -> Wan21VAE:
    """The autoencoder with kernels of one frame, for pictures [B,3,1,H,W]."""
    network = Wan21VAE(config)
    for layer in list(network.modules()):
        for name, conv in layer.named_children():
            if name == "time_conv":
                setattr(layer, name, None)
            elif isinstance(conv, nn.Conv3d) and conv.kernel_size[0] > 1:
                setattr(layer, name, _of_one_frame(conv))
    return network


def _of_one_frame(conv: nn.Conv3d) -> nn.Conv3d:
    return nn.Conv3d(conv.in_channels, conv.out_channels, (1, *conv.kernel_size[1:]), padding=conv.padding)


@torch.no_grad()
def inflated(pictures: dict[str, torch.Tensor], config: Wan21Config) -> Wan21VAE:
    """A network that does to every frame what the picture network does, for films [B,3,4n+1,H,W].

    At first four frames share the mean of their features; the past is seen, but counts for nothing.

    Args:
        pictures: weights of a `picture_network`.
    """
    network = Wan21VAE(config)
    weights = network.state_dict()
    for name, tensor in pictures.items():
        if weights[name].shape == tensor.shape:
            weights[name].copy_(tensor)
        else:
            weights[name].zero_()[:, :, -1:] = tensor
    for layer in network.modules():
        if isinstance(layer, (Downsample, Upsample)) and layer.time_conv is not None:
            _start_time_conv(layer.time_conv, taps=2 if isinstance(layer, Downsample) else 1)
    return network


def _start_time_conv(conv: nn.Conv3d, taps: int) -> None:
    """Every output channel is the mean of its input's last frames; 2C of them repeat C inputs."""
    channels = conv.in_channels
    repeated = torch.eye(channels).repeat(conv.out_channels // channels, 1)
    nn.init.zeros_(conv.weight)
    nn.init.zeros_(conv.bias)
    conv.weight[:, :, -taps:, 0, 0] = repeated[:, :, None] / taps
