"""VIDEO → VIDEO nodes that put frames in between: another rate, and slow motion."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

from comfy_api.latest import io

from ..lazy_video import as_recipe, frame_rate, seconds_of
from ..sockets import InterpolationModel
from ..sockets import Spans as SpansSocket
from ..video.nodes_edit import edited
from ..video.recipe import VideoError
from ..video.spans import Span, Spans

CATEGORY = "Kinograph/interpolation"
AUTO = "auto"
SCALES = (AUTO, "0.25", "0.5", "1", "2")


def model_input() -> io.Input:
    return InterpolationModel.Input(
        "interp_model",
        tooltip="The network that makes the frames: from Load Interpolation Model, or ComfyUI's own loader.",
    )


def cut_input() -> io.Input:
    return io.Float.Input(
        "cut_threshold",
        default=10.0,
        min=0.0,
        max=255.0,
        step=0.5,
        tooltip="Change from one frame to the next, 0 to 255, from which it may be a cut; it must also stand "
        "out from its neighbours. Lower finds more cuts; 0 looks for none.",
    )


def work_inputs() -> list[io.Input]:
    """How the network is run."""
    return [
        io.Combo.Input(
            "scale",
            options=list(SCALES),
            default=AUTO,
            tooltip="Size of the picture in which motion is looked for, against the frame's. Smaller finds "
            "larger motion, in less time; auto halves it from 1440 rows on. Networks without it say so.",
        ),
        io.Int.Input(
            "memory_limit",
            default=0,
            min=0,
            max=1_000_000,
            tooltip="Megabytes for the work, the weights aside: how many frames go through the network at a "
            "time, or in tiles of which size, follows from it. 0 takes a share of what is free.",
        ),
    ]


def film_inputs() -> list[io.Input]:
    """What is told of a film, after a node's own widgets."""
    return [
        cut_input(),
        io.Float.Input(
            "longest_hold",
            default=0.18,
            min=0.0,
            max=10.0,
            step=0.01,
            tooltip="Seconds. A drawing that is repeated so long at most (animation on twos or threes) moves "
            "on to the next one all the while; one shown longer stands still. 0 keeps every frame.",
        ),
        *work_inputs(),
        SpansSocket.Input(
            "scenes",
            optional=True,
            tooltip="Scenes from Scene Cuts: nothing is made across their borders, and no cut is looked for.",
        ),
    ]


def _moment(name: str, tooltip: str) -> io.Input:
    return io.Float.Input(name, default=0.0, min=0.0, max=1e9, step=0.001, tooltip=tooltip)


def rules_of(cut_threshold: float, longest_hold: float, scenes: Spans | None) -> Any:
    from .links import Rules

    cuts = None
    if scenes is not None:
        borders = {border for span in scenes for border in (span.start, span.end)}
        cuts = tuple(sorted(borders - {Fraction(0)}))
    return Rules(cut_threshold, seconds_of(longest_hold), cuts)


def interpolator(model: Any, scale: str, memory_limit: int) -> Any:
    from ..film_interpolation import Interpolator

    return Interpolator(model, memory_limit, 0.0 if scale == AUTO else float(scale))


