"""The machine, the features of the server, its log and its folders."""

from __future__ import annotations

import asyncio
import os
import platform
import shutil
import sys
from importlib import metadata
from typing import Any

import folder_paths
from aiohttp import web

from .parts import PARTS
from .requests import answer, json_object, refusal

routes = web.RouteTableDef()

COMFYUI_VERSION = "0.33.0"
"""The version of ComfyUI whose protocol this is; clients choose by it what they may ask for."""


_ARGUMENTS = ["kinograph", "serve", "--disable-api-nodes"]
"""What clients are told, since the real ones may hold the token; by the last, which is ComfyUI's own, the
editor learns that there is nothing to fetch from the internet."""


@routes.get("/system_stats")
async def system_stats(request: web.Request) -> web.Response:
    """The machine's memory, software and devices; a device is asked only once a node has needed torch."""
    return answer(await asyncio.to_thread(_stats))


def _stats() -> dict[str, Any]:
    import psutil

    memory = psutil.virtual_memory()
    front_end = _version("comfyui-frontend-package")
    templates = _version("comfyui-workflow-templates")
    return {
        "system": {
            "os": sys.platform,
            "ram_total": memory.total,
            "ram_free": memory.available,
            "comfyui_version": COMFYUI_VERSION,
            "required_frontend_version": front_end,
            "installed_templates_version": templates,
            "required_templates_version": templates,
            "comfy_package_versions": [],
            "python_version": sys.version,
            "pytorch_version": _version("torch"),
            "embedded_python": False,
            "deploy_environment": "kinograph",
            "argv": _ARGUMENTS,
        },
        "devices": [_device(memory)],
    }


def _device(memory: Any) -> dict[str, Any]:
    if "torch" in sys.modules:
        from comfy.model_management import get_free_memory, get_torch_device, get_total_memory

        device = get_torch_device()
        if device.type != "cpu":
            import torch

            name = torch.cuda.get_device_name(device) if device.type == "cuda" else device.type
            sizes = get_total_memory(device), get_free_memory(device)
            return _device_facts(name, device.type, device.index, *sizes)
    return _device_facts(platform.processor() or "cpu", "cpu", None, memory.total, memory.available)


def _device_facts(name: str, kind: str, index: int | None, total: int, free: int) -> dict[str, Any]:
    return {
        "name": name,
        "type": kind,
        "index": index,
        "vram_total": total,
        "vram_free": free,
        "torch_vram_total": total,
        "torch_vram_free": free,
    }


def _version(package: str) -> str | None:
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return None


@routes.get("/features")
async def features(request: web.Request) -> web.Response:
    return answer(request.app[PARTS].features)


@routes.get("/internal/logs")
async def logs(request: web.Request) -> web.Response:
    """The last lines of the log as one text."""
    entries = list(request.app[PARTS].log_book.entries)
    return answer("".join(f"{entry['t']} - {entry['m']}" for entry in entries))


@routes.get("/internal/logs/raw")
async def raw_logs(request: web.Request) -> web.Response:
    """The last lines of the log, and the size of the terminal that they were written for."""
    entries = list(request.app[PARTS].log_book.entries)
    return answer({"entries": entries, "size": _terminal()})


@routes.patch("/internal/logs/subscribe")
async def subscribe_logs(request: web.Request) -> web.Response:
    """Send a client each new line of the log, or no longer."""
    given, parts = await json_object(request), request.app[PARTS]
    client_id, readers = given.get("clientId"), parts.log_book.readers
    if not isinstance(client_id, str) or not parts.clients.listen(client_id):
        raise refusal(web.HTTPBadRequest, "clientId must be the id of a connected client")
    if given.get("enabled"):
        readers.add(client_id)
    else:
        readers.discard(client_id)
    return web.Response()


def _terminal() -> dict[str, int]:
    size = shutil.get_terminal_size()
    return {"cols": size.columns, "rows": size.lines}


@routes.get("/internal/folder_paths")
async def model_folders(request: web.Request) -> web.Response:
    """The folders of each kind of model."""
    return answer({kind: places for kind, (places, _) in folder_paths.folder_names_and_paths.items()})


@routes.get("/internal/files/{type}")
async def newest_files(request: web.Request) -> web.Response:
    """The files directly in the input, output or temp folder, the newest first, each with its mark."""
    type_ = request.match_info["type"]
    folder = folder_paths.get_directory_by_type(type_)
    if folder is None:
        raise refusal(web.HTTPBadRequest, "Invalid directory type")
    names = await asyncio.to_thread(_newest, folder)
    return answer([f"{name} [{type_}]" for name in names])


def _newest(folder: str) -> list[str]:
    if not os.path.isdir(folder):
        return []
    with os.scandir(folder) as entries:
        files = [entry for entry in entries if entry.is_file() and not entry.name.startswith(".")]
        return [entry.name for entry in sorted(files, key=lambda entry: -entry.stat().st_mtime)]
