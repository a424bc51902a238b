"""What the embedded model makes of prompts it was never trained on, judged by the oracle.

100 prompts of combinations of colour, shape and motion that training left out, 3 seeds each. `colour`,
`shape`, `motion`: share of the films in which it is right; `all_three`: in which all are. `oracle_on_truth`:
share of real procedural clips in which the oracle reads all three and the number of things right, which
bounds what the others can reach.

`i2v_first_frame_psnr_below_vae`: dB by which a given first frame comes back worse than the VAE alone gives;
`i2v_last_frame_colour_shape`: share in which colour and shape are still right in the last frame.
`inbetween_end_psnr_below_vae`: the same dB for both given ends. `extend_colour_shape`: share in which colour
and shape are right at the end of a film made four times as long.

The figures of the model are null until there are weights. Rows give 95 % intervals (Wilson) and the seeds.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from statistics import fmean
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

from .machine import machine

if TYPE_CHECKING:
    import numpy as np

    from ..nodes.synthetic.clip import Clip

SEEDS = (0, 1, 2)
FIRST_TRUTH_SEED = 5_000_000_000
"""Seeds from here on are those of neither training nor of the oracle's own tuning."""

FPS, FRAMES, SIDE = 24, 17, 96
EXTENDED = 4
"""How many times as long the extended films are."""

MODEL_FIGURES = (
    "colour",
    "shape",
    "motion",
    "all_three",
    "i2v_first_frame_psnr_below_vae",
    "i2v_last_frame_colour_shape",
    "inbetween_end_psnr_below_vae",
    "extend_colour_shape",
)


class Generator(Protocol):
    """A model that makes films. All films are uint8 [T, H, W, 3] of FRAMES frames unless said otherwise."""

    def from_text(self, prompt: str, seed: int) -> np.ndarray:
        """A film of the prompt."""

    def from_first_frame(self, prompt: str, seed: int, frame: np.ndarray) -> np.ndarray:
        """A film that begins with a given frame [H, W, 3]."""

    def between(self, prompt: str, seed: int, first: np.ndarray, last: np.ndarray) -> np.ndarray:
        """A film that begins and ends with given frames."""

    def extended(self, prompt: str, seed: int, film: np.ndarray, times: int) -> np.ndarray:
        """A film continued to `times` its length: [times · T, H, W, 3] or as near as its model comes."""

    def through_vae(self, film: np.ndarray) -> np.ndarray:
        """A film encoded and decoded, nothing else."""


class Figure(NamedTuple):
    """A figure's value, and the row that tells how sure it is."""

    value: float | None
    row: dict[str, Any]


def run(quick: bool) -> dict[str, Any]:
    """Judge the oracle on real clips and, once there are weights, the model; `quick` takes fewer prompts."""
    from ..nodes.synthetic.held_back import held_back_prompts

    prompts = held_back_prompts(6 if quick else 100)
    seeds = SEEDS[:1] if quick else SEEDS
    figures: dict[str, float | None] = dict.fromkeys(MODEL_FIGURES)
    rows = [{"what": "seeds", "list": list(seeds)}]
    found = oracle_on_truth(20 if quick else 300)
    model = embedded_model()
    if model is not None:
        cases = [(prompt, seed) for prompt in prompts for seed in seeds]
        for judge in (judge_text, judge_first_frame, judge_ends, judge_extension):
            found |= judge(model, cases)
    for name, figure in found.items():
        figures[name] = figure.value
        rows.append({"what": name, **figure.row})
    return {"name": "quality", "machine": machine(), "figures": figures, "rows": rows}


def embedded_model() -> Generator | None:
    """The model that ships with the pack; None where it has no weights yet."""
    from ..nodes.generation.pipeline import Pipeline
    from .embedded_films import FILES, EmbeddedFilms

    if not all(path.is_file() for path in FILES):
        return None
    return EmbeddedFilms(Pipeline.load(*FILES))


def wilson(right: int, total: int, z: float = 1.96) -> tuple[float, float]:
    """The interval that holds the true share with 95 % confidence (Wilson 1927)."""
    share, spread = right / total, z * z / total
    middle = (share + spread / 2) / (1 + spread)
    half = z * math.sqrt(share * (1 - share) / total + spread / (4 * total)) / (1 + spread)
    return max(0.0, middle - half), min(1.0, middle + half)


def share_of(hits: list[bool]) -> Figure:
    """The share of hits with its interval."""
    low, high = wilson(sum(hits), len(hits))
    row = {"right": sum(hits), "of": len(hits), "low": round(low, 3), "high": round(high, 3)}
    return Figure(round(sum(hits) / len(hits), 3), row)


def mean_of(values: list[float]) -> Figure:
    """The mean with the interval that its standard error gives."""
    mean = fmean(values)
    variance = fmean((value - mean) ** 2 for value in values)
    half = 1.96 * math.sqrt(variance / max(len(values) - 1, 1))
    row = {"of": len(values), "low": round(mean - half, 3), "high": round(mean + half, 3)}
    return Figure(round(mean, 3), row)


