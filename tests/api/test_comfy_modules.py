"""`comfy.*`, `nodes` and `server`: progress, weight files, scaling, managed models, messages."""

import asyncio
import pickle

import comfy.utils
import pytest
import torch
from comfy import model_management
from comfy.cli_args import args
from comfy.comfy_types import IO, CheckLazyMixin
from comfy.model_patcher import ModelPatcher
from comfy_api.latest import ComfyAPI, ComfyAPISync
from comfy_execution.utils import CurrentNodeContext
from kinograph.host.api.comfy import loaded_models
from server import PromptServer

GPU = torch.device("cuda", 0)
CPU = torch.device("cpu")


@pytest.fixture
def reports():
    """What progress bars report."""
    seen = []
    comfy.utils.set_progress_bar_global_hook(lambda *given, node_id: seen.append((*given, node_id)))
    yield seen
    comfy.utils.set_progress_bar_global_hook(None)


def test_progress_reaches_the_hook_and_stops_at_the_total(reports):
    bar = comfy.utils.ProgressBar(3, node_id="7")
    bar.update(2)
    bar.update(2)
    bar.update_absolute(5, 10, "preview")
    assert reports == [(2, 3, None, "7"), (3, 3, None, "7"), (5, 10, "preview", "7")]


def test_the_api_reports_progress_of_the_running_node(reports):
    with CurrentNodeContext("p", "3"):
        ComfyAPISync().execution.set_progress(1, 4)
    assert reports == [(1, 4, None, "3")]
    with pytest.raises(ValueError, match="node_id"):
        ComfyAPISync().execution.set_progress(1, 4)


def test_a_tensor_preview_becomes_a_picture(reports):
    asyncio.run(ComfyAPI().execution.set_progress(1, 2, node_id="1", preview_image=torch.ones(1, 4, 6, 3)))
    kind, picture, largest = reports[0][2]
    assert (kind, picture.size, picture.getpixel((0, 0)), largest) == ("JPEG", (6, 4), (255, 255, 255), 512)


def test_a_cancel_is_raised_once():
    model_management.interrupt_current_processing()
    assert model_management.processing_interrupted()
    with pytest.raises(model_management.InterruptProcessingException):
        model_management.throw_exception_if_processing_interrupted()
    model_management.throw_exception_if_processing_interrupted()


def test_weights_keep_their_metadata(tmp_path):
    path = str(tmp_path / "w.safetensors")
    comfy.utils.save_torch_file({"a": torch.arange(3)}, path, metadata={"kind": "test"})
    weights, metadata = comfy.utils.load_torch_file(path, return_metadata=True)
    assert torch.equal(weights["a"], torch.arange(3))
    assert metadata == {"kind": "test"}


class Evil:
    def __reduce__(self):
        return (open, ("/nowhere/at/all",))


def test_a_pickle_that_runs_code_is_refused(tmp_path):
    torch.save({"a": Evil()}, tmp_path / "evil.pt")
    with pytest.raises(pickle.UnpicklingError, match=r"weights_only|Weights only"):
        comfy.utils.load_torch_file(str(tmp_path / "evil.pt"))


def test_a_plain_checkpoint_loads(tmp_path):
    torch.save({"state_dict": {"a": torch.ones(2)}}, tmp_path / "w.pt")
    assert torch.equal(comfy.utils.load_torch_file(str(tmp_path / "w.pt"))["a"], torch.ones(2))


def test_a_broken_weight_file_is_named(tmp_path):
    (tmp_path / "broken.safetensors").write_bytes(b"no weights")
    with pytest.raises(ValueError, match=r"broken\.safetensors is not a whole safetensors file"):
        comfy.utils.load_torch_file(str(tmp_path / "broken.safetensors"))


def test_center_crop_keeps_the_aspect():
    image = torch.zeros(1, 3, 10, 30)
    image[..., 10:20] = 1
    square = comfy.utils.common_upscale(image, 5, 5, "area", "center")
    assert torch.equal(square, torch.ones(1, 3, 5, 5))


