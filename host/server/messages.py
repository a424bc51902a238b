"""Messages of the WebSocket, as text and in ComfyUI's binary forms."""

from __future__ import annotations

import io
import struct
from collections.abc import Mapping
from typing import Any

from . import plain_json

PREVIEW_IMAGE, UNENCODED_PREVIEW_IMAGE, TEXT, PREVIEW_WITH_METADATA = 1, 2, 3, 4
"""Kinds of binary messages; the second is encoded as the first before it is sent."""

_JPEG, _PNG = 1, 2

Preview = tuple[str, Any, "int | None"]
"""Format ("JPEG" or "PNG"), PIL image, largest side in pixels or None."""


def event_message(event: str, data: Any) -> str:
    """An event as text: {"type": …, "data": …}."""
    return plain_json.write({"type": event, "data": data})


def binary_message(kind: int, body: bytes) -> bytes:
    """A kind of binary message as 4 bytes, big-endian, and its body."""
    return struct.pack(">I", kind) + body


def text_message(node_id: str, text: str) -> bytes:
    """A line of text on a node: length of the node's id, the id, the text."""
    name = str(node_id).encode("utf-8", "replace")
    return binary_message(TEXT, struct.pack(">I", len(name)) + name + text.encode("utf-8", "replace"))


def preview_message(preview: Preview) -> bytes:
    """A preview for clients that know no metadata: format as 4 bytes, and the picture."""
    format_, picture = _encoded(preview)
    return binary_message(PREVIEW_IMAGE, struct.pack(">I", _PNG if format_ == "PNG" else _JPEG) + picture)


def preview_with_metadata(preview: Preview, metadata: Mapping[str, Any]) -> bytes:
    """A preview with its place: length of the metadata, metadata as JSON, and the picture."""
    format_, picture = _encoded(preview)
    facts = {**metadata, "image_type": f"image/{format_.lower()}"}
    head = plain_json.write(facts).encode()
    return binary_message(PREVIEW_WITH_METADATA, struct.pack(">I", len(head)) + head + picture)


def _encoded(preview: Preview) -> tuple[str, bytes]:
    from PIL import ImageOps

    format_, image, side = preview
    if side is not None:
        image = ImageOps.contain(image, (side, side))
    if format_ != "PNG":
        format_, image = "JPEG", image.convert("RGB")
    written = io.BytesIO()
    image.save(written, format=format_, quality=90, compress_level=1)
    return format_, written.getvalue()
