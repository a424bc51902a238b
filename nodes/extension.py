"""The node list, built so that one broken schema never takes the others down."""

from __future__ import annotations

import gc
import importlib
import logging
from collections.abc import Iterator
from contextlib import contextmanager

from comfy_api.latest import ComfyExtension, io

from .methods import Method, all_methods
from .model_files import register_embedded_weights, register_folder

NODE_MODULES = (
    "video.nodes_load",
    "video.nodes_edit",
    "video.nodes_timing",
    "video.nodes_inspect",
    "video.nodes_save",
    "synthetic.nodes",
    "vae.nodes",
    "evaluation.nodes",
    "evaluation.nodes_metrics",
    "generation.nodes_load",
    "generation.nodes_model",
    "generation.nodes_latent",
    "generation.nodes_sampling",
    "generation.nodes_guidance",
    "attention.nodes",
    "interpolation.nodes_load",
    "interpolation.nodes_films",
    "interpolation.nodes_frames",
    "interpolation.nodes_latent",
    "interpolation.nodes_bridge",
    "interpolation.nodes_sketches",
    "interpolation.nodes_end_frame",
    "interpolation.nodes_lines",
    "interpolation.nodes_conditions",
    "interpolation.nodes_controls",
)


class KinographExtension(ComfyExtension):
    """Every node of the pack whose module imports and whose schema is valid."""

    async def get_node_list(self) -> list[type[io.ComfyNode]]:
        register_folder()  # not in on_load, which ComfyUI 0.8 never awaits
        register_embedded_weights()
        with _collector_paused():
            return [node for module in NODE_MODULES for node in _nodes_in(module)]

    async def get_methods(self) -> list[Method]:
        """Every method that those nodes offer: what `kinograph systems` lists."""
        await self.get_node_list()  # a node's module registers its methods
        return all_methods()


@contextmanager
def _collector_paused() -> Iterator[None]:
    """Importing leaves no garbage, and one full collection beside torch takes longer than all our modules."""
    running = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if running:
            gc.enable()


def _nodes_in(module: str) -> list[type[io.ComfyNode]]:
    try:
        nodes = importlib.import_module(f".{module}", __package__).NODES
    except Exception:
        logging.exception("Kinograph: the nodes of %s are left out", module)
        return []
    return [node for node in nodes if _schema_is_valid(node)]


def _schema_is_valid(node: type[io.ComfyNode]) -> bool:
    try:
        node.GET_SCHEMA()
    except Exception:
        logging.exception("Kinograph: the node %s is left out", node.__name__)
        return False
    return True
