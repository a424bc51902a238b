"""What a text-to-video run makes of held-back prompts so far, judged by the oracle.

    python -m kinograph.training.check_t2v --prompts 32

Films, or pictures while the run still learns these (`--frames 1`).
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path

import torch

from ..nodes.evaluation.oracle import match, objects_asked_for, read_clip
from ..nodes.generation.pipeline import DEFAULT, Pipeline, Sampling
from ..nodes.synthetic.held_back import held_back_prompts
from ..nodes.vae.load import load_vae
from .t2v_card import contact_sheet
from .train_t2v import VAE, Run


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    add, default = parser.add_argument, DEFAULT
    add("--checkpoint", type=Path, default=Path("training/runs/t2v/checkpoint.pt"))
    add("--prompts", type=int, default=32)
    add("--frames", type=int, default=5, help="latent frames")
    add("--steps", type=int, default=default.steps)
    add("--cfg", type=float, default=default.cfg)
    add("--shift", type=float, default=default.shift)
    add("--threads", type=int, default=1)
    add("--sheet", type=Path, help="where to put a picture of the first films")
    args = parser.parse_args()
    torch.set_num_threads(args.threads)
    run = Run.resume(args.checkpoint, torch.device("cpu"))
    run.averaged()
    pipeline = Pipeline(run.transformer, run.text, load_vae(VAE, dtype=torch.float32))
    prompts = held_back_prompts(args.prompts)
    noise = torch.randn(len(prompts), 16, args.frames, 12, 12, generator=torch.Generator().manual_seed(0))
    settings = Sampling(steps=args.steps, cfg=args.cfg, shift=args.shift)
    films = pipeline.decoded(pipeline.sampled(prompts, noise, settings=settings))
    frames = (films * 255).round().byte().permute(0, 2, 3, 4, 1).numpy()
    found = [
        match(read_clip(film, 24), objects_asked_for(prompt))
        for film, prompt in zip(frames, prompts, strict=True)
    ]
    names = ("color", "shape", "motion", "all_three")
    shares = {name: sum(getattr(one, name) for one in found) / len(found) for name in names}
    print(json.dumps({"step": run.step, **vars(settings), **shares}, default=str))
    if args.sheet:
        contact_sheet(films[:16], args.sheet)


if __name__ == "__main__":
    main()
