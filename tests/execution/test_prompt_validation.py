from __future__ import annotations

import json

import pytest
from kinograph.host.execution.values import types_fit


def errors_of(validation, node_id):
    return [entry["type"] for entry in validation.node_errors[node_id]["errors"]]


def test_a_good_prompt_tells_its_outputs_and_no_errors(host, node):
    validation = host.validate({"1": node("Number", value=1), "show": node("Show", value=["1", 0])})
    assert (validation.error, validation.outputs, validation.node_errors) == (None, ["show"], {})


@pytest.mark.parametrize(
    ("class_type", "inputs", "kind", "details"),
    [
        ("Number", {}, "required_input_missing", "value"),
        ("Number", {"value": 1001}, "value_bigger_than_max", "value"),
        ("Number", {"value": -1001}, "value_smaller_than_min", "value"),
        ("Number", {"value": "many"}, "invalid_input_type", "many"),
        ("Number", {"value": {"deep": 1}}, "invalid_input_type", "deep"),
        ("Number", {"value": None}, "invalid_input_type", "None"),
        ("Number", {"value": [1, 2, 3]}, "bad_linked_input", "a list of 3"),
        ("Number", {"value": []}, "bad_linked_input", "a list of 0"),
        ("Number", {"value": ["gone", 0]}, "bad_linked_input", "'gone'"),
        ("Number", {"value": [5, 0]}, "bad_linked_input", "5"),
        ("Number", {"value": [{}, 0]}, "bad_linked_input", "{}"),
        ("Number", {"value": ["text", 7]}, "bad_linked_input", "no output 7"),
        ("Number", {"value": ["text", -1]}, "bad_linked_input", "no output -1"),
        ("Number", {"value": ["text", "0"]}, "bad_linked_input", "no output '0'"),
        ("Number", {"value": ["text", True]}, "bad_linked_input", "no output True"),
        ("Number", {"value": ["text", 0]}, "return_type_mismatch", "STRING"),
        ("Choose", {"mode": "medium"}, "value_not_in_list", "'medium' not in ['fast', 'slow']"),
        ("Choose", {"mode": {"a": []}}, "value_not_in_list", "mode"),
        ("Triple", {"value": 101}, "value_bigger_than_max", "value"),
        ("Sized", {}, "required_input_missing", "size"),
        ("Sized", {"size": "huge"}, "value_not_in_list", "'huge' not in ['none', 'box']"),
        ("Sized", {"size": "box"}, "required_input_missing", "width"),
        ("Sized", {"size": "box", "size.width": 10}, "value_bigger_than_max", "size.width"),
        ("Gather", {}, "required_input_missing", "item0"),
        ("Sum", {"a": 1, "more": ["gone", 0]}, "bad_linked_input", "more"),
        ("Validated", {"value": 6, "other": 1}, "custom_validation_failed", "value - 6 is not seven"),
        ("Validated", {"value": 7, "other": 11}, "value_bigger_than_max", "other"),
        ("Checked", {"value": 100, "power": "on", "power.level": 1}, "custom_validation_failed", "a hundred"),
        ("Checked", {"value": 50, "power": "on", "power.level": 6}, "value_bigger_than_max", "power.level"),
        ("CheckedWhole", {"value": 6, "power": "on", "power.level": 1}, "value_bigger_than_max", "value"),
        ("AnyNumber", {"value": ["text", 0]}, "custom_validation_failed", "no number: STRING"),
    ],
)
def test_each_fault_has_its_type_and_names_what_was_found(host, node, class_type, inputs, kind, details):
    prompt = {
        "text": node("Text", text="hi"),
        "1": node(class_type, **inputs),
        "show": node("Show", value=["1", 0]),
    }
    validation = host.validate(prompt)
    entry = validation.node_errors["1"]
    assert [error["type"] for error in entry["errors"]] == [kind]
    assert details in entry["errors"][0]["details"]
    assert set(entry["errors"][0]) == {"type", "message", "details", "extra_info"}
    assert (entry["class_type"], entry["dependent_outputs"]) == (class_type, ["show"])
    assert validation.error["type"] == "prompt_outputs_failed_validation"
    assert details in validation.error["details"]
    assert json.dumps([validation.error, validation.node_errors])


def test_a_range_error_carries_what_a_client_needs(host, node):
    (error,) = host.validate(
        {"show": node("Show", value=["1", 0]), "1": node("Number", value=2000)}
    ).node_errors["1"]["errors"]
    assert error == {
        "type": "value_bigger_than_max",
        "message": "Value 2000 bigger than max of 1000",
        "details": "value",
        "extra_info": {
            "input_name": "value",
            "input_config": ("INT", {"default": 0, "min": -1000, "max": 1000}),
            "received_value": 2000,
        },
    }


