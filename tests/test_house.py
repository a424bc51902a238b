"""Rules that hold for every tracked file of the repository."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
MOST_LINES = 320
MOST_LINES_OF_A_TEST = 550
LONGEST_FUNCTION = 60
MACHINE_PATHS = re.compile(r"(?<![\w.])/(?:home|Users|root|workspace)/\w|[A-Z]:\\\\Users")
CORE_PACKAGES = {"torch", "numpy", "av", "safetensors", "einops", "Pillow", "psutil", "sentencepiece"}
"""What ComfyUI itself installs; a pack that asks for more starts fights between packs."""


@cache
def tracked_files() -> list[Path]:
    """Files under version control, or all of them where the tree is no checkout."""
    listing = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True)
    if listing.returncode:
        pytest.skip("not a git checkout")
    return [ROOT / name for name in listing.stdout.split("\0") if name and (ROOT / name).is_file()]


def python_files() -> list[Path]:
    return [path for path in tracked_files() if path.suffix == ".py"]


def offenders(found: dict[Path, object]) -> dict[str, object]:
    return {str(path.relative_to(ROOT)): what for path, what in found.items() if what}


def test_no_file_names_a_path_of_one_machine():
    texts = [
        path for path in tracked_files() if path.suffix in {".py", ".md", ".json", ".toml", ".txt", ".js"}
    ]
    found = {path: MACHINE_PATHS.findall(path.read_text(encoding="utf-8")) for path in texts}
    assert not offenders(found)


def test_files_stay_short():
    lengths = {path: len(path.read_text(encoding="utf-8").splitlines()) for path in python_files()}
    in_tests = {path: "tests" in path.relative_to(ROOT).parts for path in lengths}
    allowed = {path: MOST_LINES_OF_A_TEST if in_tests[path] else MOST_LINES for path in lengths}
    assert not offenders({path: lines for path, lines in lengths.items() if lines > allowed[path]})


def test_functions_fit_a_screen():
    found = {}
    for path in python_files():
        functions = [
            node
            for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
            if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef))
        ]
        found[path] = [
            function.name
            for function in functions
            if function.end_lineno - function.lineno >= LONGEST_FUNCTION
        ]
    assert not offenders(found)


def test_every_module_says_what_it_is():
    modules = [path for path in python_files() if path.name != "__init__.py" and "tests" not in path.parts]
    found = {path: not ast.get_docstring(ast.parse(path.read_text(encoding="utf-8"))) for path in modules}
    assert not offenders(found)


def test_comfyui_users_install_nothing_that_comfyui_lacks():
    lines = (ROOT / "requirements.txt").read_text().split()
    assert {re.split(r"[<>=~!]", line)[0] for line in lines} <= CORE_PACKAGES


def test_make_pins_what_it_installs_and_leaves_cuda_to_the_user():
    pins = (ROOT / "constraints.txt").read_text()
    assert "torch==2.13.0\n" in pins
    assert "torch" in (ROOT / "requirements.txt").read_text().split()


def test_importing_the_pack_loads_nothing_heavy():
    script = (
        "import asyncio, sys\n"
        "from kinograph.host.api.install import install\n"
        "install()\n"
        "import kinograph\n"
        "nodes = asyncio.run(asyncio.run(kinograph.comfy_entrypoint()).get_node_list())\n"
        "assert nodes\n"
        "print([name for name in ('torch', 'av', 'numpy', 'PIL', 'transformers') if name in sys.modules])\n"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
