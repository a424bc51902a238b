"""Train the embedded text-to-video model: a small Wan and its text encoder, one noise level per frame.

    python -m kinograph.training.train_t2v

Computes the latents of its clips first, and goes on from its last checkpoint when called again.
"""

from __future__ import annotations

import argparse
import json
import random
import time
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor, nn

from ..nodes.generation.text_encoder import TextEncoder, load_text_encoder, new_text_encoder
from ..nodes.generation.text_encoder_tokens import PieceTokenizer
from ..nodes.generation.wan import WanTransformer
from ..nodes.generation.wan_config import WanConfig
from ..nodes.generation.wan_initial import initialise
from ..nodes.synthetic.captions import canonical_caption
from ..nodes.vae.load import load_vae
from ..nodes.vae.weights_file import read_weights
from .caption_tokenizer import caption_lines, train_tokenizer
from .muon import Muon
from .noise_levels import drawn_sigmas
from .t2v_clips import Batch, LatentClips, LatentPictures, clip_latents, fingerprint, training_clip
from .vae_clips import FIRST_UNSEEN_SEED

WEIGHTS = Path(__file__).resolve().parents[1] / "weights"
VAE = WEIGHTS / "vae" / "kinograph_tiny_wan21_vae.safetensors"
MODEL = WEIGHTS / "diffusion_models" / "kinograph_tiny_t2v.safetensors"
TEXT = WEIGHTS / "text_encoders" / "kinograph_tiny_umt5.safetensors"
TRAINING = "training"
"""Key in the transformer's metadata: the run so far, as JSON."""
SILENT_SHARE = 0.1
"""Of the clips learn without their caption, for guidance."""
PEAK_RATES = {"matrices": 0.01, "others": 1e-3}
DECAY_FROM = 0.5
"""Share of the training after which the learning rate falls to zero."""
PICTURES_PER_FILM = 4
"""Pictures in a batch for each film that later takes their place: about as many tokens."""
OBJECT_WEIGHT = 8
"""How much more the velocity counts where objects are: they fill a tenth of a picture, and are what prompts
speak of. It falls with the learning rate, as it makes too many objects likely."""
KEEP = 0.9995
"""Of the weights' moving average, at each step."""


@dataclass(frozen=True)
class Sizes:
    """Of the transformer and its text encoder."""

    width: int = 384
    blocks: int = 6
    feedforward: int = 832
    text_width: int = 256
    text_layers: int = 4

    def transformer(self) -> WanTransformer:
        network = WanTransformer(
            WanConfig(
                self.width, self.width // 128, self.blocks, self.feedforward, text_width=self.text_width
            )
        )
        initialise(network)
        return network


