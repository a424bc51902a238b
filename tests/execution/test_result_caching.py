from __future__ import annotations

import sys

import pytest
from kinograph.host.execution.caching import (
    ClassicCache,
    Entry,
    MemoryCache,
    NoCache,
    Owner,
    RecentCache,
    memory_blocks,
)
from kinograph.host.execution.signatures import NotComparable, canonical

CACHES = [ClassicCache, lambda: RecentCache(2), lambda: MemoryCache(10**9)]


def chain(node, value, b=1):
    return {
        "1": node("Number", value=value),
        "2": node("Add", a=["1", 0], b=b),
        "show": node("Show", value=["2", 0]),
    }


@pytest.mark.parametrize("cache", CACHES)
def test_an_equal_prompt_runs_nothing_and_shows_the_same(make_host, node, cache):
    host = make_host(cache())
    first = host.run(chain(node, 1))
    again = host.run(chain(node, 1))
    assert again.executed == []
    assert again.cached == ["1", "2", "show"]
    assert again.outputs == first.outputs
    assert [data["node"] for data in host.heard("executed")] == ["show"]
    assert host.heard("executing") == []


@pytest.mark.parametrize("cache", CACHES)
def test_only_what_depends_on_a_change_runs_again(make_host, node, cache):
    host = make_host(cache())
    host.run(chain(node, 1))
    assert host.run(chain(node, 1, b=5)).executed == ["2", "show"]


def test_node_ids_play_no_part(host, node):
    host.run(chain(node, 1))
    renamed = {
        "10": node("Number", value=1),
        "20": node("Add", a=["10", 0], b=1),
        "30": node("Show", value=["20", 0]),
    }
    run = host.run(renamed)
    assert run.executed == []
    assert run.outputs["30"] == {"values": [2]}


@pytest.mark.parametrize("class_type", ["Ids", "Triple", "Unrepeatable"])
def test_a_node_that_knows_its_id_or_is_not_idempotent_runs_for_each_id(host, node, class_type):
    inputs = {"tag": ""} if class_type == "Ids" else {"value": 1}
    assert "a" in host.run({"a": node(class_type, **inputs), "s": node("Show", value=["a", 0])}).executed
    assert host.run({"a": node(class_type, **inputs), "s": node("Show", value=["a", 0])}).executed == []
    assert "b" in host.run({"b": node(class_type, **inputs), "s": node("Show", value=["b", 0])}).executed


def test_two_equal_nodes_in_one_prompt_run_once_and_both_show(host, node):
    run = host.run(
        {
            "1": node("Number", value=1),
            "a": node("Show", value=["1", 0]),
            "b": node("Show", value=["1", 0]),
        }
    )
    assert len(run.executed) == 2
    assert run.outputs["a"] == run.outputs["b"] == {"values": [1]}


@pytest.mark.parametrize("class_type", ["Fingerprinted", "NewFingerprint"])
def test_a_node_runs_again_when_its_fingerprint_changes(host, node, monkeypatch, class_type):
    prompt = {"1": node(class_type, value=1), "show": node("Show", value=["1", 0])}
    host.run(prompt)
    assert host.run(prompt).executed == []
    changed = [1] if class_type == "NewFingerprint" else 1
    monkeypatch.setattr(host.definitions[class_type].cls, "mark", changed)
    assert host.run(prompt).executed == ["1", "show"]


def test_a_fingerprint_that_equals_nothing_always_runs(host, node, monkeypatch):
    monkeypatch.setattr(host.definitions["Fingerprinted"].cls, "mark", float("nan"))
    prompt = {"1": node("Fingerprinted", value=1), "show": node("Show", value=["1", 0])}
    host.run(prompt)
    assert host.run(prompt).executed == ["1", "show"]
    assert len(host.executor.cache) == 0


def test_a_fingerprint_that_fails_makes_the_node_run_and_says_so(host, node, monkeypatch, caplog):
    def fail(cls, value):
        raise OSError("no such file")

    monkeypatch.setattr(host.definitions["Fingerprinted"].cls, "IS_CHANGED", classmethod(fail))
    prompt = {"1": node("Fingerprinted", value=1), "show": node("Show", value=["1", 0])}
    host.run(prompt)
    assert host.run(prompt).executed == ["1", "show"]
    assert "no such file" in caplog.text


def test_a_fingerprint_sees_constants_only(host, node, monkeypatch):
    seen = []
    monkeypatch.setattr(
        host.definitions["Fingerprinted"].cls,
        "IS_CHANGED",
        classmethod(lambda cls, value: seen.append(value)),
    )
    prompt = {
        "0": node("Number", value=5),
        "1": node("Fingerprinted", value=["0", 0]),
        "2": node("Fingerprinted", value=7),
        "s1": node("Show", value=["1", 0]),
        "s2": node("Show", value=["2", 0]),
    }
    host.run(prompt)
    host.run(prompt)
    assert sorted(map(str, seen)) == ["7", "7", "None", "None"]


def test_a_value_that_cannot_be_compared_is_never_kept(host, node):
    prompt = {"show": node("Show", value={"__value__": object()})}
    host.run(prompt)
    assert len(host.executor.cache) == 0


def test_the_classic_cache_forgets_what_the_prompt_no_longer_has(host, node):
    host.run(chain(node, 1))
    host.run(chain(node, 2))
    assert host.run(chain(node, 1)).cached == []


def test_the_recent_cache_remembers_earlier_prompts_up_to_its_size(make_host, node):
    host = make_host(RecentCache(6))
    host.run(chain(node, 1))
    host.run(chain(node, 2))
    assert host.run(chain(node, 1)).executed == []
    host.run(chain(node, 3))
    assert len(host.executor.cache) == 6
    assert host.run(chain(node, 2)).cached == []
    assert len(make_host(RecentCache(1)).executor.cache) == 0


