"""Ctrl-C and SIGTERM: ask the running node to stop, and insist when it does not."""

from __future__ import annotations

import _thread
import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

GRACE_SECONDS = 0.6
"""How long a node may take to notice before it is interrupted where it stands."""


class Cancellation:
    """Whether a signal asked for the end, and which."""

    def __init__(self) -> None:
        self.signal: int | None = None
        self._insisting: threading.Timer | None = None

    def _received(self, number: int, _frame: FrameType | None) -> None:
        from comfy.model_management import interrupt_current_processing

        if self.signal is not None:
            raise KeyboardInterrupt
        self.signal = number
        interrupt_current_processing()
        self._insisting = threading.Timer(GRACE_SECONDS, _interrupt_main_thread)
        self._insisting.daemon = True
        self._insisting.start()

    def _over(self) -> None:
        if self._insisting is not None:
            self._insisting.cancel()


def _interrupt_main_thread() -> None:
    from comfy.model_management import processing_interrupted

    if not processing_interrupted():
        return  # a node has noticed, and is on its way out
    if sys.platform == "win32":
        _thread.interrupt_main()
    else:  # a real signal also ends a wait inside the system
        signal.pthread_kill(threading.main_thread().ident, signal.SIGINT)


@contextmanager
def cancel_on_signals() -> Iterator[Cancellation]:
    """Inside the block, a signal sets the interrupt flag that nodes look at between two units of work.

    A node that does not look within `GRACE_SECONDS`, or a second Ctrl-C, raises KeyboardInterrupt in the
    main thread, so that files and decoders are closed on the way out.
    """
    cancellation = Cancellation()
    signals = (signal.SIGINT, signal.SIGTERM)
    before = [signal.signal(number, cancellation._received) for number in signals]
    try:
        yield cancellation
    finally:
        cancellation._over()
        for number, handler in zip(signals, before, strict=True):
            signal.signal(number, handler)
