"""`comfy_execution`: what packs use of ComfyUI's executor."""
