"""What a transformer's blocks make of their tokens, changed on any MODEL of the Wan family.

ComfyUI lets packs replace a block by a function that may call it. What another pack has put there is called
in its place, so several of them go together.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any

import torch
from torch import Tensor, nn

Args = dict[str, Any]
"""What a block is given: tokens "img" [B,S,D], text "txt", time "vec" [B,1 or T,6,D], rotations "pe"."""

Around = Callable[[int, Callable[[Args], Tensor], Args], Tensor]
"""(block, from 0; runs it on such arguments; its arguments) → tokens that the next block gets."""

Change = Callable[[int, Tensor], Tensor]
"""(block, from 0; its tokens [B,S,D]) → tokens [B,S,D] that the next block gets."""

WAN = ("HookedWan", "WanModel")
"""Networks whose tokens are the film's alone, frame after frame."""
BESIDE = ("time_dim_concat", "reference_latent", "context_latents", "vace_context")
"""Arguments of a forward that bring tokens beside the film's, or further films."""


def with_blocks(options: dict[str, Any], blocks: Iterable[int], around: Around) -> dict[str, Any]:
    """A forward's transformer_options in which `around` stands around each of these blocks."""
    replaced = options.get("patches_replace", {})
    dit = dict(replaced.get("dit", {}))
    for index in blocks:
        place = ("double_block", index)
        dit[place] = partial(_run_around, dit.get(place), partial(around, index))
    return {**options, "patches_replace": {**replaced, "dit": dit}}


def with_block_outputs(options: dict[str, Any], blocks: Iterable[int], change: Change) -> dict[str, Any]:
    """A forward's transformer_options in which `change` gets what each of these blocks makes."""

    def around(index: int, run: Callable[[Args], Tensor], args: Args) -> Tensor:
        return change(index, run(args))

    return with_blocks(options, blocks, around)


def _run_around(
    before: Callable | None,
    around: Callable[[Callable[[Args], Tensor], Args], Tensor],
    args: Args,
    extra: dict[str, Any],
) -> dict[str, Tensor]:
    def run(given: Args) -> Tensor:
        made = before(given, extra) if before else extra["original_block"](given)
        return made["img"]

    return {"img": around(run, args)}


@contextmanager
def hooked(modules: Iterable[nn.Module], hooks: Iterable[Callable]) -> Iterator[None]:
    """Within it, each module's forward gives what its hook makes of it: `hook(module, given, made)`."""
    handles = [module.register_forward_hook(hook) for module, hook in zip(modules, hooks, strict=True)]
    try:
        yield
    finally:
        for handle in handles:
            handle.remove()


def number_type_beside(model: Any) -> torch.dtype:
    """In which numbers a network computes that stands beside a MODEL's own."""
    dtype = model.model_dtype()
    return dtype if dtype in (torch.float32, torch.bfloat16, torch.float16) else torch.bfloat16


def wrap_outermost(model: Any, place: str, key: str, wrapper: Callable) -> None:
    """Put a wrapper around a MODEL's own, so that they see what it calls: films that are whole.

    Args:
        place: one of `WrappersMP`.
    """
    model.add_wrapper_with_key(place, key, wrapper)
    others = model.wrappers[place]
    model.wrappers[place] = {key: others.pop(key), **others}


def refuse_unless_wan(network: Any, what: str, others: tuple[str, ...] = ()) -> None:
    """Raise where a network's tokens are not known to be its film's frames.

    Args:
        what: needs them, for the message.
        others: classes of networks that suit it too.

    Raises:
        ValueError: naming both.
    """
    found = type(network).__name__
    if found not in (*WAN, *others):
        raise ValueError(
            f"{what} works inside the blocks of Wan models, and this is {found}; load a Wan text-to-video or "
            "image-to-video model"
        )


def refuse_beside(given: tuple[Any, ...], named: dict[str, Any], what: str) -> None:
    """Raise where a forward is given frames beside its film's.

    Args:
        given: after x and timestep: context, clip_fea, time_dim_concat, …

    Raises:
        ValueError: naming what they are for.
    """
    found = [name for name in BESIDE if named.get(name) is not None]
    if len(given) > 2 and given[2] is not None:
        found.append("time_dim_concat")
    if found:
        raise ValueError(
            f"{what} and reference frames ({', '.join(found)}) do not go together; leave the reference out"
        )
