"""The CLIP socket's value in the embedded host, and the nodes that use it."""

from __future__ import annotations

from pathlib import Path

import kinograph
import pytest
import torch
from comfy.model_management import InterruptProcessingException, interrupt_current_processing
from generation.tiny_text_encoder import tiny_encoder
from kinograph.host.core.nodes_conditioning import (
    CLIPSetLastLayer,
    CLIPTextEncode,
    ConditioningConcat,
    ConditioningZeroOut,
)
from kinograph.nodes.clip_object import NAME, TextCLIP, clip_of
from kinograph.nodes.generation import nodes_load
from kinograph.nodes.generation.nodes_load import KinoLoadTextEncoder, text_encoder_path, text_encoders
from kinograph.nodes.generation.prompt_weights import weighted_parts
from kinograph.nodes.generation.text_encoder_tokens import END, PAD

TEXT = "a red circle moving right"
PAGES = Path(kinograph.__file__).parent / "web/docs"


@pytest.fixture(scope="module")
def clip() -> TextCLIP:
    return clip_of(tiny_encoder())


def conditioning(clip: TextCLIP, text: str) -> torch.Tensor:
    [[tensor, beside]] = CLIPTextEncode.execute(text, clip).args[0]
    assert beside == {"pooled_output": None}
    return tensor


def test_a_prompt_is_encoded_as_the_encoder_does(clip):
    assert torch.equal(conditioning(clip, TEXT), tiny_encoder().encode([TEXT]))


def test_tokens_have_weights_and_word_ids_and_are_padded(clip):
    [row] = clip.tokenize("a (red:1.5) star", return_word_ids=True)[NAME]
    assert len(row) == 24 and row[-1] == (PAD, 1.0, 0)
    assert [weight for _, weight, word in row if word == 2] == [1.5]
    assert [pair for pair in row if pair[0] == END] == [(END, 1.0, 0)]
    assert clip.decode([entry[0] for entry in row]) == "a red star"
    assert clip.tokenizer.untokenize(row)[0][1] == "▁a"


def test_a_weight_moves_a_word_away_from_the_empty_prompt(clip):
    plain, weighted = conditioning(clip, TEXT), conditioning(clip, f"({TEXT}:1.5)")
    empty = conditioning(clip, "")
    count = len(tiny_encoder().tokens(TEXT))
    words = slice(0, count - 1)  # the end keeps its weight
    expected = empty + 1.5 * (plain - empty)
    torch.testing.assert_close(weighted[:, words], expected[:, words])
    torch.testing.assert_close(weighted[:, count - 1 :], plain[:, count - 1 :])


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("a (b) c", [("a ", 1.0), ("b", 1.1), (" c", 1.0)]),
        ("((a))", [("a", 1.1 * 1.1)]),
        ("(a (b:2) c:0.5)", [("a ", 0.5), ("b", 2.0), (" c", 0.5)]),
        ("(a: b)", [("a: b", 1.1)]),
        ("(:2)", [(":2", 1.1)]),
        (r"\(a\) (b\):2)", [("(a) ", 1.0), ("b)", 2.0)]),
        ("a) (b", [("a) (b", 1.0)]),
        ("(a", [("(a", 1.0)]),
        ("()", []),
        ("(a road: infinity)", [("a road: infinity", 1.1)]),
        ("(a:nan)", [("a:nan", 1.1)]),
        ("", []),
    ],
)
def test_emphasis(text, parts):
    assert weighted_parts(text) == parts


def test_parentheses_beyond_reason_are_text():
    [(text, weight)] = weighted_parts("(" * 3000 + "a" + ")" * 3000)
    assert text.startswith("(((") and weight == pytest.approx(1.1**50)


def test_several_rows_follow_one_another(clip):
    [row] = clip.tokenize(TEXT)[NAME]
    both = clip.encode_from_tokens({NAME: [row, row]})
    assert both.shape == (1, 48, 128)
    torch.testing.assert_close(both[:, :24], both[:, 24:])


