"""The value of a CLIP socket: in ComfyUI a `comfy.sd.CLIP`, elsewhere an object with its methods.

Both hold a `PromptNetwork` and a `PromptTokenizer`, which do the work.
"""

from __future__ import annotations

import copy
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn

from .generation.prompt_weights import weighted_parts
from .generation.text_encoder_tokens import END, PAD, cleaned
from .runtime import casting_layers, load, managed_text_encoder, result_device, throw_if_cancelled

if TYPE_CHECKING:
    from .generation.text_encoder import TextEncoder

NAME = "umt5xxl"
"""Under which ComfyUI's nodes find the tokens of Wan's text encoder."""
Tokens = dict[str, list[list[tuple]]]
"""By `NAME`: rows of (token, weight), padded; with word ids, of (token, weight, word)."""


class PromptTokenizer:
    """Prompts with emphasis to tokens with weights."""

    def __init__(self, encoder: TextEncoder) -> None:
        self.encoder = encoder

    def tokenize_with_weights(self, text: str, return_word_ids: bool = False, **options: Any) -> Tokens:
        """One row of (token, weight), as long as the encoder pads to; what is longer is cut with a warning.

        Args:
            return_word_ids: add to each the number of its part of the prompt, from 1; END and PAD have 0.
            options: of other text encoders.
        """
        parts = enumerate(weighted_parts(text), start=1)
        found = [
            (token, weight, word)
            for word, (part, weight) in parts
            for token in self.encoder.tokenizer.tokens(cleaned(part))
        ]
        kept = self.encoder.ended([token for token, _, _ in found], _log)
        row = [*found[: len(kept) - 1], (END, 1.0, 0)]
        row += [(PAD, 1.0, 0)] * (self.encoder.length - len(row))
        return {NAME: [row if return_word_ids else [(token, weight) for token, weight, _ in row]]}

    def untokenize(self, row: Sequence[tuple]) -> list[tuple[tuple, str]]:
        """Each entry of a row with the text of its token."""
        return [(entry, self.encoder.tokenizer.piece(entry[0])) for entry in row]

    def decode(self, token_ids: Sequence[int], skip_special_tokens: bool = True) -> str:
        """Tokens as text."""
        special = (PAD, END) if skip_special_tokens else ()
        return self.encoder.tokenizer.text([token for token in token_ids if token not in special])

    def state_dict(self) -> dict[str, Tensor]:
        """What a saved text encoder keeps of it."""
        from .generation.text_encoder import tokenizer_tensors

        return tokenizer_tensors(self.encoder.tokenizer, self.encoder.length)


class PromptNetwork(nn.Module):
    """A text encoder's network as ComfyUI's CLIP calls it.

    Its weights' names begin with `transformer.`, which ComfyUI's CLIPSave leaves out, so that it writes the
    file that the encoder came from.
    """

    def __init__(self, encoder: TextEncoder) -> None:
        super().__init__()
        self.transformer = encoder.network
        self.encoder = encoder
        self.reset_clip_options()

    def reset_clip_options(self) -> None:
        """Run all layers, where the weights lie."""
        self.layers: int | None = None
        self.device: torch.device | None = None

    def set_clip_options(self, options: dict[str, Any]) -> None:
        """Set the layer to stop at (counted from the end: −1 is the last) and where to compute."""
        self.device = options.get("execution_device", self.device)
        if "layer" in options:
            count, layer = self.transformer.config.layers, options["layer"]
            stops = layer is not None and -count <= layer < count
            self.layers = layer % count + 1 if stops else None

    def encode_token_weights(self, tokens: Tokens) -> tuple[Tensor, None]:
        """Rows of weighted tokens → [1, L, W], and nothing pooled.

        A weight w moves what a token means away from what the empty prompt has in its place, to w times
        the distance. Several rows follow one another along L.
        """
        rows = tokens[NAME]
        texts = [_until_end([entry[0] for entry in row]) for row in rows]
        weighted = any(entry[1] != 1 for row in rows for entry in row)
        texts_and_empty = [*texts, *[[END]] * weighted]
        encoded = self.encoder.encode_tokens(texts_and_empty, self.layers, self.device, throw_if_cancelled)
        meaning = encoded[: len(rows)]
        if weighted:
            by = torch.ones(meaning.shape[:2])
            for number, (row, text) in enumerate(zip(rows, texts, strict=True)):
                by[number, : len(text)] = torch.tensor([entry[1] for entry in row[: len(text)]])
            meaning = torch.lerp(encoded[-1:], meaning, by[..., None].to(meaning))
        return meaning.flatten(0, 1)[None].to(result_device()), None

    def load_sd(self, state_dict: dict[str, Tensor]) -> Any:
        """Load weights under their published names."""
        return self.transformer.load_state_dict(state_dict, strict=False)


