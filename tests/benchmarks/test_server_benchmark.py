"""The server's benchmark, on a small crowd."""

from __future__ import annotations

import pytest
from kinograph.benchmarks import server

pytest.importorskip("aiohttp")
pytest.importorskip("comfyui_frontend_package")


def test_its_figures_come_from_a_server_that_loses_nothing(monkeypatch):
    monkeypatch.setattr(server, "CLIENTS", 2)
    monkeypatch.setattr(server, "PROMPTS_EACH", 3)
    report = server.run(quick=True)
    figures = report["figures"]
    assert set(figures) == {"ready_s", "idle_rss_mb", "graph_ms_median", "lost_prompts"}
    assert figures["lost_prompts"] == 0 and 0 < figures["idle_rss_mb"] < 300
    assert figures["ready_s"] > 0 < figures["graph_ms_median"]
