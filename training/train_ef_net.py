"""Train an EF-Net for a Wan transformer: a network that tells it a film's last frame.

    python -m kinograph.training.train_ef_net

The transformer stays as it is; it is given the first frame, clean, and the network the last one. Takes the
latents of `train_t2v`, computes those that are missing, and goes on from its last checkpoint when called
again. With `--export` it writes the averaged weights of that checkpoint where the node looks.
"""

from __future__ import annotations

import argparse
import json
import random
import time
from functools import partial
from pathlib import Path

import torch
from safetensors.torch import save_file
from torch import Tensor, nn

from ..nodes.block_outputs import hooked
from ..nodes.generation.load import load_transformer
from ..nodes.generation.text_encoder import TextEncoder, load_text_encoder
from ..nodes.generation.wan import WanTransformer
from ..nodes.interpolation.end_frame_net import EndFrameConfig, EndFrameNet
from ..nodes.vae.load import load_vae
from .noise_levels import drawn_level
from .t2v_clips import Batch, LatentClips, fingerprint
from .train_t2v import MODEL, TEXT, VAE, WEIGHTS, learning_rate

PEAK_RATE = 5e-4
KEEP = 0.999
"""Of the weights' moving average, at each step."""
HEAD_WIDTH, TIME_WIDTH = 64, 128
NAME = "kinograph_tiny_ef_net"


def new_net(transformer: WanTransformer, blocks: int, frames: int) -> EndFrameNet:
    """A network that begins by telling nothing."""
    config = transformer.config
    torch.manual_seed(0)
    network = EndFrameNet(
        EndFrameConfig(
            config.width, HEAD_WIDTH, blocks, frames, config.out_channels, TIME_WIDTH, config.text_width
        )
    )
    for layer in network.out_projectors:
        nn.init.zeros_(layer.weight)
        nn.init.zeros_(layer.bias)
    return network


def told_velocity(
    network: EndFrameNet,
    transformer: WanTransformer,
    noisy: Tensor,
    end: Tensor,
    sigmas: Tensor,
    text: Tensor,
) -> Tensor:
    """The transformer's velocity [B,Z,T,h,w] when it is told the end.

    Args:
        noisy: [B,Z,T,h,w]. end: [B,Z,1,h,w]. sigmas: [B,T]. text: [B,L,W].
    """

    def add(feature: Tensor, _: nn.Module, given: object, made: Tensor) -> Tensor:
        return made + feature

    features = network(noisy, end, text, sigmas.amax(dim=1) * 1000)
    hooks = [partial(add, feature) for feature in features]
    with hooked(transformer.blocks[: len(hooks)], hooks):
        return transformer(noisy, sigmas * 1000, text)


class Run:
    """A training run: what a checkpoint holds.

    Args:
        of: fingerprints of the transformer and of the autoencoder.
    """

    def __init__(self, network: EndFrameNet, of: tuple[str, str], device: torch.device) -> None:
        self.network, self.of, self.device = network.to(device), of, device
        self.average = {name: tensor.clone() for name, tensor in self.network.state_dict().items()}
        self.optimizer = torch.optim.AdamW(network.parameters(), lr=0.0, betas=(0.9, 0.99), weight_decay=0.01)
        self.step, self.seconds = 0, 0.0

    def save(self, path: Path) -> None:
        state = {
            "of": self.of,
            "network": self.network.state_dict(),
            "average": self.average,
            "optimizer": self.optimizer.state_dict(),
            "progress": (self.step, self.seconds),
        }
        torch.save(state, path.with_suffix(".part"))
        path.with_suffix(".part").replace(path)

    @classmethod
    def resume(cls, path: Path, device: torch.device) -> Run:
        state = torch.load(path, weights_only=True, map_location=device)
        run = cls(EndFrameNet(EndFrameConfig.of(state["network"])), tuple(state["of"]), device)
        run.network.load_state_dict(state["network"])
        run.optimizer.load_state_dict(state["optimizer"])
        run.average = state["average"]
        run.step, run.seconds = state["progress"]
        return run

    def advance(self, transformer: WanTransformer, text: TextEncoder, batch: Batch, rate: float) -> float:
        """One step at a share of the peak rate; returns the loss."""
        rng, latents = random.Random(self.step), batch.latents.to(self.device)
        frames = latents.shape[2]
        sigmas = torch.tensor([drawn_level(rng, frames) for _ in latents])[:, None].repeat(1, frames)
        sigmas[:, 0] = 0  # the first frame is given
        noise = torch.randn(latents.shape, generator=torch.Generator().manual_seed(self.step)).to(self.device)
        sigmas = sigmas.to(self.device)
        noisy = torch.lerp(latents, noise, sigmas[:, None, :, None, None])
        with torch.no_grad():
            told = text.encode(batch.texts)
        with torch.autocast(self.device.type, torch.bfloat16):
            made = told_velocity(self.network, transformer, noisy, latents[:, :, -1:], sigmas, told)
        loss = (made.float() - (noise - latents))[:, :, 1:].square().mean()
        self.network.zero_grad(set_to_none=True)
        loss.backward()
        nn.utils.clip_grad_norm_(self.network.parameters(), 1.0, error_if_nonfinite=True)
        for group in self.optimizer.param_groups:
            group["lr"] = PEAK_RATE * rate
        self.optimizer.step()
        self.step += 1
        keep = min(KEEP, self.step / (self.step + 10))
        state = self.network.state_dict()
        torch._foreach_lerp_(list(self.average.values()), [state[name] for name in self.average], 1 - keep)
        return loss.item()


