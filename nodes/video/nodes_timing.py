"""VIDEO → VIDEO nodes for when a video is shown: its rate and speed, and what follows what."""

from __future__ import annotations

from comfy_api.latest import io

from ..lazy_video import as_recipe, frame_rate, seconds_of
from .concatenate import Concatenate
from .constant_rate import METHODS, ConstantRate
from .loop import Loop
from .nodes_edit import VIDEO_OUT, edited, pixels
from .reverse import Reverse
from .speed import Speed

MOST_CLIPS = 8


class KinoRetimeVideo(io.ComfyNode):
    """Another rate, speed, direction or number of turns."""

    @classmethod
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            node_id="KinoRetimeVideo",
            display_name="Retime Video",
            category="Kinograph/video",
            description="Changes speed, direction, number of turns and frame rate, in this order. The sound "
            "follows and keeps its pitch.",
            inputs=[
                io.Video.Input("video", tooltip="The video to retime."),
                io.Float.Input(
                    "fps",
                    default=0.0,
                    min=0.0,
                    max=1000.0,
                    step=0.001,
                    tooltip="Frames per second to reach; 23.976, 29.97 and 59.94 mean their exact fractions. "
                    "0 keeps every frame, so that speed 2 doubles the rate.",
                ),
                io.Combo.Input(
                    "frames",
                    options=list(METHODS),
                    default="nearest",
                    tooltip="nearest repeats or drops frames. blend mixes the two neighbours, "
                    "which is smoother but shows ghosts.",
                ),
                io.Float.Input(
                    "speed",
                    default=1.0,
                    min=0.01,
                    max=100.0,
                    step=0.01,
                    tooltip="How many times as fast: 2 halves the length, 0.5 doubles it.",
                ),
                io.Boolean.Input("reverse", default=False, tooltip="Play backwards, the sound too."),
                io.Int.Input("loop", default=1, min=1, max=10_000, tooltip="How many times to play it."),
            ],
            outputs=[VIDEO_OUT],
            hidden=[io.Hidden.unique_id],
        )

    @classmethod
    def execute(
        cls, video: io.Video.Type, fps: float, frames: str, speed: float, reverse: bool, loop: int
    ) -> io.NodeOutput:
        recipe = as_recipe(video)
        if speed != 1:
            recipe = Speed(recipe, seconds_of(speed))
        if reverse:
            recipe = Reverse(recipe)
        if loop > 1:
            recipe = Loop(recipe, loop)
        if fps:
            recipe = ConstantRate(recipe, frame_rate(fps), frames)
        return edited(cls, recipe)


class KinoConcatenateVideos(io.ComfyNode):
    """Videos one after the other."""

    @classmethod
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            node_id="KinoConcatenateVideos",
            display_name="Concatenate Videos",
            category="Kinograph/video",
            description="Plays videos one after the other, by cuts or cross-fades. The first one sets size, "
            "rate and sound format; others are padded, retimed and resampled to it.",
            inputs=[
                io.Video.Input("video_1", tooltip="The first video; the others are made like it."),
                io.Float.Input(
                    "cross_fade",
                    default=0.0,
                    min=0.0,
                    max=60.0,
                    step=0.01,
                    tooltip="Seconds that neighbours overlap, picture and sound mixed; 0 is a cut.",
                ),
                pixels("width", 0, "Width of the result, in pixels; 0 takes the first video's."),
                pixels("height", 0, "Height of the result, in pixels; 0 takes the first video's."),
                io.Float.Input(
                    "fps",
                    default=0.0,
                    min=0.0,
                    max=1000.0,
                    step=0.001,
                    tooltip="Frames per second of the result; 0 takes the first video's.",
                ),
                *(
                    io.Video.Input(
                        f"video_{number}", optional=True, tooltip="The next video; may stay empty."
                    )
                    for number in range(2, MOST_CLIPS + 1)
                ),
            ],
            outputs=[VIDEO_OUT],
            hidden=[io.Hidden.unique_id],
        )

    @classmethod
    def execute(
        cls,
        video_1: io.Video.Type,
        cross_fade: float,
        width: int,
        height: int,
        fps: float,
        **others: io.Video.Type | None,
    ) -> io.NodeOutput:
        following = [others.get(f"video_{number}") for number in range(2, MOST_CLIPS + 1)]
        clips = tuple(as_recipe(video) for video in (video_1, *following) if video is not None)
        return edited(cls, Concatenate(clips, seconds_of(cross_fade), width, height, frame_rate(fps)))


NODES = [KinoRetimeVideo, KinoConcatenateVideos]
