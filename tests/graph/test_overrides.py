"""`--set NODE.INPUT=VALUE`: finding the input, reading the value, refusing what does not fit."""

from __future__ import annotations

import pytest
from kinograph.host.graph import WorkflowError, apply_overrides


@pytest.fixture
def prompt():
    def entry(kind, title, **inputs):
        return {"class_type": kind, "inputs": inputs, "_meta": {"title": title}}

    return {
        "1": entry("Noise", "Noise v1.5", seed=1, steps=2, cfg=3.0, sampler="euler"),
        "2": entry(
            "Resize",
            "Resize",
            image=["9", 0],
            mode="size",
            **{"mode.width": 8, "mode.height": 9},
            filter="area",
        ),
        "5:3": entry("Text", "Words", text="x"),
        "7": entry("Text", "Words", text="y"),
        "8": entry("Boxes", "Boxes", boxes={"__value__": []}),
        "9": entry("Load", "Load", image="a.png"),
    }


@pytest.mark.parametrize(
    ("assignment", "node", "name", "value"),
    [
        ("1.seed=12", "1", "seed", 12),
        ("Noise v1.5.cfg=7.5", "1", "cfg", 7.5),
        ("1.sampler=heun", "1", "sampler", "heun"),
        ("5:3.text=a = b.c", "5:3", "text", "a = b.c"),
        ("5:3.text=", "5:3", "text", ""),
        ("2.mode.width=64", "2", "mode.width", 64),
        ("8.boxes=[1, 2, 3]", "8", "boxes", {"__value__": [1, 2, 3]}),
        ('2.image=["5:3", 0]', "2", "image", ["5:3", 0]),
        ("9.image=new upload.png", "9", "image", "new upload.png"),
    ],
)
def test_a_value_is_read_by_the_type_of_its_input(prompt, definitions, assignment, node, name, value):
    changed = apply_overrides(prompt, definitions, [assignment])
    assert changed[node]["inputs"][name] == value
    assert type(changed[node]["inputs"][name]) is type(value)
    assert prompt[node]["inputs"].get(name) != value, "the original is untouched"


@pytest.mark.parametrize(("word", "value"), [("true", True), ("Off", False), ("1", True), ("no", False)])
def test_booleans_have_words(definitions, word, value):
    flag = {"Flag": {"input": {"required": {"on": ["BOOLEAN", {}]}}}}
    prompt = {"1": {"class_type": "Flag", "inputs": {"on": not value}}}
    assert apply_overrides(prompt, flag, [f"1.on={word}"])["1"]["inputs"]["on"] is value


def test_choosing_an_option_swaps_its_inputs_for_the_new_defaults(prompt, definitions):
    inputs = apply_overrides(prompt, definitions, ["2.mode=factor"])["2"]["inputs"]
    assert inputs == {"image": ["9", 0], "mode": "factor", "mode.by": 2.0, "filter": "area"}


def test_an_options_own_inputs_may_be_given_before_the_option(prompt, definitions):
    inputs = apply_overrides(prompt, definitions, ["2.mode.by=0.5", "2.mode=factor"])["2"]["inputs"]
    assert (inputs["mode"], inputs["mode.by"]) == ("factor", 0.5)


@pytest.mark.parametrize(
    ("assignment", "said"),
    [
        ("1.seed", "not of the form NODE.INPUT=VALUE"),
        ("seed=3", "not of the form NODE.INPUT=VALUE"),
        ("1.=3", "names no input"),
        ("Reize.filter=area", "no node 'Reize'; did you mean 'Resize'?"),
        ("Words.text=x", "2 nodes are titled 'Words'; use an id: 5:3, 7"),
        ("1.sed=3", "Noise has no input 'sed'; did you mean 'seed'?"),
        ("2.mode.by=3", "Resize has no input 'mode.by'"),
        ("9.upload=x", "no input 'upload'"),
        ("1.seed=1.5", "seed is INT; '1.5' is not a whole number"),
        ("1.cfg=nan", "not a finite number"),
        ("1.sampler=huen", "'huen' is not among its options; did you mean 'heun'?"),
        ("2.mode=shape", "'shape' is not among its options; there is size, factor, like"),
        ("8.boxes=[1", "write the value as JSON"),
    ],
)
def test_what_does_not_fit_is_refused_with_what_would(prompt, definitions, assignment, said):
    with pytest.raises(WorkflowError) as caught:
        apply_overrides(prompt, definitions, [assignment])
    assert said in str(caught.value) and repr(assignment) in str(caught.value)


def test_every_bad_assignment_is_reported_at_once(prompt, definitions):
    with pytest.raises(WorkflowError) as caught:
        apply_overrides(prompt, definitions, ["0.a=1", "1.seed=x", "1.steps=4"])
    assert len(caught.value.problems) == 2