def test_a_prompt_larger_than_the_recent_cache_is_still_kept_whole(make_host, node):
    host = make_host(RecentCache(1))
    host.run(chain(node, 1))
    assert host.run(chain(node, 1)).executed == []


def test_without_a_cache_everything_runs_and_nothing_stays(make_host, node):
    host = make_host(NoCache())
    host.run(chain(node, 1))
    run = host.run(chain(node, 1))
    assert run.cached == []
    assert run.executed == ["1", "2", "show"]
    assert len(host.executor.cache) == 0


def test_without_a_cache_a_result_is_freed_after_its_last_use(make_host, node, monkeypatch):
    import weakref

    class Big:
        """Stands for a tensor."""

    alive = []

    def make(self, value):
        big = Big()
        alive.append(weakref.ref(big))
        return (big,)

    def look(self, a, b):
        counts.append(sum(ref() is not None for ref in alive))
        return (Big(),)

    counts = []
    host = make_host(NoCache())
    monkeypatch.setattr(host.definitions["Number"].cls, "work", make)
    monkeypatch.setattr(host.definitions["Add"].cls, "work", look)
    prompt = {"n0": node("Number", value=0), "n1": node("Number", value=1), "n2": node("Number", value=2)}
    prompt |= {"a0": node("Add", a=["n0", 0], b=1)}
    prompt |= {f"a{i}": node("Add", a=[f"a{i - 1}", 0], b=[f"n{i}", 0]) for i in (1, 2)}
    prompt |= {
        "a3": node("Add", a=["a2", 0], b=1),
        "t": node("Total", values=3),
        "show": node("Show", value=["t", 0]),
    }
    prompt["end"] = node("ShowAndPass", value=["a3", 0])
    monkeypatch.setattr(host.definitions["ShowAndPass"].cls, "work", lambda self, value: (1,))
    assert host.run(prompt).status == "success"
    assert counts[-1] == 0
    assert all(ref() is None for ref in alive)


def test_forgetting_frees_results_and_objects(host, node):
    prompt = {"1": node("Remembering", value=1), "show": node("Show", value=["1", 0])}
    host.run(prompt)
    host.executor.forget()
    run = host.run(prompt)
    assert run.cached == []
    assert run.outputs["show"]["values"] == [1]


class Pixels:
    """Stands for an array: only its attributes count."""

    def __init__(self, size, base=None):
        self.nbytes = size
        self.base = base


def entry(*values):
    return Entry([[value] for value in values], None)


def test_the_memory_cache_stays_below_its_limit_and_drops_the_oldest():
    cache = MemoryCache(10_000)
    for number in range(5):
        cache.put(b"%d" % number, entry(Pixels(3000)))
    assert cache.held <= 10_000
    assert [cache.get(b"%d" % number) is not None for number in range(5)] == [False, False, True, True, True]
    cache.get(b"2")
    cache.put(b"5", entry(Pixels(3000)))
    assert cache.get(b"2") is not None
    assert cache.get(b"3") is None


def test_the_memory_cache_counts_shared_memory_once():
    cache = MemoryCache(10_000)
    whole = Pixels(4000)
    cache.put(b"1", entry(whole))
    cache.put(b"2", entry({"a": [whole]}, Pixels(1000, base=whole)))
    assert 4000 < cache.held < 6000
    cache.put(b"3", entry(Pixels(4000)))
    assert cache.get(b"1") is not None
    assert cache.held < 10_000


def test_a_result_larger_than_the_memory_cache_is_not_kept_but_is_used(make_host, node):
    host = make_host(MemoryCache(1))
    run = host.run(chain(node, 1))
    assert run.outputs["show"]["values"] == [2]
    assert len(host.executor.cache) == 0
    assert host.executor.cache.held == 0


@pytest.mark.skipif(
    "torch" not in sys.modules and not __import__("importlib.util").util.find_spec("torch"), reason="torch"
)
def test_views_of_a_tensor_hold_its_whole_storage():
    import torch

    frames = torch.zeros(10, 100)
    assert sum(dict(memory_blocks([frames[:2], {"rest": frames[2:]}])).values()) == 4000


def test_expansions_of_a_node_that_left_the_prompt_are_dropped():
    cache = ClassicCache()
    cache.begin([b"p"], {("1", "Loop")})
    cache.expanded(Owner("1", "Loop", "1"), [b"in"])
    cache.put(b"in", entry(1), Owner("1", "Loop", "1"))
    cache.begin([b"other"], {("1", "Loop")})
    assert cache.get(b"in")
    cache.begin([b"other"], {("1", "Else")})
    assert cache.get(b"in") is None


@pytest.mark.parametrize(
    ("left", "right"),
    [
        (1, 1.0),
        (1, True),
        ("1", 1),
        ("a", b"a"),
        (["a", "b"], ["ab"]),
        ([[1], 2], [1, [2]]),
        ({"a": 1}, [["a", 1]]),
        (None, "None"),
        ([], {}),
    ],
)
def test_different_values_have_different_signatures(left, right):
    assert canonical(left) != canonical(right)


def test_the_order_of_keys_plays_no_part():
    assert canonical({"a": 1, "b": [2]}) == canonical({"b": [2], "a": 1})


@pytest.mark.parametrize("value", [float("nan"), [{"a": float("nan")}], object()])
def test_what_cannot_be_compared_has_no_signature(value):
    with pytest.raises(NotComparable):
        canonical(value)
