"""`comfy.patcher_extension`: functions that packs put around the steps of sampling."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

Registered = dict[str, dict[str | None, list[Callable]]]
"""Where → key of the pack → its functions, in the order in which they were added."""


class WrappersMP:
    """The places around which a function may be put; it is called `f(executor, *args, **kwargs)`."""

    OUTER_SAMPLE = "outer_sample"
    PREPARE_SAMPLING = "prepare_sampling"
    SAMPLER_SAMPLE = "sampler_sample"
    PREDICT_NOISE = "predict_noise"
    CALC_COND_BATCH = "calc_cond_batch"
    APPLY_MODEL = "apply_model"
    DIFFUSION_MODEL = "diffusion_model"

    @classmethod
    def init_wrappers(cls) -> Registered:
        return {}


class CallbacksMP:
    """The moments of which a function may be told."""

    ON_CLONE = "on_clone"
    ON_LOAD = "on_load_after"
    ON_DETACH = "on_detach_after"
    ON_CLEANUP = "on_cleanup"
    ON_PRE_RUN = "on_pre_run"

    @classmethod
    def init_callbacks(cls) -> Registered:
        return {}


def _add(kind: str, place: str, key: str | None, function: Callable, options: dict, of_model: bool) -> None:
    if of_model:
        options = options.setdefault("transformer_options", {})
    options.setdefault(kind, {}).setdefault(place, {}).setdefault(key, []).append(function)


def _found(kind: str, place: str, options: dict, of_model: bool) -> dict[str | None, list[Callable]]:
    if of_model:
        options = options.get("transformer_options", {})
    return options.get(kind, {}).get(place, {})


def add_wrapper(place: str, wrapper: Callable, options: dict, is_model_options: bool = False) -> None:
    """Add a wrapper to transformer options, or to the model options that hold them."""
    _add("wrappers", place, None, wrapper, options, is_model_options)


def add_wrapper_with_key(
    place: str, key: str, wrapper: Callable, options: dict, is_model_options: bool = False
) -> None:
    _add("wrappers", place, key, wrapper, options, is_model_options)


def get_wrappers_with_key(
    place: str, key: str, options: dict, is_model_options: bool = False
) -> list[Callable]:
    return list(_found("wrappers", place, options, is_model_options).get(key, []))


def get_all_wrappers(place: str, options: dict, is_model_options: bool = False) -> list[Callable]:
    """The wrappers of a place, the outermost first."""
    groups = _found("wrappers", place, options, is_model_options).values()
    return [wrapper for group in groups for wrapper in group]


def add_callback(place: str, callback: Callable, options: dict, is_model_options: bool = False) -> None:
    """Add a callback to transformer options, or to the model options that hold them."""
    _add("callbacks", place, None, callback, options, is_model_options)


def add_callback_with_key(
    place: str, key: str, callback: Callable, options: dict, is_model_options: bool = False
) -> None:
    _add("callbacks", place, key, callback, options, is_model_options)


def get_all_callbacks(place: str, options: dict, is_model_options: bool = False) -> list[Callable]:
    groups = _found("callbacks", place, options, is_model_options).values()
    return [callback for group in groups for callback in group]


class WrapperExecutor:
    """Runs a function through the wrappers around it; a wrapper calls it to go one further in.

    `class_obj` is the object whose method it is, for wrappers to look at.
    """

    def __init__(self, original: Callable, class_obj: Any, wrappers: list[Callable], idx: int = 0) -> None:
        self.original, self.class_obj = original, class_obj
        self.wrappers, self.idx = list(wrappers), idx

    @classmethod
    def new_executor(cls, original: Callable, wrappers: list[Callable], idx: int = 0) -> WrapperExecutor:
        return cls(original, None, wrappers, idx)

    @classmethod
    def new_class_executor(
        cls, original: Callable, class_obj: Any, wrappers: list[Callable], idx: int = 0
    ) -> WrapperExecutor:
        return cls(original, class_obj, wrappers, idx)

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        return type(self)(self.original, self.class_obj, self.wrappers, self.idx + 1).execute(*args, **kwargs)

    def execute(self, *args: Any, **kwargs: Any) -> Any:
        """Begin with the wrapper at `idx`; without one, the function itself."""
        if self.idx < len(self.wrappers):
            return self.wrappers[self.idx](self, *args, **kwargs)
        return self.original(*args, **kwargs)


def copy_nested_dicts(nested: dict) -> dict:
    """A copy whose dictionaries and lists are its own and whose other values are shared."""
    copied = {}
    for key, value in nested.items():
        if isinstance(value, dict):
            value = copy_nested_dicts(value)
        copied[key] = list(value) if isinstance(value, list) else value
    return copied


def merge_nested_dicts(first: dict, second: dict, copy_dict1: bool = True) -> dict:
    """Dictionaries merged level by level: lists are joined, of other values the second's count."""
    merged = copy_nested_dicts(first) if copy_dict1 else first
    for key, value in second.items():
        if isinstance(value, dict):
            merged[key] = merge_nested_dicts(merged.get(key, {}), value)
        elif isinstance(value, list):
            merged[key] = [*merged.get(key, []), *value]
        else:
            merged[key] = value
    return merged