def test_the_last_layer_is_set_on_a_copy(clip):
    shortened = CLIPSetLastLayer.execute(clip, -2).args[0]
    assert not torch.allclose(conditioning(shortened, TEXT), conditioning(clip, TEXT))
    beyond = CLIPSetLastLayer.execute(clip, -3).args[0]
    assert torch.equal(conditioning(beyond, TEXT), conditioning(clip, TEXT))


def test_conditioning_is_concatenated_and_zeroed(clip):
    one = clip.encode_from_tokens_scheduled(clip.tokenize(TEXT), add_dict={"strength": 0.5})
    [[joined, beside]] = ConditioningConcat.execute(one, one).args[0]
    assert joined.shape == (1, 48, 128) and beside["strength"] == 0.5
    [[zeros, beside]] = ConditioningZeroOut.execute(one).args[0]
    assert not zeros.any() and one[0][0].any() and beside["pooled_output"] is None


def test_pooled_output_is_zeroed_too():
    pooled = torch.ones(1, 4)
    [[_, beside]] = ConditioningZeroOut.execute([[torch.ones(1, 2, 4), {"pooled_output": pooled}]]).args[0]
    assert not beside["pooled_output"].any() and pooled.all()


def test_what_it_would_save_is_the_file_but_for_a_prefix(clip):
    saved = {key.removeprefix("transformer."): value for key, value in clip.get_sd().items()}
    weights = tiny_encoder().state_dict()
    assert saved.keys() == weights.keys()
    assert all(saved[key].equal(weights[key]) for key in weights)


def test_a_cancel_is_noticed_before_the_next_layer(clip):
    interrupt_current_processing()
    with pytest.raises(InterruptProcessingException):
        conditioning(clip, TEXT)
    assert conditioning(clip, TEXT).any()


def test_a_long_prompt_is_cut_with_a_warning(clip, caplog):
    [row] = clip.tokenize(TEXT * 9)[NAME]
    assert len(row) == 24 and row[-1][0] == END
    assert "left out is its end" in caplog.text


@pytest.fixture
def models(tmp_path, monkeypatch) -> Path:
    """An empty folder for text encoders."""
    paths = {"text_encoders": ([str(tmp_path)], {".safetensors"})}
    monkeypatch.setattr(nodes_load.folder_paths, "folder_names_and_paths", paths)
    from kinograph.host.api import model_folders

    monkeypatch.setattr(model_folders, "folder_names_and_paths", paths)
    return tmp_path


def test_files_and_folders_are_offered_and_found(models):
    for name in ("one.safetensors", "umt5/model.safetensors", "loose/two.safetensors", "umt5/config.json"):
        (models / name).parent.mkdir(exist_ok=True)
        (models / name).write_text("{}")
    names = ["umt5/", "loose/two.safetensors", "one.safetensors", "umt5/model.safetensors"]
    assert text_encoders() == names
    assert text_encoder_path("umt5/") == str(models / "umt5")
    for missing in ("two.safetensors", "loose/", "../", "umt5/../../"):
        with pytest.raises(FileNotFoundError, match="text_encoders"):
            text_encoder_path(missing)


def test_the_node_loads_on_the_wanted_device_and_in_the_wanted_type(models, clip):
    tiny_encoder().save(models / "tiny.safetensors")
    [loaded] = KinoLoadTextEncoder.execute("tiny.safetensors", "bfloat16", "cpu").args
    assert loaded.cond_stage_model.transformer.shared.weight.dtype == torch.bfloat16
    assert loaded.patcher.load_device == torch.device("cpu")
    assert (conditioning(loaded, TEXT) - conditioning(clip, TEXT)).abs().max() < 0.2


def test_its_help_page_tells_of_every_input():
    page = (PAGES / "KinoLoadTextEncoder.md").read_text()
    assert all(f"`{given.id}`" in page for given in KinoLoadTextEncoder.define_schema().inputs)
