"""Nodes that bring video files into a graph."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from comfy_api.latest import io

from .. import folders
from ..lazy_video import LazyVideo
from ..node_views import report, views
from ..runtime import node_id, show_text
from .clip_list import ORDERS, clip_names
from .describe import facts_line
from .source import FileSource

LINKED = float("nan")
"""The fingerprint of a name that another node has yet to give: unequal to itself, so never cached."""


class KinoLoadVideo(io.ComfyNode):
    """A file of the input folder as a lazy VIDEO."""

    @classmethod
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            node_id="KinoLoadVideo",
            display_name="Load Video (Kinograph)",
            category="Kinograph/video",
            description="Opens a video of the input folder or its subfolders. Nothing is decoded until a "
            "later node looks at the frames, so the length does not matter.",
            inputs=[
                io.Combo.Input(
                    "file",
                    options=folders.input_videos(),
                    upload=io.UploadType.video,
                    tooltip="A video in the input folder. Rotation flags and non-square pixels are applied.",
                ),
            ],
            outputs=[io.Video.Output(display_name="video", tooltip="The video, with its sound.")],
            hidden=[io.Hidden.unique_id],
        )

    @classmethod
    def execute(cls, file: str) -> io.NodeOutput:
        source = FileSource.of(folders.input_file(file))
        told = facts_line(source.spec)  # a file that is no video fails here, by its name
        show_text(told, node_id(cls))
        return io.NodeOutput(LazyVideo(source), ui=views(report(told)))

    @classmethod
    def validate_inputs(cls, file: str | None) -> bool | str:
        return True if file is None else _complaint(folders.input_file, file)

    @classmethod
    def fingerprint_inputs(cls, file: str | None) -> str | float:
        return LINKED if file is None else folders.file_state(folders.input_file(file))


class KinoLoadVideoFolder(io.ComfyNode):
    """The clips of a folder, as a list: what follows runs once per clip."""

    @classmethod
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            node_id="KinoLoadVideoFolder",
            display_name="Load Video Folder",
            category="Kinograph/video",
            description="Opens the videos of a folder inside the input folder. The outputs are lists: the "
            "nodes behind them run once per clip.",
            inputs=[
                io.Combo.Input(
                    "folder",
                    options=folders.input_subfolders(),
                    default=".",
                    tooltip='A folder inside the input folder; "." is the input folder itself.',
                ),
                io.String.Input(
                    "pattern",
                    default="*",
                    tooltip="File names to take, with * and ? as wildcards, e.g. *.mp4 or take_??.mov. "
                    "Upper and lower case are the same.",
                ),
                io.Boolean.Input("subfolders", default=False, tooltip="Also take clips of its subfolders."),
                io.Combo.Input(
                    "order",
                    options=list(ORDERS),
                    default="name",
                    tooltip="Order of the clips; by name, clip2 comes before clip10.",
                ),
                io.Int.Input(
                    "skip",
                    default=0,
                    min=0,
                    max=1_000_000,
                    tooltip="Number of clips to leave out at the start.",
                ),
                io.Int.Input(
                    "limit",
                    default=0,
                    min=0,
                    max=1_000_000,
                    tooltip="Number of clips to take at most; 0 takes all. Skip 4 with limit 1 is the fifth.",
                ),
            ],
            outputs=[
                io.Video.Output(display_name="videos", tooltip="The clips, in order.", is_output_list=True),
                io.String.Output(
                    display_name="names", tooltip="Their names below the folder.", is_output_list=True
                ),
                io.String.Output(
                    display_name="stems",
                    tooltip="The names without their endings, e.g. as filename_prefix of Encode Video.",
                    is_output_list=True,
                ),
            ],
        )

    @classmethod
    def execute(
        cls, folder: str, pattern: str, subfolders: bool, order: str, skip: int, limit: int
    ) -> io.NodeOutput:
        base = folders.input_folder(folder)
        names = _clips(base, pattern, subfolders, order, skip, limit)
        videos = [LazyVideo(FileSource.of(base / name)) for name in names]
        return io.NodeOutput(videos, names, [name.rpartition(".")[0] for name in names])

    @classmethod
    def validate_inputs(cls, folder: str | None) -> bool | str:
        return True if folder is None else _complaint(folders.input_folder, folder)

    @classmethod
    def fingerprint_inputs(cls, folder: str | None, **choice: object) -> str | float:
        if folder is None or None in choice.values():
            return LINKED
        base = folders.input_folder(folder)
        return "\n".join(folders.file_state(base / name) for name in _clips(base, **choice))


def _clips(base: Path, pattern: str, subfolders: bool, order: str, skip: int, limit: int) -> list[str]:
    found = clip_names(folders.videos_in(base, recursive=subfolders), base, pattern, order)
    taken = found[skip:][: limit or None]
    if not taken:
        raise FileNotFoundError(
            f"no clip is left in {base}: {len(found)} videos match {pattern!r}, and the first {skip} are "
            "skipped; change the folder, the pattern or skip"
        )
    return taken


def _complaint(find: Callable[[str], Path], name: str) -> bool | str:
    """True where `find` accepts the name, else its complaint as the host shows it."""
    try:
        find(name)
    except (folders.PathRefused, FileNotFoundError) as error:
        return str(error)
    return True


NODES = [KinoLoadVideo, KinoLoadVideoFolder]
