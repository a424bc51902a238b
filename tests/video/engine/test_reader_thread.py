"""Reading ahead: order, bounds, errors across threads, prompt endings."""

from __future__ import annotations

import contextvars
import threading
import time

import pytest
from kinograph.nodes.video.reader_thread import read_ahead


def test_items_come_in_order_from_another_thread(no_thread_stays):
    def items():
        for index in range(50):
            yield index, threading.get_ident()

    read = list(read_ahead(items(), depth=3))
    assert [index for index, _ in read] == list(range(50))
    assert {ident for _, ident in read} != {threading.get_ident()}


def test_it_runs_at_most_its_depth_ahead():
    pulled = []

    def items():
        for index in range(100):
            pulled.append(index)
            yield index

    reader = read_ahead(items(), depth=4)
    next(reader)
    deadline = time.monotonic() + 5
    while len(pulled) < 6 and time.monotonic() < deadline:
        time.sleep(0.001)
    time.sleep(0.02)
    assert len(pulled) == 6  # one handed over, four queued, one waiting for room
    reader.close()


def test_an_error_arrives_after_the_items_before_it(no_thread_stays):
    def items():
        yield 1
        raise KeyError("lost")

    reader = read_ahead(items())
    assert next(reader) == 1
    with pytest.raises(KeyError, match="lost"):
        next(reader)


def test_closing_closes_the_items_in_their_own_thread(no_thread_stays):
    closed_in = []

    def items():
        try:
            while True:
                yield 0
        finally:
            closed_in.append(threading.get_ident())

    reader = read_ahead(items(), depth=1)
    next(reader)
    reader.close()
    assert len(closed_in) == 1
    assert closed_in[0] != threading.get_ident()


def test_a_reader_never_started_starts_no_thread(no_thread_stays):
    reader = read_ahead(iter_forever())
    reader.close()


def iter_forever():
    while True:
        yield 0


def test_the_callers_context_is_kept():
    node = contextvars.ContextVar("node")
    node.set("7")

    def items():
        yield node.get()

    assert list(read_ahead(items())) == ["7"]
