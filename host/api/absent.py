"""The errors for what ComfyUI has and the embedded host has not."""

from __future__ import annotations

import dis
from typing import Any, NoReturn

_REFUSAL = "is not part of Kinograph's embedded host; run the pack that asks for it inside ComfyUI"


def refusal(name: str) -> str:
    """The sentence for a module or attribute, e.g. "comfy.ldm.modules"."""
    return f"{name} {_REFUSAL}"


def is_refusal(error: BaseException) -> bool:
    """Whether an error says that the embedded host lacks something."""
    return isinstance(error, (ImportError, AttributeError)) and str(error).endswith(_REFUSAL)


class BeyondTheHost(ModuleNotFoundError):
    """A module of ComfyUI that the embedded host does not have; the message names what was asked for."""


def missing_module(name: str, caller: Any) -> NoReturn:
    """Refuse a module.

    Args:
        name: the module that could not be found: for `import comfy.ldm.modules`, it is "comfy.ldm".
        caller: a frame inside the import; the statement is sought above it.

    Raises:
        BeyondTheHost: always.
    """
    raise BeyondTheHost(refusal(_imported_name(name, caller)), name=name)


def _imported_name(name: str, frame: Any) -> str:
    while frame is not None and "importlib" in frame.f_code.co_filename:
        frame = frame.f_back
    if frame is None:
        return name
    statements = {step.offset: step.argval for step in dis.get_instructions(frame.f_code)}
    asked = statements.get(frame.f_lasti)
    return asked if isinstance(asked, str) and asked.startswith(f"{name}.") else name


def missing_attribute(module_name: str, name: str, caller: Any) -> NoReturn:
    """Refuse an attribute of a stand-in module.

    Args:
        module_name: the module's public name.
        name: the attribute.
        caller: the frame that asks for it.

    Raises:
        ImportError: for `from module import name`.
        AttributeError: else, so that `hasattr` answers.
    """
    asked = f"{module_name}.{name}"
    if not name.startswith("__") and _is_from_import(caller):
        raise ImportError(refusal(asked), name=asked)
    raise AttributeError(refusal(asked), name=name)


def _is_from_import(frame: Any) -> bool:
    # `from m import x` turns an AttributeError into "cannot import name", which loses our sentence, while
    # `hasattr` needs an AttributeError: only the caller's instruction tells the two apart.
    return dis.opname[frame.f_code.co_code[frame.f_lasti]] == "IMPORT_FROM"
