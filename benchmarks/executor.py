"""What the host itself costs: per node, per import, per start.

overhead_ms_per_node: validating and executing a graph of 1,000 nodes that do nothing, per node; the worst
of a chain and a wide graph, of V1 and of V3 nodes.
import_added_s: `import kinograph`, its entry point and its node list, in a process that has torch and the
host's API already.
cold_run_s: `kinograph run` on a graph of three nodes that needs no torch, from shell to exit.
"""

from __future__ import annotations

import copy
import functools
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from statistics import median
from typing import Any

from .interleave import Samples, interleave, seconds
from .machine import machine

NODE_COUNT = 1000
STUB_COUNT = 244

_IMPORT = """
import asyncio, sys, time
import torch
from kinograph.host.api.install import install
install()
from comfy_api.latest import ComfyExtension, io, ui
began = time.perf_counter()
import kinograph
extension = asyncio.run(kinograph.comfy_entrypoint())
nodes = asyncio.run(extension.get_node_list())
if len(sys.argv) > 1:
    sys.path.insert(0, sys.argv[1])
    from kinograph.nodes.methods import discover, method_input
    discover("stub_methods")
    method_input("KinoStub", "stub_0", "Which stub.")
assert nodes
print(time.perf_counter() - began)
"""

_STUB = """from kinograph.nodes.methods import param, register

@register("stub_{number}", node="KinoStub", paper="Stub {number}", year=2025, test="none")
class Stub{number}:
    width: int = param(5, "Width of the window, in frames.", min=1, max=99, step=2)
    decay: float = param(0.5, "Share that is left after each frame.", min=0.0, max=1.0, step=0.01)
    mode: str = param("soft", "How edges are treated.", choices=("soft", "hard"))
    loop: bool = param(False, "Join the last frame to the first.")
"""

_TORCH_CHECK = """
import sys
from kinograph.host.cli import main
assert main(sys.argv[1:]) == 0
print("torch" in sys.modules)
"""


def run(quick: bool) -> dict[str, Any]:
    """Measure all three; `quick` takes fewer rounds."""
    rounds = 3 if quick else 9
    overheads = _overheads(rounds)
    imports = _imports(rounds)
    starts, torch_imported = _starts(rounds)
    return {
        "name": "executor",
        "machine": machine(),
        "figures": {
            "overhead_ms_per_node": round(max(median(times) for times in overheads.values()), 4),
            "import_added_s": round(median(imports["the pack"]), 4),
            "cold_run_s": round(median(starts["three nodes"]), 3),
        },
        "rows": [
            *_rows("overhead_ms_per_node", overheads),
            *_rows("import_added_s", imports),
            *_rows("cold_run_s", starts),
            {"measure": "cold_run", "case": "torch was imported", "value": torch_imported},
        ],
    }


def _rows(measure: str, samples: Samples) -> Iterator[dict[str, Any]]:
    for case, values in samples.items():
        shown = {"median": median(values), "min": min(values), "max": max(values)}
        yield {"measure": measure, "case": case} | {name: round(value, 4) for name, value in shown.items()}


def _overheads(rounds: int) -> Samples:
    from ..host.api.install import install

    install()
    from .trivial_nodes import chain, wide

    contenders = {
        f"{shape.__name__} of {kind}": functools.partial(_overhead, shape(kind, NODE_COUNT))
        for shape in (chain, wide)
        for kind in ("AddV1", "AddV3")
    }
    return interleave(contenders, rounds)


def _overhead(prompt: dict[str, Any]) -> float:
    """Milliseconds per node of validating and executing a prompt with an empty cache."""
    from ..host.execution.definition import define
    from ..host.execution.executor import Executor
    from ..host.execution.validation import validate_prompt
    from .trivial_nodes import NODES

    definitions = define(NODES)
    executor = Executor(definitions)
    fresh = copy.deepcopy(prompt)

    def work() -> None:
        validation = validate_prompt(fresh, definitions)
        result = executor.execute(fresh, targets=validation.outputs)
        if result.status != "success" or len(result.executed) < len(fresh) - 1:
            raise RuntimeError(f"the benchmark's graph ended with {result.status}: {result.error}")

    return seconds(work) / len(prompt) * 1000


def _with_bytecode(folder: str) -> dict[str, str]:
    """An environment in which Python keeps its bytecode, as it does for users, in a folder of ours."""
    environment = os.environ | {"PYTHONPYCACHEPREFIX": os.path.join(folder, "bytecode")}
    environment.pop("PYTHONDONTWRITEBYTECODE", None)
    return environment


def _imports(rounds: int) -> Samples:
    with tempfile.TemporaryDirectory() as folder:
        environment = _with_bytecode(folder)
        package = Path(folder) / "stub_methods"
        package.mkdir()
        (package / "__init__.py").touch()
        for number in range(STUB_COUNT):
            (package / f"stub_{number}.py").write_text(_STUB.format(number=number))
        contenders: dict[str, Callable[[], float]] = {
            "the pack": functools.partial(_import_seconds, environment),
            f"the pack and {STUB_COUNT} methods": functools.partial(_import_seconds, environment, folder),
        }
        interleave(contenders, 1)  # writes the bytecode
        return interleave(contenders, rounds)


def _import_seconds(environment: dict[str, str], *arguments: str) -> float:
    return float(_output([sys.executable, "-c", _IMPORT, *arguments], environment))


def _output(command: list[str], environment: dict[str, str]) -> str:
    """Standard output of a process that must succeed."""
    done = subprocess.run(command, env=environment, capture_output=True, text=True)
    if done.returncode:
        raise RuntimeError(f"a benchmarked process failed:\n{done.stderr}")
    return done.stdout


def _starts(rounds: int) -> tuple[Samples, bool]:
    with _three_node_graph() as (arguments, environment):
        command = [sys.executable, "-m", "kinograph.host.cli", *arguments]
        start = functools.partial(_output, command, environment)
        start()
        samples = interleave({"three nodes": lambda: seconds(start)}, rounds)
        checked = _output([sys.executable, "-c", _TORCH_CHECK, *arguments], environment)
    return samples, checked.split()[-1] == "True"


@contextmanager
def _three_node_graph() -> Iterator[tuple[list[str], dict[str, str]]]:
    """Arguments and environment of `kinograph run`: load a clip of one second, trim it, save it."""
    with tempfile.TemporaryDirectory() as home:
        source = Path(home) / "input" / "clip.mp4"
        source.parent.mkdir()
        _write_clip(source)
        trim = {"video": ["1", 0], "start": 0.2, "end": 0.0, "unit": "seconds", "span_index": 0}
        save = {"video": ["2", 0], "filename_prefix": "clip", "format": "auto", "codec": "auto"}
        graph = {
            "1": {"class_type": "KinoLoadVideo", "inputs": {"file": "clip.mp4"}},
            "2": {"class_type": "KinoTrimVideo", "inputs": trim},
            "3": {"class_type": "SaveVideo", "inputs": save},
        }
        (Path(home) / "graph.json").write_text(json.dumps(graph))
        environment = _with_bytecode(home) | {"KINOGRAPH_HOME": home}
        yield ["run", str(Path(home) / "graph.json"), "--quiet"], environment


def _write_clip(path: Path) -> None:
    import av
    import numpy as np

    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=24, options={"preset": "ultrafast"})
        stream.width, stream.height, stream.pix_fmt = 128, 72, "yuv420p"
        for shade in range(0, 240, 10):
            picture = np.full((72, 128, 3), shade, np.uint8)
            container.mux(stream.encode(av.VideoFrame.from_ndarray(picture, format="rgb24")))
        container.mux(stream.encode(None))
