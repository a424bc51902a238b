"""SageAttention2: attention in INT4 or INT8 and FP8, with the outliers taken out before.

Q·Kᵀ of whole numbers with a scale for each group of tokens, P̃·V in FP8 or FP16. Keys lose their mean, which
softmax does not notice; blocks of queries lose theirs, whose product with the keys is added back to the
logits; values lose theirs, which is added back to the result. Layers whose INT4 attention is too far from
exact take INT8. Source: Zhang et al. 2024, "SageAttention2: Efficient Attention with Thorough Outlier
Smoothing and Per-thread INT4 Quantization".
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ...methods import param, register
from ..plan import QUANTIZED

if TYPE_CHECKING:
    from ....kernels.attention.quantized import Quantization

ADAPTIVE = "int4 or int8"


def _smooth(what: str) -> bool:
    return param(True, f"Take the mean of the {what} out before, which holds most outliers.")


@register(
    "sageattention2",
    node=QUANTIZED,
    system="sageattention2",
    paper="SageAttention2: Efficient Attention with Thorough Outlier Smoothing and Per-thread INT4 "
    "Quantization (Zhang et al.)",
    year=2024,
    test="tests/kernels/test_quantized.py",
)
class SageAttention2:
    """Whole numbers for queries and keys, eight bits for values."""

    query_key: str = param(
        "int8",
        "Bits of queries and keys. int4 or int8: chosen for each layer by its error. INT4 is simulated: no "
        "kernel for it is in PyTorch or Triton.",
        choices=("int8", "int4", ADAPTIVE),
    )
    weights_value: str = param(
        "fp16", "Type of the attention's weights and of the values.", choices=("fp16", "fp8")
    )
    grain: str = param(
        "block",
        "Tokens that share a scale. The kernel has block; the paper's finer ones are simulated.",
        choices=("block", "warp", "thread", "token"),
    )
    smooth_query: bool = _smooth("queries in a block")
    smooth_key: bool = _smooth("keys")
    smooth_value: bool = _smooth("values")
    similarity: float = param(
        0.99,
        "For int4 or int8: cosine similarity to exact attention from which a layer takes INT4.",
        min=0.0,
        max=1.0,
        step=0.001,
    )

    @property
    def least(self) -> float | None:
        """Similarity from which layers take INT4; None where they do not choose."""
        return self.similarity if self.query_key == ADAPTIVE else None

    def options(self) -> Quantization:
        from ....kernels.attention.quantized import Quantization

        return Quantization(
            "int8" if self.query_key == ADAPTIVE else self.query_key,
            self.weights_value,
            self.grain,
            self.smooth_query,
            self.smooth_key,
            self.smooth_value,
        )
