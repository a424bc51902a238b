"""Core's video nodes: load, save, and pass between VIDEO and its parts."""

from __future__ import annotations

import os
from fractions import Fraction
from typing import Any

from comfy_api.latest import Input, InputImpl, Types, io, ui

from .files import input_file, input_files, problem_with

CATEGORY = "image/video"
PREFIX_TOOLTIP = (
    "Start of the file's name, below the output folder. May hold %date:yyyy-MM-dd% or another node's value, "
    "as in %Empty Image.width%."
)


class LoadVideo(io.ComfyNode):
    @classmethod
    def define_schema(cls) -> io.Schema:
        file = io.Combo.Input("file", options=input_files("video"), upload=io.UploadType.video)
        return io.Schema(
            node_id="LoadVideo",
            display_name="Load Video",
            category=CATEGORY,
            inputs=[file],
            outputs=[io.Video.Output()],
        )

    @classmethod
    def execute(cls, file: str) -> io.NodeOutput:
        return io.NodeOutput(InputImpl.VideoFromFile(str(input_file(file))))

    @classmethod
    def fingerprint_inputs(cls, file: str) -> tuple[int, int]:
        facts = input_file(file).stat()
        return facts.st_size, facts.st_mtime_ns

    @classmethod
    def validate_inputs(cls, file: str) -> str | bool:
        return problem_with(file)


class SaveVideo(io.ComfyNode):
    @classmethod
    def define_schema(cls) -> io.Schema:
        containers, codecs = Types.VideoContainer.as_input(), Types.VideoCodec.as_input()
        return io.Schema(
            node_id="SaveVideo",
            display_name="Save Video",
            category=CATEGORY,
            description="Saves a video to the output folder.",
            inputs=[
                io.Video.Input("video", tooltip="The video to save."),
                io.String.Input("filename_prefix", default="video/ComfyUI", tooltip=PREFIX_TOOLTIP),
                io.Combo.Input("format", options=containers, default="auto", tooltip="The container."),
                io.Combo.Input("codec", options=codecs, default="auto", tooltip="The codec of the picture."),
            ],
            hidden=[io.Hidden.prompt, io.Hidden.extra_pnginfo],
            is_output_node=True,
        )

    @classmethod
    def execute(cls, video: Input.Video, filename_prefix: str, format: str, codec: str) -> io.NodeOutput:
        import folder_paths

        folder, name, counter, subfolder, _ = folder_paths.get_save_image_path(
            filename_prefix, folder_paths.get_output_directory(), *video.get_dimensions()
        )
        container = Types.VideoContainer(format)
        file = f"{name}_{counter:05}_.{Types.VideoContainer.get_extension(container)}"
        tags = _graph_tags(cls.hidden)
        path = os.path.join(folder, file)
        video.save_to(path, format=container, codec=Types.VideoCodec(codec), metadata=tags)
        saved = ui.SavedResult(file, subfolder, io.FolderType.output)
        return io.NodeOutput(ui=ui.PreviewVideo([saved]))


def _graph_tags(hidden: Any) -> dict[str, Any] | None:
    """The graph as the container's tags, or None where --disable-metadata asks for none."""
    from comfy.cli_args import args

    if args.disable_metadata:
        return None
    tags = dict(hidden.extra_pnginfo or {})
    if hidden.prompt is not None:
        tags["prompt"] = hidden.prompt
    return tags or None


class CreateVideo(io.ComfyNode):
    @classmethod
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            node_id="CreateVideo",
            display_name="Create Video",
            category=CATEGORY,
            description="Makes a video from pictures and, where given, sound.",
            inputs=[
                io.Image.Input("images", tooltip="The frames, in order."),
                io.Float.Input("fps", default=30.0, min=1.0, max=120.0, step=1.0),
                io.Audio.Input("audio", optional=True, tooltip="The sound."),
            ],
            outputs=[io.Video.Output()],
        )

    @classmethod
    def execute(cls, images: Input.Image, fps: float, audio: Input.Audio | None = None) -> io.NodeOutput:
        components = Types.VideoComponents(images=images, audio=audio, frame_rate=Fraction(fps))
        return io.NodeOutput(InputImpl.VideoFromComponents(components))


class GetVideoComponents(io.ComfyNode):
    @classmethod
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            node_id="GetVideoComponents",
            display_name="Get Video Components",
            category=CATEGORY,
            description="Decodes a whole video into its frames, sound and rate; they must fit in memory.",
            inputs=[io.Video.Input("video", tooltip="The video to take apart.")],
            outputs=[
                io.Image.Output(display_name="images"),
                io.Audio.Output(display_name="audio"),
                io.Float.Output(display_name="fps"),
            ],
        )

    @classmethod
    def execute(cls, video: Input.Video) -> io.NodeOutput:
        parts = video.get_components()
        return io.NodeOutput(parts.images, parts.audio, float(parts.frame_rate))


NODES = [LoadVideo, SaveVideo, CreateVideo, GetVideoComponents]
