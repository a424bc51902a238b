"""A real browser on `kinograph serve`: one server and one browser tab for all tests of this folder.

Skipped, with the reason, where Playwright, a Chromium, aiohttp or the editor's package is missing. Tests
marked `both_editors` run a second time on an editor one year older, where that is installed:
KINOGRAPH_OLDER_EDITOR, or `older-editor` in the environment (`make test-older-editor` puts it there), is a
folder with comfyui_frontend_package in it. KINOGRAPH_EDITOR names one to take instead of the installed
package.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest
from comfyui.client import write_clip

from browser.editor import Editor

BROWSERS = ("chromium", "google-chrome")
NEEDED = {
    "playwright": "playwright",
    "aiohttp": "aiohttp",
    "comfyui_frontend_package": "comfyui-frontend-package",
}
NEWEST, OLDER = "newest", "older"
OPTIONS = ("--no-sandbox", "--disable-gpu", "--autoplay-policy=no-user-gesture-required", "--mute-audio")
VIEWPORT = {"width": 1400, "height": 900}
PATIENCE = 120_000
"""Milliseconds: the editor is some hundred files, and a machine that runs tests may be busy."""
SEARCH_KEY = "F2"
WITHOUT_THE_MOUSE = {
    "Comfy.Keybinding.NewBindings": [
        {"commandId": "Workspace.SearchBox.Toggle", "combo": {"key": SEARCH_KEY}}
    ],
    "Comfy.NodeSearchBoxImpl.FollowCursor": False,
}
"""Settings: a key for the search box, and nodes from it that need no click to come down."""
PROBES = Path(__file__).with_name("probe_nodes.py")


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "both_editors: runs on the newest editor and on an older one")


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "version" in metafunc.fixturenames:
        both = metafunc.definition.get_closest_marker("both_editors")
        metafunc.parametrize("version", [NEWEST, OLDER] if both else [NEWEST], scope="package")


@dataclass(frozen=True)
class Server:
    """A running server; its folders are below `base`."""

    url: str
    base: Path


@pytest.fixture(scope="package")
def browser() -> Iterator[Any]:
    missing = [package.replace("_", "-") for package in NEEDED if find_spec(package) is None]
    if missing:
        pytest.skip(f"the browser is not tested: install {', '.join(missing)}, as `make test` does")
    executable = next(filter(None, map(shutil.which, BROWSERS)), None)
    if executable is None:
        pytest.skip(f"the browser is not tested: none of {', '.join(BROWSERS)} is on the PATH")
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        running = playwright.chromium.launch(executable_path=executable, args=OPTIONS)
        yield running
        running.close()


@pytest.fixture(scope="package")
def server(version: str, browser: Any, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """`kinograph serve` with the probes' pack, folders of its own and a clip in its input folder."""
    base = tmp_path_factory.mktemp(version)
    for name in ("input", "output", "user"):
        (base / name).mkdir()
    for name in ("clip.mp4", "bigbuckbunny.mp4"):  # the second is what the pack's first workflow opens
        write_clip(base / "input" / name, seconds=1)
    command = [sys.executable, "-m", "kinograph.host.cli", "serve", "--port", "0", "--pack", str(PROBES)]
    command += ["--input", str(base / "input"), "--output", str(base / "output")]
    command += ["--user-directory", str(base / "user"), *_front_end(version)]
    with (base / "server.log").open("w") as log:
        process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=log, text=True)
        line = process.stdout.readline()
        if not line.startswith("Kinograph: "):
            process.kill()
            pytest.fail(f"the server did not start:\n{line}{(base / 'server.log').read_text()[-4000:]}")
        yield Server(line.split()[1], base)
        process.terminate()
        process.wait(timeout=20)


def _front_end(version: str) -> list[str]:
    place = os.environ.get("KINOGRAPH_EDITOR")
    if version == OLDER:
        place = os.environ.get("KINOGRAPH_OLDER_EDITOR") or str(Path(sys.prefix) / "older-editor")
        if not Path(place).is_dir():
            pytest.skip(f"the older editor is not tested: there is no {place}")
    return ["--front-end", str(Path(place) / "comfyui_frontend_package" / "static")] if place else []


@pytest.fixture(scope="package")
def context(browser: Any, server: Server) -> Iterator[Any]:
    context = browser.new_context(viewport=VIEWPORT, reduced_motion="reduce")
    context.set_default_timeout(PATIENCE)
    yield context
    context.close()


@pytest.fixture(scope="package")
def first_tab(context: Any, server: Server, version: str) -> Editor:
    """Opened by a user who has never been here: the editor greets him with the templates, over everything."""
    if version == OLDER:  # it would do so at some time, or not
        context.request.post(f"{server.url}/settings", data={"Comfy.TutorialCompleted": True})
        return _opened(context, server)
    editor = _opened(context, server)
    editor.close_templates()
    return editor


@pytest.fixture(scope="package")
def second_tab(context: Any, server: Server, first_tab: Editor) -> Editor:
    """Opened by a user who has been here before, and made it fit for work without the mouse."""
    context.request.post(f"{server.url}/settings", data=WITHOUT_THE_MOUSE)
    return _opened(context, server)


def _opened(context: Any, server: Server) -> Editor:
    editor = Editor(context.new_page(), server.url)
    editor.open()
    return editor


@pytest.fixture
def editor(first_tab: Editor, idle_afterwards: None) -> Editor:
    """The first tab with an empty graph."""
    first_tab.blank()
    return first_tab


@pytest.fixture
def other_editor(second_tab: Editor, idle_afterwards: None) -> Editor:
    """The second tab with an empty graph."""
    second_tab.blank()
    return second_tab


@pytest.fixture
def idle_afterwards(context: Any, server: Server) -> Iterator[None]:
    """A prompt that a failed test leaves running would keep those of the next ones waiting."""
    yield
    context.request.post(f"{server.url}/queue", data={"clear": True})
    context.request.post(f"{server.url}/interrupt", data={})
