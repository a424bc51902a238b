"""Device, progress, cancel and managed models: the one place that talks to the host's internals.

Capability modules never import this: nodes hand them plain callables (`Tick`) instead.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

Tick = Callable[[int], None]
"""Called with the number of units just finished; raises when the user cancelled."""


class Progress:
    """A node's progress bar: `Progress(total).advance(1)` after each unit of work.

    Advancing raises the host's interrupt when the user has cancelled. `stage` names the work in the
    node's own text line, e.g. "encoding".
    """

    def __init__(self, total: int, *, node_id: str | None = None, stage: str | None = None) -> None:
        from comfy.utils import ProgressBar

        self.total = max(int(total), 1)
        self.done = 0
        self.node_id = node_id
        self._bar = ProgressBar(self.total, node_id=node_id)
        if stage and node_id is not None:
            show_text(stage, node_id)

    def advance(self, count: int = 1, preview: Any = None) -> None:
        """Count finished units and notice a cancel. `preview` is (format, PIL image, max size) or None."""
        throw_if_cancelled()
        self.done += count
        self._bar.update_absolute(min(self.done, self.total), self.total, preview)


def throw_if_cancelled() -> None:
    """Raise the host's interrupt when the user has cancelled the running prompt."""
    from comfy.model_management import throw_exception_if_processing_interrupted

    throw_exception_if_processing_interrupted()


def node_id(node: Any) -> str | None:
    """The id, in the running graph, of a node class that asks for `io.Hidden.unique_id`.

    None where no host runs it: someone called `execute` directly.
    """
    return node.hidden.unique_id if node.hidden else None


def graph_tags(node: Any) -> dict[str, str]:
    """The running graph as tags for a saved file: `prompt`, `workflow` and what other packs add, as JSON.

    Empty where the host was started with --disable-metadata. The node class asks for `io.Hidden.prompt`
    and `io.Hidden.extra_pnginfo`.
    """
    from comfy.cli_args import args

    if args.disable_metadata or not node.hidden:
        return {}
    graph = {"prompt": node.hidden.prompt} | (node.hidden.extra_pnginfo or {})
    return {name: json.dumps(value) for name, value in graph.items() if value is not None}


def show_text(text: str, node_id: str | None) -> None:
    """Show text on the running node."""
    from server import PromptServer

    if PromptServer.instance is not None and node_id is not None:
        PromptServer.instance.send_progress_text(text, node_id)


def someone_watches() -> bool:
    """Whether the running prompt came from a client that listens, such as the editor.

    Pictures that are only to be looked at are not worth making for a batch.
    """
    from server import PromptServer

    return PromptServer.instance is not None and PromptServer.instance.client_id is not None


def compute_device() -> Any:
    """The `torch.device` that networks run on."""
    from comfy.model_management import get_torch_device

    return get_torch_device()


def managed(network: Any) -> Any:
    """Wrap a network in the host's model patcher, so that the host may move and free it."""
    from comfy.model_management import get_torch_device, unet_offload_device
    from comfy.model_patcher import ModelPatcher

    return ModelPatcher(network, load_device=get_torch_device(), offload_device=unet_offload_device())


def managed_vae(network: Any) -> Any:
    """The same for a VAE, which has places of its own to compute and to wait."""
    from comfy.model_management import vae_device, vae_offload_device
    from comfy.model_patcher import ModelPatcher

    return ModelPatcher(network, load_device=vae_device(), offload_device=vae_offload_device())


def managed_text_encoder(network: Any, on_cpu: bool = False) -> Any:
    """The same for a text encoder, on the CPU if wanted, else where the host computes with such."""
    import torch
    from comfy.model_management import text_encoder_device, text_encoder_offload_device
    from comfy.model_patcher import ModelPatcher

    load_to, wait_on = text_encoder_device(), text_encoder_offload_device()
    if on_cpu:
        load_to = wait_on = torch.device("cpu")
    patcher = ModelPatcher(network, load_device=load_to, offload_device=wait_on)
    patcher.is_clip = True  # so that hooks with a strength for text encoders find it
    return patcher


def casting_layers() -> Any | None:
    """The host's layer classes that cast their weights as they are used; None where it has none."""
    try:
        from comfy.ops import manual_cast
    except ModuleNotFoundError:  # the embedded host has no such module
        return None
    return manual_cast


def vae_number_type() -> Any:
    """The `torch.dtype` in which a VAE computes on its device."""
    import torch
    from comfy.model_management import vae_device, vae_dtype

    return vae_dtype(vae_device(), [torch.bfloat16, torch.float32])


def result_device() -> Any:
    """The `torch.device` where nodes leave their results."""
    from comfy.model_management import intermediate_device

    return intermediate_device()


def free_memory(device: Any) -> int:
    """Bytes that are free on a device."""
    from comfy.model_management import get_free_memory

    return get_free_memory(device)


def load(*patchers: Any, memory_required: int = 0) -> None:
    """Bring managed models to the compute device, asking for `memory_required` bytes of working room."""
    from comfy.model_management import load_models_gpu

    load_models_gpu(list(patchers), memory_required=memory_required)


@contextmanager
def with_network(method: Any) -> Iterator[Any]:
    """Give a method its network, loaded and managed by the host; a method without one comes back as it is.

    The host may free the network when the block ends, so the method is used inside it.

    Raises:
        ModelMissing: the method's `weights_file` is not installed.
    """
    if not hasattr(method, "weights_file"):
        yield method
        return
    from .model_files import model_file

    patcher = managed(method.load_network(model_file(*method.weights_file)))
    load(patcher)
    yield method.with_network(patcher.model)
