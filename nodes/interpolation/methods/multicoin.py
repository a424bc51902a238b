"""MultiCOIN: every motion control as points in one clip, every content control in another.

Trajectories and depth order become coloured points on black, nearer ones in front; the end frames and target
regions become a clip that is empty elsewhere. Two branches look at them: here two contexts of VACE. Source:
Tanveer et al. 2025, "MultiCOIN: Multi-Modal COntrollable Video INbetweening".
"""

from __future__ import annotations

from ...methods import offer

NODE = "KinoInbetweenControls"

offer(
    "points",
    node=NODE,
    system="multicoin",
    paper="MultiCOIN: Multi-Modal COntrollable Video INbetweening (Tanveer et al.)",
    year=2025,
    weights="a VACE model; the paper's are not public",
    test="tests/interpolation/test_inbetween_controls.py",
)