def export(run: Run, folder: Path) -> Path:
    """Write the averaged weights where the node looks for them; returns their path."""
    path = folder / "kinograph" / "ef_net" / f"{NAME}.safetensors"
    path.parent.mkdir(parents=True, exist_ok=True)
    tensors = {name: tensor.half().contiguous().cpu() for name, tensor in run.average.items()}
    save_file(tensors, path, {"format": "pt", "steps": str(run.step)})
    return path


def train(run: Run, networks: tuple, clips: LatentClips, args: argparse.Namespace, checkpoint: Path) -> None:
    """Print a line every 100 steps, save every 3 minutes and at the end."""
    began, saved, losses = time.monotonic() - run.seconds, time.monotonic(), []
    while run.step < args.steps:
        batch = clips.batch(random.Random(run.step), args.batch)
        losses.append(run.advance(*networks, batch, learning_rate(run.step / args.steps, run.step)))
        run.seconds = time.monotonic() - began
        if run.step % 100 == 0:
            said = {"step": run.step, "seconds": round(run.seconds), "loss": sum(losses) / len(losses)}
            print(json.dumps(said), flush=True)
            losses.clear()
        if time.monotonic() - saved > 180 or run.step == args.steps:
            run.save(checkpoint)
            saved = time.monotonic()


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    add = parser.add_argument
    add("--steps", type=int, default=8_000, help="training steps, over every call")
    add("--clips", type=int, default=16_384, help="clips to learn from; their latents stay on disk")
    add("--batch", type=int, default=16)
    add("--blocks", type=int, default=2, help="of the network, and of the transformer that are told")
    add("--threads", type=int, default=torch.get_num_threads())
    add("--weights", type=Path, default=WEIGHTS, help="folder of the transformer and its text encoder")
    add("--vae", type=Path, default=VAE, help="gives the latents")
    add(
        "--latents",
        type=Path,
        default=Path("training/runs/t2v/latents"),
        help="folder of train_t2v's latents",
    )
    add("--run", type=Path, default=Path("training/runs/ef_net"), help="folder of the checkpoint")
    add("--export", action="store_true", help="write the weights instead")
    args = parser.parse_args()
    torch.set_num_threads(args.threads)
    args.run.mkdir(parents=True, exist_ok=True)
    model, words = (args.weights / file.relative_to(WEIGHTS) for file in (MODEL, TEXT))
    transformer = load_transformer(model, dtype=torch.float32)
    vae, device = fingerprint(args.vae), torch.device("cuda" if torch.cuda.is_available() else "cpu")
    of, checkpoint = (fingerprint(model), vae), args.run / "checkpoint.pt"
    clips = LatentClips(args.latents / vae, load_vae(args.vae, dtype=torch.float32))
    if checkpoint.exists():
        run = Run.resume(checkpoint, device)
    else:
        run = Run(new_net(transformer, args.blocks, 5), of, device)
    if run.of != of:
        parser.error(f"the run so far is for other networks than {model.name} and {args.vae.name}")
    if args.export:
        print(export(run, args.weights))
        return
    for ready in clips.load(args.clips):
        print(json.dumps({"latents": ready, "of": args.clips}), flush=True)
    networks = (transformer.to(device), load_text_encoder(words, dtype=torch.float32))
    train(run, networks, clips, args, checkpoint)


if __name__ == "__main__":
    main()
