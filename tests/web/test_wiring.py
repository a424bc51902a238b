"""Which wires the keyboard's command makes between selected nodes, on stand-ins for the editor's nodes."""

from __future__ import annotations

NODES = """
    const { missingWires } = await web('wiring.js');
    const node = (id, x, inputs, outputs, wired = []) => ({
        id, pos: [x, 0], inputs, outputs: outputs.map((type) => ({ type })),
        isInputConnected: (slot) => wired.includes(slot),
    });
    const socket = (type) => ({ type });
    const fits = (one, other) => one === other || other === '*';
    const wires = (...nodes) => missingWires(nodes, fits).map(
        ({ from, output, to, input }) => [from.id, output, to.id, input]);
"""


def test_an_input_takes_the_output_of_its_type_from_the_nearest_node_before_it(javascript):
    body = (
        NODES
        + """return wires(node(1, 300, [socket('VIDEO')], ['VIDEO']),
            node(2, 600, [socket('VIDEO')], []), node(3, 0, [], ['AUDIO', 'VIDEO']))"""
    )
    assert javascript(body) == [[3, 1, 1, 0], [1, 0, 2, 0]]


def test_nodes_at_the_same_place_count_as_they_came(javascript):
    body = NODES + "return wires(node('10', 5, [socket('VIDEO')], []), node('9', 5, [], ['VIDEO']))"
    assert javascript(body) == [["9", 0, "10", 0]]


def test_what_is_wired_and_what_has_a_widget_is_left_alone(javascript):
    body = (
        NODES
        + """const taken = node(2, 9, [socket('VIDEO'), { type: 'VIDEO', widget: {} }], [], [0]);
        return wires(node(1, 0, [], ['VIDEO']), taken)"""
    )
    assert javascript(body) == []


def test_types_that_do_not_fit_stay_apart(javascript):
    body = NODES + "return wires(node(1, 0, [], ['AUDIO']), node(2, 9, [socket('VIDEO'), socket('*')], []))"
    assert javascript(body) == [[1, 0, 2, 1]]