def oracle_on_truth(count: int) -> dict[str, Figure]:
    """Real clips: all three right and nothing else seen; the row has each attribute's share of clips."""
    from ..nodes.evaluation.oracle import Match, match, read_clip

    found = [
        match(read_clip(clip.frames, FPS), clip.spec.scenes[0].objects)
        for clip in plain_clips(FIRST_TRUTH_SEED, count)
    ]
    whole = share_of([one.all_three and one.count for one in found])
    by_attribute = {name: round(fmean(getattr(one, name) for one in found), 3) for name in Match._fields}
    return {"oracle_on_truth": Figure(whole.value, whole.row | by_attribute)}


def plain_clips(first_seed: int, count: int) -> Iterator[Clip]:
    """Clips of one or two shapes under a static camera, none hidden by more than 30 % on average.

    What lies outside the frame is hidden too.
    """
    from ..nodes.synthetic.clip import Clip
    from ..nodes.synthetic.sampling import ClipOptions, sample_clip

    options = ClipOptions(cameras=("static",))
    seed = first_seed
    while count:
        clip = Clip(sample_clip(seed, options))
        seed += 1
        if max(hidden_shares(clip)) < 0.3:
            count -= 1
            yield clip


def hidden_shares(clip: Clip) -> list[float]:
    """How much of each object of a clip of one scene is hidden, on average over the frames."""
    import numpy as np

    from ..nodes.evaluation.oracle_shapes import form_of

    seen = clip.masks.visible.sum(axis=(2, 3))  # [T, owners]
    shares = []
    for owner, obj in enumerate(clip.spec.scenes[0].objects):
        sizes = [
            sprite.place.scale for stage in clip.stages for sprite in stage.sprites if sprite.owner == owner
        ]
        whole = math.pi * (form_of(obj.shape).mean_radius * np.array(sizes)) ** 2
        shares.append(float((1 - seen[:, owner] / whole).mean()))
    return shares


Cases = list[tuple[str, int]]
"""Prompts with seeds."""


def judge_text(model: Generator, cases: Cases) -> dict[str, Figure]:
    """Films of the prompt alone."""
    return judged([model.from_text(*case) for case in cases], cases)


def judged(films: list[np.ndarray], cases: Cases) -> dict[str, Figure]:
    """What of the prompts is right in their films."""
    from ..nodes.evaluation.oracle import match, objects_asked_for, read_clip

    found = [
        match(read_clip(film, FPS), objects_asked_for(prompt))
        for film, (prompt, _) in zip(films, cases, strict=True)
    ]
    return {
        "colour": share_of([one.color for one in found]),
        "shape": share_of([one.shape for one in found]),
        "motion": share_of([one.motion for one in found]),
        "all_three": share_of([one.all_three for one in found]),
    }


def judge_first_frame(model: Generator, cases: Cases) -> dict[str, Figure]:
    """Films that a real first frame is given for."""
    losses, hits = [], []
    for prompt, seed in cases:
        true = real_film(prompt, seed)
        made = model.from_first_frame(prompt, seed, true[0])
        losses.append(decibels(model.through_vae(true)[:1], true[:1]) - decibels(made[:1], true[:1]))
        hits.append(looks_right(made[-1:], prompt))
    return {
        "i2v_first_frame_psnr_below_vae": mean_of(losses),
        "i2v_last_frame_colour_shape": share_of(hits),
    }


def judge_ends(model: Generator, cases: Cases) -> dict[str, Figure]:
    """Films between two real frames."""
    losses = []
    for prompt, seed in cases:
        true = real_film(prompt, seed)
        made = model.between(prompt, seed, true[0], true[-1])
        plain = model.through_vae(true)
        losses += [decibels(plain[end], true[end]) - decibels(made[end], true[end]) for end in (0, -1)]
    return {"inbetween_end_psnr_below_vae": mean_of(losses)}


def judge_extension(model: Generator, cases: Cases) -> dict[str, Figure]:
    """Films continued to four times their length, judged by their last frames."""
    hits = []
    for prompt, seed in cases:
        film = model.extended(prompt, seed, model.from_text(prompt, seed), EXTENDED)
        hits.append(looks_right(film[-FRAMES:], prompt))
    return {"extend_colour_shape": share_of(hits)}


def looks_right(frames: np.ndarray, prompt: str) -> bool:
    """Whether colours and shapes of some frames are the prompt's."""
    from ..nodes.evaluation.oracle import match, objects_asked_for, read_clip

    found = match(read_clip(frames, FPS), objects_asked_for(prompt))
    return found.color and found.shape


def real_film(prompt: str, seed: int) -> np.ndarray:
    """The procedural clip that a prompt describes: uint8 [T, H, W, 3]."""
    from ..nodes.synthetic.clip import Clip
    from ..nodes.synthetic.parsing import parse_caption
    from ..nodes.synthetic.sampling import ClipOptions

    return Clip(parse_caption(prompt, seed, ClipOptions(SIDE, SIDE, seconds=FRAMES / FPS))).frames


def decibels(made: np.ndarray, true: np.ndarray) -> float:
    """PSNR of uint8 pictures."""
    import torch

    from ..nodes.evaluation.quality import psnr

    one, other = (torch.from_numpy(film / 255.0).reshape(1, -1) for film in (made, true))
    return psnr(one, other).item()
