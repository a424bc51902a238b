"""The base class of V3 nodes, and what `execute` returns."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any

from ...comfy_execution.graph_utils import ExecutionBlocker
from ..internal import _ComfyNodeInternal, _NodeOutputInternal, first_real_override
from .schema import HiddenHolder, Schema, V3Data


class UIOutput:
    """What a node shows in the editor; `as_dict()` is sent with the `executed` message."""

    def as_dict(self) -> dict[str, Any]:
        raise NotImplementedError


class NodeOutput(_NodeOutputInternal):
    """A node's result.

    Args:
        args: a value for each output.
        ui: what the editor shows.
        expand: a graph to run in the node's place; then `args` may be links into it.
        block_execution: the message with which all downstream nodes are blocked.
    """

    def __init__(
        self,
        *args: Any,
        ui: UIOutput | dict | None = None,
        expand: dict | None = None,
        block_execution: str | None = None,
    ) -> None:
        self.args = args
        self.ui = ui
        self.expand = expand
        self.block_execution = block_execution

    @property
    def result(self) -> tuple | None:
        return self.args or None

    def __getitem__(self, index: int) -> Any:
        return self.args[index]

    @classmethod
    def from_dict(cls, returned: dict[str, Any]) -> NodeOutput:
        """From V1's {"result": …, "ui": …, "expand": …}."""
        result = returned.get("result", ())
        if isinstance(result, ExecutionBlocker):
            return cls(block_execution=result.message)
        return cls(*result, ui=returned.get("ui"), expand=returned.get("expand"))


class _FromSchema:
    """A V1 class attribute, read from the schema."""

    def __init__(self, read: Callable[[Schema], Any]) -> None:
        self.read = read

    def __get__(self, node: Any, cls: type[ComfyNode]) -> Any:
        return self.read(_known_schema(cls) or cls.GET_SCHEMA())


def _known_schema(cls: type[ComfyNode]) -> Schema | None:
    """The schema that `cls`, or what it is a clone of, has kept; never that of another declaration."""
    for owner in cls.__mro__:
        if vars(owner).get("SCHEMA") is not None:
            return owner.SCHEMA
        if "define_schema" in vars(owner):
            return None
    return None


class _ExecuteName:
    """V1's FUNCTION: which of the two normalizing methods fits `execute`."""

    def __get__(self, node: Any, cls: type[ComfyNode]) -> str:
        return (
            "EXECUTE_NORMALIZED_ASYNC" if inspect.iscoroutinefunction(cls.execute) else "EXECUTE_NORMALIZED"
        )


