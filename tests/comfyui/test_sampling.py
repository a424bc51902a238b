"""Sampling in a real ComfyUI: our network under core's nodes, core's models under ours, and both alike."""

from __future__ import annotations

import json

import pytest
import torch
from comfyui.client import NodeFailed, Refused, node
from comfyui.examples import VAE
from generation.wan_files import prompt, random_weights, tiny_config, write_wan
from kinograph.nodes.generation.nodes_sampling import KinoSampler
from kinograph.nodes.model import load_video_model
from safetensors.torch import load_file, save_file

WAN, EXPERT, PICTURE, LORA = (
    "wan.safetensors",
    "wan_low.safetensors",
    "wan_i2v.safetensors",
    "wan_lora.safetensors",
)
WIDTH = 4096
"""Of text tokens: the one that every version of core takes."""
LOADERS = {
    "core's": node("UNETLoader", unet_name=WAN, weight_dtype="default"),
    "ours": node("KinoLoadVideoModel", file=WAN, network="kinograph"),
}
CLOSE = 1e-3
KEPT = 1e-5


@pytest.fixture(scope="module", autouse=True)
def files(comfyui) -> None:
    """Small random Wan files, and a LoRA under published and underscored names."""
    folder = comfyui.base / "models" / "diffusion_models"
    write_wan(folder / WAN, WIDTH)
    write_wan(folder / EXPERT, WIDTH, seed=1)
    save_file(random_weights(tiny_config(WIDTH, in_channels=36)), folder / PICTURE)
    generator = torch.Generator().manual_seed(0)
    tensors = {
        f"{name}.lora_{kind}.weight": torch.randn(shape, generator=generator) / 8
        for name in ("diffusion_model.blocks.0.self_attn.q", "lora_unet_blocks_1_cross_attn_o")
        for kind, shape in (("up", (256, 4)), ("down", (4, 256)))
    }
    (comfyui.base / "models" / "loras").mkdir(exist_ok=True)
    save_file(tensors, comfyui.base / "models" / "loras" / LORA)


def prompts(width: int = WIDTH, masked: bool = False) -> dict:
    return {
        "positive": node("RandomConditioning", seed=1, width=width, masked=masked),
        "negative": node("RandomConditioning", seed=2, width=width, masked=masked),
    }


def latent(frames: int = 9, width: int = 48, height: int = 32) -> dict:
    return {"latent": node("EmptyHunyuanLatentVideo", width=width, height=height, length=frames)}


def core_sampler(model="model", steps=4, sampler="euler", **inputs) -> dict:
    given = {"positive": ["positive", 0], "negative": ["negative", 0], "latent_image": ["latent", 0]}
    given |= {"seed": 3, "steps": steps, "cfg": 3.0, "scheduler": "simple", "sampler_name": sampler}
    return node("KSampler", model=[model, 0], **{**given, **inputs})


def kino_sampler(model="model", steps=4, sampler="euler", **inputs) -> dict:
    given = {"positive": ["positive", 0], "negative": ["negative", 0], "latent": ["latent", 0]}
    given |= {"seed": 3, "steps": steps, "cfg": 3.0, "scheduler": "simple", "sampler": sampler}
    return node("KinoSampler", model=[model, 0], **{**given, **inputs})


def compared(comfyui, one: dict, other: dict) -> dict:
    """How far apart what two graphs give under the key "film" is."""
    graph = {}
    for side, nodes in (("one", one), ("other", other)):
        for key, entry in nodes.items():
            inputs = {
                name: [f"{side} {value[0]}", value[1]] if isinstance(value, list) else value
                for name, value in entry["inputs"].items()
            }
            graph[f"{side} {key}"] = {**entry, "inputs": inputs}
    graph["facts"] = node("CompareLatents", one=["one film", 0], other=["other film", 0])
    graph["show"] = node("PreviewAny", source=["facts", 0])
    return json.loads(comfyui.run(graph)["show"]["text"][0])


