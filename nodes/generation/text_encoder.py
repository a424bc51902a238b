"""Text encoders of the UMT5 kind: UMT5-XXL, which Wan listens to, and the small one that comes with the pack.

B texts, L tokens, W width.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import save_file
from torch import Tensor, nn

from ..vae.weights_file import Weights, WeightsError
from .text_encoder_files import find_tokenizer, read_encoder
from .text_encoder_layouts import to_published
from .text_encoder_network import CASTING, UMT5Config, UMT5Encoder
from .text_encoder_tokens import END, PAD, Tokenizer, cleaned

LENGTH = 512
"""Tokens that Wan pads a text to."""
LONGEST = 4096
EMBEDDED_LENGTH = 64
"""The same for the small encoder: captions of three objects have up to 60."""
LENGTH_KEY = "text_length"
"""Under which a file keeps the length: a tensor, since ComfyUI's CLIPSave drops what is in the metadata."""


class TextEncoder:
    """A network and its tokenizer.

    Attributes:
        network: an nn.Module, tokens [B,L] → [B,L,W].
        length: tokens that every text is padded to or cut at.
    """

    def __init__(self, network: UMT5Encoder, tokenizer: Tokenizer, length: int = LENGTH) -> None:
        self.network, self.tokenizer, self.length = network, tokenizer, length

    @property
    def width(self) -> int:
        """W, the width of what the transformer reads."""
        return self.network.config.width

    def tokens(self, text: str, report: Callable[[str], None] | None = None) -> list[int]:
        """A text as at most `length` tokens, the last of them END.

        Args:
            report: called with a sentence when the text is too long and its end is left out.
        """
        return self.ended(self.tokenizer.tokens(cleaned(text)), report)

    def ended(self, tokens: list[int], report: Callable[[str], None] | None = None) -> list[int]:
        """Tokens cut to `length`, with END as the last one."""
        room = self.length - 1
        if len(tokens) > room and report:
            lost = self.tokenizer.text(tokens[room:])
            report(
                f"the prompt has {len(tokens)} tokens and the text encoder reads {room}: "
                f"left out is its end, {lost[:200]!r}"
            )
        return [*tokens[:room], END]

    def encode(self, texts: Sequence[str], report: Callable[[str], None] | None = None) -> Tensor:
        """Texts → [B, length, W] float32, zero beyond each text's end.

        Gradients flow to the network's weights where these ask for them.
        """
        return self.encode_tokens([self.tokens(text, report) for text in texts])

    def encode_tokens(
        self,
        rows: Sequence[list[int]],
        layers: int | None = None,
        device: torch.device | None = None,
        tick: Callable[[], None] | None = None,
    ) -> Tensor:
        """Rows of tokens, each ended → [B, L, W], zero beyond each one's end; L is at least `length`.

        Args:
            layers: how many layers of the network to run; all, when None.
            device: where to compute; where the weights are, when None.
            tick: called before each layer; it raises to stop.
        """
        device = device or self.network.shared.weight.device
        ends = torch.tensor([len(row) for row in rows], device=device)
        longest = int(ends.max())
        padded = torch.tensor([[*row, *[PAD] * (longest - len(row))] for row in rows], device=device)
        real = torch.arange(longest, device=device) < ends[:, None]  # [B, longest]
        encoded = self.network(padded, real, layers, tick) * real[..., None]
        return nn.functional.pad(encoded, (0, 0, 0, max(0, self.length - longest)))

    def state_dict(self) -> dict[str, Tensor]:
        """Everything that `load_text_encoder` needs: the weights, the tokenizer and the length."""
        return self.network.state_dict() | tokenizer_tensors(self.tokenizer, self.length)

    def save(self, path: Path) -> None:
        """Write one .safetensors file in the layout of ComfyUI's UMT5 files."""
        tensors = {key: tensor.detach().cpu().contiguous() for key, tensor in self.state_dict().items()}
        save_file(tensors, path, {"format": "pt"})


