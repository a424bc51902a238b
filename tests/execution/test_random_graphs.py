from __future__ import annotations

import copy

from hypothesis import given, settings
from hypothesis import strategies as st


@st.composite
def graphs(draw):
    """Prompts of Number and Sum nodes in which every node may be linked to any earlier one."""
    count = draw(st.integers(1, 14))
    prompt = {}
    for i in range(count):
        earlier = st.integers(0, i - 1) if i else st.nothing()
        sources = draw(st.lists(earlier, max_size=3)) if i else []
        links = {f"in{n}": [f"n{source}", 0] for n, source in enumerate(sources)}
        # A constant of its own keeps every node different from all others.
        prompt[f"n{i}"] = {"class_type": "Sum", "inputs": {"a": 2**i, **links}}
    for name in draw(st.sets(st.integers(0, count - 1), min_size=1, max_size=3)):
        prompt[f"show{name}"] = {"class_type": "Show", "inputs": {"value": [f"n{name}", 0]}}
    order = draw(st.permutations(list(prompt)))
    return {name: prompt[name] for name in order}


def sources(prompt, name):
    return [value[0] for value in prompt[name]["inputs"].values() if isinstance(value, list)]


def needed(prompt):
    found, stack = set(), [name for name in prompt if name.startswith("show")]
    while stack:
        name = stack.pop()
        if name not in found:
            found.add(name)
            stack += sources(prompt, name)
    return found


def value_of(prompt, name):
    return sum(
        value_of(prompt, value[0]) if isinstance(value, list) else value
        for value in prompt[name]["inputs"].values()
    )


def descendants(prompt, changed):
    found = {changed}
    while True:
        more = {name for name in prompt if set(sources(prompt, name)) & found} - found
        if not more:
            return found
        found |= more


@given(prompt=graphs(), data=st.data())
@settings(max_examples=60, deadline=None)
def test_nodes_run_after_their_sources_once_and_again_only_after_a_change(make_host, prompt, data):
    host = make_host()
    run = host.run(copy.deepcopy(prompt))
    place = {name: number for number, name in enumerate(run.executed)}
    assert len(place) == len(run.executed)
    assert set(place) == needed(prompt)
    assert all(place[source] < place[name] for name in place for source in sources(prompt, name))
    for name, shown in run.outputs.items():
        assert shown["values"] == [value_of(prompt, sources(prompt, name)[0])]
    assert host.run(copy.deepcopy(prompt)).executed == []
    changed = data.draw(st.sampled_from(sorted(name for name in prompt if name.startswith("n"))))
    prompt[changed]["inputs"]["a"] += 2**20
    again = host.run(copy.deepcopy(prompt))
    assert set(again.executed) == descendants(prompt, changed) & needed(prompt)


@given(prompt=graphs())
@settings(max_examples=30, deadline=None)
def test_every_cache_gives_the_same_results(make_host, prompt):
    from kinograph.host.execution.caching import MemoryCache, NoCache, RecentCache

    expected = make_host().run(copy.deepcopy(prompt)).outputs
    for cache in (NoCache(), RecentCache(1), MemoryCache(600)):
        host = make_host(cache)
        for _ in range(2):
            run = host.run(copy.deepcopy(prompt))
            assert run.outputs == expected
            assert len(set(run.executed)) == len(run.executed)


@st.composite
def lazy_graphs(draw):
    """Prompts in which lazy switches stand between sums."""
    count = draw(st.integers(3, 14))
    prompt = {"n0": {"class_type": "Sum", "inputs": {"a": 1}}}
    for i in range(1, count):
        pick = st.integers(0, i - 1).map(lambda source: [f"n{source}", 0])
        if draw(st.booleans()):
            inputs = {"first": draw(st.booleans()), "a": draw(pick), "b": draw(pick)}
            prompt[f"n{i}"] = {"class_type": "LazySwitch", "inputs": inputs}
        else:
            prompt[f"n{i}"] = {
                "class_type": "Sum",
                "inputs": {"a": 2**i, "in0": draw(pick), "in1": draw(pick)},
            }
    for name in draw(st.sets(st.integers(0, count - 1), min_size=1, max_size=3)):
        prompt[f"show{name}"] = {"class_type": "Show", "inputs": {"value": [f"n{name}", 0]}}
    return prompt


def taken(prompt):
    """The same prompt with only those links that its switches take."""
    chosen = copy.deepcopy(prompt)
    for node in chosen.values():
        if node["class_type"] == "LazySwitch":
            del node["inputs"]["b" if node["inputs"].pop("first") else "a"]
    return chosen


@given(prompt=lazy_graphs(), cache=st.sampled_from(["ClassicCache", "NoCache", "MemoryCache"]))
@settings(max_examples=80, deadline=None)
def test_lazy_nodes_run_only_what_they_take_and_that_once(make_host, prompt, cache):
    from kinograph.host.execution import caching

    host = make_host(caching.MemoryCache(0) if cache == "MemoryCache" else getattr(caching, cache)())
    run = host.run(copy.deepcopy(prompt))
    wanted = taken(prompt)
    assert len(set(run.executed)) == len(run.executed)
    for name, shown in run.outputs.items():
        assert shown["values"] == [value_of(wanted, sources(wanted, name)[0])]
    # Equal nodes share a result, so that with a cache some of those that are needed need not run.
    assert set(run.executed) <= needed(wanted)
    if cache == "NoCache":
        assert set(run.executed) == needed(wanted)
