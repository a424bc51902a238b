"""The host's folders below a temporary one."""

from __future__ import annotations

import folder_paths
import pytest


@pytest.fixture
def home(tmp_path):
    before = folder_paths.base_path
    folder_paths.set_base_directory(str(tmp_path))
    (tmp_path / "input").mkdir()
    yield tmp_path
    folder_paths.set_base_directory(before)
