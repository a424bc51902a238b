"""A method that is chosen again has the values it had, on a stand-in for the editor's combo."""

from __future__ import annotations

NODE = """
    const options = { a: ['method.x', 'method.y'], b: ['method.x'], c: [] };
    const make = (name, value) => ({ name, value });
    const node = { widgets: [make('seed', 1)] };
    let chosen = 'a';
    const method = { name: 'method' };
    const renew = (value) => {
        chosen = value;
        node.widgets = [make('seed', 1), method, ...options[value].map((name) => make(name, 0))];
    };
    Object.defineProperty(method, 'value', { get: () => chosen, set: renew });
    renew('a');
    const { keepMethodValues } = await web('method_values.js');
    keepMethodValues(node);
    const choose = (value) => { method.value = value; method.callback(value); };
    const set = (name, value) => { node.widgets.find((one) => one.name === name).value = value; };
    const values = () => Object.fromEntries(node.widgets.slice(2).map((one) => [one.name, one.value]));
"""


def test_values_return_with_their_method(javascript):
    body = NODE + "set('method.x', 7); set('method.y', 8); choose('c'); choose('a'); return values();"
    assert javascript(body) == {"method.x": 7, "method.y": 8}


def test_equal_names_in_two_methods_stay_apart(javascript):
    body = (
        NODE
        + "set('method.x', 7); choose('b'); set('method.x', 9); choose('a'); choose('b'); return values();"
    )
    assert javascript(body) == {"method.x": 9}


def test_a_method_seen_for_the_first_time_has_its_defaults(javascript):
    body = NODE + "set('method.x', 7); choose('b'); return values();"
    assert javascript(body) == {"method.x": 0}


def test_a_loaded_graph_keeps_its_own_values(javascript):
    body = (
        NODE
        + """set('method.x', 7); choose('b'); method.value = 'a'; set('method.x', 3);
        node.onConfigure({}); const loaded = values(); choose('b'); choose('a'); return [loaded, values()];"""
    )
    assert javascript(body) == [{"method.x": 3, "method.y": 0}] * 2
