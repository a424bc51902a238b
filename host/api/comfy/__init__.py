"""`comfy`: the few modules of ComfyUI's own that packs commonly use."""
