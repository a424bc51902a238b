"""Graphs of the nodes for lines and controls between two pictures."""

from __future__ import annotations

from comfyui.client import node

FILM = {
    "clip": node("KinoSyntheticClip", seed=5, width=96, height=64, fps=8.0, seconds=1.0, camera="static"),
    "pair": node("KinoFramesFromVideo", video=["clip", 0], count=2, stride=7),
    "start": node("KinoFramesFromVideo", video=["clip", 0], count=1),
    "end": node("KinoFramesFromVideo", video=["clip", 0], start=0.8, count=1),
}
LINES = {**FILM, "lines": node("KinoVectoriseLines", images=["pair", 0], threshold=0.5)}
BETWEEN = {
    **LINES,
    "between": node("KinoInbetweenLines", lines=["lines", 0], frames=2, curve="ease", method="geometric"),
    "drawn": node("KinoRasteriseLines", lines=["between", 0], scale=1.5),
    "show": node("PreviewImage", images=["drawn", 0]),
    "show_report": node("PreviewAny", source=["between", 1]),
}
ENDS = {"start": ["start", 0], "end": ["end", 0]}
MOVING = '[[{"x": 10, "y": 10}, {"x": 80, "y": 50}]]'


def conditions(method: str, **inputs: object) -> dict:
    return node("KinoFrameConditions", **ENDS, frames=9, method=method, **inputs)


def examples(sampled: dict) -> dict[str, dict]:
    """One graph for each node.

    Args:
        sampled: a graph that samples with "model", "positive" and "negative" and decodes with "vae".
    """
    fused = node("KinoBidirectionalFuse", model=["model", 0], end_positive=["negative", 0], end_percent=0.6)
    film = {**sampled["film"], "inputs": {**sampled["film"]["inputs"], "model": ["fused", 0]}}
    controls = node(
        "KinoInbetweenControls",
        positive=["positive", 0],
        negative=["negative", 0],
        **ENDS,
        frames=9,
        paths=MOVING,
        flow=["truth", 2],
        vae=["vae", 0],
        region=["truth", 1],
        region_image=["truth", 0],
    )
    given = {key: sampled[key] for key in ("clip", "positive", "negative", "vae")}
    given["text"] = given.pop("clip")
    for key in ("positive", "negative"):
        given[key] = {**given[key], "inputs": {**given[key]["inputs"], "clip": ["text", 0]}}
    return {
        "KinoVectoriseLines": {**LINES, "show": node("PreviewAny", source=["lines", 1])},
        "KinoInbetweenLines": BETWEEN,
        "KinoRasteriseLines": {
            **LINES,
            "drawn": node("KinoRasteriseLines", lines=["lines", 0], ink="light"),
            "mask": node("MaskToImage", mask=["drawn", 1]),
            "show": node("PreviewImage", images=["mask", 0]),
        },
        "KinoFrameConditions": {
            **FILM,
            "lines": conditions("lines", **{"method.shortest": 8}),
            "points": conditions("points", thickness=5.0),
            "show": node("PreviewImage", images=["lines", 0]),
            "show_points": node("PreviewImage", images=["points", 1]),
        },
        "KinoBidirectionalFuse": {**sampled, "fused": fused, "film": film},
        "KinoInbetweenControls": {
            **FILM,
            **given,
            "truth": node("KinoSyntheticTruth", clip=["clip", 2], count=4),
            "controls": controls,
            "show": node("PreviewImage", images=["controls", 0]),
            "show_content": node("PreviewImage", images=["controls", 1]),
            "mask": node("MaskToImage", mask=["controls", 2]),
            "show_mask": node("PreviewImage", images=["mask", 0]),
        },
    }
