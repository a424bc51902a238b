"""File formats that both the host and the nodes read."""
