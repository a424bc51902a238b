"""Causal convolution to few channels: what each time tap makes of a frame, remembered instead of the frame.

A frame goes through one 3×3 convolution that gives the outputs of all three time taps, and the taps of three
frames are added. Where the outputs are few, that fills the processor's vectors better than a convolution
for each tap, and the past of 96 channels shrinks to one of 9.

Shapes: B batch, C channels in, O channels out, T frames, H height, W width.
"""

from __future__ import annotations

from torch import Tensor

from ..onednn import convolution
from .strips import Layer, channels_last, film


def norm_silu_conv3d(
    x: Tensor, past: Tensor | None, gain: Tensor, weight: Tensor, bias: Tensor | None
) -> tuple[Tensor, Tensor]:
    """As the naive function, but the past is [B,2,H,W,3·O]: the time taps' outputs of two frames."""
    x = channels_last(x)
    b, t, h, w, _ = x.shape
    out = weight.shape[0]
    by_tap = weight.permute(2, 0, 1, 3, 4).flatten(0, 1)  # [3·O, C, 3, 3]

    def convolve(strip: Tensor) -> Tensor:
        return convolution(strip.permute(0, 3, 1, 2), by_tap, padding=(0, 1)).permute(0, 2, 3, 1)

    layer = Layer(gain.flatten(), convolve, None)
    outputs = x.new_zeros(b, t + 2, h, w, 3 * out)
    if past is not None:
        outputs[:, :2] = past
    for item in range(b):
        film(layer, x[item], x[item, :0], None, outputs[item, 2:], None)
    oldest, middle, newest = outputs.split(out, dim=-1)
    made = oldest[:, :t] + middle[:, 1 : t + 1]
    made += newest[:, 2:]
    if bias is not None:
        made += bias
    return made.permute(0, 4, 1, 2, 3), outputs[:, -2:].clone()