class Run:
    """A training run: what a checkpoint holds.

    Args:
        vae: fingerprint of the autoencoder whose latents it learns.
    """

    def __init__(self, sizes: Sizes, tokenizer: bytes, vae: str, device: torch.device) -> None:
        torch.manual_seed(0)
        self.sizes, self.tokenizer, self.vae, self.device = sizes, tokenizer, vae, device
        self.text: TextEncoder = new_text_encoder(
            PieceTokenizer(tokenizer), width=sizes.text_width, layers=sizes.text_layers
        )
        self.transformer = sizes.transformer()
        self.networks = nn.ModuleDict({"transformer": self.transformer, "text": self.text.network}).to(device)
        self.average = {name: tensor.clone() for name, tensor in self.networks.state_dict().items()}
        self.optimizers = _optimizers(self.networks)
        self.step, self.clips, self.seconds = 0, 0, 0.0

    def save(self, path: Path) -> None:
        state = {
            "sizes": vars(self.sizes),
            "tokenizer": self.tokenizer,
            "vae": self.vae,
            "networks": self.networks.state_dict(),
            "average": self.average,
            "optimizers": {name: optimizer.state_dict() for name, optimizer in self.optimizers.items()},
            "progress": (self.step, self.clips, self.seconds),
        }
        torch.save(state, path.with_suffix(".part"))
        path.with_suffix(".part").replace(path)

    @classmethod
    def resume(cls, path: Path, device: torch.device) -> Run:
        state = torch.load(path, weights_only=True, map_location=device)
        run = cls(Sizes(**state["sizes"]), state["tokenizer"], state["vae"], device)
        run.networks.load_state_dict(state["networks"])
        for name, optimizer in run.optimizers.items():
            optimizer.load_state_dict(state["optimizers"][name])
        run.average = state["average"]
        run.step, run.clips, run.seconds = state["progress"]
        return run

    def averaged(self) -> nn.ModuleDict:
        """The networks with their averaged weights, for inference; the run cannot go on after it."""
        self.networks.load_state_dict(self.average)
        return self.networks.eval().requires_grad_(False)

    def told(self) -> str:
        """The run so far in JSON, for `going_on`."""
        progress = {"step": self.step, "clips": self.clips, "seconds": self.seconds}
        return json.dumps({"sizes": vars(self.sizes), "vae": self.vae, "progress": progress})

    @classmethod
    def going_on(cls, transformer: Path, text: Path, device: torch.device) -> Run:
        """A run that goes on from exported weights: without the optimizers' memory."""
        read, encoder = read_weights(transformer), load_text_encoder(text, dtype=torch.float32)
        told = json.loads(read.metadata[TRAINING])
        run = cls(Sizes(**told["sizes"]), encoder.tokenizer.model, told["vae"], device)
        run.transformer.load_state_dict(read.tensors)
        run.text.network.load_state_dict(encoder.network.state_dict())
        run.average = {name: tensor.clone() for name, tensor in run.networks.state_dict().items()}
        run.step, run.clips, run.seconds = told["progress"].values()
        return run

    def loss(
        self, latents: Tensor, texts: list[str], noise: Tensor, sigmas: Tensor, weights: Tensor | None = None
    ) -> Tensor:
        """Squared error of the velocity, over the frames that carry noise.

        Args:
            latents, noise: [B,Z,T,h,w]. sigmas: [B,T].
            weights: [B,T,h,w], how much more errors count somewhere, the more the less noise there is:
                where noise hides the objects, more weight on them would teach to expect them everywhere.
        """
        levels = sigmas[:, None, :, None, None]
        noisy = torch.lerp(latents, noise, levels)
        with torch.autocast(self.device.type, torch.bfloat16):
            velocity = self.transformer(noisy, sigmas * 1000, self.text.encode(texts))
        error = (velocity.float() - (noise - latents)).square().mean(dim=1)  # [B,T,h,w]
        counts = (sigmas > 0).float()[:, :, None, None].expand_as(error)
        if weights is not None:
            counts = counts * (1 + (1 - sigmas)[:, :, None, None] * weights)
        return (error * counts).sum() / counts.sum()

    def advance(self, batch: Batch, rng: random.Random, rate: float) -> float:
        """One step at a share of the peak rates; returns the loss."""
        texts = ["" if rng.random() < SILENT_SHARE else text for text in batch.texts]
        drawn = [drawn_sigmas(rng, batch.latents.shape[2], later) for later in batch.later]
        latents, sigmas = batch.latents.to(self.device), torch.tensor(drawn, device=self.device)
        noise = torch.randn(latents.shape, generator=torch.Generator().manual_seed(self.step))
        weights = OBJECT_WEIGHT * rate * batch.objects.to(self.device)
        loss = self.loss(latents, texts, noise.to(self.device), sigmas, weights)
        self.networks.zero_grad(set_to_none=True)
        loss.backward()
        nn.utils.clip_grad_norm_(self.networks.parameters(), 1.0, error_if_nonfinite=True)
        for name, optimizer in self.optimizers.items():
            for group in optimizer.param_groups:
                group["lr"] = PEAK_RATES[name] * rate
            optimizer.step()
        self.step += 1
        self.clips += len(texts)
        keep = min(KEEP, self.step / (self.step + 10))
        state = self.networks.state_dict()
        torch._foreach_lerp_(list(self.average.values()), [state[name] for name in self.average], 1 - keep)
        return loss.item()


def _optimizers(networks: nn.Module) -> dict[str, torch.optim.Optimizer]:
    """Muon for the blocks' matrices, AdamW for all else."""
    named = list(networks.named_parameters())
    matrices = [p for name, p in named if p.dim() == 2 and "block" in name and "bias" not in name]
    ids = set(map(id, matrices))
    others = [p for _, p in named if id(p) not in ids]
    adamw = torch.optim.AdamW(others, lr=0.0, betas=(0.9, 0.99), weight_decay=0.0)
    return {"matrices": Muon(matrices), "others": adamw}


def learning_rate(progress: float, step: int) -> float:
    """Share of the peak rate: up over 200 steps, level, then down to nothing from `DECAY_FROM` on."""
    return min(1.0, (step + 1) / 200, max(0.0, 1 - progress) / (1 - DECAY_FROM))


@torch.no_grad()
def unseen_loss(run: Run, latents: Tensor, texts: list[str]) -> float:
    """The averaged weights' loss on clips that are never trained on, at even noise levels."""
    kept = {name: tensor.clone() for name, tensor in run.networks.state_dict().items()}
    run.networks.load_state_dict(run.average)
    generator = torch.Generator().manual_seed(0)
    noise = torch.randn(latents.shape, generator=generator)
    levels = torch.linspace(0.05, 0.95, len(latents))[:, None].expand(-1, latents.shape[2])
    loss = run.loss(latents.to(run.device), texts, noise.to(run.device), levels.to(run.device)).item()
    run.networks.load_state_dict(kept)
    return loss


