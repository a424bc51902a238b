"""Train the tokenizer of the embedded text encoder on the captions of procedural clips.

    python -m kinograph.training.caption_tokenizer captions.model

The same code, library and arguments give the same tokenizer.
"""

from __future__ import annotations

import argparse
import io
import string
from collections.abc import Iterator
from pathlib import Path

from ..nodes.synthetic import vocabulary
from ..nodes.synthetic.captions import captions
from ..nodes.synthetic.sampling import ClipOptions, sample_clip

PIECES = 1000
CLIPS = 4000
KINDS = (
    ClipOptions(kind="objects", max_objects=3),
    ClipOptions(kind="mixed", max_objects=2, scene_seconds=0.6),
    ClipOptions(kind="talking_face"),
)
ALPHABET = string.ascii_lowercase + string.digits + ".,;:!?'\"()-&"
"""Characters with a piece of their own, so that other words than the captions' need few bytes."""


def caption_lines(clips: int = CLIPS) -> Iterator[str]:
    """The captions of the first clips of each kind, then every phrase that a caption may have.

    Whole words only come out as pieces if they are frequent, so rare phrases are repeated.
    """
    for seed in range(clips):
        yield from captions(sample_clip(seed, KINDS[seed % len(KINDS)]))
    for phrases in (vocabulary.MOTIONS, vocabulary.CAMERAS, vocabulary.BACKGROUNDS):
        for wordings in phrases.values():
            for _ in range(max(1, clips // 100)):
                yield from wordings


def train_tokenizer(lines: Iterator[str], pieces: int = PIECES) -> bytes:
    """A SentencePiece model with UMT5's special tokens, lower case, and bytes for unknown characters.

    Returns:
        what a `spiece.model` file holds.
    """
    import sentencepiece

    model = io.BytesIO()
    sentencepiece.SentencePieceTrainer.train(
        sentence_iterator=lines,
        model_writer=model,
        vocab_size=pieces,
        hard_vocab_limit=False,
        model_type="bpe",
        normalization_rule_name="nmt_nfkc_cf",
        required_chars=ALPHABET,
        byte_fallback=True,
        pad_id=0,
        eos_id=1,
        unk_id=2,
        bos_id=-1,
        num_threads=1,
        minloglevel=1,
    )
    return model.getvalue()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("output", type=Path, help="where to write the SentencePiece model")
    parser.add_argument("--clips", type=int, default=CLIPS, help="how many clips' captions to read")
    given = parser.parse_args()
    given.output.write_bytes(train_tokenizer(caption_lines(given.clips)))


if __name__ == "__main__":
    main()
