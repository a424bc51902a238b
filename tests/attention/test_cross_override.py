"""What a dense pass made of the text, kept and given again."""

from __future__ import annotations

import torch
from kinograph.nodes.attention.cross_override import CrossOutputs

FILM, TEXT = torch.zeros(1, 8, 4), torch.zeros(1, 3, 4)


def attention(query, key, *given, **named):
    return torch.full_like(query, len(key[0]))


def test_outputs_come_back_in_order_and_are_the_same_tensors():
    outputs = CrossOutputs(1)
    record = outputs.recording("stream", None)
    made = [record(attention, FILM, key) for key in (FILM, TEXT, FILM, TEXT[:, :2])]
    given = outputs.replay("stream")
    assert [given(), given(), given()] == [made[1], made[3], None]


def test_a_list_serves_as_many_steps_as_asked_for():
    outputs = CrossOutputs(3)
    assert outputs.due("stream")
    outputs.recording("stream", None)
    due = []
    for _ in range(3):
        due.append(outputs.due("stream"))
        outputs.replay("stream")
    assert due == [False, False, False] and outputs.due("stream")
    assert outputs.due("another stream")


def test_a_network_without_attention_to_the_text_is_told():
    outputs = CrossOutputs(1)
    assert not outputs.useless("stream")
    outputs.recording("stream", None)(attention, FILM, FILM)
    assert outputs.useless("stream")


def test_the_override_before_is_the_one_that_attends():
    calls = []

    def previous(func, query, key, *given, **named):
        calls.append(1)
        return func(query, key)

    outputs = CrossOutputs(1)
    outputs.recording("stream", previous)(attention, FILM, TEXT)
    assert calls == [1]
