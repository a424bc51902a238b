"""The custom socket types: only what ComfyUI's own sockets cannot carry."""

from __future__ import annotations

from comfy_api.latest import io

Spans = io.Custom("KINO_SPANS")
"""A `nodes.video.spans.Spans`: labelled stretches of time in a video, in seconds."""