@pytest.mark.parametrize("method", ["nearest-exact", "bilinear", "area", "bicubic", "bislerp", "lanczos"])
def test_every_method_scales_to_the_exact_size(method):
    flat = torch.full((2, 3, 8, 12), 0.5)
    scaled = comfy.utils.common_upscale(flat, 7, 5, method, "disabled")
    assert scaled.shape == (2, 3, 5, 7)
    assert (scaled - 0.5).abs().max() < 0.003


def test_videos_are_scaled_frame_by_frame():
    video = torch.rand(1, 4, 3, 8, 8)
    scaled = comfy.utils.common_upscale(video, 4, 4, "bilinear", "disabled")
    third = torch.nn.functional.interpolate(video[:, :, 2], size=(4, 4), mode="bilinear")
    assert scaled.shape == (1, 4, 3, 4, 4)
    assert torch.equal(scaled[:, :, 2], third)


def test_bislerp_turns_vectors_without_shortening_them():
    corner = torch.tensor([[1.0, 0.0], [0.0, 1.0]]).reshape(1, 2, 1, 2)
    middle = comfy.utils.common_upscale(corner, 3, 1, "bislerp", "disabled")[0, :, 0, 1]
    assert torch.allclose(middle, torch.tensor([0.5, 0.5]).sqrt(), atol=1e-4)


def double(tile):
    return torch.nn.functional.interpolate(tile, scale_factor=2, mode="nearest")


def test_tiles_give_the_whole_pictures_result():
    image = torch.rand(2, 3, 50, 70)
    bar = comfy.utils.ProgressBar(1)
    tiled = comfy.utils.tiled_scale(image, double, 32, 32, overlap=8, upscale_amount=2, pbar=bar)
    assert torch.allclose(tiled, double(image), atol=1e-6)


def test_tiles_follow_a_formula_along_time():
    latents = torch.rand(1, 2, 5, 4, 4)  # [B,C,T,H,W]; each frame after the first stands for four
    tiled = comfy.utils.tiled_scale_multidim(
        latents,
        lambda tile: torch.ones(1, 3, (tile.shape[2] - 1) * 4 + 1, tile.shape[3] * 8, tile.shape[4] * 8),
        tile=(99, 3, 3),
        overlap=(1, 1, 1),
        upscale_amount=(lambda frames: max(0, frames * 4 - 3), 8, 8),
        index_formulas=(4, 8, 8),
    )
    assert tiled.shape == (1, 3, 17, 32, 32)
    assert torch.allclose(tiled, torch.ones_like(tiled))


class Network(torch.nn.Module):
    """1000 bytes that only pretend to move."""

    def __init__(self):
        super().__init__()
        self.weight = torch.nn.Parameter(torch.zeros(250))
        self.place = CPU

    def to(self, device):
        self.place = device
        return self


class Patcher(ModelPatcher):
    def current_loaded_device(self):
        return self.model.place


@pytest.fixture
def device_memory(monkeypatch):
    """A compute device of 3,000 bytes, with nothing reserved for anyone."""
    loaded_models.current_loaded_models.clear()

    def free(device):
        return 3000 - sum(loaded.model.loaded_size() for loaded in loaded_models.current_loaded_models)

    monkeypatch.setattr(loaded_models, "get_free_memory", free)
    monkeypatch.setattr(loaded_models, "_LEAST_WORKING_ROOM", 0)
    monkeypatch.setattr(args, "reserve_vram", 0)
    yield
    loaded_models.current_loaded_models.clear()


def patchers(count):
    return [Patcher(Network(), GPU, CPU) for _ in range(count)]


def test_the_longest_unused_model_makes_room(device_memory):
    a, b, c = patchers(3)
    for patcher in (a, b, a, c):
        model_management.load_models_gpu([patcher])
    assert [patcher.model.place for patcher in (a, b, c)] == [GPU, CPU, GPU]
    assert model_management.loaded_models() == [c, a]


