from __future__ import annotations

import io

from kinograph.host.console import Console


class Screen(io.StringIO):
    def __init__(self, terminal: bool) -> None:
        super().__init__()
        self.terminal = terminal

    def isatty(self) -> bool:
        return self.terminal


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


def encode(screen: Screen, frames: int) -> str:
    """One node that takes a second per frame."""
    clock = Clock()
    console = Console(screen, clock)
    console.started("Encode Video")
    console.noted("writing clip.mp4")
    for frame in range(1, frames + 1):
        clock.now += 1
        console.advanced(frame, frames)
    console.finished()
    return screen.getvalue()


def test_a_terminal_sees_one_line_that_is_redrawn():
    shown = encode(Screen(terminal=True), frames=4)
    assert shown.count("\n") == 1
    assert "Encode Video: writing clip.mp4" in shown
    assert "1/4  25%  0:03 left" in shown
    assert shown.endswith("  Encode Video  4.0 s\n")


def test_a_log_file_gets_a_plain_line_every_few_seconds():
    shown = encode(Screen(terminal=False), frames=12)
    assert "\r" not in shown and "\x1b" not in shown
    assert [line.split("  ")[3] for line in shown.splitlines()[:-1]] == ["5/12", "10/12"]


def test_long_times_show_hours():
    console = Console(Screen(terminal=True), clock := Clock())
    console.started("Retime")
    clock.now = 60
    console.advanced(1, 100)
    assert "1:39:00 left" in console.stream.getvalue()


def test_the_work_goes_on_when_the_terminal_is_gone():
    class Gone(Screen):
        def write(self, text: str) -> int:
            raise BrokenPipeError

    encode(Gone(terminal=True), frames=2)