SHARED = {**prompts(), **latent()}
CHAINS: dict[str, dict] = {
    "plain": {**SHARED, "film": core_sampler()},
    "heun": {**SHARED, "film": core_sampler(sampler="heun")},
    "ModelSamplingSD3": {
        **SHARED,
        "shifted": node("ModelSamplingSD3", model=["model", 0], shift=3.0),
        "film": core_sampler("shifted"),
    },
    "LoraLoaderModelOnly": {
        **SHARED,
        "lora": node("LoraLoaderModelOnly", model=["model", 0], lora_name=LORA, strength_model=0.7),
        "film": core_sampler("lora"),
    },
    "EasyCache": {
        **SHARED,
        "cached": node("EasyCache", model=["model", 0], reuse_threshold=0.9),
        "film": core_sampler("cached", steps=8),
    },
    "WanContextWindowsManual": {
        **SHARED,
        **latent(25),
        "windows": node("WanContextWindowsManual", model=["model", 0], context_length=13, context_overlap=5),
        "film": core_sampler("windows"),
    },
    "SkipLayerGuidanceDiT": {
        **SHARED,
        "skipping": node(
            "SkipLayerGuidanceDiT", model=["model", 0], double_layers="1", start_percent=0.0, end_percent=1.0
        ),
        "film": core_sampler("skipping"),
    },
    "odd sizes": {
        **SHARED,
        "latent": node("KinoVideoLatent", width=48, height=32, frames=1),
        "film": core_sampler(),
    },
}


@pytest.mark.parametrize("name", CHAINS)
def test_our_network_gives_what_cores_gives_under_cores_nodes(comfyui, name):
    facts = compared(comfyui, *({"model": loader, **CHAINS[name]} for loader in LOADERS.values()))
    assert facts["difference"] < CLOSE < facts["spread"]


def test_auto_is_cores_own_model(comfyui):
    graph = {
        "model": node("KinoLoadVideoModel", file=WAN),
        "show": node("PreviewAny", source=["model", 1]),
    }
    assert comfyui.run(graph)["show"]["text"] == [f"{WAN}: WAN21, ComfyUI's own network"]


def test_what_changes_a_model_changes_our_network(comfyui):
    for name in set(CHAINS) - {"plain", "WanContextWindowsManual", "odd sizes"}:
        plain = {"model": LOADERS["ours"], **SHARED}
        plain["film"] = core_sampler(steps=8 if name == "EasyCache" else 4)
        changed = {"model": LOADERS["ours"], **CHAINS[name]}
        assert compared(comfyui, plain, changed)["difference"] > CLOSE, name


def test_image_to_video_gets_its_picture(comfyui):
    chain = {
        **prompts(),
        "image": node("EmptyImage", width=48, height=32, color=0xFF8000),
        "vae": node("KinoLoadVideoVAE", vae_name=VAE),
        "given": node(
            "WanImageToVideo",
            positive=["positive", 0],
            negative=["negative", 0],
            vae=["vae", 0],
            start_image=["image", 0],
            width=48,
            height=32,
            length=9,
        ),
        "film": core_sampler(positive=["given", 0], negative=["given", 1], latent_image=["given", 2]),
    }
    core = node("UNETLoader", unet_name=PICTURE, weight_dtype="default")
    ours = node("KinoLoadVideoModel", file=PICTURE, network="kinograph")
    assert compared(comfyui, {"model": core, **chain}, {"model": ours, **chain})["difference"] < CLOSE
    blind = {"model": ours, **chain, **latent(), "film": core_sampler()}
    assert compared(comfyui, {"model": ours, **chain}, blind)["difference"] > CLOSE


def test_hooks_of_other_packs_are_called_as_often_as_on_cores_network(comfyui):
    counts = []
    for name, loader in LOADERS.items():
        graph = {
            "model": loader,
            **SHARED,
            "hooked": node("CountHooks", model=["model", 0], name=name),
            "film": core_sampler("hooked"),
            "counts": node("HookCounts", name=name, samples=["film", 0]),
            "show": node("PreviewAny", source=["counts", 0]),
        }
        counts.append(json.loads(comfyui.run(graph)["show"]["text"][0]))
    core, ours = ({key: n for key, n in found.items() if not key.startswith("grid")} for found in counts)
    assert ours == core and ours["diffusion_model"] == 4
    assert counts[1]["grid (3, 2, 3)"] == 16  # two attentions in each of two blocks, four steps


def test_a_saved_model_is_the_file_it_came_from(comfyui):
    graph = {
        "model": LOADERS["ours"],
        "save": node("ModelSave", model=["model", 0], filename_prefix="saved_wan"),
    }
    comfyui.run(graph)
    [saved] = (comfyui.base / "output").glob("saved_wan*")
    original = load_file(comfyui.base / "models" / "diffusion_models" / WAN)
    found = {key.removeprefix("model.diffusion_model."): tensor for key, tensor in load_file(saved).items()}
    assert found.keys() == original.keys()
    assert all(torch.equal(found[key], original[key]) for key in original)


