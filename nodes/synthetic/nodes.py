"""Nodes of the procedural world: a clip, its exact truths, and flow to look at."""

from __future__ import annotations

from typing import Any

from comfy_api.latest import io

from ..lazy_video import LazyVideo, frame_rate
from ..runtime import Progress, node_id
from ..sockets import ClipDescription, Flow
from . import vocabulary as words
from .recipe import SyntheticRecipe
from .spec import ClipSpec, SpecError

RANDOM = "random"


class KinoSyntheticClip(io.ComfyNode):
    """A clip of the procedural world as a lazy VIDEO."""

    @classmethod
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            node_id="KinoSyntheticClip",
            display_name="Synthetic Clip",
            category="Kinograph/synthetic",
            description="Draws moving shapes or a talking head, with sound, from a seed. Frames are painted "
            "when something looks at them, so length and size cost nothing here. Wire `clip` to Synthetic "
            "Clip Truth for exact masks, flow and depth.",
            inputs=_clip_inputs(),
            outputs=[
                io.Video.Output(display_name="video", tooltip="The clip, with its sound (mono)."),
                io.String.Output(
                    display_name="caption", tooltip="What the clip shows, in one fixed wording."
                ),
                ClipDescription.Output(display_name="clip", tooltip="The full description of the clip."),
            ],
        )

    @classmethod
    def execute(cls, **settings: Any) -> io.NodeOutput:
        from .captions import canonical_caption

        clip = _described(**settings)
        return io.NodeOutput(LazyVideo(SyntheticRecipe(clip)), canonical_caption(clip), clip)

    @classmethod
    def validate_inputs(cls, description: str | None) -> bool | str:
        from .parsing import parse_caption

        try:
            if description and description.strip():
                parse_caption(description, seed=0)
        except SpecError as error:
            return str(error)
        return True


def _clip_inputs() -> list[Any]:
    def choice(name: str, known: Any, tooltip: str) -> io.Combo.Input:
        return io.Combo.Input(name, options=[RANDOM, *known], default=RANDOM, tooltip=tooltip)

    return [
        io.Int.Input(
            "seed",
            default=0,
            min=0,
            max=0xFFFFFFFFFFFFFFFF,
            control_after_generate=True,
            tooltip="The same seed and settings give the same clip, frame for frame.",
        ),
        io.Int.Input("width", default=640, min=32, max=4096, tooltip="Pixels from side to side."),
        io.Int.Input("height", default=360, min=32, max=4096, tooltip="Pixels from top to bottom."),
        io.Float.Input(
            "fps",
            default=24.0,
            min=1.0,
            max=240.0,
            step=0.001,
            tooltip="Frames per second; 29.97 is 30000/1001.",
        ),
        io.Float.Input("seconds", default=4.0, min=0.1, max=36000.0, step=0.1, tooltip="Length of the clip."),
        io.Combo.Input(
            "kind",
            options=list(words.KINDS),
            tooltip="Moving shapes, a talking head, or scenes of both joined by cuts.",
        ),
        io.Int.Input("objects", default=2, min=0, max=4, tooltip="Shapes per scene; 0 draws 1 to 4."),
        choice("motion", words.MOTIONS, "How every shape moves."),
        choice("background", words.BACKGROUNDS, "What stands behind everything."),
        choice("camera", words.CAMERAS, "The camera's move. A truck is a sideways drive, with parallax."),
        io.String.Input(
            "description",
            default="",
            multiline=True,
            tooltip='Optional. What to show, e.g. "a red circle moving right and a small striped blue star, '
            'the camera pans left. Then a person talking". It replaces kind, objects, motion, background and '
            "camera. An unknown word is an error that lists the known ones.",
        ),
        io.Int.Input("sample_rate", default=44100, min=8000, max=96000, tooltip="Of the sound, in hertz."),
    ]


def _described(
    seed: int,
    width: int,
    height: int,
    fps: float,
    seconds: float,
    kind: str,
    objects: int,
    motion: str,
    background: str,
    camera: str,
    description: str,
    sample_rate: int,
) -> ClipSpec:
    from .parsing import parse_caption
    from .sampling import ClipOptions, sample_clip

    chosen = {"motions": motion, "backgrounds": background, "cameras": camera}
    options = ClipOptions(
        width=width,
        height=height,
        fps=frame_rate(fps),
        seconds=seconds,
        kind=kind,
        min_objects=objects or 1,
        max_objects=objects or 4,
        sample_rate=sample_rate,
        **{name: (word,) for name, word in chosen.items() if word != RANDOM},
    )
    return parse_caption(description, seed, options) if description.strip() else sample_clip(seed, options)


