"""A small UMT5 with weights of a seed, and its tokenizer, trained on a few captions."""

from __future__ import annotations

from functools import cache

import torch
from kinograph.nodes.generation.text_encoder import TextEncoder, new_text_encoder
from kinograph.nodes.generation.text_encoder_tokens import PieceTokenizer
from kinograph.training.caption_tokenizer import caption_lines, train_tokenizer


@cache
def caption_tokenizer() -> PieceTokenizer:
    return PieceTokenizer(train_tokenizer(caption_lines(clips=60), pieces=600))


@cache
def tiny_encoder() -> TextEncoder:
    """Two layers of width 128, two heads, texts of 24 tokens. Gradients are off, as in a loaded one."""
    torch.manual_seed(0)
    encoder = new_text_encoder(caption_tokenizer(), width=128, layers=2, heads=2, hidden=96, length=24)
    encoder.network.eval().requires_grad_(False)
    return encoder
