"""V3 node classes: their V1 view, their hidden values, and what `execute` may return."""

import asyncio
import inspect

import pytest
from comfy_api.latest import io
from comfy_execution.graph_utils import ExecutionBlocker


class Twice(io.ComfyNode):
    """A node with most of the things that a node can have."""

    @classmethod
    def define_schema(cls):
        return io.Schema(
            node_id="Twice",
            category="test",
            description="Doubles.",
            inputs=[io.Int.Input("value", default=2), io.Int.Input("other", optional=True, lazy=True)],
            outputs=[io.Int.Output("double"), io.String.Output(display_name="Text", is_output_list=True)],
            hidden=[io.Hidden.unique_id],
            is_input_list=True,
            not_idempotent=True,
            enable_expand=True,
        )

    @classmethod
    def execute(cls, value, other=None):
        return io.NodeOutput(value * 2, [cls.hidden.unique_id])


def returning(result, **schema):
    class Returns(io.ComfyNode):
        @classmethod
        def define_schema(cls):
            return io.Schema(node_id="Returns", **schema)

        @classmethod
        def execute(cls):
            return result

    Returns.GET_SCHEMA()
    return Returns


def test_the_v1_view_of_a_schema():
    assert Twice.CATEGORY == "test"
    assert Twice.DESCRIPTION == "Doubles."
    assert Twice.FUNCTION == "EXECUTE_NORMALIZED"
    assert (Twice.RETURN_TYPES, Twice.RETURN_NAMES) == (["INT", "STRING"], ["double", "Text"])
    assert Twice.OUTPUT_IS_LIST == [False, True]
    assert Twice.OUTPUT_TOOLTIPS == [None, None]
    assert (Twice.INPUT_IS_LIST, Twice.NOT_IDEMPOTENT, Twice.OUTPUT_NODE) == (True, True, False)
    assert (Twice.EXPERIMENTAL, Twice.DEPRECATED, Twice.API_NODE) == (False, False, False)
    assert Twice.INPUT_TYPES() == {
        "required": {"value": ("INT", {"default": 2})},
        "optional": {"other": ("INT", {"lazy": True})},
        "hidden": {"unique_id": ("UNIQUE_ID",)},
    }


def test_input_types_follow_a_list_that_changes():
    files = ["a.mp4"]

    class Picks(io.ComfyNode):
        @classmethod
        def define_schema(cls):
            return io.Schema(node_id="Picks", inputs=[io.Combo.Input("file", options=list(files))])

        @classmethod
        def execute(cls, file):
            return io.NodeOutput()

    Picks.GET_SCHEMA()
    files.append("b.mp4")
    assert Picks.INPUT_TYPES()["required"]["file"][1]["options"] == ["a.mp4", "b.mp4"]


def test_a_derived_node_has_its_own_schema():
    class Thrice(Twice):
        @classmethod
        def define_schema(cls):
            return io.Schema(node_id="Thrice", category="other")

    assert (Twice.CATEGORY, Thrice.CATEGORY) == ("test", "other")
    assert Thrice.RETURN_TYPES == []


def test_one_runs_hidden_values_stay_in_its_clone():
    Twice.GET_SCHEMA()
    first = Twice.PREPARE_CLASS_CLONE({"hidden_inputs": {io.Hidden.unique_id: "5"}})
    second = Twice.PREPARE_CLASS_CLONE({"hidden_inputs": {"UNIQUE_ID": "6"}})
    assert first.EXECUTE_NORMALIZED(value=4).args == (8, ["5"])
    assert second.EXECUTE_NORMALIZED(value=4).args == (8, ["6"])
    assert Twice.hidden is None
    assert first.hidden.prompt is None and first.hidden.no_such_thing is None


@pytest.mark.parametrize(
    ("returned", "args", "blocked"),
    [
        (None, (), None),
        ((1, 2), (1, 2), None),
        (io.NodeOutput(3), (3,), None),
        ({"result": (4,), "ui": {"text": ("x",)}}, (4,), None),
        (ExecutionBlocker("stop"), (), "stop"),
        ({"result": ExecutionBlocker("stop")}, (), "stop"),
    ],
)
def test_whatever_execute_returns_becomes_a_node_output(returned, args, blocked):
    output = returning(returned).EXECUTE_NORMALIZED()
    assert isinstance(output, io.NodeOutput)
    assert (output.args, output.block_execution) == (args, blocked)
    assert output.result == (args or None)


def test_an_async_execute_is_awaited():
    class Later(io.ComfyNode):
        @classmethod
        def define_schema(cls):
            return io.Schema(node_id="Later")

        @classmethod
        async def execute(cls):
            return io.NodeOutput("late")

    assert Later.FUNCTION == "EXECUTE_NORMALIZED_ASYNC"
    assert inspect.iscoroutinefunction(Later.EXECUTE_NORMALIZED_ASYNC)
    assert asyncio.run(Later.EXECUTE_NORMALIZED_ASYNC()).args == ("late",)


def test_a_graph_is_taken_only_from_nodes_that_declare_it():
    graph = {"1": {"class_type": "Other", "inputs": {}}}
    returned = io.NodeOutput(["1", 0], expand=graph)
    with pytest.raises(ValueError, match="enable_expand=True"):
        returning(returned).EXECUTE_NORMALIZED()
    assert returning(returned, enable_expand=True).EXECUTE_NORMALIZED().expand == graph


def test_any_other_result_is_refused_with_its_type():
    with pytest.raises(TypeError, match="returned a set"):
        returning({1, 2}).EXECUTE_NORMALIZED()


def test_lazy_inputs_are_all_asked_for_by_default():
    assert Twice.check_lazy_status(value=1, other=None) == ["other"]


def test_a_node_without_execute_is_refused():
    class Idle(io.ComfyNode):
        @classmethod
        def define_schema(cls):
            return io.Schema(node_id="Idle")

    with pytest.raises(TypeError, match="No execute function was defined for node class Idle"):
        Idle.GET_SCHEMA()


def test_repeated_ids_are_refused_by_name():
    twice = [io.Int.Input("same"), io.Float.Input("same")]
    with pytest.raises(ValueError, match=r"Input ids must be unique, but \['same'\]"):
        returning(None, inputs=twice)


def test_outputs_without_ids_get_one():
    node = returning(None, outputs=[io.Int.Output(), io.Int.Output("own"), io.Mask.Output()])
    assert [output.id for output in node.SCHEMA.outputs] == ["_0_INT_", "own", "_2_MASK_"]


def test_a_packs_own_type_may_bring_its_own_input():
    @io.comfytype(io_type="KINO_KNOB")
    class Knob:
        Type = float

        class Input(io.WidgetInput):
            def as_dict(self):
                return super().as_dict() | {"turns": 3}

    entry = Knob.Input("x", default=1.0)
    assert (entry.io_type, entry.as_dict()["turns"], Knob.Output().io_type) == ("KINO_KNOB", 3, "KINO_KNOB")
    assert entry.Type is float