def tokenizer_tensors(tokenizer: Tokenizer, length: int) -> dict[str, Tensor]:
    """What a file of weights keeps besides the network: the tokenizer's bytes, uint8, and the length."""
    model = torch.frombuffer(bytearray(tokenizer.model), dtype=torch.uint8)
    return {tokenizer.key: model, LENGTH_KEY: torch.tensor([length])}


def new_text_encoder(
    tokenizer: Tokenizer,
    *,
    width: int = 256,
    layers: int = 4,
    heads: int = 4,
    hidden: int = 512,
    length: int = EMBEDDED_LENGTH,
) -> TextEncoder:
    """A text encoder with fresh random weights, to be trained.

    Args:
        tokenizer: `PieceTokenizer(Path("captions.model").read_bytes())`, say.
        width, hidden: of the tokens and of the feed-forward layers.
        length: tokens that every text is padded to.
    """
    config = UMT5Config(tokenizer.size, width, layers, heads, width // heads, hidden)
    network = UMT5Encoder(config)
    network.reset()
    return TextEncoder(network, tokenizer, length)


def load_text_encoder(
    source: Path | str | Mapping[str, Tensor],
    *,
    operations: Any = None,
    dtype: torch.dtype | None = None,
    tokenizer: Tokenizer | None = None,
) -> TextEncoder:
    """Load UMT5-XXL, or another encoder of its kind, with its tokenizer; nothing is ever downloaded.

    Args:
        source: a file, as ComfyUI's or Wan's own; a folder as Hugging Face has it; or weights.
        operations: layer classes which bring their weights to the input's number type; own ones when None.
        dtype: in which the weights are kept; the file's own when None (bfloat16 for 8 bits).
        tokenizer: instead of the one that comes with the weights.

    Returns:
        the encoder, for inference, with the weights where they were (a file's are mapped, not copied).

    Raises:
        WeightsError: the file cannot be read, is no UMT5 encoder, or lacks weights or the tokenizer.
    """
    path = None if isinstance(source, Mapping) else Path(source)
    weights = Weights(source) if path is None else read_encoder(path)
    published = to_published(weights)
    tokenizer = tokenizer or find_tokenizer(weights, path)
    network = _built(weights.name, published, operations or CASTING)
    if tokenizer.size > network.config.vocabulary:
        raise WeightsError(
            f"{weights.name} knows {network.config.vocabulary} tokens and its tokenizer makes "
            f"{tokenizer.size}: the tokenizer is another model's"
        )
    network.load_state_dict(published, assign=True)
    return TextEncoder(network.to(dtype=dtype).eval().requires_grad_(False), tokenizer, _length(weights))


def _length(weights: Weights) -> int:
    """The tokens that a text is padded to: as the file says, else as Wan has it."""
    told = next((tensor for key, tensor in weights.tensors.items() if key.endswith(LENGTH_KEY)), None)
    if told is None:
        return LENGTH
    if told.numel() != 1 or not 0 < told.item() <= LONGEST:
        raise WeightsError(f"{weights.name} is damaged: its {LENGTH_KEY} is {told.tolist()}; fetch it again")
    return int(told.item())


def _built(name: str, published: Mapping[str, Tensor], operations: Any) -> UMT5Encoder:
    """The network that the weights are of, without them.

    Raises:
        WeightsError: they are incomplete or do not fit each other.
    """
    try:
        with torch.device("meta"):
            network = UMT5Encoder(UMT5Config.of(published), operations)
    except (
        LookupError,
        ValueError,
        ArithmeticError,
    ) as fault:  # from names or shapes that no such encoder has
        raise WeightsError(f"{name} is incomplete ({fault}); fetch it again") from fault
    shapes = {key: weight.shape for key, weight in network.state_dict().items()}
    found = {key: weight.shape for key, weight in published.items()}
    faults = sorted(key for key in shapes.keys() | found.keys() if shapes.get(key) != found.get(key))
    if faults:
        raise WeightsError(
            f"{name} does not fit UMT5 with {network.config.layers} layers of width {network.config.width}: "
            f"{len(faults)} weights are missing, unknown or of another shape, first {', '.join(faults[:3])}; "
            "fetch it again"
        )
    return network
