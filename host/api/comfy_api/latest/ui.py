"""`comfy_api.latest.ui`: what nodes show in the editor."""

from __future__ import annotations
