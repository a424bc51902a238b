"""Workflow JSON: read what ComfyUI's editor saves, convert it to the prompt a host executes."""

from .convert import to_prompt
from .document import Workflow
from .errors import MissingNode, MissingNodes, WorkflowError
from .overrides import apply_overrides
from .reading import is_prompt, parse_json, read_workflow

__all__ = [
    "MissingNode",
    "MissingNodes",
    "Workflow",
    "WorkflowError",
    "apply_overrides",
    "is_prompt",
    "parse_json",
    "read_workflow",
    "to_prompt",
]