def test_working_room_is_made_for_the_model_that_stays(device_memory):
    a, b = patchers(2)
    model_management.load_models_gpu([a])
    model_management.load_models_gpu([b], memory_required=1500)
    assert (a.model.place, b.model.place) == (CPU, GPU)


def test_models_asked_for_together_do_not_push_each_other_out(device_memory):
    a, b = patchers(2)
    model_management.load_models_gpu([a, b], memory_required=2500)
    assert (a.model.place, b.model.place) == (GPU, GPU)


def test_a_model_that_nothing_holds_is_forgotten(device_memory):
    (a,) = patchers(1)
    model_management.load_models_gpu([a.clone()])
    assert model_management.loaded_models() == [a]
    del a
    model_management.cleanup_models_gc()
    assert model_management.loaded_models() == []


def test_unloading_takes_everything_off_the_device(device_memory, monkeypatch):
    monkeypatch.setattr(loaded_models, "get_torch_device", lambda: GPU)
    a, b = patchers(2)
    model_management.load_models_gpu([a, b])
    model_management.unload_all_models()
    assert (a.model.place, b.model.place) == (CPU, CPU)
    assert model_management.loaded_models() == []


def test_a_clone_is_patched_alone():
    original = ModelPatcher(torch.nn.Linear(2, 2), CPU, CPU)
    original.set_model_patch(len, "attn1_patch")
    clone = original.clone()
    clone.set_model_patch(max, "attn1_patch")
    clone.model_options["transformer_options"]["optimized_attention_override"] = min
    clone.add_object_patch("weight", "patched")
    assert original.model_options == {"transformer_options": {"patches": {"attn1_patch": [len]}}}
    assert clone.model_options["transformer_options"]["patches"] == {"attn1_patch": [len, max]}
    assert (clone.get_model_object("weight"), clone.is_clone(original)) == ("patched", True)
    assert original.get_model_object("weight") is original.model.weight


def test_a_patcher_knows_its_size_and_dtype():
    patcher = ModelPatcher(torch.nn.Linear(3, 5).bfloat16(), CPU, CPU)
    assert (patcher.model_size(), patcher.model_dtype(), patcher.loaded_size()) == (40, torch.bfloat16, 40)


def test_devices_without_a_gpu(monkeypatch):
    monkeypatch.setattr(args, "cpu", True)
    assert model_management.get_torch_device() == model_management.unet_offload_device() == CPU
    assert model_management.cpu_state is model_management.CPUState.CPU
    assert issubclass(model_management.OOM_EXCEPTION, RuntimeError)
    assert model_management.vae_dtype(CPU, [torch.bfloat16, torch.float32]) == torch.float32
    assert 0 < model_management.get_free_memory(CPU) < model_management.get_total_memory(CPU)


def test_any_type_equals_every_type():
    assert not IO.ANY != "IMAGE"  # noqa: SIM202 - V1 hosts ask with `!=`
    assert not IO.NUMBER != "INT"  # noqa: SIM202
    assert IO.INT != "FLOAT"
    assert f"{IO.IMAGE}" == "IMAGE"
    assert CheckLazyMixin().check_lazy_status(a=1, b=None) == ["b"]


def test_messages_reach_the_hook(monkeypatch):
    sent = []
    server = PromptServer()
    server.send_sync("lost", {})
    server.send_hook = lambda *message: sent.append(message)
    server.client_id = "me"
    server.send_sync("pack.event", {"x": 1})
    server.send_progress_text("working", "5")
    assert sent == [
        ("pack.event", {"x": 1}, None),
        ("progress_text", {"nodeId": "5", "text": "working"}, "me"),
    ]


def test_routes_are_recorded():
    server = PromptServer()

    @server.routes.post("/pack/do")
    async def do(request):
        return request

    assert asyncio_result(do) == "asked"
    assert [(route.method, route.path, route.handler) for route in server.routes] == [
        ("POST", "/pack/do", do)
    ]


def asyncio_result(handler):
    import asyncio

    return asyncio.run(handler("asked"))
