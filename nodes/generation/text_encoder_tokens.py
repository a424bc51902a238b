"""Text to tokens: cleaning, and the SentencePiece or JSON tokenizers that text encoders come with."""

from __future__ import annotations

import html
import re
from functools import cached_property
from typing import Protocol

PAD, END = 0, 1
"""UMT5's token numbers; text never becomes PAD."""


class TokenizerError(ValueError):
    """A tokenizer that cannot be read or used."""


class Tokenizer(Protocol):
    """What a text encoder needs of its tokenizer.

    Attributes:
        size: tokens are 0..size − 1.
        model: the tokenizer itself, as in its file.
        key: under which a file of weights keeps it.
    """

    key: str
    model: bytes
    size: int

    def tokens(self, text: str) -> list[int]:
        """Text as tokens, without an end."""

    def piece(self, token: int) -> str:
        """The text that a token stands for."""

    def text(self, tokens: list[int]) -> str:
        """Tokens as text again."""


def cleaned(text: str) -> str:
    """Text as Wan cleans it: entities as `&amp;` resolved (twice), white space single.

    Wan also mends text that was decoded wrongly (with ftfy); that is not done here.
    """
    return re.sub(r"\s+", " ", html.unescape(html.unescape(text))).strip()


class PieceTokenizer:
    """A SentencePiece model.

    Args:
        model: the bytes of a `spiece.model` file.

    Raises:
        TokenizerError: they are none, or its tokens are not numbered as UMT5's.
    """

    key = "spiece_model"

    def __init__(self, model: bytes) -> None:
        self.model = model
        self.size = self._pieces.get_piece_size()
        ends = self._pieces.pad_id(), self._pieces.eos_id()
        if ends != (PAD, END):
            raise TokenizerError(f"its padding and end are tokens {ends}; UMT5's are {(PAD, END)}")

    @cached_property
    def _pieces(self):
        from sentencepiece import SentencePieceProcessor

        try:
            return SentencePieceProcessor(model_proto=self.model)
        except RuntimeError as error:
            raise TokenizerError("it is no SentencePiece model") from error

    def tokens(self, text: str) -> list[int]:
        return self._pieces.encode(text)

    def piece(self, token: int) -> str:
        return self._pieces.id_to_piece(token)

    def text(self, tokens: list[int]) -> str:
        return self._pieces.decode(tokens)


class JsonTokenizer:
    """A tokenizer of Hugging Face's tokenizers.

    Args:
        model: the bytes of a `tokenizer.json` file.

    Raises:
        TokenizerError: they are none, or its tokens are not numbered as UMT5's.
    """

    key = "tokenizer_json"

    def __init__(self, model: bytes) -> None:
        from tokenizers import Tokenizer as Fast

        self.model = model
        try:
            self._fast = Fast.from_str(model.decode())
        except Exception as error:  # the library raises bare exceptions
            raise TokenizerError(f"it is no tokenizer.json ({error})") from error
        self._fast.no_truncation()
        self._fast.no_padding()
        self.size = self._fast.get_vocab_size()
        ends = self._fast.token_to_id("<pad>"), self._fast.token_to_id("</s>")
        if ends != (PAD, END):
            raise TokenizerError(f"its padding and end are tokens {ends}; UMT5's are {(PAD, END)}")

    def tokens(self, text: str) -> list[int]:
        return self._fast.encode(text, add_special_tokens=False).ids

    def piece(self, token: int) -> str:
        return self._fast.id_to_token(token)

    def text(self, tokens: list[int]) -> str:
        return self._fast.decode(tokens)
