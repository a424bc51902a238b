"""Runs a prompt (a graph in API format) with ComfyUI's semantics, events and errors.

`kinograph.host.api.install.install()` must have been called before the modules here are imported.
"""