class KinoSyntheticTruth(io.ComfyNode):
    """Exact masks, flow, depth and facts of a stretch of a procedural clip."""

    @classmethod
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            node_id="KinoSyntheticTruth",
            display_name="Synthetic Clip Truth",
            category="Kinograph/synthetic",
            description="What is true of a synthetic clip: known from its description, not measured. "
            "All of it is held in memory, so take a stretch of frames.",
            inputs=[
                ClipDescription.Input("clip", tooltip="From Synthetic Clip."),
                io.Int.Input(
                    "start", default=0, min=0, max=10_000_000, tooltip="First frame, counted from 0."
                ),
                io.Int.Input(
                    "count",
                    default=17,
                    min=0,
                    max=1_000_000,
                    tooltip="Number of frames; 0 takes all to the end.",
                ),
                io.Combo.Input(
                    "masks",
                    options=list(words.MASKS),
                    tooltip="Everything in one mask per frame; one mask per object and frame, object after "
                    "object (a face counts as one); or the mouths.",
                ),
                io.Boolean.Input(
                    "hidden_parts",
                    default=False,
                    tooltip="For each object: also the parts behind another object.",
                ),
                io.Int.Input(
                    "memory_limit",
                    default=4096,
                    min=1,
                    max=1_000_000,
                    tooltip="Megabytes the truths may take; more is refused before anything is painted.",
                ),
            ],
            outputs=[
                io.Image.Output(display_name="images", tooltip="The frames."),
                io.Mask.Output(display_name="mask", tooltip="1 inside, with soft edges."),
                Flow.Output(display_name="flow", tooltip="Motion from frame to frame, in pixels, both ways."),
                io.Image.Output(
                    display_name="depth",
                    tooltip="Near is bright: 1 divided by the depth in metres, at most 1.",
                ),
                io.Audio.Output(display_name="audio", tooltip="The sound of these frames."),
                io.String.Output(
                    display_name="facts",
                    tooltip="JSON: captions, attributes, events with times, cuts, and per frame boxes, mouth "
                    "and face landmarks.",
                ),
            ],
            hidden=[io.Hidden.unique_id],
        )

    @classmethod
    def execute(
        cls, clip: ClipSpec, start: int, count: int, masks: str, hidden_parts: bool, memory_limit: int
    ) -> io.NodeOutput:
        import torch

        from . import truth_batch
        from .clip import Clip

        frames = count or max(clip.frame_count - start, 1)
        truth_batch.check_memory(clip, frames, masks, memory_limit)
        progress = Progress(5 * frames - 2, node_id=node_id(cls), stage="painting truths")
        part = Clip(clip, start, frames, progress.advance)
        return io.NodeOutput(
            truth_batch.images(part),
            truth_batch.mask(part, masks, hidden_parts),
            truth_batch.flow(part),
            truth_batch.depth_images(part),
            {"waveform": torch.from_numpy(part.audio)[None], "sample_rate": clip.sample_rate},
            truth_batch.facts(part),
        )


class KinoFlowToImage(io.ComfyNode):
    """Optical flow as colours."""

    @classmethod
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            node_id="KinoFlowToImage",
            display_name="Flow to Image",
            category="Kinograph/synthetic",
            description="Colours each pixel by its motion: hue is the direction (red to the right, then "
            "clockwise), saturation the speed. White does not move.",
            inputs=[
                Flow.Input("flow", tooltip="Flow of T frames."),
                io.Combo.Input(
                    "direction",
                    options=["forward", "backward"],
                    tooltip="To the next frame, or to the one before.",
                ),
                io.Float.Input(
                    "full",
                    default=0.0,
                    min=0.0,
                    max=1000.0,
                    tooltip="Pixels per frame shown fully saturated; 0 takes the fastest pixel's.",
                ),
            ],
            outputs=[io.Image.Output(display_name="images", tooltip="T − 1 images.")],
        )

    @classmethod
    def execute(cls, flow: dict[str, Any], direction: str, full: float) -> io.NodeOutput:
        import torch

        from .flow_image import flow_colors

        vectors = flow[direction]
        if not len(vectors):
            raise ValueError(
                "this flow is of a single frame, between which nothing moves; take 2 frames or more"
            )
        fastest = full or max(float(vectors.norm(dim=-1).max()), 1e-6)
        return io.NodeOutput(torch.from_numpy(flow_colors(vectors.numpy(), fastest)))


NODES = [KinoSyntheticClip, KinoSyntheticTruth, KinoFlowToImage]
