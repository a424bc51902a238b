"""Saving sound as FLAC, MP3 or Opus, with the workflow inside."""

from __future__ import annotations

import os
from typing import Any

from ....whole_file import whole_file
from .saved_files import SavedAudios, SavedResult, folder_of, workflow_tags
from .widgets import FolderType

_ENCODERS = {"flac": "flac", "mp3": "libmp3lame", "opus": "libopus"}
_RATES = {
    "opus": (8000, 12000, 16000, 24000, 48000),
    "mp3": (8000, 11025, 12000, 16000, 22050, 24000, 32000, 44100, 48000),
}
_CHUNK = 1 << 16
_LAYOUTS = {1: "mono", 2: "stereo", 6: "5.1"}


class AudioSaveHelper:
    """Sound is {"waveform": [B,C,S] in −1..1, "sample_rate": Hz}."""

    @staticmethod
    def save_audio(
        audio: dict[str, Any] | None,
        filename_prefix: str,
        folder_type: FolderType,
        cls: type | None,
        format: str = "flac",
        quality: str = "128k",
    ) -> list[SavedResult]:
        """Save each sound of the batch.

        Args:
            filename_prefix: may hold the tokens of `folder_paths.get_save_image_path` and %batch_num%.
            cls: the running node class, whose prompt and workflow go into the files.
            format: "flac", "mp3" or "opus"; the last two are resampled to the next rate that they have.
            quality: bits per second as "64k" to "320k", or "V0" for MP3; FLAC has no choice.

        Raises:
            ValueError: there is no sound, or it has more channels than the format holds.
        """
        from ... import folder_paths

        if audio is None:  # what a silent video gives
            raise ValueError("There is no sound to save: its source is silent; bypass this node")

        folder, name, counter, subfolder, _ = folder_paths.get_save_image_path(
            filename_prefix, folder_of(folder_type)
        )
        tags = workflow_tags(cls)
        results = []
        for number, waveform in enumerate(audio["waveform"].float().cpu().numpy()):
            file = f"{name.replace('%batch_num%', str(number))}_{counter + number:05}_.{format}"
            _write(os.path.join(folder, file), waveform, audio["sample_rate"], format, quality, tags)
            results.append(SavedResult(file, subfolder, folder_type))
        return results

    @staticmethod
    def get_save_audio_ui(
        audio: dict[str, Any],
        filename_prefix: str,
        cls: type | None,
        format: str = "flac",
        quality: str = "128k",
    ) -> SavedAudios:
        """Save in the output folder, and show it."""
        saved = AudioSaveHelper.save_audio(audio, filename_prefix, FolderType.output, cls, format, quality)
        return SavedAudios(saved)


def _write(path: str, waveform: Any, rate: int, format: str, quality: str, tags: dict[str, str]) -> None:
    import av
    import numpy as np

    if format not in _ENCODERS:
        raise ValueError(f"sound cannot be saved as {format!r}; choose {', '.join(_ENCODERS)}")
    layout = layout_of(waveform.shape[0])
    if format == "mp3" and layout not in ("mono", "stereo"):
        raise ValueError(f"MP3 holds two channels, and the sound has {waveform.shape[0]}; save FLAC or Opus")
    with whole_file(path) as part, av.open(part, "w", format=format) as output:
        output.metadata.update(tags)
        stream = output.add_stream(_ENCODERS[format], rate=_stored_rate(rate, format), layout=layout)
        _set_quality(stream, format, quality)
        resampler = av.AudioResampler(stream.format, layout, stream.rate)
        for start in range(0, waveform.shape[1], _CHUNK):
            piece = np.ascontiguousarray(waveform[:, start : start + _CHUNK])
            frame = av.AudioFrame.from_ndarray(piece, format="fltp", layout=layout)
            frame.rate = rate
            frame.pts = start
            for resampled in resampler.resample(frame):
                output.mux(stream.encode(resampled))
        for resampled in resampler.resample(None):
            output.mux(stream.encode(resampled))
        output.mux(stream.encode(None))


def layout_of(channels: int) -> str:
    """FFmpeg's name for the order of channels.

    Raises:
        ValueError: there is none for so many.
    """
    if channels not in _LAYOUTS:
        raise ValueError(f"sound with {channels} channels cannot be written; give 1, 2 or 6")
    return _LAYOUTS[channels]


def _stored_rate(rate: int, format: str) -> int:
    rates = _RATES.get(format, (rate,))
    return next((own for own in rates if own >= rate), rates[-1])


def _set_quality(stream: Any, format: str, quality: str) -> None:
    if format == "flac":
        return
    if quality == "V0":
        stream.codec_context.options = {"q": "0"}
    else:
        stream.bit_rate = int(quality.removesuffix("k")) * 1000