@pytest.mark.parametrize("loader", LOADERS)
def test_our_euler_is_cores(comfyui, loader):
    graph = {"model": LOADERS[loader], **SHARED}
    facts = compared(comfyui, {**graph, "film": core_sampler()}, {**graph, "film": kino_sampler()})
    assert facts["difference"] < CLOSE


@pytest.mark.parametrize("settings", [{}, {"sampler": "unipc", "guidance": "cfg_zero_star", "shift": 3.0}])
def test_the_embedded_host_makes_the_same_film(comfyui, settings):
    graph = {"model": LOADERS["ours"], **SHARED, "film": kino_sampler(**settings), "show": SHOW}
    [path] = comfyui.saved(comfyui.run(graph)["show"])
    model = load_video_model(str(comfyui.base / "models" / "diffusion_models" / WAN), "auto", "auto").model
    plain = {"sampler": "euler", "guidance": "cfg", "shift": 0.0, **settings}
    plain |= {"seed": 3, "steps": 4, "cfg": 3.0, "scheduler": "simple", "denoise": 1.0}
    made, _ = KinoSampler.execute(
        model,
        prompt(1, width=WIDTH),
        prompt(2, width=WIDTH),
        {"samples": torch.zeros(1, 16, 3, 4, 6)},
        {"method": "flat"},
        **plain,
        cfg_end=1.0,
        skip_threshold=0.0,
        preview_every=0,
    ).args
    assert (load_file(path)["latent_tensor"] - made["samples"]).abs().max() < CLOSE


METHODS: dict[str, tuple[dict, set[int]]] = {
    "image_to_video": ({}, {0}),
    "in_between": ({}, {0, 4}),
    "pyramid": ({"method.first": 2}, {0, 1}),
    "extension": ({"method.first": 1, "method.window": 3, "method.overlap": 1}, {0}),
}


@pytest.mark.parametrize("method", METHODS)
def test_noise_levels_per_frame_work_on_cores_own_model(comfyui, method):
    options, kept = METHODS[method]
    shared = {**prompts(), "latent": node("RandomLatent", frames=5)}
    film = kino_sampler(method=method, **options)
    graphs = [{"model": loader, **shared, "film": film} for loader in LOADERS.values()]
    assert compared(comfyui, *graphs)["difference"] < CLOSE
    given = {"film": shared["latent"]}
    change = compared(comfyui, graphs[0], given)["frames"]
    assert {frame for frame in range(5) if change[frame] < KEPT} == kept


def test_a_noise_mask_is_a_schedule_per_frame_under_cores_sampler(comfyui):
    shared = {"model": LOADERS["ours"], **prompts(), "latent": node("RandomLatent", frames=3, kept=1)}
    by_schedule = {**shared, "film": kino_sampler(method="image_to_video")}
    assert compared(comfyui, {**shared, "film": core_sampler()}, by_schedule)["difference"] < CLOSE


def test_the_parts_work_in_cores_custom_sampler(comfyui):
    parts = {
        "model": LOADERS["core's"],
        **prompts(),
        "latent": node("RandomLatent", frames=3),
        "noise": node("RandomNoise", noise_seed=3),
        "guider": node(
            "KinoGuider",
            model=["model", 0],
            positive=["positive", 0],
            negative=["negative", 0],
            cfg=3.0,
            guidance="over_frames",
            cfg_end=2.0,
        ),
        "sampler": node("KinoSamplerSelect", sampler="unipc", method="image_to_video"),
        "sigmas": node("KinoFlowSigmas", model=["model", 0], steps=4),
        "film": node(
            "SamplerCustomAdvanced",
            noise=["noise", 0],
            guider=["guider", 0],
            sampler=["sampler", 0],
            sigmas=["sigmas", 0],
            latent_image=["latent", 0],
        ),
    }
    whole = kino_sampler(sampler="unipc", method="image_to_video", guidance="over_frames", cfg_end=2.0)
    assert compared(comfyui, parts, {**parts, "film": whole})["difference"] < KEPT


