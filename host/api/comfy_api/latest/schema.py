"""A V3 node's declaration, and its entry in /object_info."""

from __future__ import annotations

from collections import Counter
from dataclasses import asdict, dataclass, field
from enum import Enum
from typing import Any, TypedDict

from .dynamic import DynamicInput, MatchType, input_dict
from .sockets import Input, Output


class Hidden(str, Enum):
    """What a node may ask the host for beside its inputs.

    unique_id: the node's id in the prompt. prompt: the whole prompt. extra_pnginfo: what the editor
    wants saved in files, the workflow above all. dynprompt: the prompt with the nodes that expansion
    added. auth_token_comfy_org and api_key_comfy_org: credentials of API nodes.
    """

    unique_id = "UNIQUE_ID"
    prompt = "PROMPT"
    extra_pnginfo = "EXTRA_PNGINFO"
    dynprompt = "DYNPROMPT"
    auth_token_comfy_org = "AUTH_TOKEN_COMFY_ORG"
    api_key_comfy_org = "API_KEY_COMFY_ORG"


class V3Data(TypedDict, total=False):
    """What a host gives a node class for one run: the values of its hidden inputs, by kind."""

    hidden_inputs: dict[str, Any]


class HiddenHolder:
    """The values of the hidden inputs as attributes; what was not asked for is None."""

    def __init__(
        self,
        unique_id: str | None,
        prompt: Any,
        extra_pnginfo: Any,
        dynprompt: Any,
        auth_token_comfy_org: str | None,
        api_key_comfy_org: str | None,
        **_: Any,
    ) -> None:
        self.unique_id = unique_id
        self.prompt = prompt
        self.extra_pnginfo = extra_pnginfo
        self.dynprompt = dynprompt
        self.auth_token_comfy_org = auth_token_comfy_org
        self.api_key_comfy_org = api_key_comfy_org

    def __getattr__(self, name: str) -> None:
        return None

    @classmethod
    def from_dict(cls, values: dict | None) -> HiddenHolder:
        """From values by hidden input, e.g. {Hidden.unique_id: "5"}; the plain "UNIQUE_ID" serves too."""
        values = values or {}
        return cls(**{hidden.name: values.get(hidden) for hidden in Hidden})

    @classmethod
    def from_v3_data(cls, v3_data: V3Data | None) -> HiddenHolder:
        return cls.from_dict(v3_data.get("hidden_inputs") if v3_data else None)


@dataclass
class NodeInfoV1:
    """A node's entry in /object_info."""

    input: dict | None = None
    input_order: dict[str, list[str]] | None = None
    output: list[str] | None = None
    output_is_list: list[bool] | None = None
    output_name: list[str] | None = None
    output_tooltips: list[str | None] | None = None
    output_matchtypes: list[str | None] | None = None
    name: str | None = None
    display_name: str | None = None
    description: str | None = None
    python_module: str | None = None
    category: str | None = None
    output_node: bool | None = None
    deprecated: bool | None = None
    experimental: bool | None = None
    api_node: bool | None = None
    search_aliases: list[str] | None = None

    def as_dict(self) -> dict[str, Any]:
        """The entry as ComfyUI 0.8 gives it, with search aliases where the node has some."""
        entry = asdict(self)
        if not self.search_aliases:
            del entry["search_aliases"]
        return entry


@dataclass
class Schema:
    """A V3 node's declaration.

    node_id: unique among all packs. category: its place in the menu, parts separated by "/".
    is_input_list: `execute` gets every input as a list, once. is_output_node: it runs although nothing
    is wired to it. not_idempotent: never served from the cache for another node with equal inputs.
    enable_expand: its `NodeOutput` may hold a graph to run in its place. The fields after it come from
    newer cores and are only carried.
    """

    node_id: str
    display_name: str | None = None
    category: str = "sd"
    inputs: list[Input] = field(default_factory=list)
    outputs: list[Output] = field(default_factory=list)
    hidden: list[Hidden] = field(default_factory=list)
    description: str = ""
    is_input_list: bool = False
    is_output_node: bool = False
    is_deprecated: bool = False
    is_experimental: bool = False
    is_api_node: bool = False
    not_idempotent: bool = False
    enable_expand: bool = False
    search_aliases: list[str] = field(default_factory=list)
    is_dev_only: bool = False
    price_badge: Any = None
    accept_all_inputs: bool = False
    essentials_category: str | None = None
    has_intermediate_output: bool = False

    def finalize(self) -> None:
        """Add the hidden inputs that its flags imply, and ids to outputs without one."""
        self.inputs, self.outputs, self.hidden = self.inputs or [], self.outputs or [], self.hidden or []
        implied = [Hidden.auth_token_comfy_org, Hidden.api_key_comfy_org] if self.is_api_node else []
        implied += [Hidden.prompt, Hidden.extra_pnginfo] if self.is_output_node else []
        self.hidden.extend(hidden for hidden in implied if hidden not in self.hidden)
        for number, output in enumerate(self.outputs):
            if output.id is None:
                output.id = f"_{number}_{output.io_type}_"

    def validate(self) -> None:
        """Raise ValueError where ids repeat or a socket is declared wrongly."""
        static = [entry for entry in self.inputs if not isinstance(entry, DynamicInput)]
        issues = [
            f"{kind} ids must be unique, but {repeated} are not."
            for kind, entries in (("Input", static), ("Output", self.outputs))
            if (
                repeated := [
                    name for name, count in Counter(entry.id for entry in entries).items() if count > 1
                ]
            )
        ]
        if issues:
            raise ValueError("\n".join(issues))
        for entry in [*self.inputs, *self.outputs]:
            entry.validate()

    def get_v1_info(self, cls: type) -> NodeInfoV1:
        """The entry in /object_info of the node class `cls`."""
        inputs = input_dict(self.inputs)
        if self.hidden:
            inputs["hidden"] = {hidden.name: (hidden.value,) for hidden in self.hidden}
        templates = [
            o.template.template_id if isinstance(o, MatchType.Output) else None for o in self.outputs
        ]
        return NodeInfoV1(
            input=inputs,
            input_order={kind: list(entries) for kind, entries in inputs.items()},
            output=[output.io_type for output in self.outputs],
            output_is_list=[output.is_output_list for output in self.outputs],
            output_name=[output.display_name or output.io_type for output in self.outputs],
            output_tooltips=[output.tooltip or None for output in self.outputs],
            output_matchtypes=templates if any(templates) else None,
            name=self.node_id,
            display_name=self.display_name,
            description=self.description,
            python_module=getattr(cls, "RELATIVE_PYTHON_MODULE", "nodes"),
            category=self.category,
            output_node=self.is_output_node,
            deprecated=self.is_deprecated,
            experimental=self.is_experimental,
            api_node=self.is_api_node,
            search_aliases=self.search_aliases,
        )
