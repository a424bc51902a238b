"""One server for all tests that leave it as it was, and a maker of further ones."""

from __future__ import annotations

import pytest

pytest.importorskip("aiohttp")

from serving.live_server import Server


@pytest.fixture(scope="session")
def server(tmp_path_factory):
    """A running server."""
    running = Server(tmp_path_factory.mktemp("server")).start()
    yield running
    running.stop()


@pytest.fixture
def start(tmp_path):
    """Start a server of this test's own: `start("--token", "x")`; below the same folder each time."""
    started = []

    def start_one(*options: str) -> Server:
        started.append(Server(tmp_path, *options).start())
        return started[-1]

    yield start_one
    for one in started:
        if one.process.poll() is None:
            one.kill()
