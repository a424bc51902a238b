from __future__ import annotations

from kinograph.benchmarks.interleave import interleave, median_ratio
from kinograph.benchmarks.machine import machine


def test_contenders_take_turns_in_alternating_order():
    calls = []

    def contender(name):
        return lambda: calls.append(name) or float(len(calls))

    samples = interleave({"a": contender("a"), "b": contender("b")}, rounds=3)
    assert calls == ["a", "b", "b", "a", "a", "b"]
    assert samples == {"a": [1.0, 4.0, 5.0], "b": [2.0, 3.0, 6.0]}


def test_a_burst_of_noise_that_hits_one_round_does_not_move_the_ratio():
    assert median_ratio({"a": [2.0, 20.0, 2.2], "b": [1.0, 1.0, 1.0]}, of="a", to="b") == 2.2


def test_the_machine_is_named():
    facts = machine()
    assert facts["cpu"] and facts["cores"] >= 1 and facts["torch"]