def _until_end(row: list[int]) -> list[int]:
    return row[: row.index(END) + 1] if END in row else row


def _log(note: str) -> None:
    import logging

    logging.warning("Kinograph: %s", note)


class TextCLIP:
    """The attributes and methods of a `comfy.sd.CLIP` that nodes use, where there is no ComfyUI.

    CONDITIONING is a list of [[1, L, W], {"pooled_output": None, …}].
    """

    def __init__(self) -> None:
        self.cond_stage_model: PromptNetwork
        self.tokenizer: PromptTokenizer
        self.patcher: Any
        self.layer_idx: int | None = None
        self.tokenizer_options: dict[str, Any] = {}

    def clone(self) -> TextCLIP:
        """The same network with patches and options of its own."""
        twin = copy.copy(self)
        twin.patcher, twin.tokenizer_options = self.patcher.clone(), dict(self.tokenizer_options)
        return twin

    def clip_layer(self, layer_idx: int) -> None:
        """Stop at a layer, counted from the end: −1 is the last."""
        self.layer_idx = layer_idx

    def set_tokenizer_option(self, option_name: str, value: Any) -> None:
        self.tokenizer_options[option_name] = value

    def tokenize(self, text: str, return_word_ids: bool = False, **options: Any) -> Tokens:
        """A prompt, with emphasis as `(word:1.2)`, as tokens."""
        return self.tokenizer.tokenize_with_weights(text, return_word_ids, **options)

    def encode_from_tokens_scheduled(
        self, tokens: Tokens, unprojected: bool = False, add_dict: dict[str, Any] | None = None, **_: Any
    ) -> list[list[Any]]:
        """Tokens → CONDITIONING, with `add_dict` among what accompanies it."""
        return [[self.encode_from_tokens(tokens), {"pooled_output": None, **(add_dict or {})}]]

    def encode_from_tokens(
        self, tokens: Tokens, return_pooled: bool | str = False, return_dict: bool = False
    ) -> Any:
        """Tokens → [1, L, W], also with what is pooled (nothing), as a pair or a dict."""
        network = self.cond_stage_model
        network.reset_clip_options()
        self.load_model(tokens)
        network.set_clip_options({"layer": self.layer_idx, "execution_device": self.patcher.load_device})
        with torch.inference_mode():
            cond, pooled = network.encode_token_weights(tokens)
        if return_dict:
            return {"cond": cond, "pooled_output": pooled}
        return (cond, pooled) if return_pooled else cond

    def encode(self, text: str) -> Tensor:
        return self.encode_from_tokens(self.tokenize(text))

    def decode(self, token_ids: Sequence[int], skip_special_tokens: bool = True) -> str:
        return self.tokenizer.decode(token_ids, skip_special_tokens)

    def load_model(self, tokens: Tokens | None = None) -> Any:
        """Bring the network to where it computes; returns its patcher."""
        load(self.patcher)
        return self.patcher

    def load_sd(self, sd: dict[str, Tensor], full_model: bool = False) -> Any:
        network = self.cond_stage_model
        return network.load_state_dict(sd, strict=False) if full_model else network.load_sd(sd)

    def get_sd(self) -> dict[str, Tensor]:
        """The weights, beginning with `transformer.`, and the tokenizer."""
        return self.cond_stage_model.state_dict() | self.tokenizer.state_dict()

    def is_dynamic(self) -> bool:
        return False


def clip_of(encoder: TextEncoder, on_cpu: bool = False) -> Any:
    """A text encoder as the value of a CLIP socket.

    Args:
        on_cpu: compute on the CPU, whatever the host would choose.
    """
    clip = _empty_clip()
    clip.cond_stage_model = PromptNetwork(encoder)
    clip.tokenizer = PromptTokenizer(encoder)
    clip.patcher = managed_text_encoder(clip.cond_stage_model, on_cpu)
    return clip


def _empty_clip() -> Any:
    try:
        from comfy.sd import CLIP
    except ModuleNotFoundError:  # the embedded host has no such module
        return TextCLIP()
    clip = CLIP(no_init=True)
    clip.layer_idx = clip.apply_hooks_to_conds = None
    clip.use_clip_schedule, clip.tokenizer_options = False, {}
    return clip


def load_clip(path: str, dtype_name: str, on_cpu: bool) -> Any:
    """Load a file or folder as the value of a CLIP socket.

    Args:
        dtype_name: in which the weights are kept: "auto" or a torch dtype's name.
        on_cpu: compute on the CPU, whatever the host would choose.
    """
    from .generation.text_encoder import load_text_encoder

    dtype = None if dtype_name == "auto" else getattr(torch, dtype_name)
    return clip_of(load_text_encoder(Path(path), operations=casting_layers(), dtype=dtype), on_cpu)