class ComfyNode(_ComfyNodeInternal):
    """Base of V3 nodes: override `define_schema` and `execute`, and where needed the three others."""

    RELATIVE_PYTHON_MODULE: str | None = None
    SCHEMA: Schema | None = None
    hidden: HiddenHolder | None = None

    FUNCTION = _ExecuteName()
    DESCRIPTION = _FromSchema(lambda schema: schema.description)
    CATEGORY = _FromSchema(lambda schema: schema.category)
    EXPERIMENTAL = _FromSchema(lambda schema: schema.is_experimental)
    DEPRECATED = _FromSchema(lambda schema: schema.is_deprecated)
    API_NODE = _FromSchema(lambda schema: schema.is_api_node)
    OUTPUT_NODE = _FromSchema(lambda schema: schema.is_output_node)
    INPUT_IS_LIST = _FromSchema(lambda schema: schema.is_input_list)
    NOT_IDEMPOTENT = _FromSchema(lambda schema: schema.not_idempotent)
    RETURN_TYPES = _FromSchema(lambda schema: [output.io_type for output in schema.outputs])
    RETURN_NAMES = _FromSchema(lambda schema: [o.display_name or o.io_type for o in schema.outputs])
    OUTPUT_IS_LIST = _FromSchema(lambda schema: [output.is_output_list for output in schema.outputs])
    OUTPUT_TOOLTIPS = _FromSchema(lambda schema: [output.tooltip or None for output in schema.outputs])

    def __init__(self) -> None:
        type(self).VALIDATE_CLASS()

    @classmethod
    def define_schema(cls) -> Schema:
        """The node's declaration."""
        raise NotImplementedError

    @classmethod
    def execute(cls, **kwargs: Any) -> NodeOutput:
        """The node's work; may be async."""
        raise NotImplementedError

    @classmethod
    def validate_inputs(cls, **kwargs: Any) -> bool | str:
        """True, or what is wrong with the values typed in the node."""
        raise NotImplementedError

    @classmethod
    def fingerprint_inputs(cls, **kwargs: Any) -> Any:
        """A value that differs when the node must run again although its inputs are equal."""
        raise NotImplementedError

    @classmethod
    def check_lazy_status(cls, **kwargs: Any) -> list[str]:
        """The names of the lazy inputs that are needed; those not computed yet are None."""
        return [name for name, value in kwargs.items() if value is None]

    @classmethod
    def GET_BASE_CLASS(cls) -> type[ComfyNode]:
        return ComfyNode

    @classmethod
    def VALIDATE_CLASS(cls) -> None:
        """Raise where `define_schema` or `execute` is missing."""
        for name in ("define_schema", "execute"):
            if first_real_override(cls, name) is None:
                raise TypeError(f"No {name} function was defined for node class {cls.__name__}.")

    @classmethod
    def FINALIZE_SCHEMA(cls) -> Schema:
        """A fresh declaration, completed."""
        schema = cls.define_schema()
        schema.finalize()
        return schema

    @classmethod
    def GET_SCHEMA(cls) -> Schema:
        """A fresh declaration, completed, checked and kept as `SCHEMA`."""
        cls.VALIDATE_CLASS()
        schema = cls.FINALIZE_SCHEMA()
        schema.validate()
        cls.SCHEMA = schema
        return schema

    @classmethod
    def INPUT_TYPES(cls) -> dict[str, dict]:
        return cls.FINALIZE_SCHEMA().get_v1_info(cls).input

    @classmethod
    def GET_NODE_INFO_V1(cls) -> dict[str, Any]:
        """The node's entry in /object_info."""
        return cls.GET_SCHEMA().get_v1_info(cls).as_dict()

    @classmethod
    def PREPARE_CLASS_CLONE(cls, v3_data: V3Data | None) -> type[ComfyNode]:
        """The class to execute: a subclass that carries the hidden values of one run."""
        facts = {
            "hidden": HiddenHolder.from_v3_data(v3_data),
            "SCHEMA": cls.SCHEMA,
            "__module__": cls.__module__,
        }
        return type(cls)(f"{cls.__name__}Clone", (cls,), facts)

    @classmethod
    def EXECUTE_NORMALIZED(cls, *args: Any, **kwargs: Any) -> NodeOutput:
        """`execute`, with whatever it returns turned into a `NodeOutput`."""
        return cls._normalized(cls.execute(*args, **kwargs))

    @classmethod
    async def EXECUTE_NORMALIZED_ASYNC(cls, *args: Any, **kwargs: Any) -> NodeOutput:
        """The same for an async `execute`."""
        return cls._normalized(await cls.execute(*args, **kwargs))

    @classmethod
    def _normalized(cls, returned: Any) -> NodeOutput:
        if returned is None:
            output = NodeOutput()
        elif isinstance(returned, NodeOutput):
            output = returned
        elif isinstance(returned, tuple):
            output = NodeOutput(*returned)
        elif isinstance(returned, dict):
            output = NodeOutput.from_dict(returned)
        elif isinstance(returned, ExecutionBlocker):
            output = NodeOutput(block_execution=returned.message)
        else:
            raise TypeError(f"{cls.__name__} returned a {type(returned).__name__}; io.NodeOutput is expected")
        if output.expand is not None and not cls.SCHEMA.enable_expand:
            raise ValueError(f"{cls.__name__} returned a graph; its Schema needs enable_expand=True for that")
        return output
