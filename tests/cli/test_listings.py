"""`kinograph nodes`, `systems`, `bench` and the command itself."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
from kinograph import benchmarks
from kinograph.benchmarks import executor
from kinograph.benchmarks.trivial_nodes import chain, wide
from kinograph.host import cli


def last(out: str) -> dict:
    return json.loads(out.splitlines()[-1])


def test_nodes_lists_the_packs_and_cores(kinograph):
    code, out, err = kinograph("nodes", "--json")
    packs = {row["id"]: row["pack"] for row in last(out)["nodes"]}
    assert (code, err) == (0, "")
    assert packs["KinoEncodeVideo"] == "kinograph" and packs["SaveImage"] == "core"


def test_a_pack_that_does_not_load_is_told(kinograph, home):
    (home / "half.py").write_text("import a_package_that_nobody_has\n")
    code, _, err = kinograph("nodes", "--pack", home / "half.py")
    assert code == 1
    assert "half" in err and "a_package_that_nobody_has" in err


def test_systems_lists_every_method_with_its_source_and_test(kinograph):
    code, out, _ = kinograph("systems", "--json")
    rows = {(row["node"], row["method"]): row for row in last(out)["systems"]}
    assert code == 0
    assert rows["KinoSceneCuts", "transnetv2"]["weights"]
    assert rows["KinoLoadVideoVAE", "ltx-video"]["system"] == "ltx_video"
    assert all(row["paper"] and row["year"] and row["test"] for row in rows.values())


def test_systems_counts_a_system_of_several_methods_once(kinograph):
    _, told, _ = kinograph("systems")
    rows = last(kinograph("systems", "--json")[1])["systems"]
    systems = [row["system"] for row in rows if row["system"]]
    assert len(set(systems)) < len(systems)
    assert f"{len(rows)} methods of {len(set(systems))} published systems" in told.splitlines()[-1]


@pytest.mark.parametrize("shape", [chain, wide])
@pytest.mark.parametrize("kind", ["AddV1", "AddV3"])
def test_the_executor_benchmark_runs_every_node_of_its_graphs(shape, kind):
    prompt = shape(kind, 41)
    assert len(prompt) == 41
    assert executor._overhead(prompt) > 0


def test_a_benchmark_ends_with_its_figures(capsys, monkeypatch):
    report = {"name": "executor", "machine": {"cores": 2}, "figures": {"a": 1.5}, "rows": [{"b": 2}]}
    monkeypatch.setattr(executor, "run", lambda quick: report)
    assert cli.main(["bench", "executor", "--quick", "--json"]) == 0
    assert last(capsys.readouterr().out) == report


def test_every_subject_has_a_module():
    for name in benchmarks.SUBJECTS:
        module = subprocess.run(
            [sys.executable, "-c", f"from kinograph.benchmarks import {name}; print({name}.run)"],
            capture_output=True,
            text=True,
        )
        assert module.returncode == 0, module.stderr


def test_every_benchmark_is_a_subject():
    folder = Path(benchmarks.__file__).parent
    runnable = {path.stem for path in folder.glob("*.py") if "\ndef run(quick: bool)" in path.read_text()}
    assert runnable == set(benchmarks.SUBJECTS)


@pytest.mark.parametrize("arguments", [[], ["fly"], ["bench", "nothing"], ["run"]])
def test_bad_arguments_end_with_two(arguments):
    with pytest.raises(SystemExit) as ended:
        cli.main(arguments)
    assert ended.value.code == 2


def test_listing_the_commands_loads_none_of_them():
    script = (
        "import sys; from kinograph.host import cli\n"
        "try: cli.main(['--help'])\n"
        "except SystemExit: pass\n"
        "print([name for name in sys.modules if name.startswith('kinograph.host.commands.')])\n"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "[]"


def test_a_graph_without_pictures_runs_without_torch(home):
    graph = {
        "1": {"class_type": "PrimitiveInt", "inputs": {"value": 4}},
        "2": {"class_type": "PreviewAny", "inputs": {"source": ["1", 0]}},
    }
    (home / "graph.json").write_text(json.dumps(graph))
    script = (
        "import sys; from kinograph.host.cli import main; code = main(['run', sys.argv[1]])\n"
        "print(code, [name for name in ('torch', 'av', 'numpy', 'PIL') if name in sys.modules])\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", script, str(home / "graph.json")],
        capture_output=True,
        text=True,
        check=True,
        cwd=home,
    )
    assert done.stdout.splitlines()[-1] == "0 []"
