"""Nodes that load the parts of a video model."""

from __future__ import annotations

from pathlib import Path, PurePath

import folder_paths
from comfy_api.latest import io

NUMBER_TYPES = ("auto", "float32", "bfloat16", "float16")
DEVICES = ("default", "cpu")


def text_encoders() -> list[str]:
    """Names of the files that may be a text encoder, and of Hugging Face's folders, these with a slash."""
    files = folder_paths.get_filename_list("text_encoders")
    folders = {PurePath(name).parent for name in files} - {PurePath(".")}
    return [*(f"{folder.as_posix()}/" for folder in sorted(folders) if _config_in(folder)), *files]


def _config_in(folder: PurePath) -> Path | None:
    """The file that tells of the model in a folder below models/text_encoders; None without one."""
    found = folder_paths.get_full_path("text_encoders", str(folder / "config.json"))
    return Path(found) if found else None


def text_encoder_path(name: str) -> str:
    """The installed file or folder of that name.

    Raises:
        FileNotFoundError: there is none.
    """
    if name.endswith("/"):
        config = _config_in(PurePath(name))
        path = str(config.parent) if config else None
    else:
        path = folder_paths.get_full_path("text_encoders", name)
    if path is None:
        raise FileNotFoundError(
            f"there is no text encoder {name!r} in models/text_encoders; put it there, or pick another"
        )
    return path


class KinoLoadTextEncoder(io.ComfyNode):
    """A text encoder from a file or folder."""

    @classmethod
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            node_id="KinoLoadTextEncoder",
            display_name="Load Text Encoder",
            category="Kinograph/generation",
            description="Loads the text encoder of Wan (UMT5-XXL) or the small one that comes with the "
            "pack, for every node that takes a CLIP.",
            inputs=[
                io.Combo.Input(
                    "text_encoder",
                    options=text_encoders(),
                    tooltip="A file in models/text_encoders, or a folder there (with a slash) that holds "
                    "the parts and the tokenizer.",
                ),
                io.Combo.Input(
                    "dtype",
                    options=list(NUMBER_TYPES),
                    default="auto",
                    tooltip="Number type in which the weights are kept; it computes in float32. auto: the "
                    "file's own.",
                ),
                io.Combo.Input(
                    "device",
                    options=list(DEVICES),
                    default="default",
                    tooltip="Where it computes. cpu is slow, but leaves the GPU's memory to the video model.",
                ),
            ],
            outputs=[io.Clip.Output(display_name="clip", tooltip="For CLIP Text Encode and others.")],
        )

    @classmethod
    def execute(cls, text_encoder: str, dtype: str, device: str) -> io.NodeOutput:
        from ..clip_object import load_clip

        return io.NodeOutput(load_clip(text_encoder_path(text_encoder), dtype, on_cpu=device == "cpu"))


NODES = [KinoLoadTextEncoder]
