"""ComfyUI's HTTP and WebSocket protocol on aiohttp, for the official browser editor and for scripts.

`kinograph.host.session.open_session()` must have been called before the modules here are imported.
"""
