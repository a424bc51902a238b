"""Calling a node's methods: once per item of its input lists, synchronous or not."""

from __future__ import annotations

import asyncio
import functools
import inspect
from collections.abc import Callable, Coroutine, Mapping
from typing import Any

from comfy_execution.graph import ExecutionBlocker, NodeInputError

from .definition import NodeDefinition
from .dynamic import nested
from .inputs import Lists

Spawn = Callable[[Coroutine[Any, Any, Any]], "asyncio.Task[Any]"]


def bound_method(
    definition: NodeDefinition, name: str, hidden: Mapping[str, Any], instance: Any = None
) -> Callable[..., Any]:
    """The method to call: of the V1 instance (or class), or of a locked clone of the V3 class.

    The clone carries `hidden` and refuses new attributes, so that a node keeps no state on its class.
    """
    if not definition.is_v3:
        return getattr(definition.cls if instance is None else instance, name)
    clone = definition.cls.PREPARE_CLASS_CLONE({"hidden_inputs": hidden})
    return getattr(_locking(type(clone))(clone.__name__, (clone,), {}), name)


@functools.cache
def _locking(metaclass: type) -> type:
    def refuse(cls: type, name: str, value: Any) -> None:
        raise AttributeError(f"{cls.__name__}.{name} cannot be set: a node's class keeps no state")

    return type("LockedNode", (metaclass,), {"__setattr__": refuse})


async def call_over_lists(
    definition: NodeDefinition,
    method: Callable[..., Any],
    lists: Lists,
    places: Mapping[str, str],
    *,
    with_names: bool = False,
    enter: Callable[[int], Any] | None = None,
    blocked: Callable[[ExecutionBlocker], ExecutionBlocker] | None = None,
    spawn: Spawn = asyncio.ensure_future,
) -> list[Any]:
    """Call a method once per item of its inputs' lists.

    Args:
        lists: the arguments' lists.
        places: how flat arguments become nested ones (`LiveInputs.places`).
        with_names: see `dynamic.nested`.
        enter: gives the context manager around call number i.
        blocked: what becomes of the first blocker among a call's arguments, instead of the call.
        spawn: starts the task of an asynchronous call.

    Returns:
        One result per call; of an asynchronous one that has not finished yet, its task.
    """
    results: list[Any] = []
    for number, arguments in enumerate(_calls(lists, definition.input_is_list)):
        blocker = _blocker_in(arguments, definition.input_is_list)
        if blocker is not None:
            results.append(blocked(blocker) if blocked else blocker)
            continue
        if places:
            arguments = nested(arguments, places, with_names=with_names)
        if enter is None:
            results.append(await _started(method(**arguments), spawn))
        else:
            with enter(number):
                results.append(await _started(method(**arguments), spawn))
    return results


async def _started(result: Any, spawn: Spawn) -> Any:
    if not inspect.iscoroutine(result):
        return result
    task = spawn(result)
    await asyncio.sleep(0)  # lets it run to its first wait, so that quick ones are done at once
    return task.result() if task.done() else task


async def settled(results: list[Any]) -> list[Any]:
    """The results with every task among them awaited; the first exception is raised."""
    await asyncio.gather(*(result for result in results if isinstance(result, asyncio.Task)))
    return [result.result() if isinstance(result, asyncio.Task) else result for result in results]


def _calls(lists: Lists, input_is_list: bool) -> list[dict[str, Any]]:
    if input_is_list:
        return [lists]
    longest = max(map(len, lists.values()), default=1)
    if longest == 1 and all(lists.values()):
        return [{name: values[0] for name, values in lists.items()}]
    for name, values in lists.items():
        if not values:
            raise NodeInputError(
                f"The input {name!r} holds an empty list: there is nothing to run the node on"
            )
    return [
        {name: values[number] if number < len(values) else values[-1] for name, values in lists.items()}
        for number in range(longest)
    ]


def _blocker_in(arguments: Mapping[str, Any], input_is_list: bool) -> ExecutionBlocker | None:
    for value in arguments.values():
        for item in value if input_is_list else (value,):
            if isinstance(item, ExecutionBlocker):
                return item
    return None