class KinoInterpolateVideo(io.ComfyNode):
    """A video at another frame rate."""

    @classmethod
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            node_id="KinoInterpolateVideo",
            display_name="Interpolate Video",
            category=CATEGORY,
            description="Brings a video to any frame rate with frames that a network makes in between. Given "
            "frames stay as they are, nothing is made across cuts, length and sound stay. A film of any "
            "length takes the same memory.",
            inputs=[
                model_input(),
                io.Video.Input("video", tooltip="The video; its rate may vary."),
                io.Float.Input(
                    "fps",
                    default=0.0,
                    min=0.0,
                    max=1000.0,
                    step=0.001,
                    tooltip="Frames per second to reach; 23.976, 29.97 and 59.94 mean their exact fractions. "
                    "0 multiplies the video's rate by factor.",
                ),
                io.Float.Input(
                    "factor",
                    default=2.0,
                    min=0.1,
                    max=100.0,
                    step=0.1,
                    tooltip="How many times as many frames, where fps is 0.",
                ),
                *film_inputs(),
            ],
            outputs=[io.Video.Output(display_name="video", tooltip="The video; nothing is made yet.")],
            hidden=[io.Hidden.unique_id],
        )

    @classmethod
    def execute(
        cls,
        interp_model: Any,
        video: io.Video.Type,
        fps: float,
        factor: float,
        cut_threshold: float,
        longest_hold: float,
        scale: str,
        memory_limit: int,
        scenes: Spans | None = None,
    ) -> io.NodeOutput:
        from ..film_interpolation import interpolated_video

        recipe = as_recipe(video)
        rate = frame_rate(fps) or recipe.spec.fps * seconds_of(factor)
        rules = rules_of(cut_threshold, longest_hold, scenes)
        how = interpolator(interp_model, scale, memory_limit)
        return edited(cls, interpolated_video(recipe, rate, rules, how))


class KinoSlowMotion(io.ComfyNode):
    """A video several times as slow, and as smooth as before."""

    @classmethod
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            node_id="KinoSlowMotion",
            display_name="Slow Motion",
            category=CATEGORY,
            description="Plays a video more slowly and fills it with frames that a network makes in between. "
            "The sound is stretched and keeps its pitch.",
            inputs=[
                model_input(),
                io.Video.Input("video", tooltip="The video; its rate may vary."),
                io.Float.Input(
                    "slower",
                    default=4.0,
                    min=1.0,
                    max=100.0,
                    step=0.1,
                    tooltip="How many times as long it takes: 4 makes 8 seconds of 2.",
                ),
                io.Float.Input(
                    "fps",
                    default=0.0,
                    min=0.0,
                    max=1000.0,
                    step=0.001,
                    tooltip="Frames per second of the result; 23.976, 29.97 and 59.94 mean their exact "
                    "fractions. 0 keeps the video's rate.",
                ),
                _moment("start", "Seconds of the video from which on it is slow."),
                _moment("end", "Seconds of the video up to which it is slow; 0 is to its end."),
                *film_inputs(),
                SpansSocket.Input(
                    "spans",
                    optional=True,
                    tooltip="Only these stretches between start and end are slow; the rest plays as it does.",
                ),
            ],
            outputs=[io.Video.Output(display_name="video", tooltip="The slow video; nothing is made yet.")],
            hidden=[io.Hidden.unique_id],
        )

    @classmethod
    def execute(
        cls,
        interp_model: Any,
        video: io.Video.Type,
        slower: float,
        fps: float,
        start: float,
        end: float,
        cut_threshold: float,
        longest_hold: float,
        scale: str,
        memory_limit: int,
        scenes: Spans | None = None,
        spans: Spans | None = None,
    ) -> io.NodeOutput:
        from ..film_interpolation import interpolated_video
        from .pace import Pace

        recipe = as_recipe(video)
        spec = recipe.spec
        rate = frame_rate(fps) or spec.fps
        first, last = seconds_of(start), seconds_of(end) or spec.duration
        slow = [Span(Fraction(0), spec.duration)] if spans is None else spans
        slow = [span.within(spec.duration, 1 / spec.fps) for span in slow]
        stretches = [(max(span.start, first), min(span.end, last)) for span in slow]
        pace = Pace.slowed(spec.duration, seconds_of(slower), stretches, 1 / spec.fps, 1 / rate)
        if slower > 1 and pace.slowest == 1:
            raise VideoError(
                f"no frame of this video of {float(spec.duration):g} s would be slow; choose a start before "
                "the end and inside the video, and spans between the two"
            )
        rules = rules_of(cut_threshold, longest_hold, scenes)
        how = interpolator(interp_model, scale, memory_limit)
        return edited(cls, interpolated_video(recipe, rate, rules, how, pace))


NODES = [KinoInterpolateVideo, KinoSlowMotion]
