"""The tables of the nodes' help pages: `python scripts/help_pages.py` writes them from the schemas.

A page is prose by hand around one generated part: inputs with type, default and range, the methods'
parameters, the outputs and the papers. English is `web/docs/<node>.md`, any other language
`web/docs/<node>/<language>.md`, with the words of `locales/`.
"""

from __future__ import annotations

import argparse
import re
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from locale_files import LOCALES, Tree, read
from node_texts import COMBO, Input, Node, kinograph_nodes

DOCS = Path(__file__).resolve().parents[1] / "web" / "docs"
BEGIN, END = "<!-- from the node's schema -->", "<!-- to here -->"
FILES = {"file", "folder", "low_noise_file", "vae_name", "lora", "text_encoder"}
"""Combos whose choices are files of the user's machine."""
WAN = "Wan: Open and Advanced Large-Scale Video Generative Models (Wan Team), 2025"
CFG = (
    "Classifier-Free Diffusion Guidance (Ho and Salimans), 2022",
    "CFG-Zero*: Improved Classifier-Free Guidance for Flow Matching Models (Fan et al.), 2025",
)
SOLVERS = (
    "DPM-Solver++: Fast Solver for Guided Sampling of Diffusion Probabilistic Models (Lu et al.), 2022",
    "UniPC: A Unified Predictor-Corrector Framework for Fast Sampling of Diffusion Models "
    "(Zhao et al.), 2023",
)
SHIFT = "Scaling Rectified Flow Transformers for High-Resolution Image Synthesis (Esser et al.), 2024"
PAPERS = {
    "KinoAttentionMap": (
        "Radial Attention: O(n log n) Sparse Attention with Energy Decay for Long Video Generation "
        "(Li et al.), 2025",
    ),
    "KinoCompareVideos": (
        "Image Quality Assessment: From Error Visibility to Structural Similarity (Wang et al.), 2004",
    ),
    "KinoFlowSigmas": (SHIFT,),
    "KinoGuidance": CFG,
    "KinoGuider": CFG,
    "KinoLoadInterpolationModel": (
        "Real-Time Intermediate Flow Estimation for Video Frame Interpolation (Huang et al.), 2022",
    ),
    "KinoLoadLora": ("LoRA: Low-Rank Adaptation of Large Language Models (Hu et al.), 2021",),
    "KinoLoadTextEncoder": (
        "UniMax: Fairer and More Effective Language Sampling for Large-Scale Multilingual Pretraining "
        "(Chung et al.), 2023",
    ),
    "KinoLoadVideoModel": (WAN,),
    "KinoLoadVideoVAE": (WAN,),
    "KinoNoiseExperts": (WAN,),
    "KinoSampler": (*SOLVERS, *CFG),
    "KinoSamplerSelect": SOLVERS,
    "KinoStepCache": (
        "Timestep Embedding Tells: It's Time to Cache for Video Diffusion Model (Liu et al.), 2024",
        "Less is Enough: Training-Free Video Diffusion Acceleration via Runtime-Adaptive Caching "
        "(Zhou et al.), 2025",
    ),
    "KinoVideoMetrics": (
        "Image Quality Assessment: From Error Visibility to Structural Similarity (Wang et al.), 2004",
        "Shift-tolerant Perceptual Similarity Metric (Ghildyal and Liu), 2022",
        "Learning Temporal Coherence via Self-Supervision for GAN-based Video Generation (Chu et al.), 2020",
        "Two-Frame Motion Estimation Based on Polynomial Expansion (Farnebäck), 2003",
        "SportsSloMo: A New Benchmark and Baselines for Human-centric Video Frame Interpolation "
        "(Chen and Jiang), 2023",
    ),
}
"""Where a node's own algorithm comes from, besides the methods registered for it."""
NUMBERED = re.compile(r"(.*_)(\d+)")


@dataclass(frozen=True)
class Words:
    """A language's headings and the few words between numbers."""

    inputs: str
    methods: str
    outputs: str
    sources: str
    input_row: str
    method_row: str
    output_row: str
    socket: str
    files: str
    to: str
    step: str
    true: str
    false: str
    empty: str
    optional: str


WORDS = {
    "en": Words(
        inputs="Inputs",
        methods="Methods' own inputs",
        outputs="Outputs",
        sources="Sources",
        input_row="| input | type | default | range | what it is |",
        method_row="| method | input | type | default | range | what it is |",
        output_row="| output | type | what it is |",
        socket="wired",
        files="files found there",
        to="to",
        step="step",
        true="on",
        false="off",
        empty="empty",
        optional="optional",
    ),
    "zh": Words(
        inputs="输入",
        methods="各方法的输入",
        outputs="输出",
        sources="来源",
        input_row="| 输入 | 类型 | 默认值 | 范围 | 说明 |",
        method_row="| 方法 | 输入 | 类型 | 默认值 | 范围 | 说明 |",
        output_row="| 输出 | 类型 | 说明 |",
        socket="连线",
        files="该处的文件",
        to="到",
        step="步长",
        true="开",
        false="关",
        empty="空",
        optional="可选",
    ),
}


def page_path(node: str, language: str) -> Path:
    return DOCS / f"{node}.md" if language == "en" else DOCS / node / f"{language}.md"


