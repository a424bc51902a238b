"""Every official template: it converts where its node types are known, and the result is sound.

`data/README.md` says where the node declarations and the editor's results come from.
"""

from __future__ import annotations

import hashlib
import json
from importlib.util import find_spec
from pathlib import Path

import pytest
from kinograph.host.graph import MissingNodes, read_workflow, to_prompt
from kinograph.host.graph.inputs import DYNAMIC_COMBO, input_specs

DATA = Path(__file__).parent / "data"
PACKAGE = find_spec("comfyui_workflow_templates_json")
# Node types that have other inputs or outputs in the templates' release of core than in the recorded one.
CHANGED = frozenset(
    {
        "ByteDance2FirstLastFrameNode",
        "ByteDance2TextToVideoNode",
        "CreateVideo",
        "GrokImageEditNodeV2",
        "MeshyMultiImageToModelNode",
        "TripoImageToModelNode",
        "TripoMultiviewToModelNode",
        "TripoTextToModelNode",
    }
)
pytestmark = pytest.mark.skipif(PACKAGE is None, reason="needs the package comfyui-workflow-templates")


@pytest.fixture(scope="module")
def core_nodes():
    return json.loads((DATA / "core_nodes.json").read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def corpus(core_nodes):
    """Template name → (file, prompt, or the MissingNodes that conversion raised)."""
    folder = Path(PACKAGE.submodule_search_locations[0]) / "templates"
    results = {}
    for path in sorted(folder.glob("*.json")):
        content = path.read_bytes()
        data = json.loads(content)
        if isinstance(data, dict) and "nodes" in data:
            try:
                results[path.stem] = (content, to_prompt(read_workflow(data), core_nodes))
            except MissingNodes as missing:
                results[path.stem] = (content, missing)
    return results


@pytest.fixture(scope="module")
def prompts(corpus):
    return {name: result for name, (_, result) in corpus.items() if isinstance(result, dict)}


def wires(prompt):
    for identity, entry in prompt.items():
        for name, value in entry["inputs"].items():
            if isinstance(value, list):
                yield identity, name, value


def test_most_templates_convert_and_the_others_name_what_is_missing(corpus, prompts, core_nodes):
    assert len(prompts) >= 400
    for name, (_, result) in corpus.items():
        if name not in prompts:
            assert result.nodes, name
            assert not {missing.type for missing in result.nodes} & set(core_nodes), name


def test_every_wire_ends_at_an_output_that_exists(prompts, core_nodes):
    for name, prompt in prompts.items():
        for identity, _, (origin, slot) in wires(prompt):
            assert origin in prompt, (name, identity)
            kind = prompt[origin]["class_type"]
            assert 0 <= slot < len(core_nodes[kind]["output"]) or kind in CHANGED, (name, identity)


def test_every_required_widget_has_a_value(prompts, core_nodes):
    for name, prompt in prompts.items():
        for identity, entry in prompt.items():
            specs = input_specs(entry["class_type"], core_nodes[entry["class_type"]])
            wanted = {
                spec.name
                for spec in specs
                if spec.is_widget and not spec.optional and (spec.default is not None or spec.choices)
            }
            absent = wanted - set(entry["inputs"]) - {"upload", "audioUI"}
            assert not absent, (name, identity, absent)


def test_values_have_the_type_of_their_input(prompts, core_nodes):
    accepted = {"INT": int, "FLOAT": (int, float), "BOOLEAN": bool, "STRING": str, DYNAMIC_COMBO: str}
    checked = 0
    for name, prompt in prompts.items():
        for identity, entry in prompt.items():
            kind = entry["class_type"]
            for spec in input_specs(kind, core_nodes[kind]):
                value = entry["inputs"].get(spec.name)
                if (
                    value is None
                    or isinstance(value, list)
                    or spec.widget_type not in accepted
                    or kind in CHANGED
                ):
                    continue
                checked += 1
                fits = isinstance(value, accepted[spec.widget_type])
                fits &= isinstance(value, bool) == (spec.widget_type == "BOOLEAN")
                assert fits, (name, identity, kind, spec.name, value)
    assert checked > 5_000


def test_prompts_equal_those_of_the_real_editor(corpus, prompts, core_nodes):
    """Templates of another release than the recorded one are left out; most must be the recorded ones."""
    recorded = json.loads((DATA / "editor_digests.json").read_text(encoding="utf-8"))
    same_file = {
        name: digest
        for name, (content_hash, digest) in recorded.items()
        if name in corpus and hashlib.sha256(corpus[name][0]).hexdigest()[:12] == content_hash
    }
    differing = [
        name for name, digest in same_file.items() if prompt_digest(prompts[name], core_nodes) != digest
    ]
    assert not differing
    if len(same_file) < 100:
        pytest.skip(f"only {len(same_file)} templates are of the recorded release")


def prompt_digest(prompt, core_nodes) -> str:
    """A hash of ids, types and declared inputs, blind to `1` against `1.0`."""
    canonical = {}
    for identity, entry in prompt.items():
        sections = core_nodes[entry["class_type"]]["input"].values()
        declared = {name for section in sections for name in section}
        kept = {
            name: plain(value) for name, value in entry["inputs"].items() if name.split(".")[0] in declared
        }
        canonical[identity] = [entry["class_type"], kept]
    return hashlib.sha256(json.dumps(canonical, sort_keys=True).encode()).hexdigest()[:16]


def plain(value):
    if isinstance(value, float) and value.is_integer():
        return int(value)
    if isinstance(value, list):
        return [plain(item) for item in value]
    return {key: plain(item) for key, item in value.items()} if isinstance(value, dict) else value


def test_generated_graphs_equal_those_of_the_real_editor(core_nodes):
    lines = (DATA / "editor_cases.jsonl").read_text(encoding="utf-8").splitlines()
    assert len(lines) == 40
    for line in lines:
        case = json.loads(line)
        prompt = to_prompt(read_workflow(case["workflow"]), core_nodes)
        assert {key: [entry["class_type"], plain(entry["inputs"])] for key, entry in prompt.items()} == {
            key: plain(entry) for key, entry in case["prompt"].items()
        }
