"""Pictures made from stored files: previews, single channels, the first frame of a film, masks."""

from __future__ import annotations

import io
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..media_files import reading_options

if TYPE_CHECKING:
    from PIL.Image import Image

_FILM_EXTENSIONS = {".mp4", ".webm", ".mkv", ".mov", ".avi", ".m4v", ".mpg", ".mpeg", ".ts"}
_SMALLEST_SIDE, _GREATEST_SIDE = 16, 4096


class NoPictureError(ValueError):
    """A file that holds no picture which can be shown."""


def preview(path: Path, wish: str, channel: str, side: int | None) -> tuple[bytes, str]:
    """A file's picture made small.

    Args:
        wish: format and quality as clients ask for them: "webp;90", "jpeg", "jpeg;50".
        channel: "rgb" to leave out the alpha channel.
        side: the longest side in pixels; None for the full size.

    Returns:
        The encoded picture and its content type.

    Raises:
        NoPictureError: there is none in the file.
    """
    format_, _, quality = wish.partition(";")
    if format_ not in ("webp", "jpeg") or "a" in channel:
        format_ = "webp"
    image = _opened(path)
    if format_ == "jpeg" or channel == "rgb":
        image = image.convert("RGB")
    if side is not None:
        size = min(max(side, _SMALLEST_SIDE), _GREATEST_SIDE)
        image.thumbnail((size, size))
    options = {"quality": min(max(int(quality), 1), 100) if quality.isdecimal() else 90}
    return _encoded(image, format_, **options), f"image/{format_}"


def colours(path: Path) -> bytes:
    """A picture without its alpha channel, as PNG."""
    return _encoded(_opened(path).convert("RGB"), "png")


def alpha(path: Path) -> bytes:
    """A picture's alpha channel, as the alpha of a black PNG; opaque where it has none."""
    from PIL import Image

    image = _opened(path)
    shape = Image.new("RGBA", image.size)
    shape.putalpha(image.convert("RGBA").getchannel("A"))
    return _encoded(shape, "png")


def with_alpha(original: Path, mask: Path) -> bytes:
    """A picture with another's alpha channel, as PNG with the first one's text entries.

    Raises:
        NoPictureError: one of the two is no picture, or they differ in size.
    """
    from PIL.PngImagePlugin import PngInfo

    image, painted = _opened(original), _opened(mask)
    if image.size != painted.size:
        raise NoPictureError(f"the mask has {painted.size} pixels, the picture {image.size}")
    texts = PngInfo()
    for name, text in getattr(image, "text", {}).items():
        texts.add_text(name, text)
    result = image.convert("RGBA")
    result.putalpha(painted.convert("RGBA").getchannel("A"))
    return _encoded(result, "png", compress_level=4, pnginfo=texts)


def _opened(path: Path) -> Image:
    from PIL import Image, UnidentifiedImageError

    if path.suffix.lower() in _FILM_EXTENSIONS:
        return _first_frame(path)
    try:
        image = Image.open(path)
        image.load()
    except (UnidentifiedImageError, Image.DecompressionBombError, OSError, SyntaxError, ValueError) as error:
        raise NoPictureError(f"{path.name} holds no picture that can be shown") from error
    return image


def _first_frame(path: Path) -> Image:
    import av

    try:
        with av.open(str(path), options=reading_options()) as film:
            return next(film.decode(video=0)).to_image()
    except (av.FFmpegError, IndexError, StopIteration) as error:
        raise NoPictureError(f"{path.name} holds no frame that can be shown") from error


def _encoded(image: Image, format_: str, **options: Any) -> bytes:
    written = io.BytesIO()
    image.save(written, format=format_, **options)
    return written.getvalue()
