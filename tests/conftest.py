"""Every test may `from comfy_api.latest import io`."""

from kinograph.host.api.install import install

install()
