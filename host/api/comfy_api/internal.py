"""What V3 nodes of every version have in common; hosts tell V3 from V1 by it."""

from __future__ import annotations

from collections.abc import Callable


class _ComfyNodeInternal:
    """Base of every V3 node class."""


class _NodeOutputInternal:
    """Base of every V3 node's result."""


def first_real_override(cls: type, name: str, *, base: type | None = None) -> Callable | None:
    """The method `name` of `cls` where a class above overrides the base's, else None.

    `base` defaults to `cls.GET_BASE_CLASS()`.
    """
    base = base or cls.GET_BASE_CLASS()
    overrides = (owner for owner in cls.mro()[: cls.mro().index(base)] if name in owner.__dict__)
    return getattr(cls, name) if next(overrides, None) else None
