"""`comfy_api`: the node API. Its current version is `comfy_api.latest`."""
