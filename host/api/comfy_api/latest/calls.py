"""What a running node may call: `ComfyAPI` awaited, `ComfyAPISync` from plain functions."""

from __future__ import annotations

from typing import Any

from ...comfy_execution.progress import get_progress_state
from ...comfy_execution.utils import get_executing_context
from .node_replacement import NodeReplace, register


class _Execution:
    async def set_progress(self, *args: Any, **kwargs: Any) -> None:
        """As `_SyncExecution.set_progress`."""
        _SyncExecution().set_progress(*args, **kwargs)


class _SyncExecution:
    def set_progress(
        self,
        value: float,
        max_value: float,
        node_id: str | None = None,
        preview_image: Any = None,
        ignore_size_limit: bool = False,
    ) -> None:
        """Report progress of the running node, or of `node_id`.

        Args:
            value, max_value: done and in all.
            preview_image: a PIL image, or pixels [H,W,C] or [B,H,W,C] in 0..1, of which the first is shown.
            ignore_size_limit: show the preview in its full size.

        Raises:
            ValueError: no node is running and `node_id` is missing.
        """
        context = get_executing_context()
        node_id = node_id or (context.node_id if context else None)
        if node_id is None:
            raise ValueError("set_progress was called outside of a node; give it a node_id")
        preview = None if preview_image is None else _preview(preview_image, ignore_size_limit)
        get_progress_state().update_progress(node_id, value, max_value, preview)


def _preview(image: Any, full_size: bool) -> tuple[str, Any, int | None]:
    from PIL import Image

    from ...comfy.cli_args import args

    if not isinstance(image, Image.Image):
        pixels = image[0] if image.ndim == 4 else image
        image = Image.fromarray((pixels.clamp(0, 1) * 255).byte().cpu().numpy())
    return image.format or "JPEG", image, None if full_size else args.preview_size


class _NodeReplacement:
    async def register(self, node_replace: NodeReplace) -> None:
        """Offer a node in place of one that is gone."""
        register(node_replace)


class _SyncNodeReplacement:
    def register(self, node_replace: NodeReplace) -> None:
        """As `_NodeReplacement.register`."""
        register(node_replace)


class ComfyAPI:
    """`await ComfyAPI().execution.set_progress(…)`."""

    VERSION = "latest"
    STABLE = False

    def __init__(self) -> None:
        self.execution = _Execution()
        self.node_replacement = _NodeReplacement()


class ComfyAPISync:
    """`ComfyAPISync().execution.set_progress(…)`."""

    VERSION = "latest"
    STABLE = False

    def __init__(self) -> None:
        self.execution = _SyncExecution()
        self.node_replacement = _SyncNodeReplacement()
