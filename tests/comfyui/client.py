"""Talking to a running ComfyUI over HTTP, as its editor does."""

from __future__ import annotations

import json
import time
import urllib.error
import urllib.request
import uuid
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property
from pathlib import Path
from typing import Any

import av
import numpy as np

RUN_SECONDS = 300


class Refused(Exception):
    """ComfyUI answered a prompt with an error; `answer` is its JSON."""

    def __init__(self, answer: dict[str, Any]) -> None:
        super().__init__(json.dumps(answer))
        self.answer = answer


class NodeFailed(Exception):
    """A node raised; the message names it and says what it said."""


class Interrupted(Exception):
    """The prompt was cancelled while this node ran."""


@dataclass
class ComfyUI:
    """A running server and its folders."""

    url: str
    base: Path
    log: Path

    def ask(self, path: str, body: dict | None = None) -> Any:
        """GET, or POST a JSON body; returns the JSON answer, None where there is none."""
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(self.url + path, data, {"Content-Type": "application/json"})
        try:
            with urllib.request.urlopen(request, timeout=30) as answer:
                return json.loads(answer.read() or "null")
        except urllib.error.HTTPError as refusal:
            raise Refused(json.load(refusal)) from refusal

    @cached_property
    def listed(self) -> dict[str, Any]:
        """`/object_info` as it was at first sight."""
        return self.ask("/object_info")

    def run(self, graph: dict[str, Any]) -> dict[str, Any]:
        """Queue an API graph, every input it leaves out at its default; returns its outputs by node.

        Raises:
            Refused: it was not accepted.
            NodeFailed, Interrupted: it did not come to its end.
        """
        return self.result(self.queue(graph))

    def queue(self, graph: dict[str, Any]) -> str:
        """Queue it without waiting; returns the prompt's id."""
        prompt = completed(graph, self.listed)
        answer = self.ask("/prompt", {"prompt": prompt, "client_id": uuid.uuid4().hex})
        if answer["node_errors"]:
            raise Refused(answer)
        return answer["prompt_id"]

    def result(self, prompt_id: str) -> dict[str, Any]:
        """Wait for a queued prompt's end; returns its outputs by node."""
        deadline = time.monotonic() + RUN_SECONDS
        while time.monotonic() < deadline:
            history = self.ask(f"/history/{prompt_id}")
            if history:
                return _outputs(history[prompt_id])
            time.sleep(0.05)
        raise TimeoutError(f"the prompt did not end within {RUN_SECONDS} s; see {self.log}")

    def saved(self, output: dict[str, Any]) -> list[Path]:
        """The files that a node saved, from what it shows in the editor."""
        shown = [one for entries in output.values() for one in entries if isinstance(one, dict)]
        files = [one for one in shown if "filename" in one]
        return [self.base / file["type"] / file["subfolder"] / file["filename"] for file in files]


def _outputs(entry: dict[str, Any]) -> dict[str, Any]:
    messages = dict(entry["status"]["messages"])
    if "execution_interrupted" in messages:
        raise Interrupted(messages["execution_interrupted"]["node_type"])
    if error := messages.get("execution_error"):
        raise NodeFailed(f"{error['node_type']} {error['node_id']}: {error['exception_message']}")
    return entry["outputs"]


def completed(graph: dict[str, Any], listed: dict[str, Any]) -> dict[str, Any]:
    """The graph with every required input that it leaves out at its default; `listed` is an /object_info."""
    return {
        key: {**node, "inputs": _defaults(_required(node, listed), node["inputs"]) | node["inputs"]}
        for key, node in graph.items()
    }


def _required(node: dict[str, Any], listed: dict[str, Any]) -> dict[str, Any]:
    return listed[node["class_type"]]["input"].get("required", {})


def _defaults(inputs: dict[str, Any], given: dict[str, Any], prefix: str = "") -> dict[str, Any]:
    """What the editor would send for widgets nobody touched, dynamic combos' inner ones included."""
    values: dict[str, Any] = {}
    for name, (kind, *rest) in inputs.items():
        facts, key = rest[0] if rest else {}, prefix + name
        options = kind if isinstance(kind, list) else facts.get("options", [])
        if kind == "COMFY_DYNAMICCOMBO_V3":
            values[key] = given.get(key, options[0]["key"])
            chosen = next(option["inputs"] for option in options if option["key"] == values[key])
            values |= _defaults(chosen.get("required", {}), given, f"{key}.")
        elif "default" in facts:
            values[key] = facts["default"]
        elif options:
            values[key] = options[0]
    return values


def node(class_type: str, **inputs: Any) -> dict[str, Any]:
    """A node of an API graph; a link is `[node id, output index]`."""
    return {"class_type": class_type, "inputs": inputs}


def write_clip(path: Path, seconds: int) -> None:
    with av.open(path, "w") as container:
        picture = container.add_stream("libx264", rate=25)
        picture.width, picture.height, picture.pix_fmt = 96, 64, "yuv420p"
        sound = container.add_stream("aac", rate=48000, layout="mono")
        for index in range(25 * seconds):
            colour = (200, 40, 2 * index) if index < 25 else (20, 90, 2 * index)
            frame = av.VideoFrame.from_ndarray(np.full((64, 96, 3), colour, np.uint8))
            frame.pts, frame.time_base = index, Fraction(1, 25)
            container.mux(picture.encode(frame))
        tone = 0.3 * np.sin(np.arange(48000 * seconds) * 2 * np.pi * 440 / 48000).astype(np.float32)
        samples = av.AudioFrame.from_ndarray(tone[None], "fltp", "mono")
        samples.sample_rate, samples.pts = 48000, 0
        container.mux(sound.encode(samples))
        container.mux([*picture.encode(), *sound.encode()])


def write_vae(path: Path) -> None:
    """Wan 2.1's VAE at a tiny width, with weights of a seed: it decodes to a blur, the same everywhere."""
    import torch
    from kinograph.nodes.vae.wan21 import Wan21Config, Wan21VAE
    from safetensors.torch import save_file

    torch.manual_seed(0)
    path.parent.mkdir(parents=True, exist_ok=True)
    save_file(Wan21VAE(Wan21Config(width=8)).state_dict(), path)


def write_text_encoder(path: Path) -> None:
    """A small UMT5 with weights of a seed and a tokenizer for captions."""
    from generation.tiny_text_encoder import tiny_encoder

    path.parent.mkdir(parents=True, exist_ok=True)
    tiny_encoder().save(path)