def test_our_patches_work_under_cores_sampler_on_cores_model(comfyui):
    shared = {"model": LOADERS["core's"], **SHARED}
    patched = {
        **shared,
        "guided": node("KinoGuidance", model=["model", 0], guidance="cfg_zero_star", end_percent=0.9),
        "cached": node("KinoStepCache", model=["guided", 0], threshold=5.0, warm_up=1),
        "film": core_sampler("cached", steps=8),
    }
    exact = {**patched, "cached": node("KinoStepCache", model=["guided", 0], threshold=0.0)}
    assert compared(comfyui, patched, exact)["difference"] > CLOSE
    assert compared(comfyui, exact, {**shared, "film": core_sampler(steps=8)})["difference"] > CLOSE


def test_experts_switch_by_noise_level_on_cores_models(comfyui):
    shared = {**SHARED, "film": core_sampler()}
    low = {"model": node("UNETLoader", unet_name=EXPERT, weight_dtype="default"), **shared}

    def both(boundary: float) -> dict:
        loader = node("KinoLoadVideoModel", file=WAN, low_noise_file=EXPERT, boundary=boundary)
        return {"model": loader, **shared}

    high = {"model": LOADERS["core's"], **shared}
    assert compared(comfyui, both(0.0), high)["difference"] < KEPT
    assert compared(comfyui, both(0.9), high)["difference"] > CLOSE
    assert compared(comfyui, both(0.9), low)["difference"] > CLOSE


def test_two_prompts_at_two_sizes_in_a_row(comfyui):
    first = {"model": LOADERS["ours"], **SHARED, "film": kino_sampler(skip_threshold=0.1)}
    second = {
        "model": LOADERS["ours"],
        "positive": node("RandomConditioning", seed=7, width=WIDTH, tokens=9),
        "negative": node("RandomConditioning", seed=8, width=WIDTH, tokens=3),
        **latent(5, width=64, height=48),
        "film": kino_sampler(skip_threshold=0.1),
    }
    assert compared(comfyui, first, first)["difference"] == 0
    assert compared(comfyui, second, second)["shape"] == [1, 16, 2, 6, 8]
    assert compared(comfyui, first, {**first, "film": kino_sampler(seed=4)})["shape"] == [1, 16, 3, 4, 6]


@pytest.mark.parametrize(("family", "channels"), [("ltx", 128), ("hunyuan", 16)])
def test_other_flow_models_of_core_are_sampled_with_one_noise_level(comfyui, family, channels):
    shared = {
        "model": node("SmallCoreModel", family=family),
        **prompts(64, masked=family == "ltx"),
        "latent": node("RandomLatent", frames=3, channels=channels),
    }
    facts = compared(
        comfyui, {**shared, "film": core_sampler()}, {**shared, "film": kino_sampler(preview_every=1)}
    )
    assert facts["difference"] < 0.02 * facts["spread"]
    with pytest.raises(NodeFailed, match="takes one noise level for the whole film"):
        comfyui.run({**shared, "film": kino_sampler(method="image_to_video"), "show": SHOW})


SHOW = node("SaveLatent", samples=["film", 0])


@pytest.mark.parametrize("loader", LOADERS)
def test_prompts_of_another_width_are_refused(comfyui, loader):
    graph = {"model": LOADERS[loader], **prompts(64), **latent(), "film": kino_sampler(), "show": SHOW}
    with pytest.raises(NodeFailed, match="tokens have 64 channels, the model takes 4096"):
        comfyui.run(graph)


def test_latents_of_another_model_are_refused(comfyui):
    graph = {"model": LOADERS["core's"], **prompts(), "latent": node("RandomLatent", frames=3, channels=48)}
    with pytest.raises(NodeFailed, match="48 channels, the model takes 16"):
        comfyui.run({**graph, "film": kino_sampler(), "show": SHOW})


def test_a_file_of_another_architecture_is_refused_by_name(comfyui):
    path = comfyui.base / "models" / "diffusion_models" / "strange.safetensors"
    save_file({"some.weight": torch.zeros(2, 2)}, path)
    graph = {
        "model": node("KinoLoadVideoModel", file=path.name),
        **SHARED,
        "film": core_sampler(),
        "show": SHOW,
    }
    with pytest.raises(NodeFailed, match=r"strange\.safetensors is no Wan transformer"):
        comfyui.run(graph)


def test_a_value_out_of_range_is_refused(comfyui):
    graph = {"model": LOADERS["ours"], **SHARED, "film": kino_sampler(steps=0), "show": SHOW}
    with pytest.raises(Refused):
        comfyui.run(graph)
