"""The custom socket types: only what ComfyUI's own sockets cannot carry."""

from __future__ import annotations

from comfy_api.latest import io

Spans = io.Custom("KINO_SPANS")
"""A `nodes.video.spans.Spans`: labelled stretches of time in a video, in seconds."""

ClipDescription = io.Custom("KINO_CLIP")
"""A `nodes.synthetic.spec.ClipSpec`: the full description of a procedural clip."""

InterpolationModel = io.Custom("INTERP_MODEL")
"""A network that makes frames in between, in the host's patcher: core's own socket, which 0.8 has not yet."""

Flow = io.Custom("KINO_FLOW")
"""Optical flow of T frames (core's OPTICAL_FLOW carries a flow network, not its result).

A dict: "forward" and "backward", float32 [T - 1, H, W, 2] in pixels, x to the right and y down, from frame
t to t + 1 and from t + 1 to t; "forward_hidden" and "backward_hidden", bool [T - 1, H, W], true where the
surface cannot be seen in the other frame.
"""

LineGraphs = io.Custom("KINO_LINE_GRAPH")
"""A tuple of `nodes.interpolation.line_graph.LineGraph`: line drawings of one size, in order."""

Poses = io.Custom("POSE_KEYPOINT")
"""People's joints as OpenPose writes them, a list of frames; core's pose nodes make and take it."""
