"""Core's nodes that take a CLIP make of our text encoder what they make of core's, of the same weights."""

from __future__ import annotations

import json

import pytest
import torch
from comfyui.client import NodeFailed, node
from comfyui.examples import TEXT_ENCODER
from safetensors.torch import load_file, save_file

LOADERS = {
    "ours": node("KinoLoadTextEncoder", text_encoder=TEXT_ENCODER),
    "core's": node("CoreTextEncoder", name=TEXT_ENCODER),
}
PROMPT = "a red circle moving right"
LORA = "text_encoder_lora.safetensors"


def encoded(text: str) -> dict:
    return {"text": node("CLIPTextEncode", clip=["clip", 0], text=text)}


GRAPHS: dict[str, dict] = {
    "plain": encoded(PROMPT),
    "empty": encoded(""),
    "weighted": encoded("a (red:1.4) ((circle)) moving (slowly:0.2) \\(right\\)"),
    "weighted at the start": encoded("(a red:0) circle"),
    "foreign": encoded("große 圆"),
    "CLIPSetLastLayer": {
        "layer": node("CLIPSetLastLayer", clip=["clip", 0], stop_at_clip_layer=-2),
        "text": node("CLIPTextEncode", clip=["layer", 0], text=PROMPT),
    },
    "CLIPSetLastLayer beyond the first": {
        "layer": node("CLIPSetLastLayer", clip=["clip", 0], stop_at_clip_layer=-24),
        "text": node("CLIPTextEncode", clip=["layer", 0], text=PROMPT),
    },
    "ConditioningCombine": {
        "one": node("CLIPTextEncode", clip=["clip", 0], text=PROMPT),
        "text": node("ConditioningCombine", conditioning_1=["one", 0], conditioning_2=["one", 0]),
    },
    "ConditioningConcat": {
        "one": node("CLIPTextEncode", clip=["clip", 0], text=PROMPT),
        "text": node("ConditioningConcat", conditioning_to=["one", 0], conditioning_from=["one", 0]),
    },
    "ConditioningAverage": {
        "one": node("CLIPTextEncode", clip=["clip", 0], text=PROMPT),
        "two": node("CLIPTextEncode", clip=["clip", 0], text="a star"),
        "text": node(
            "ConditioningAverage",
            conditioning_to=["one", 0],
            conditioning_from=["two", 0],
            conditioning_to_strength=0.3,
        ),
    },
    "ConditioningZeroOut": {
        "one": node("CLIPTextEncode", clip=["clip", 0], text=PROMPT),
        "text": node("ConditioningZeroOut", conditioning=["one", 0]),
    },
    "LoraLoader": {
        "model": node("NoModel"),
        "lora": node("LoraLoader", model=["model", 0], clip=["clip", 0], lora_name=LORA),
        "text": node("CLIPTextEncode", clip=["lora", 1], text=PROMPT),
    },
    "hooks": {
        "hook": node("CreateHookLora", lora_name=LORA, strength_model=0.0, strength_clip=1.0),
        "hooked": node(
            "SetClipHooks", clip=["clip", 0], apply_to_conds=True, schedule_clip=True, hooks=["hook", 0]
        ),
        "text": node("CLIPTextEncode", clip=["hooked", 0], text=PROMPT),
    },
}


@pytest.fixture(scope="module", autouse=True)
def lora(comfyui) -> None:
    """A LoRA of one layer, under the generic names for our weights and for core's."""
    generator = torch.Generator().manual_seed(0)
    up, down = (torch.randn(shape, generator=generator) / 8 for shape in ((128, 4), (4, 128)))
    layer = "transformer.encoder.block.1.layer.0.SelfAttention.v"
    tensors = {}
    for name in (layer, f"umt5xxl.{layer}"):
        tensors[f"text_encoders.{name}.lora_up.weight"] = up.clone()
        tensors[f"text_encoders.{name}.lora_down.weight"] = down.clone()
    folder = comfyui.base / "models" / "loras"
    folder.mkdir(parents=True, exist_ok=True)
    save_file(tensors, folder / LORA)


def compared(comfyui, one: tuple[str, dict], other: tuple[str, dict]) -> dict:
    """The difference of what two loaders and graphs give under the key "text"."""
    graph = {}
    for side, (loader, nodes) in (("one", one), ("other", other)):
        for key, entry in {"clip": LOADERS[loader], **nodes}.items():
            inputs = {
                name: [f"{side} {value[0]}", value[1]] if isinstance(value, list) else value
                for name, value in entry["inputs"].items()
            }
            graph[f"{side} {key}"] = {**entry, "inputs": inputs}
    graph["facts"] = node("CompareConditionings", one=["one text", 0], other=["other text", 0])
    graph["show"] = node("PreviewAny", source=["facts", 0])
    return json.loads(comfyui.run(graph)["show"]["text"][0])


@pytest.mark.parametrize("name", GRAPHS)
def test_a_node_of_core_makes_of_our_clip_what_it_makes_of_its_own(comfyui, name):
    facts = compared(comfyui, ("ours", GRAPHS[name]), ("core's", GRAPHS[name]))
    ours, cores = facts["shapes"]
    assert ours == cores and facts["keys"][0] == facts["keys"][1]
    assert facts["difference"] <= 1e-5 * max(1, facts["largest"])
    assert facts["largest"] > 0 or name == "ConditioningZeroOut"


@pytest.mark.parametrize("name", ["weighted", "CLIPSetLastLayer", "LoraLoader", "hooks"])
def test_a_node_that_changes_the_prompt_changes_our_conditioning(comfyui, name):
    plain = encoded("a red circle moving slowly (right)") if name == "weighted" else encoded(PROMPT)
    assert compared(comfyui, ("ours", GRAPHS[name]), ("ours", plain))["difference"] > 1e-2


def test_a_saved_clip_is_the_file_it_came_from(comfyui):
    comfyui.run(
        {"clip": LOADERS["ours"], "save": node("CLIPSave", clip=["clip", 0], filename_prefix="again")}
    )
    [path] = (comfyui.base / "output").glob("again*")
    before, after = load_file(comfyui.base / "models" / "text_encoders" / TEXT_ENCODER), load_file(path)
    assert before.keys() == after.keys()
    assert all(before[key].equal(after[key]) for key in before)


def test_a_prompt_that_is_too_long_is_cut_with_a_warning(comfyui):
    graph = {
        "clip": LOADERS["ours"],
        **encoded(f"{PROMPT} " * 10),
        "show": node("PreviewAny", source=["text", 0]),
    }
    comfyui.run(graph)
    assert "left out is its end" in comfyui.log.read_text()


def test_cores_own_loader_refuses_another_size_of_umt5(comfyui):
    graph = {"clip": node("CLIPLoader", clip_name=TEXT_ENCODER, type="wan"), **encoded(PROMPT)}
    with pytest.raises(NodeFailed, match="CLIPLoader"):
        comfyui.run({**graph, "show": node("PreviewAny", source=["text", 0])})
