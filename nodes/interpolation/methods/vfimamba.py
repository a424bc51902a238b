"""VFIMamba: two frames as one sequence of interleaved tokens, scanned from all sides by state-space models.

The network, `vfimamba` beside this folder, is told by its file. Source: Zhang et al. 2024, "VFIMamba: Video
Frame Interpolation with State Space Models".
"""

from __future__ import annotations

from ...methods import offer

offer(
    "vfimamba",
    node="KinoLoadInterpolationModel",
    system="vfimamba",
    paper="VFIMamba: Video Frame Interpolation with State Space Models (Zhang et al.)",
    year=2024,
    weights="the published VFIMamba or VFIMamba_S .pkl, in models/kinograph/interpolation",
    test="tests/interpolation/test_vfimamba.py",
)
