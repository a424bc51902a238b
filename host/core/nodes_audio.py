"""Core's audio nodes: load, save, listen."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from comfy_api.latest import Input, io, ui

from ..media_files import reading_options, why_unreadable
from .files import content_hash, input_file, input_files, problem_with

if TYPE_CHECKING:
    import torch


class LoadAudio(io.ComfyNode):
    @classmethod
    def define_schema(cls) -> io.Schema:
        files = input_files("audio", "video")
        return io.Schema(
            node_id="LoadAudio",
            display_name="Load Audio",
            category="audio",
            inputs=[io.Combo.Input("audio", upload=io.UploadType.audio, options=files)],
            outputs=[io.Audio.Output()],
        )

    @classmethod
    def execute(cls, audio: str) -> io.NodeOutput:
        waveform, sample_rate = read_sound(input_file(audio))
        return io.NodeOutput({"waveform": waveform[None], "sample_rate": sample_rate})

    @classmethod
    def fingerprint_inputs(cls, audio: str) -> str:
        return content_hash(input_file(audio))

    @classmethod
    def validate_inputs(cls, audio: str) -> str | bool:
        return problem_with(audio)


def read_sound(path: Path) -> tuple[torch.Tensor, int]:
    """The first sound track of a file: float32 [channels, samples] in -1..1, and its rate in Hz.

    Raises:
        ValueError: the file cannot be read, or holds no sound.
    """
    import av
    import numpy as np
    import torch

    try:
        with av.open(str(path), options=reading_options()) as container:
            if not container.streams.audio:
                raise ValueError(f"{path.name} has no sound track; choose a file with sound")
            planar = av.AudioResampler(format="fltp")
            pieces = [
                piece.to_ndarray() for frame in container.decode(audio=0) for piece in planar.resample(frame)
            ]
            sample_rate = container.streams.audio[0].sample_rate
    except av.FFmpegError as error:
        raise ValueError(
            f"{path.name} cannot be read as sound ({why_unreadable(error)}); check the file"
        ) from error
    if not pieces:
        raise ValueError(f"The sound track of {path.name} is empty; choose a file with sound")
    return torch.from_numpy(np.concatenate(pieces, axis=1)), sample_rate


class _SaveSound(io.ComfyNode):
    """What the three savers share; `FORMAT` is the file's suffix, `QUALITIES` the bit rates offered."""

    FORMAT = "flac"
    NAME = "FLAC"
    NODE_ID = "SaveAudio"
    QUALITIES: tuple[str, ...] = ()
    QUALITY = ""

    @classmethod
    def define_schema(cls) -> io.Schema:
        inputs = [io.Audio.Input("audio"), io.String.Input("filename_prefix", default="audio/ComfyUI")]
        if cls.QUALITIES:
            inputs.append(io.Combo.Input("quality", options=list(cls.QUALITIES), default=cls.QUALITY))
        return io.Schema(
            node_id=cls.NODE_ID,
            display_name=f"Save Audio ({cls.NAME})",
            category="audio",
            inputs=inputs,
            hidden=[io.Hidden.prompt, io.Hidden.extra_pnginfo],
            is_output_node=True,
        )

    @classmethod
    def execute(cls, audio: Input.Audio, filename_prefix: str, quality: str = "128k") -> io.NodeOutput:
        saved = ui.AudioSaveHelper.get_save_audio_ui(
            audio, filename_prefix=filename_prefix, cls=cls, format=cls.FORMAT, quality=quality
        )
        return io.NodeOutput(ui=saved)


class SaveAudio(_SaveSound):
    pass


class SaveAudioMP3(_SaveSound):
    FORMAT, NAME, NODE_ID = "mp3", "MP3", "SaveAudioMP3"
    QUALITIES, QUALITY = ("V0", "128k", "320k"), "V0"


class SaveAudioOpus(_SaveSound):
    FORMAT, NAME, NODE_ID = "opus", "Opus", "SaveAudioOpus"
    QUALITIES, QUALITY = ("64k", "96k", "128k", "192k", "320k"), "128k"


class PreviewAudio(io.ComfyNode):
    @classmethod
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            node_id="PreviewAudio",
            display_name="Preview Audio",
            category="audio",
            inputs=[io.Audio.Input("audio")],
            hidden=[io.Hidden.prompt, io.Hidden.extra_pnginfo],
            is_output_node=True,
        )

    @classmethod
    def execute(cls, audio: Input.Audio) -> io.NodeOutput:
        return io.NodeOutput(ui=ui.PreviewAudio(audio, cls=cls))


NODES = [LoadAudio, SaveAudio, SaveAudioMP3, SaveAudioOpus, PreviewAudio]
