"""Files that appear under their name complete, or not at all."""

from __future__ import annotations

import os
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def whole_file(path: str) -> Iterator[str]:
    """A hidden sibling of `path` to write to, with its suffix; it takes the name when the block succeeds.

    When the block fails or is interrupted the sibling is removed, so nothing half-written is ever seen
    under the final name.
    """
    folder, name = os.path.split(path)
    partial = os.path.join(folder, f".{uuid.uuid4().hex[:8]}-{name}")
    try:
        yield partial
        os.replace(partial, path)
    finally:
        Path(partial).unlink(missing_ok=True)
