from __future__ import annotations

import pytest
from kinograph.host.execution.caching import ClassicCache, NoCache


@pytest.mark.parametrize("cache", [ClassicCache, NoCache])
@pytest.mark.parametrize("class_type", ["Add", "NewAdd"])
def test_a_trivial_node_costs_less_than_a_millisecond(make_host, node, cache, class_type):
    count = 1000
    prompt = {"0": node("Number", value=0)}
    prompt |= {str(i): node(class_type, a=[str(i - 1), 0], b=1) for i in range(1, count)}
    prompt["show"] = node("Show", value=[str(count - 1), 0])
    host = make_host(cache())
    seconds = min(_fresh_run_seconds(host, prompt) for _ in range(3))
    assert seconds / count < 1e-3


def _fresh_run_seconds(host, prompt):
    host.executor.forget()
    run = host.run(prompt)
    assert run.outputs["show"]["values"] == [999]
    return run.seconds
