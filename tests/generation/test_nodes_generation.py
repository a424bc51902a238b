"""What users read of the generation nodes, and the latents and models that the other nodes make."""

from __future__ import annotations

from pathlib import Path

import folder_paths
import kinograph
import pytest
import torch
from generation.wan_files import prompt, random_weights, tiny_config, write_wan
from kinograph.host.core.nodes_model import EmptyHunyuanLatentVideo, LoraLoaderModelOnly, ModelSamplingSD3
from kinograph.host.core.nodes_sampling import KSampler
from kinograph.nodes.generation import nodes_guidance, nodes_latent, nodes_load, nodes_model, nodes_sampling
from kinograph.nodes.generation.nodes_latent import KinoVideoLatent
from kinograph.nodes.generation.nodes_model import KinoLoadLora, KinoLoadVideoModel, KinoNoiseExperts
from kinograph.nodes.methods import methods_of
from kinograph.nodes.model import shift_of
from kinograph.nodes.vae.weights_file import WeightsError
from kinograph.nodes.vae_films import FILM
from safetensors.torch import save_file

MODULES = (nodes_load, nodes_model, nodes_latent, nodes_sampling, nodes_guidance)
NODES = [node for module in MODULES for node in module.NODES]
PAGES = Path(kinograph.__file__).parent / "web/docs"
NONE = "none"


@pytest.fixture(scope="module")
def models(tmp_path_factory):
    """The models folder of a host: a small Wan, another one, and a LoRA."""
    base, before = tmp_path_factory.mktemp("base"), folder_paths.base_path
    folder_paths.set_base_directory(str(base))
    folder = base / "models"
    write_wan(folder / "diffusion_models" / "wan.safetensors", shift="3.0")
    write_wan(folder / "diffusion_models" / "other.safetensors", seed=1)
    save_file(
        {"double_blocks.0.img_attn.qkv.weight": torch.zeros(2, 2)},
        folder / "diffusion_models" / "flux.safetensors",
    )
    (folder / "loras").mkdir()
    save_file(lora_weights(), folder / "loras" / "lora.safetensors")
    yield folder
    folder_paths.set_base_directory(before)


def lora_weights() -> dict[str, torch.Tensor]:
    """Of rank 4, on an attention layer, both layers of a feed-forward part, a bias and a modulation."""
    generator = torch.Generator().manual_seed(4)
    weights = random_weights(tiny_config())
    lora = {}
    for layer in ("blocks.0.self_attn.q", "blocks.1.ffn.0", "blocks.1.ffn.2"):
        rows, columns = weights[f"{layer}.weight"].shape
        lora[f"diffusion_model.{layer}.lora_A.weight"] = torch.randn(4, columns, generator=generator) * 0.1
        lora[f"diffusion_model.{layer}.lora_B.weight"] = torch.randn(rows, 4, generator=generator) * 0.1
    lora["diffusion_model.blocks.0.self_attn.o.diff_b"] = torch.randn(256, generator=generator)
    return lora


def load(file="wan.safetensors", low=NONE, boundary=0.9, dtype="auto", network="auto", shift=0.0):
    return KinoLoadVideoModel.execute(file, low, boundary, dtype, network, shift).args


def film(model, given=None, steps=3) -> torch.Tensor:
    given = {"samples": torch.zeros(1, 16, 2, 4, 4)} if given is None else given
    made = KSampler.execute(model, 1, steps, 2.0, "euler", "simple", prompt(1), prompt(2), given, 1.0)
    return made.args[0]["samples"]


def test_a_model_tells_what_it_is_and_takes_its_files_shift(models):
    model, report = load()
    assert "Wan with 2.2 M parameters in 2 blocks of width 256, text tokens of 64" in report
    assert shift_of(model) == 3.0 and shift_of(load(shift=5.0)[0]) == 5.0
    assert shift_of(load("other.safetensors")[0]) == 8.0
    assert shift_of(ModelSamplingSD3.execute(model, 2.0).args[0]) == 2.0


@pytest.mark.parametrize("told", ["much", "-1", "nan"])
def test_a_shift_that_is_none_is_refused(models, told):
    write_wan(models / "diffusion_models" / "odd.safetensors", shift=told)
    with pytest.raises(WeightsError, match=r"odd\.safetensors tells a shift of"):
        load("odd.safetensors")


@pytest.mark.parametrize("dtype", ["bfloat16", "float16"])
def test_a_number_type_changes_the_film_but_little(models, dtype):
    plain, other = film(load()[0]), film(load(dtype=dtype)[0])
    assert 0 < (plain - other).abs().mean() < 0.1 * plain.abs().mean()


def test_the_low_noise_expert_takes_over_at_the_boundary(models):
    high, low = load()[0], load("other.safetensors")[0]
    low_first = load("other.safetensors", shift=3.0)[0]
    assert torch.equal(film(load(low="other.safetensors", boundary=0.0)[0]), film(high))
    both = KinoNoiseExperts.execute(high, low, 1.1).args[0]
    assert torch.equal(film(both), film(low_first))
    mixed = film(load(low="other.safetensors", boundary=0.9)[0])
    assert not torch.allclose(mixed, film(high), atol=0.1)
    assert not torch.allclose(mixed, film(low_first), atol=0.1)


