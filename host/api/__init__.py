"""ComfyUI's public surface, as packs import it, for processes in which ComfyUI is absent.

Each module here stands where `install()` puts it: `host/api/folder_paths.py` is `folder_paths`,
`host/api/comfy/utils.py` is `comfy.utils`, and so on. Nothing here imports torch at module level.
"""
