"""The node that writes a video file."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from comfy_api.latest import io

from ..folders import PathRefused, check_portable
from ..lazy_video import LazyVideo, as_recipe
from ..node_views import player, views
from ..output_names import expand_tokens, new_output
from ..runtime import Progress, graph_tags, node_id, show_text
from .codecs import AUDIO_ENCODERS, CONTAINERS, PRORES_PROFILES, VIDEO_CODECS, X26X_PRESETS
from .describe import counted
from .encode import EncodeReport, encode
from .recipe import Recipe, VideoError, VideoSpec
from .replaced_sound import ReplacedSound
from .settings import EncodeSettings
from .source import FileSource
from .timecode import timecode

AUTO = "auto"
PIXEL_FORMATS = (
    *("yuv420p", "yuv422p", "yuv444p", "yuv420p10le", "yuv422p10le", "yuv444p10le"),
    *("yuva420p", "yuva444p10le"),
)


class KinoEncodeVideo(io.ComfyNode):
    """A video file in the output folder."""

    @classmethod
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            node_id="KinoEncodeVideo",
            display_name="Encode Video",
            category="Kinograph/video",
            description="Writes a video to the output folder, frame by frame: its length does not matter. "
            "The file appears when it is whole, never replaces another, and carries the workflow.",
            inputs=[
                io.Video.Input("video", tooltip="The video to write."),
                io.String.Input(
                    "filename_prefix",
                    default="video/Kinograph",
                    tooltip="Name below the output folder; a number and the ending are added. "
                    "%date:yyyy-MM-dd%, %year% … %second%, %width%, %height%, %fps%, %frames% are replaced.",
                ),
                *_picture_widgets(),
                *_sound_widgets(),
                io.Boolean.Input(
                    "constant_rate",
                    default=False,
                    tooltip="Make a variable frame rate constant, at its average. Otherwise times are kept.",
                ),
                io.Boolean.Input(
                    "embed_workflow",
                    default=True,
                    tooltip="Write the graph into the file's tags, so that dropping the file on the editor "
                    "opens it. Off also where ComfyUI runs with --disable-metadata.",
                ),
                io.Audio.Input("audio", optional=True, tooltip="Sound to write instead of the video's own."),
            ],
            outputs=[
                io.Video.Output(display_name="video", tooltip="The written file, for nodes behind it."),
                io.String.Output(display_name="path", tooltip="Its name below the output folder."),
                io.String.Output(display_name="report", tooltip="What was written and what was adapted."),
            ],
            hidden=[io.Hidden.unique_id, io.Hidden.prompt, io.Hidden.extra_pnginfo],
            is_output_node=True,
        )

    @classmethod
    def validate_inputs(
        cls,
        filename_prefix: str | None,
        container: str | None,
        codec: str | None,
        crf: float | None,
        preset: str | None,
        audio_codec: str | None,
    ) -> bool | str:
        if None in (filename_prefix, container, codec, crf, preset, audio_codec):
            return True  # one comes from another node; execute checks it then
        try:
            _settings(container, codec, crf, preset, audio_codec=audio_codec)
            check_portable(expand_tokens(filename_prefix, {}, datetime.now()))
        except (VideoError, PathRefused) as error:
            return str(error)
        return True

    @classmethod
    def execute(
        cls,
        video: io.Video.Type,
        filename_prefix: str,
        container: str,
        codec: str,
        crf: float,
        preset: str,
        bit_depth: str,
        pixel_format: str,
        audio_codec: str,
        audio_bitrate: int,
        constant_rate: bool,
        embed_workflow: bool,
        audio: io.Audio.Type | None = None,
    ) -> io.NodeOutput:
        settings = _settings(
            container,
            codec,
            crf,
            preset,
            bit_depth=0 if bit_depth == AUTO else int(bit_depth),
            pixel_format=None if pixel_format == AUTO else pixel_format,
            audio_codec=audio_codec,
            audio_bit_rate=audio_bitrate * 1000,
            constant_rate=constant_rate,
        )
        recipe = as_recipe(video)
        if audio is not None:
            recipe = ReplacedSound(recipe, audio["waveform"][0], int(audio["sample_rate"]))
        progress = Progress(recipe.spec.frame_count, node_id=node_id(cls), stage=f"encoding {container}")
        with new_output(filename_prefix, f".{container}", _facts(recipe)) as output:
            report = encode(
                recipe,
                output.part,
                settings,
                tick=progress.advance,
                metadata=graph_tags(cls) if embed_workflow else {},
                replace=True,
            )
        text = _told(output.name, report)
        show_text(text, node_id(cls))
        written = FileSource.of(output.path)
        spec = recipe.spec if container == "webp" else written.spec  # FFmpeg cannot read a moving webp
        return io.NodeOutput(LazyVideo(written), output.name, text, ui=_shown(output.name, spec, text))


def _picture_widgets() -> list[io.Input]:
    """Container, codec and quality of the picture."""
    return [
        io.Combo.Input("container", options=list(CONTAINERS), default="mp4", tooltip="File format."),
        io.Combo.Input(
            "codec",
            options=[AUTO, *VIDEO_CODECS],
            default=AUTO,
            tooltip="Picture codec. auto takes the container's usual one: h264 in mp4 and mkv, "
            "prores in mov, vp9 in webm.",
        ),
        io.Float.Input(
            "crf",
            default=-1.0,
            min=-1.0,
            max=100.0,
            step=1.0,
            tooltip="Quality in the codec's own scale: lower is better and larger. h264 and hevc 0 "
            "to 51, av1 and vp9 0 to 63, webp 0 to 100. -1 takes the codec's default; prores, "
            "ffv1 and gif have none.",
        ),
        io.Combo.Input(
            "preset",
            options=[AUTO, *X26X_PRESETS, *PRORES_PROFILES],
            default=AUTO,
            tooltip="Slower presets make smaller files. prores has profiles: proxy to 4444xq.",
        ),
        io.Combo.Input(
            "bit_depth",
            options=[AUTO, "8", "10"],
            default=AUTO,
            tooltip="Bits per colour; auto keeps the video's where the codec can.",
        ),
        io.Combo.Input(
            "pixel_format",
            options=[AUTO, *PIXEL_FORMATS],
            default=AUTO,
            tooltip="FFmpeg's name of the pixel layout. auto follows bit depth and alpha; "
            "choosing one overrules bit_depth.",
        ),
    ]


def _sound_widgets() -> list[io.Input]:
    """Codec and quality of the sound."""
    return [
        io.Combo.Input(
            "audio_codec",
            options=[AUTO, "none", *AUDIO_ENCODERS],
            default=AUTO,
            tooltip="Sound codec. auto takes the container's usual one; none leaves the sound out.",
        ),
        io.Int.Input(
            "audio_bitrate",
            default=0,
            min=0,
            max=1024,
            tooltip="Kilobits per second of the sound, for aac and opus; 0 takes 192 and 160.",
        ),
    ]


def _settings(container: str, codec: str, crf: float, preset: str, **others: Any) -> EncodeSettings:
    return EncodeSettings(
        container,
        None if codec == AUTO else codec,
        None if crf < 0 else crf,
        None if preset == AUTO else preset,
        **others,
    )


def _facts(recipe: Recipe) -> dict[str, object]:
    """The tokens a file name may contain besides date and time."""
    spec = recipe.spec
    return {
        "width": spec.width,
        "height": spec.height,
        "fps": f"{float(spec.fps):.5g}",
        "frames": spec.frame_count,
    }


def _told(name: str, report: EncodeReport) -> str:
    size = f"{report.bytes / 1e6:.2f} MB"
    return "\n".join(
        [f"{name}: {counted(report.frames, 'frame')}, {timecode(report.seconds)}, {size}", *report.notes]
    )


def _shown(name: str, spec: VideoSpec, text: str) -> dict[str, Any]:
    """What the editor needs to play the file, and the report as text."""
    subfolder, _, filename = name.rpartition("/")
    saved = {"filename": filename, "subfolder": subfolder, "type": "output"}
    return {"images": [saved], "animated": (True,), "text": (text,)} | views(player(saved, spec))


NODES = [KinoEncodeVideo]
