"""`nodes`: the classes and names of every node that the host has loaded."""

from __future__ import annotations

MAX_RESOLUTION = 16384
"""Pixels; the largest side that core's widgets offer."""

NODE_CLASS_MAPPINGS: dict[str, type] = {}
"""Node id → class; the host fills it, and what it lacks here is in no pack that is loaded."""

NODE_DISPLAY_NAME_MAPPINGS: dict[str, str] = {}

EXTENSION_WEB_DIRS: dict[str, str] = {}
"""Pack → its folder of browser modules."""

LOADED_MODULE_DIRS: dict[str, str] = {}
"""Pack → its folder."""
