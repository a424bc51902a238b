"""One normal form of V1 and V3 node classes, and ComfyUI's /object_info made from it."""

from __future__ import annotations

import inspect
import logging
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from comfy_api.internal import first_real_override

from .dynamic import LiveInputs, has_dynamic_inputs, live_inputs

_LOG = logging.getLogger(__name__)


@dataclass(frozen=True)
class NodeDefinition:
    """What the host needs to know of a node class, whichever API it is written for.

    Attributes:
        class_type: the node's id in graphs.
        cls: the class itself.
        is_v3: written for `comfy_api.latest` (True) or in the older style.
        display_name: the title that the editor shows.
        function: name of the method that runs the node.
        return_types: socket type of each output.
        output_is_list: per output, whether the method returns a list to be spread over calls downstream.
        input_is_list: whether the method takes whole lists, once, instead of one call per item.
        is_output: whether it is a root of execution.
        not_idempotent: whether its result may serve only the node id that made it.
        fingerprint: name of the method that tells a changed source, None where there is none.
        validator: name of the method that checks the inputs, None where there is none.
        validated_names: the parameters of that method.
        validates_all: whether that method takes any input (**kwargs).
        lazy_check: name of the method that asks for lazy inputs, None where there is none.
        is_async: whether the method that runs the node is a coroutine function.
    """

    class_type: str
    cls: type
    is_v3: bool
    display_name: str
    function: str
    return_types: tuple[Any, ...]
    output_is_list: tuple[bool, ...]
    input_is_list: bool
    is_output: bool
    not_idempotent: bool
    fingerprint: str | None
    validator: str | None
    validated_names: frozenset[str]
    validates_all: bool
    lazy_check: str | None
    is_async: bool

    def validates(self, name: str) -> bool:
        """Whether the node's own validator takes an input, given by its flat name."""
        return self.validates_all or name.partition(".")[0] in self.validated_names

    @classmethod
    def of(cls, class_type: str, node: type, display_name: str | None = None) -> NodeDefinition:
        """Read a node class.

        Args:
            class_type: the node's id in graphs.
            node: a V1 class, or a V3 `io.ComfyNode`.
            display_name: a V1 node's title (a V3 node's schema has its own); `class_type` where None.

        Raises:
            Exception: whatever a broken V3 schema raises.
        """
        is_v3 = hasattr(node, "GET_SCHEMA")
        schema = node.GET_SCHEMA() if is_v3 else None
        return_types = tuple(getattr(node, "RETURN_TYPES", ()))
        validator = _method(node, "validate_inputs" if is_v3 else "VALIDATE_INPUTS", is_v3)
        parameters = inspect.getfullargspec(getattr(node, validator)) if validator else None
        return cls(
            class_type=class_type,
            cls=node,
            is_v3=is_v3,
            display_name=display_name or getattr(schema, "display_name", None) or class_type,
            function=node.FUNCTION,
            return_types=return_types,
            output_is_list=tuple(getattr(node, "OUTPUT_IS_LIST", None) or [False] * len(return_types)),
            input_is_list=bool(getattr(node, "INPUT_IS_LIST", False)),
            is_output=getattr(node, "OUTPUT_NODE", False) is True,
            not_idempotent=bool(getattr(node, "NOT_IDEMPOTENT", False)),
            fingerprint=_method(node, "fingerprint_inputs" if is_v3 else "IS_CHANGED", is_v3),
            validator=validator,
            validated_names=frozenset(parameters.args + parameters.kwonlyargs if parameters else ()),
            validates_all=bool(parameters and parameters.varkw),
            lazy_check=_method(node, "check_lazy_status", is_v3),
            is_async=inspect.iscoroutinefunction(getattr(node, node.FUNCTION)),
        )


def _method(node: type, name: str, is_v3: bool) -> str | None:
    present = first_real_override(node, name) is not None if is_v3 else hasattr(node, name)
    return name if present else None


def define(
    nodes: Mapping[str, type], display_names: Mapping[str, str] | None = None
) -> dict[str, NodeDefinition]:
    """Definitions of a pack's classes by class type; one that cannot be read is logged and left out."""
    titles = display_names or {}
    definitions = {}
    for class_type, node in nodes.items():
        try:
            definitions[class_type] = NodeDefinition.of(class_type, node, titles.get(class_type))
        except Exception as error:
            _LOG.error("The node %s is left out: its class cannot be read: %s", class_type, error)
    return definitions


class Catalogue:
    """The definitions as one prompt sees them: each class is asked for its inputs once."""

    def __init__(self, definitions: Mapping[str, NodeDefinition]) -> None:
        self._definitions = definitions
        self._declared: dict[str, dict[str, Any]] = {}
        self._static: dict[str, LiveInputs | None] = {}

    def __contains__(self, class_type: object) -> bool:
        return isinstance(class_type, str) and class_type in self._definitions

    def __getitem__(self, class_type: str) -> NodeDefinition:
        return self._definitions[class_type]

    def live_inputs(self, node: Mapping[str, Any]) -> LiveInputs:
        """The inputs of a prompt's node, `{"class_type": …, "inputs": …}`, for its values."""
        class_type = node["class_type"]
        if class_type not in self._declared:
            declared = self._definitions[class_type].cls.INPUT_TYPES()
            self._declared[class_type] = declared
            self._static[class_type] = None if has_dynamic_inputs(declared) else live_inputs(declared, {})
        return self._static[class_type] or live_inputs(self._declared[class_type], node["inputs"])

    def belongs_to_node_id(self, node: Mapping[str, Any]) -> bool:
        """Whether the node's result must not serve another node with equal inputs."""
        definition = self._definitions[node["class_type"]]
        return definition.not_idempotent or "UNIQUE_ID" in self.live_inputs(node).hidden.values()


def object_info(definitions: Mapping[str, NodeDefinition]) -> dict[str, dict[str, Any]]:
    """ComfyUI's /object_info: class type → what the editor needs to draw the node.

    A class that fails to describe itself is logged and left out.
    """
    shown = {}
    for class_type, definition in definitions.items():
        try:
            shown[class_type] = _node_info(definition)
        except Exception as error:
            _LOG.error("The node %s is left out: it cannot be described: %s", class_type, error)
    return shown


def _node_info(definition: NodeDefinition) -> dict[str, Any]:
    node = definition.cls
    if definition.is_v3:
        return node.GET_NODE_INFO_V1()
    inputs = node.INPUT_TYPES()
    info = {
        "input": inputs,
        "input_order": {category: list(group) for category, group in inputs.items()},
        "output": node.RETURN_TYPES,
        "output_is_list": getattr(node, "OUTPUT_IS_LIST", [False] * len(node.RETURN_TYPES)),
        "output_name": getattr(node, "RETURN_NAMES", node.RETURN_TYPES),
        "name": definition.class_type,
        "display_name": definition.display_name,
        "description": getattr(node, "DESCRIPTION", ""),
        "python_module": getattr(node, "RELATIVE_PYTHON_MODULE", "nodes"),
        "category": getattr(node, "CATEGORY", "sd"),
        "output_node": definition.is_output,
    }
    for key, attribute in (("output_tooltips", "OUTPUT_TOOLTIPS"), ("api_node", "API_NODE")):
        if hasattr(node, attribute):
            info[key] = getattr(node, attribute)
    for key, attribute in (("deprecated", "DEPRECATED"), ("experimental", "EXPERIMENTAL")):
        if getattr(node, attribute, False):
            info[key] = True
    return info