def test_a_lora_changes_the_film_by_its_strength_and_leaves_the_model(models):
    model = load()[0]
    before = film(model)
    patched, report = KinoLoadLora.execute(model, "lora.safetensors", 1.0).args
    assert "changes 4 weights at strength 1" in report
    assert not torch.allclose(film(patched), before, atol=0.1)
    assert torch.equal(film(model), before)
    assert torch.allclose(
        film(KinoLoadLora.execute(model, "lora.safetensors", 0.0).args[0]), before, atol=1e-5
    )
    assert torch.equal(
        film(LoraLoaderModelOnly.execute(model, "lora.safetensors", 1.0).args[0]), film(patched)
    )


def test_a_lora_reaches_every_layer_that_it_names(models):
    from kinograph.nodes.generation.lora import merge, read_lora

    model = load()[0]
    patched = KinoLoadLora.execute(model, "lora.safetensors", 0.7).args[0]
    merged = load()[0]
    network = merged.model.diffusion_model
    merge(network, read_lora(lora_weights(), network.state_dict()).patches, 0.7)
    assert torch.allclose(film(patched), film(merged), atol=1e-3)


def test_another_architecture_is_refused_by_name(models):
    with pytest.raises(WeightsError, match=r"flux\.safetensors is no Wan transformer: it looks like Flux"):
        load("flux.safetensors")


def test_a_file_that_is_not_there_is_refused_by_name(models):
    with pytest.raises(FileNotFoundError, match=r"no file 'absent.safetensors' in models/diffusion_models"):
        load("absent.safetensors")


class PictureVAE:
    """Latents are the mean brightness of the frames that they stand for."""

    latent_channels = 16

    def spacial_compression_decode(self):
        return 8

    def temporal_compression_decode(self):
        return 4

    def encode(self, images):
        first, others = (
            images[:1],
            images[1:].unflatten(0, (-1, 4)).mean(1) if len(images) > 1 else images[:0],
        )
        frames = torch.cat([first, others])[..., :1].movedim(-1, 0)  # [1,T,H,W]
        return torch.nn.functional.avg_pool2d(frames, 8).repeat(16, 1, 1, 1)[None]


def video_latent(width=64, height=32, frames=17, batch=1, space="auto", **given):
    return KinoVideoLatent.execute(width, height, frames, batch, space, **given).args


def test_an_empty_latent_is_cores():
    latent, first, last, _ = video_latent()
    assert (first, last) == (0, 0) and set(latent) == {"samples"}
    core = EmptyHunyuanLatentVideo.execute(64, 32, 17, 1).args[0]["samples"]
    assert torch.equal(latent["samples"], core)


def test_sizes_are_rounded_and_that_is_told():
    latent, _, _, report = video_latent(width=70, height=33, frames=15)
    assert latent["samples"].shape == (1, 16, 5, 4, 8) and FILM not in latent
    assert "rounded from 15 frames of 70 × 33 to 17 frames of 64 × 32" in report


def test_frames_that_were_added_are_marked_for_cutting():
    latent, _, _, _ = video_latent(frames=15)
    assert latent[FILM] == (15, 32, 64)


@pytest.mark.parametrize(("space", "shape"), [("Wan 2.2", (48, 5, 2, 4)), ("LTX-Video", (128, 3, 1, 2))])
def test_other_spaces_have_their_own_sizes(space, shape):
    latent = video_latent(height=64, space=space)[0]["samples"]
    assert latent.shape[1] == shape[0] and latent.shape[2] == shape[1]


def test_given_pictures_lie_at_both_ends_and_the_mask_tells():
    start, end = torch.full((6, 20, 20, 3), 0.25), torch.full((2, 32, 64, 3), 0.75)
    latent, first, last, report = video_latent(vae=PictureVAE(), start=start, end=end)
    assert (first, last) == (2, 1)
    levels = latent["samples"].mean(dim=(0, 1, 3, 4))
    assert torch.allclose(levels, torch.tensor([0.25, 0.25, 0, 0, 0.75]))
    assert latent["noise_mask"].mean(dim=(0, 1, 3, 4)).tolist() == [0, 0, 1, 1, 0]
    assert "of 6 first pictures 5 fill latent frames" in report


def test_a_film_is_gone_on_from_with_its_own_size():
    prefix = {"samples": torch.ones(1, 16, 3, 6, 8)}
    latent, first, _, _ = video_latent(prefix=prefix)
    assert first == 3 and latent["samples"].shape == (1, 16, 5, 6, 8)
    assert torch.equal(latent["samples"][:, :, :3], prefix["samples"])


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"start": torch.zeros(1, 8, 8, 3)}, "without a VAE"),
        ({"prefix": {"samples": torch.ones(1, 16, 5, 4, 4)}}, "5 latent frames are given.* has 5"),
        ({"prefix": {"samples": torch.ones(1, 4, 2, 4, 4)}}, "needed is a film of 16 channels"),
    ],
)
def test_what_cannot_be_given_is_refused(given, message):
    with pytest.raises(ValueError, match=message):
        video_latent(**given)


@pytest.mark.parametrize("node", NODES, ids=lambda node: node.__name__)
def test_help_and_tooltips_are_complete(node):
    schema = node.GET_SCHEMA()
    page = (PAGES / f"{schema.node_id}.md").read_text(encoding="utf-8")
    assert page.startswith(f"# {schema.display_name}\n")
    assert [entry.id for entry in schema.inputs if f"`{entry.id}`" not in page] == []
    assert [key for key in methods_of(schema.node_id) if f"`{key}`" not in page] == []
    assert all(entry.tooltip for entry in (*schema.inputs, *schema.outputs))
    assert schema.category == "Kinograph/generation" and schema.description
