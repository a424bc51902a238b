"""Make the pack's text-to-video model of a training checkpoint, and write its card.

    python -m kinograph.training.export_t2v
    kinograph bench quality --json | tail -1 > quality.json
    python -m kinograph.training.export_t2v --quality quality.json

The first call writes the weights, the last one puts what was measured of them into the card.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path

import torch
from safetensors.torch import save_file
from torch import Tensor

from ..nodes.generation.pipeline import DEFAULT, Pipeline
from ..nodes.synthetic.held_back import held_back_prompts
from .t2v_card import contact_sheet, t2v_card
from .t2v_clips import fingerprint
from .train_t2v import MODEL, TEXT, TRAINING, VAE, WEIGHTS, Run


def write_weights(run: Run, folder: Path) -> tuple[Path, Path]:
    """Write transformer and text encoder where ComfyUI's loaders look; returns their paths."""
    networks = run.averaged().half()
    paths = tuple(folder / file.relative_to(WEIGHTS) for file in (MODEL, TEXT))
    for path in paths:
        path.parent.mkdir(parents=True, exist_ok=True)
    config = {"transformer": {"text_dim": run.sizes.text_width, "num_heads": run.sizes.width // 128}}
    metadata = {
        "format": "pt",
        "config": json.dumps(config),
        "shift": str(DEFAULT.shift),
        TRAINING: run.told(),
    }
    tensors = {name: tensor.contiguous() for name, tensor in networks["transformer"].state_dict().items()}
    save_file(tensors, paths[0], metadata)
    run.text.save(paths[1])
    return paths


def samples(pipeline: Pipeline, prompts: list[str]) -> Tensor:
    """Films of prompts: [B,3,T,H,W] in 0..1."""
    noise = torch.randn(len(prompts), 16, 5, 12, 12, generator=torch.Generator().manual_seed(0))
    return pipeline.decoded(pipeline.sampled(prompts, noise))


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    add = parser.add_argument
    add("--checkpoint", type=Path, default=Path("training/runs/t2v/checkpoint.pt"))
    add("--vae", type=Path, default=VAE, help="the autoencoder that gave the latents")
    add("--quality", type=Path, help="what `kinograph bench quality --json` printed, for the card")
    add("--command", default="python -m kinograph.training.train_t2v", help="how it was trained")
    add("--weights", type=Path, default=WEIGHTS, help="folder that gets weights and card")
    args = parser.parse_args()
    run = Run.resume(args.checkpoint, torch.device("cpu"))
    if run.vae != fingerprint(args.vae):
        parser.error(f"{args.checkpoint} learnt the latents of another autoencoder than {args.vae}")
    paths = write_weights(run, args.weights)
    cards = args.weights / "cards"
    cards.mkdir(parents=True, exist_ok=True)
    prompts = held_back_prompts(6)
    contact_sheet(samples(Pipeline.load(*paths, args.vae), prompts), cards / f"{MODEL.stem}.jpg")
    quality = None if args.quality is None else json.loads(args.quality.read_text(encoding="utf-8"))
    card = t2v_card(MODEL.stem, paths, run, args.command, prompts, quality)
    (cards / f"{MODEL.stem}.md").write_text(card, encoding="utf-8")
    print(*paths, sep="\n")


if __name__ == "__main__":
    main()