def test_a_validator_replaces_the_checks_of_the_inputs_that_it_takes(host, node):
    prompt = {"1": node("Validated", value=70, other=1), "show": node("Show", value=["1", 0])}
    assert host.validate(prompt).complete


def test_a_validator_may_take_a_dynamic_input_as_a_whole(host, node):
    prompt = {
        "1": node("CheckedWhole", **{"value": 2, "power": "on", "power.level": 3}),
        "show": node("Show", value=["1", 0]),
    }
    errors = host.validate(prompt).node_errors["1"]["errors"]
    assert errors[0]["details"] == "power - level 3 of on is broken"
    prompt["1"]["inputs"]["power.level"] = 4
    assert host.run(prompt).outputs["show"]["values"] == [8]


def test_values_are_converted_to_their_types_in_place(host, node):
    prompt = {
        "1": node("Number", value="12"),
        "2": node("Text", text=5),
        "3": node("LazySwitch", first="yes", a=["1", 0], b=["1", 0]),
        "4": node("Number", value={"__value__": 3.0}),
        "5": node("Sum", a=["1", 0], b=["3", 0], c=["4", 0]),
        "show": node("Show", value=["5", 0]),
        "text": node("Show", value=["2", 0]),
    }
    assert host.validate(prompt).complete
    assert prompt["1"]["inputs"]["value"] == 12
    assert prompt["2"]["inputs"]["text"] == "5"
    assert prompt["3"]["inputs"]["first"] is True
    assert prompt["4"]["inputs"]["value"] == 3
    assert type(prompt["4"]["inputs"]["value"]) is int


def test_a_faulty_branch_does_not_take_others_with_it(host, node):
    prompt = {
        "bad": node("Number", value="x"),
        "worse": node("Number"),
        "good": node("Number", value=1),
        "sum": node("Add", a=["bad", 0], b=["worse", 0]),
        "one": node("Show", value=["sum", 0]),
        "two": node("Show", value=["bad", 0]),
        "three": node("Show", value=["good", 0]),
    }
    validation = host.validate(prompt)
    assert validation.error is None
    assert not validation.complete
    assert validation.outputs == ["three"]
    assert {node_id: entry["dependent_outputs"] for node_id, entry in validation.node_errors.items()} == {
        "bad": ["one", "two"],
        "worse": ["one"],
    }


@pytest.mark.parametrize("length", [1, 2, 6])
def test_a_cycle_is_told_with_its_nodes(host, node, length):
    prompt = {str(i): node("Add", a=[str((i + 1) % length), 0], b=1) for i in range(length)}
    prompt["show"] = node("Show", value=["0", 0])
    prompt["fine"] = node("Show", value=1)
    validation = host.validate(prompt)
    assert validation.outputs == ["fine"]
    assert set(validation.node_errors) == {str(i) for i in range(length)}
    error = validation.node_errors["0"]["errors"][0]
    assert error["type"] == "dependency_cycle"
    assert set(error["extra_info"]["cycle_nodes"]) == {str(i) for i in range(length)}
    assert all(f"{i} (Add)" in error["details"] for i in range(length))


def test_a_cycle_through_an_undeclared_input_is_found(host, node):
    prompt = {
        "1": node("Sum", a=1, more=["2", 0]),
        "2": node("Add", a=["1", 0], b=1),
        "show": node("Show", value=["2", 0]),
    }
    assert errors_of(host.validate(prompt), "1") == ["dependency_cycle"]


def test_many_cycles_give_a_bounded_report(host, node):
    prompt = {str(i): node("Add", a=[str((i + 1) % 400), 0], b=[str(i * 7 % 400), 0]) for i in range(400)}
    prompt["show"] = node("Show", value=["0", 0])
    validation = host.validate(prompt)
    assert not validation.outputs
    assert len(json.dumps(validation.node_errors)) < 2_000_000


def test_a_chain_of_thousands_of_nodes_is_no_problem(host, node):
    prompt = {"0": node("Number", value=1)}
    prompt |= {str(i): node("Add", a=[str(i - 1), 0], b=1) for i in range(1, 5000)}
    prompt["show"] = node("Show", value=["4999", 0])
    assert host.validate(prompt).complete
    host.executor.emit = lambda event, data: None
    assert host.executor.execute(prompt).outputs["show"]["values"] == [5000]
    prompt["0"]["inputs"]["value"] = "x"
    assert host.validate(prompt).node_errors["0"]["dependent_outputs"] == ["show"]
    prompt["0"]["inputs"]["value"] = ["4999", 0]
    prompt["0"]["class_type"] = "Add"
    assert host.validate(prompt).error["type"] == "prompt_outputs_failed_validation"


