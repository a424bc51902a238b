"""Encoding text: parity with transformers, what padding and length do, and training."""

from __future__ import annotations

import torch
from generation.tiny_text_encoder import caption_tokenizer, tiny_encoder
from kinograph.nodes.generation.text_encoder import load_text_encoder, new_text_encoder
from kinograph.nodes.generation.text_encoder_network import UMT5Config, UMT5Encoder, distance_buckets
from kinograph.nodes.generation.text_encoder_tokens import END, PAD, cleaned
from kinograph.nodes.synthetic.captions import captions
from kinograph.nodes.synthetic.sampling import ClipOptions, sample_clip
from transformers import UMT5Config as PeerConfig
from transformers import UMT5EncoderModel

TEXT = "A small red circle moving right in front of a plain background."


def peer_of(config: UMT5Config) -> UMT5EncoderModel:
    torch.manual_seed(1)
    sizes = {
        "vocab_size": config.vocabulary,
        "d_model": config.width,
        "d_kv": config.head_width,
        "d_ff": config.hidden,
        "num_layers": config.layers,
        "num_heads": config.heads,
    }
    return UMT5EncoderModel(PeerConfig(**sizes)).eval()


@torch.no_grad()
def test_it_computes_what_transformers_does_beyond_the_farthest_distance_too() -> None:
    config = UMT5Config(vocabulary=100, width=64, layers=3, heads=2, head_width=16, hidden=80)
    peer = peer_of(config)
    weights = {key: value for key, value in peer.state_dict().items() if "embed_tokens" not in key}
    network = UMT5Encoder(config)
    network.load_state_dict(weights)
    tokens = torch.randint(2, 100, (2, 300), generator=torch.Generator().manual_seed(0))
    real = torch.arange(300) < torch.tensor([[300], [37]])
    expected = peer(tokens, attention_mask=real.long()).last_hidden_state
    assert ((network(tokens, real) - expected)[real].abs().max() / expected.abs().max()) <= 1e-5


def test_at_umt5_xxls_sizes_its_weights_are_named_and_shaped_as_transformers_has_them() -> None:
    config = UMT5Config(256384, width=4096, layers=24, heads=64, head_width=64, hidden=10240)
    with torch.device("meta"):
        ours, peers = UMT5Encoder(config).state_dict(), peer_of(config).state_dict()
    del peers["encoder.embed_tokens.weight"]  # another name for shared.weight
    assert {key: value.shape for key, value in ours.items()} == {
        key: value.shape for key, value in peers.items()
    }
    assert UMT5Config.of(ours) == config


@torch.no_grad()
def test_a_text_is_zero_beyond_its_end_and_the_same_in_any_company() -> None:
    encoder = tiny_encoder()
    alone = encoder.encode(["a red star"])
    together = encoder.encode([TEXT, "a red star"])
    count = len(encoder.tokens("a red star"))
    assert together.shape == (2, 24, 128)
    torch.testing.assert_close(together[1:], alone, atol=1e-5, rtol=0)
    assert alone[0, :count].abs().amin(dim=-1).min() > 0 and not alone[0, count:].any()


@torch.no_grad()
def test_padding_changes_nothing_but_the_length() -> None:
    encoder = tiny_encoder()
    row = encoder.tokens(TEXT)
    padded = torch.tensor([row + [PAD] * (24 - len(row))])
    at_full_length = encoder.network(padded, padded != PAD)
    torch.testing.assert_close(
        encoder.encode([TEXT])[:, : len(row)], at_full_length[:, : len(row)], atol=1e-5, rtol=0
    )


def test_a_text_that_is_too_long_is_cut_and_what_is_left_out_is_said() -> None:
    encoder, said = tiny_encoder(), []
    row = encoder.tokens(TEXT + " A huge purple heart swinging.", said.append)
    assert len(row) == 24 or not said
    long = encoder.tokens(TEXT * 3, said.append)
    assert len(long) == 24 and long[-1] == END
    assert "reads 23" in said[-1] and "plain background" in said[-1]


def test_text_is_cleaned_as_wan_cleans_it() -> None:
    assert cleaned("  a\n red\t &amp;amp; blue  star ") == "a red & blue star"


def test_every_word_of_the_captions_fits_and_any_other_text_comes_back() -> None:
    tokenizer = caption_tokenizer()
    for seed in range(20):
        for line in captions(sample_clip(seed, ClipOptions(max_objects=3))):
            tokens = tokenizer.tokens(line)
            assert PAD not in tokens and tokenizer.text(tokens) == line.lower()
    foreign = "zebra überquert 你好 🙂"
    assert tokenizer.text(tokenizer.tokens(foreign)) == foreign


def test_gradients_reach_every_weight_under_autocast() -> None:
    torch.manual_seed(0)
    encoder = new_text_encoder(caption_tokenizer(), width=64, layers=2, heads=2, hidden=64)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        encoder.encode([TEXT, "a big green star"]).square().mean().backward()
    dead = [name for name, weight in encoder.network.named_parameters() if not weight.grad.abs().sum() > 0]
    assert dead == []


def test_the_embedded_sizes_stay_small() -> None:
    encoder = new_text_encoder(caption_tokenizer())
    assert sum(weight.numel() for weight in encoder.network.parameters()) <= 4_000_000
    assert (encoder.width, encoder.length) == (256, 64)


@torch.no_grad()
def test_a_saved_encoder_comes_back(tmp_path) -> None:
    encoder = tiny_encoder()
    encoder.save(tmp_path / "encoder.safetensors")
    again = load_text_encoder(tmp_path / "encoder.safetensors")
    assert again.length == 24
    assert torch.equal(again.encode([TEXT]), encoder.encode([TEXT]))


def test_the_nearest_positions_have_a_row_each_and_far_ones_share() -> None:
    buckets = distance_buckets(400, 32)
    assert buckets[10, 3:18].tolist() == [7, 6, 5, 4, 3, 2, 1, 0, 17, 18, 19, 20, 21, 22, 23]
    assert buckets[0, 200] == buckets[0, 399] == 31 and buckets[399, 0] == 15
