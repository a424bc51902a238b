"""Compute devices: which one, what it holds, and which number types it computes well."""

from __future__ import annotations

from typing import Any

from .cli_args import args


def get_torch_device() -> Any:
    """The `torch.device` that networks run on."""
    import torch

    if not args.cpu and torch.cuda.is_available():
        return torch.device("cuda", torch.cuda.current_device())
    if not args.cpu and torch.backends.mps.is_available():
        return torch.device("mps")
    return torch.device("cpu")


def _offload_device() -> Any:
    import torch

    return get_torch_device() if args.gpu_only or args.highvram else torch.device("cpu")


def _result_device() -> Any:
    import torch

    return get_torch_device() if args.gpu_only else torch.device("cpu")


def unet_offload_device() -> Any:
    """Where diffusion models wait while they are not needed."""
    return _offload_device()


def unet_inital_load_device(parameters: int, dtype: Any) -> Any:
    """Where a diffusion model of that size is first put."""
    return _offload_device()


def text_encoder_device() -> Any:
    return get_torch_device()


def text_encoder_offload_device() -> Any:
    return _result_device()


def vae_device() -> Any:
    import torch

    return torch.device("cpu") if args.cpu_vae else get_torch_device()


def vae_offload_device() -> Any:
    return _result_device()


def intermediate_device() -> Any:
    """Where nodes leave their results."""
    return _result_device()


def is_device_type(device: Any, type: str) -> bool:
    return getattr(device, "type", None) == type


def is_device_cpu(device: Any) -> bool:
    return is_device_type(device, "cpu")


def is_device_mps(device: Any) -> bool:
    return is_device_type(device, "mps")


def is_device_cuda(device: Any) -> bool:
    return is_device_type(device, "cuda")


def is_nvidia() -> bool:
    import torch

    return get_torch_device().type == "cuda" and bool(torch.version.cuda)


def is_amd() -> bool:
    import torch

    return get_torch_device().type == "cuda" and bool(torch.version.hip)


def is_intel_xpu() -> bool:
    """Always False: the embedded host computes on CUDA, MPS or the CPU."""
    return False


def get_autocast_device(dev: Any) -> str:
    return getattr(dev, "type", "cuda")


def should_use_fp16(device: Any = None, model_params: int = 0, **_: Any) -> bool:
    """Whether float16 is the better choice on the device."""
    if args.force_fp16 or args.force_fp32:
        return args.force_fp16
    return not is_device_cpu(device or get_torch_device())


def should_use_bf16(device: Any = None, model_params: int = 0, **_: Any) -> bool:
    """Whether bfloat16 is the better choice on the device."""
    import torch

    device = device or get_torch_device()
    return not args.force_fp32 and is_device_cuda(device) and torch.cuda.get_device_capability(device)[0] >= 8


def vae_dtype(device: Any = None, allowed_dtypes: list | None = None) -> Any:
    """The first allowed dtype that the device computes well, else float32."""
    import torch

    for dtype in allowed_dtypes or []:
        if dtype == torch.float16 and should_use_fp16(device):
            return dtype
        if dtype == torch.bfloat16 and should_use_bf16(device):
            return dtype
    return torch.float32


def text_encoder_dtype(device: Any = None) -> Any:
    """float16, or float32 where the text encoder runs on the CPU."""
    import torch

    return torch.float32 if is_device_cpu(device or text_encoder_device()) else torch.float16


def unet_dtype(
    device: Any = None, model_params: int = 0, supported_dtypes: list | None = None, weight_dtype: Any = None
) -> Any:
    """The dtype for a diffusion model's weights: a supported half type where it pays, else float32."""
    import torch

    supported = supported_dtypes or [torch.float16, torch.bfloat16, torch.float32]
    if weight_dtype in supported:
        return weight_dtype
    return vae_dtype(device, supported)


def dtype_size(dtype: Any) -> int:
    """Bytes per element."""
    return dtype.itemsize


def cast_to_device(tensor: Any, device: Any, dtype: Any, copy: bool = False) -> Any:
    return tensor.to(device=device, dtype=dtype, copy=copy)


def get_free_memory(dev: Any = None, torch_free_too: bool = False) -> Any:
    """Free bytes on a device; with `torch_free_too`, (free, free inside torch's own reserve)."""
    import torch

    dev = dev or get_torch_device()
    if is_device_cuda(dev):
        stats = torch.cuda.memory_stats(dev)
        reserve = stats.get("reserved_bytes.all.current", 0) - stats.get("active_bytes.all.current", 0)
        free = torch.cuda.mem_get_info(dev)[0] + reserve
    else:
        import psutil

        free = reserve = psutil.virtual_memory().available
    return (free, reserve) if torch_free_too else free


def get_total_memory(dev: Any = None, torch_total_too: bool = False) -> Any:
    """All bytes of a device; with `torch_total_too`, (all, reserved by torch)."""
    import torch

    dev = dev or get_torch_device()
    if is_device_cuda(dev):
        total = torch.cuda.mem_get_info(dev)[1]
        reserved = torch.cuda.memory_stats(dev).get("reserved_bytes.all.current", 0)
    else:
        import psutil

        total = reserved = psutil.virtual_memory().total
    return (total, reserved) if torch_total_too else total


def soft_empty_cache(force: bool = False) -> None:
    """Give torch's unused reserve back to the device."""
    import torch

    kind = get_torch_device().type
    if kind == "cuda":
        torch.cuda.empty_cache()
        torch.cuda.ipc_collect()
    elif kind == "mps":
        torch.mps.empty_cache()