@pytest.mark.parametrize(
    ("prompt", "kind", "said"),
    [
        ([], "invalid_prompt", "list"),
        (None, "invalid_prompt", "NoneType"),
        ("text", "invalid_prompt", "str"),
        ({"1": []}, "invalid_prompt", "list"),
        ({"1": None}, "invalid_prompt", "NoneType"),
        ({"1": {}}, "missing_node_type", "class_type"),
        ({"1": {"class_type": 5, "inputs": {}}}, "missing_node_type", "class_type"),
        ({"1": {"class_type": ["Add"], "inputs": {}}}, "missing_node_type", "class_type"),
        ({"1": {"class_type": "Nonsense", "inputs": {}}}, "missing_node_type", "Nonsense"),
        ({"1": {"class_type": "Add"}}, "invalid_prompt", "inputs"),
        ({"1": {"class_type": "Add", "inputs": []}}, "invalid_prompt", "inputs"),
        ({"1": {"class_type": "Add", "inputs": 3, "_meta": "x"}}, "invalid_prompt", "inputs"),
        ({}, "prompt_no_outputs", "no outputs"),
        ({"1": {"class_type": "Add", "inputs": {}}}, "prompt_no_outputs", "no outputs"),
    ],
)
def test_what_is_no_prompt_is_refused_with_a_sentence(host, prompt, kind, said):
    error = host.validate(prompt).error
    assert error["type"] == kind
    assert said in error["message"]
    assert json.dumps(error)


def test_a_missing_node_is_named_by_its_title(host):
    prompt = {"4": {"class_type": "Nonsense", "inputs": {}, "_meta": {"title": "My node"}}}
    error = host.validate(prompt).error
    assert error["details"] == "Node ID '#4'"
    assert error["extra_info"] == {"node_id": "4", "class_type": "Nonsense", "node_title": "My node"}
    assert "My node" in error["message"]


def test_a_value_nested_too_deeply_to_print_is_an_error_and_no_crash(host, node):
    deep = {}
    for _ in range(100_000):
        deep = {"d": deep}
    validation = host.validate({"1": node("Number", value=deep), "show": node("Show", value=["1", 0])})
    assert errors_of(validation, "1") == ["invalid_input_type"]
    text = host.validate({"1": node("Text", text=deep), "show": node("Show", value=["1", 0])})
    assert errors_of(text, "1") == ["invalid_input_type"]


def test_a_validator_that_raises_is_told_with_its_exception(host, node, monkeypatch):
    def fail(cls, value):
        raise LookupError("lost")

    monkeypatch.setattr(host.definitions["Validated"].cls, "VALIDATE_INPUTS", classmethod(fail))
    validation = host.validate(
        {"1": node("Validated", value=1, other=1), "show": node("Show", value=["1", 0])}
    )
    (error,) = validation.node_errors["1"]["errors"]
    assert error["type"] == "exception_during_inner_validation"
    assert error["extra_info"]["exception_type"] == "LookupError"
    assert "lost" in error["details"]


@pytest.mark.parametrize(
    ("targets", "outputs"), [(["a"], ["a"]), (["b", "a"], ["a", "b"]), ([], []), (["nobody", "number"], [])]
)
def test_targets_choose_among_the_outputs(host, node, targets, outputs):
    prompt = {
        "number": node("Number", value=1),
        "a": node("Show", value=["number", 0]),
        "b": node("Show", value=["number", 0]),
    }
    validation = host.validate(prompt, targets)
    assert validation.outputs == outputs
    assert (validation.error is None) == bool(outputs)


class AnyType(str):
    """How old packs make an any-type."""

    def __ne__(self, other):
        return False


@pytest.mark.parametrize(
    ("given", "wanted", "fits"),
    [
        ("IMAGE", "IMAGE", True),
        ("IMAGE", "MASK", False),
        ("IMAGE", "IMAGE,MASK", True),
        ("IMAGE, MASK", "LATENT,MASK", True),
        ("*", "IMAGE", True),
        ("IMAGE", "*", True),
        ("COMFY_MATCHTYPE_V3", "IMAGE", True),
        (["a"], ["a"], True),
        (["a"], ["b"], False),
        (["a"], "COMBO", True),
        ("STRING", ["a"], False),
        (AnyType("*any*"), "IMAGE", True),
        ("IMAGE", AnyType("*any*"), True),
    ],
)
def test_types_fit_when_they_have_one_in_common(given, wanted, fits):
    assert types_fit(given, wanted) is fits