def tables(node: Node, language: str, papers: list[Any]) -> str:
    """The generated part of a page.

    Args:
        papers: the methods registered for the node.
    """
    words, texts = WORDS[language], read(language, "nodeDefs.json")[node.id]
    own = [given for given in node.inputs if given.method is None]
    nested = [given for given in node.inputs if given.method is not None]
    parts = [_table(words.inputs, words.input_row, _input_rows(own, texts, words, language))]
    if nested:
        rows = [f"| `{given.method}` {_input_row(given, texts, words, language)}" for given in nested]
        parts.append(_table(words.methods, words.method_row, rows))
    rows = [
        f"| {_named(name, texts['outputs'][str(index)]['name'], language)} | {kind} "
        f"| {_cell(texts['outputs'][str(index)]['tooltip'])} |"
        for index, (name, kind, _) in enumerate(node.outputs)
    ]
    parts.append(_table(words.outputs, words.output_row, rows))
    sources = [*_sources(papers), *(f"- {_cell(paper)}" for paper in PAPERS.get(node.id, ()))]
    if sources:
        parts.append("\n".join([f"**{words.sources}**", "", *sources]))
    return "\n\n".join([BEGIN, *parts, END])


def _table(title: str, head: str, rows: list[str]) -> str:
    ruler = "|" + "---|" * (head.count("|") - 1)
    return "\n".join([f"**{title}**", "", head, ruler, *rows])


def _input_rows(inputs: list[Input], texts: Tree, words: Words, language: str) -> list[str]:
    """One row for each input; inputs that are the same but for their numbers share one."""
    rows: dict[str, list[Input]] = {}
    for given in inputs:
        numbered = NUMBERED.fullmatch(given.id)
        rows.setdefault(f"{numbered[1]}{given.tooltip}" if numbered else given.id, []).append(given)
    return [
        _input_row(same[0], texts, words, language, same[-1] if len(same) > 1 else None)
        for same in rows.values()
    ]


def _input_row(given: Input, texts: Tree, words: Words, language: str, last: Input | None = None) -> str:
    entry = texts["inputs"][given.id.replace(".", "_")]
    name = _named(given.id, entry["name"], language)
    if last is not None:
        name += f" … {_named(last.id, texts['inputs'][last.id]['name'], language)}"
    kind = _kind(given) + (f" ({words.optional})" if given.optional and given.method is None else "")
    told = given.tooltip if language == "en" else entry["tooltip"]
    return f"| {name} | {kind} | {_default(given, words)} | {_range(given, words)} | {_cell(told)} |"


def _named(plain: str, shown: str, language: str) -> str:
    return f"`{plain}`" if language == "en" or plain == shown else f"`{plain}` {shown}"


def _kind(given: Input) -> str:
    return COMBO if given.options else given.type.replace(",", ", ")


def _default(given: Input, words: Words) -> str:
    if _lists_files(given):
        return ""
    if given.options:
        return f"`{given.facts.get('default', given.options[0])}`"
    if "default" not in given.facts:
        return words.socket
    default = given.facts["default"]
    if isinstance(default, bool):
        return words.true if default else words.false
    return (f"`{default}`" if default else words.empty) if isinstance(default, str) else _number(default)


def _range(given: Input, words: Words) -> str:
    if _lists_files(given):
        return words.files
    if given.options:
        return ", ".join(f"`{option}`" for option in given.options)
    low, high, step = (given.facts.get(name) for name in ("min", "max", "step"))
    if low is None or high is None:
        return ""
    by = f", {words.step} {_number(step)}" if step not in (None, 1) else ""
    return f"{_number(low)} {words.to} {_number(high)}{by}"


def _lists_files(given: Input) -> bool:
    """Its options, on the user's machine, are the files of a folder; here there may be none."""
    return given.id in FILES and _kind(given) == COMBO


def _number(value: float) -> str:
    """As people write it: 1,000,000 and 2^64 − 1 rather than digits in a row."""
    if value == 2**64 - 1:
        return "2^64 − 1"
    if float(value).is_integer():
        return f"{int(value):,}".replace("-", "−")
    return f"{value:g}".replace("-", "−")


def _cell(text: str) -> str:
    """Text within a table: stars would be emphasis."""
    return text.replace("*", r"\*").replace("\n", " ")


def _sources(methods: list[Any]) -> list[str]:
    """One line a paper, with the methods that come from it."""
    papers: dict[str, list[str]] = {}
    for method in methods:
        papers.setdefault(f"{method.paper}, {method.year}", []).append(f"`{method.key}`")
    return [f"- {', '.join(keys)}: {paper}" for paper, keys in papers.items()]


def with_tables(page: str, generated: str) -> str:
    """A page with its generated part replaced.

    Raises:
        ValueError: the page has no place for it.
    """
    before, begin, rest = page.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not begin or not end:
        raise ValueError(f"write {BEGIN} and {END} where the tables belong")
    return before + generated + after


def papers_by_node() -> dict[str, list[Any]]:
    """The registered methods of each node that they are registered for."""
    from kinograph.nodes.methods import all_methods

    found: dict[str, list[Any]] = {}
    for method in all_methods():
        found.setdefault(method.node, []).append(method)
    return found


def pages() -> dict[Path, str]:
    """Every page as it should be, by its path.

    Raises:
        FileNotFoundError: a node has no page in some language.
    """
    nodes = kinograph_nodes()
    papers, made = papers_by_node(), {}
    languages = sorted(folder.name for folder in LOCALES.iterdir() if folder.is_dir())
    for node in nodes:
        for language in languages:
            path = page_path(node.id, language)
            generated = tables(node, language, papers.get(node.id, []))
            made[path] = with_tables(path.read_text(encoding="utf-8"), generated)
    return made


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--check", action="store_true", help="write nothing; 1 where a page is stale")
    options = parser.parse_args()
    stale = {path: text for path, text in pages().items() if path.read_text(encoding="utf-8") != text}
    for path, text in stale.items():
        print(f"{'stale' if options.check else 'written'}: {path.relative_to(DOCS.parents[1])}")
        if not options.check:
            path.write_text(text, encoding="utf-8")
    return 1 if options.check and stale else 0


if __name__ == "__main__":
    sys.exit(main())
