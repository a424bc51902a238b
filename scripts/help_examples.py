"""What nodes do to a clip, in rows of small frames for the help pages, all made by the pack itself."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from fractions import Fraction
from typing import NamedTuple

import numpy as np
from kinograph.nodes.synthetic.clip import Clip
from kinograph.nodes.synthetic.flow_image import flow_colors
from kinograph.nodes.synthetic.parsing import parse_caption
from kinograph.nodes.synthetic.recipe import SyntheticRecipe
from kinograph.nodes.synthetic.sampling import ClipOptions
from kinograph.nodes.video.concatenate import Concatenate
from kinograph.nodes.video.contact_sheet import contact_sheet, sheet_layout
from kinograph.nodes.video.crop import Crop
from kinograph.nodes.video.recipe import Recipe
from kinograph.nodes.video.resize import MODES, Resize
from kinograph.nodes.video.reverse import Reverse
from kinograph.nodes.video.speed import Speed
from kinograph.nodes.video.trim import Trim
from PIL import Image, ImageDraw

ONE = "a large red circle moving right and a small yellow star moving down in front of a checkerboard floor"
TWO = "a green ring swinging in front of a gradient background"
WIDE, HIGH, FPS = 160, 90, Fraction(8)
SHOWN = 3


class Row(NamedTuple):
    """Pictures side by side, and what they are."""

    title: str
    pictures: list[Image.Image]


def clip(caption: str = ONE, seconds: float = 2.0) -> Recipe:
    options = ClipOptions(width=WIDE, height=HIGH, fps=FPS, seconds=seconds)
    return SyntheticRecipe(parse_caption(caption, 3, options))


def frames_of(recipe: Recipe) -> list[Image.Image]:
    return [Image.fromarray(image.to_ndarray(format="rgb24")) for image, _ in recipe.frames()]


def row(title: str, recipe: Recipe, count: int = SHOWN) -> Row:
    """Evenly chosen frames of a video."""
    frames = frames_of(recipe)
    chosen = np.linspace(0, len(frames) - 1, count).round().astype(int)
    return Row(title, [frames[index] for index in chosen])


def trimmed() -> Iterator[Row]:
    yield row("2 s", clip())
    yield row("start 0.5, end 1", Trim(clip(), Fraction(1, 2), Fraction(1)))


def cropped() -> Iterator[Row]:
    yield row("160 x 90", clip(), 2)
    yield row("x 40, width 90, height 90", Crop(clip(), 40, 0, 90, 90), 2)


def resized() -> Iterator[Row]:
    for mode in MODES:
        yield row(f"{mode}: 96 x 96", Resize(clip(), 96, 96, mode), 2)


def retimed() -> Iterator[Row]:
    yield row("as it is", clip())
    yield row("speed 2", Speed(clip(), Fraction(2)))
    yield row("reverse", Reverse(clip()))


def concatenated() -> Iterator[Row]:
    both = Concatenate((clip(seconds=1.0), clip(TWO, 1.0)), Fraction(1, 2), 0, 0, Fraction(0))
    yield Row("cross_fade 0.5", frames_of(both)[2:10:2])


def scenes() -> Iterator[Row]:
    film = Concatenate((clip(seconds=1.0), clip(TWO, 1.0)), Fraction(0), 0, 0, Fraction(0))
    yield row("span 0", Trim(film, Fraction(0), Fraction(1)))
    yield row("span 1", Trim(film, Fraction(1), Fraction(2)))


def strided() -> Iterator[Row]:
    yield Row("stride 1", frames_of(clip())[:4])
    yield Row("stride 4", frames_of(clip())[::4])


def compared() -> Iterator[Row]:
    """Left of the line the reference, right of it the video."""
    film = clip()
    coarse = Resize(Resize(film, 40, 22, "stretch"), WIDE, HIGH, "stretch")
    pair = (frames_of(film)[4].resize((320, 180)), frames_of(coarse)[4].resize((320, 180)))
    joined = pair[1].copy()
    joined.paste(pair[0].crop((0, 0, 160, 180)))
    joined.paste((255, 255, 255), (159, 0, 161, 180))
    yield Row("reference | video", [joined])


def sigma_curves() -> Iterator[Row]:
    from kinograph.nodes.generation.flow_sigmas import flow_sigmas

    size = (150, 60)
    for name in ("simple", "karras", "beta", "linear_quadratic"):
        curve = Image.new("RGB", size, (34, 34, 34))
        levels = flow_sigmas(name, 20, shift=3.0).tolist()
        points = [
            (index * (size[0] - 1) / 20, (1 - level) * (size[1] - 1)) for index, level in enumerate(levels)
        ]
        ImageDraw.Draw(curve).line(points, (255, 169, 49), 2)
        yield Row(f"{name}, shift 3", [curve])


def sheet() -> Iterator[Row]:
    film = clip()
    layout = sheet_layout(film, 3, 2, 120)
    drawn = contact_sheet(film, layout, Fraction(0), film.spec.duration, "")
    yield Row("", [Image.fromarray(np.asarray(drawn).astype(np.uint8))])


def synthetic() -> Iterator[Row]:
    yield row("objects", clip())
    yield row("talking_face", clip("a person with long red hair and a white shirt talking"))


def truths() -> Iterator[Row]:
    described = Clip(clip().clip, 4, 2)
    yield Row("images", [Image.fromarray(described.frames[0])])
    yield Row("mask", [_grey(described.masks.visible[0].sum(0))])
    yield Row("depth", [_grey(2 / described.depth[0])])
    yield Row("flow", [_coloured(described.forward_flow.vectors[0])])


def coloured_flow() -> Iterator[Row]:
    y, x = np.mgrid[-1 : 1 : HIGH * 1j, -1 : 1 : WIDE * 1j]
    yield Row("every direction and speed", [_coloured(np.stack([x, y], -1).astype(np.float32))])


def _grey(values: np.ndarray) -> Image.Image:
    return Image.fromarray((values.clip(0, 1) * 255).astype(np.uint8)).convert("RGB")


def _coloured(vectors: np.ndarray) -> Image.Image:
    colours = flow_colors(vectors, float(np.hypot(*np.moveaxis(vectors, -1, 0)).max()))
    return Image.fromarray((np.asarray(colours) * 255).round().astype(np.uint8))


def noise_levels() -> Iterator[Row]:
    """Each method's levels: a column per latent frame, a row per step, bright is noise."""
    import torch
    from kinograph.nodes.generation.methods import fvdm

    sigmas = torch.linspace(1, 0, 13)
    methods = {
        "flat": fvdm.Flat(),
        "image_to_video": fvdm.ImageToVideo(first=1),
        "in_between": fvdm.InBetween(first=1, last=1),
        "extension": fvdm.Extension(window=7, overlap=3),
        "pyramid": fvdm.Pyramid(delay=2),
    }
    for name, method in methods.items():
        last = method.windows(11 if name == "extension" else 7)[-1]
        levels = method.sigmas(sigmas, last).numpy()
        yield Row(name, [_grey(levels).resize((98, 3 * len(levels)), Image.Resampling.NEAREST)])


EXAMPLES: dict[str, Callable[[], Iterator[Row]]] = {
    "KinoCompareVideos": compared,
    "KinoConcatenateVideos": concatenated,
    "KinoContactSheet": sheet,
    "KinoCropVideo": cropped,
    "KinoFlowSigmas": sigma_curves,
    "KinoFlowToImage": coloured_flow,
    "KinoFramesFromVideo": strided,
    "KinoResizeVideo": resized,
    "KinoRetimeVideo": retimed,
    "KinoSampler": noise_levels,
    "KinoSamplerSelect": noise_levels,
    "KinoSceneCuts": scenes,
    "KinoSyntheticClip": synthetic,
    "KinoSyntheticTruth": truths,
    "KinoTrimVideo": trimmed,
}
