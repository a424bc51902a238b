"""Starting: what cannot start says why, with exit code 2; what runs is quickly there and small."""

from __future__ import annotations

import subprocess

import pytest
from kinograph.host.commands.serve import chosen_cache
from kinograph.host.execution.caching import ClassicCache, MemoryCache, NoCache, RecentCache
from serving.live_server import PATIENCE, Server


def refused(command: list[str]) -> str:
    """What a command says that ends at once with code 2."""
    ended = subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE)
    assert ended.returncode == 2, ended.stderr
    return ended.stderr


def test_a_port_that_is_taken_is_named(server, tmp_path):
    assert f"port {server.port}" in refused([*Server(tmp_path).command, "--port", str(server.port)])


def test_a_port_that_is_none_is_refused(tmp_path):
    assert "70000" in refused([*Server(tmp_path).command, "--port", "70000"])


def test_a_folder_without_the_editor_is_refused(tmp_path):
    command = [*Server(tmp_path).command, "--front-end", str(tmp_path)]
    assert "index.html" in refused(command)


def test_a_user_folder_in_use_is_refused(server, tmp_path):
    command = [*Server(tmp_path).command, "--user-directory", str(server.folder / "user")]
    assert "--user-directory" in refused(command)


def test_idle_memory_is_small(server):
    psutil = pytest.importorskip("psutil")
    server.get("/object_info")
    assert psutil.Process(server.process.pid).memory_info().rss < 300e6


@pytest.mark.parametrize(
    ("options", "kind"),
    [
        ({}, ClassicCache),
        ({"cache_lru": 5}, RecentCache),
        ({"cache_ram": 0.5}, MemoryCache),
        ({"cache_none": True}, NoCache),
    ],
)
def test_the_cache_is_the_one_that_was_asked_for(options, kind):
    from argparse import Namespace

    given = Namespace(**{"cache_lru": None, "cache_ram": None, "cache_none": False, **options})
    assert type(chosen_cache(given)) is kind