def load(clips: LatentClips, count: int) -> None:
    """Have the latents at hand, once; those that are on no disk yet are computed."""
    if not clips.captions:
        for ready in clips.load(count):
            print(json.dumps({"latents": ready, "of": count}), flush=True)


def unseen_clips(clips: LatentClips) -> tuple[Tensor, list[str]]:
    """Latents and captions of 32 clips that are never trained on and begin their films."""
    seeds = range(FIRST_UNSEEN_SEED, FIRST_UNSEEN_SEED + 64)
    unseen = [clip for clip in map(training_clip, seeds) if clip.start == 0][:32]
    latents = torch.cat([clip_latents(clips.vae, clip) for clip in unseen])
    return latents, [canonical_caption(clip.spec) for clip in unseen]


def train(
    run: Run, pictures: LatentPictures, clips: LatentClips, args: argparse.Namespace, checkpoint: Path
) -> None:
    """Train on first frames, then on films; print a line every 100 steps, save every 3 minutes.

    First frames teach words, colours and shapes at a fifth of the cost.
    """
    unseen, told = unseen_clips(clips)
    began, saved, losses = time.monotonic() - run.seconds, time.monotonic(), []
    steps = args.pictures + args.films
    while run.step < steps:
        rng = random.Random(run.step)
        if run.step < args.pictures:
            load(pictures, 2 * args.clips)
            batch = pictures.batch(rng, args.batch * PICTURES_PER_FILM)
        else:
            load(clips, args.clips)
            batch = clips.batch(rng, args.batch)
        losses.append(run.advance(batch, rng, learning_rate(run.step / steps, run.step)))
        run.seconds = time.monotonic() - began
        if run.step % 100 == 0:
            said = {"step": run.step, "seconds": round(run.seconds), "loss": sum(losses) / len(losses)}
            print(json.dumps(said), flush=True)
            losses.clear()
        if time.monotonic() - saved > 180 or run.step == steps:
            run.save(checkpoint)
            saved = time.monotonic()
            frames = batch.latents.shape[2]
            said = {"step": run.step, "unseen": unseen_loss(run, unseen[:, :, :frames], told)}
            print(json.dumps(said), flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    add, sizes = parser.add_argument, Sizes()
    add(
        "--clips",
        type=int,
        default=16_384,
        help="clips to learn from, and twice as many pictures; their latents stay on disk",
    )
    add("--pictures", type=int, default=5_000, help="training steps on first frames, over every call")
    add("--films", type=int, default=15_000, help="training steps on films after them")
    add("--batch", type=int, default=24, help="films in a step")
    add("--width", type=int, default=sizes.width, help="channels of a token: a multiple of 128")
    add("--blocks", type=int, default=sizes.blocks, help="of the transformer")
    add("--feedforward", type=int, default=sizes.feedforward, help="channels within a block's second half")
    add("--threads", type=int, default=torch.get_num_threads())
    add(
        "--go-on",
        type=Path,
        nargs="?",
        const=WEIGHTS,
        help="folder of weights to go on from where --run has no checkpoint: the pack's if none is named",
    )
    add("--vae", type=Path, default=VAE, help="gives the latents")
    add("--run", type=Path, default=Path("training/runs/t2v"), help="folder of latents and checkpoint")
    args = parser.parse_args()
    torch.set_num_threads(args.threads)
    args.run.mkdir(parents=True, exist_ok=True)
    vae = fingerprint(args.vae)
    folder, network = args.run / "latents" / vae, load_vae(args.vae, dtype=torch.float32)
    pictures, clips = LatentPictures(folder / "pictures", network), LatentClips(folder, network)
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    checkpoint = args.run / "checkpoint.pt"
    chosen = Sizes(args.width, args.blocks, args.feedforward)
    if checkpoint.exists():
        run = Run.resume(checkpoint, device)
    elif args.go_on:
        run = Run.going_on(*(args.go_on / file.relative_to(WEIGHTS) for file in (MODEL, TEXT)), device)
    else:
        run = Run(chosen, train_tokenizer(caption_lines()), vae, device)
    if (run.sizes, run.vae) != (chosen, vae):
        parser.error(
            f"the run so far is of {run.sizes} on the latents of autoencoder {run.vae}, asked for are "
            f"{chosen} and {vae}; ask for its own, or name another --run"
        )
    train(run, pictures, clips, args, checkpoint)


if __name__ == "__main__":
    main()
