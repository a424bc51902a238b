"""`comfy.model_patcher`: a network with its devices and the options that patch it."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

from .loaded_models import module_size
from .patcher_extension import CallbacksMP, Registered, copy_nested_dicts


def create_model_options_clone(orig_model_options: dict[str, Any]) -> dict[str, Any]:
    """Options with their dictionaries and lists copied and everything else shared."""
    return copy_nested_dicts(orig_model_options)


class ModelPatcher:
    """A network that the host moves between a compute and an offload device.

    Clones share the network and differ in `model_options`, so that a patch on one MODEL leaves the
    others as they are.

    Args:
        model: a `torch.nn.Module`.
        load_device, offload_device: `torch.device`s.
        size: bytes of the weights; measured when 0.
    """

    def __init__(
        self,
        model: Any,
        load_device: Any,
        offload_device: Any,
        size: int = 0,
        weight_inplace_update: bool = False,
    ) -> None:
        self.model = model
        self.load_device = load_device
        self.offload_device = offload_device
        self.size = size
        self.parent: ModelPatcher | None = None
        self.model_options: dict[str, Any] = {"transformer_options": {}}
        self.object_patches: dict[str, Any] = {}
        self.attachments: dict[str, Any] = {}
        self.wrappers: Registered = {}
        self.callbacks: Registered = {}
        self._replaced: dict[str, Any] = {}

    @property
    def root(self) -> ModelPatcher:
        """The patcher from which this one was cloned, by however many steps."""
        return self.parent.root if self.parent else self

    def clone(self) -> ModelPatcher:
        """A patcher of the same network with its own options."""
        twin = copy.copy(self)
        twin.parent = self
        twin.model_options = create_model_options_clone(self.model_options)
        twin.object_patches = dict(self.object_patches)
        twin.attachments = dict(self.attachments)
        twin.wrappers = copy_nested_dicts(self.wrappers)
        twin.callbacks = copy_nested_dicts(self.callbacks)
        twin._replaced = {}
        return twin

    def is_clone(self, other: Any) -> bool:
        """Whether both patch the same network."""
        return getattr(other, "model", None) is self.model

    def model_size(self) -> int:
        """Bytes of the weights."""
        self.size = self.size or module_size(self.model)
        return self.size

    def current_loaded_device(self) -> Any:
        """Where the weights lie; the offload device for a network without weights."""
        return next((weight.device for weight in self.model.parameters()), self.offload_device)

    def loaded_size(self) -> int:
        """Bytes of the weights that lie on the compute device."""
        return self.model_size() if self.current_loaded_device() == self.load_device else 0

    def partially_load(
        self, device_to: Any, extra_memory: float = 0, force_patch_weights: bool = False
    ) -> int:
        """Bring the whole network to a device; returns the bytes moved."""
        before = self.loaded_size()
        self.model.to(device_to)
        return self.loaded_size() - before

    def detach(self, unpatch_all: bool = True) -> Any:
        """Bring the network to its offload device."""
        return self.model.to(self.offload_device)

    def model_dtype(self) -> Any:
        """The dtype that the network asks for, or that of its weights where it asks for none."""
        asked = getattr(self.model, "get_dtype", None)
        return asked() if asked else next(self.model.parameters()).dtype

    def model_patches_models(self) -> list[ModelPatcher]:
        """Further models that patches bring and that must be loaded too."""
        patches = self.model_options["transformer_options"].get("patches", {})
        found = [patch.models() for kind in patches.values() for patch in kind if hasattr(patch, "models")]
        return [model for models in found for model in models]

    def get_model_object(self, name: str) -> Any:
        """An attribute of the network by dotted name, or the patch that replaces it."""
        if name in self.object_patches:
            return self.object_patches[name]
        found = self.model
        for part in name.split("."):
            found = getattr(found, part)
        return found

    def add_object_patch(self, name: str, obj: Any) -> None:
        """Replace an attribute of the network, as `get_model_object` sees it."""
        self.object_patches[name] = obj

    def pre_run(self) -> None:
        """Put the object patches in their places for a run; `cleanup` takes them out again."""
        self.model.current_patcher = self
        for name, patch in self.object_patches.items():
            owner, attribute = self._place(name)
            self._replaced[name] = getattr(owner, attribute)
            setattr(owner, attribute, patch)
        self._tell(CallbacksMP.ON_PRE_RUN)

    def cleanup(self) -> None:
        """End a run."""
        for name, original in self._replaced.items():
            owner, attribute = self._place(name)
            setattr(owner, attribute, original)
        self._replaced.clear()
        self.model.current_patcher = None
        self._tell(CallbacksMP.ON_CLEANUP)

    def _place(self, name: str) -> tuple[Any, str]:
        *path, attribute = name.split(".")
        owner = self.model
        for part in path:
            owner = getattr(owner, part)
        return owner, attribute

    def _tell(self, moment: str) -> None:
        for group in self.callbacks.get(moment, {}).values():
            for callback in group:
                callback(self)

    def add_wrapper_with_key(self, wrapper_type: str, key: str, wrapper: Callable) -> None:
        """Put a function around a step of sampling, see `comfy.patcher_extension.WrappersMP`."""
        self.wrappers.setdefault(wrapper_type, {}).setdefault(key, []).append(wrapper)

    def add_wrapper(self, wrapper_type: str, wrapper: Callable) -> None:
        self.add_wrapper_with_key(wrapper_type, None, wrapper)

    def remove_wrappers_with_key(self, wrapper_type: str, key: str) -> None:
        self.wrappers.get(wrapper_type, {}).pop(key, None)

    def add_callback_with_key(self, call_type: str, key: str, callback: Callable) -> None:
        """Be told of a moment, `callback(patcher)`; see `comfy.patcher_extension.CallbacksMP`."""
        self.callbacks.setdefault(call_type, {}).setdefault(key, []).append(callback)

    def add_callback(self, call_type: str, callback: Callable) -> None:
        self.add_callback_with_key(call_type, None, callback)

    def is_dynamic(self) -> bool:
        return False

    def get_attachment(self, key: str) -> Any:
        return self.attachments.get(key)

    def set_attachments(self, key: str, attachment: Any) -> None:
        self.attachments[key] = attachment

    def set_model_sampler_cfg_function(
        self, sampler_cfg_function: Callable, disable_cfg1_optimization: bool = False
    ) -> None:
        """Replace classifier-free guidance by `f({"cond": …, "uncond": …, "cond_scale": …, …})`."""
        self.model_options["sampler_cfg_function"] = sampler_cfg_function
        self._keep_uncond(disable_cfg1_optimization)

    def set_model_sampler_post_cfg_function(
        self, post_cfg_function: Callable, disable_cfg1_optimization: bool = False
    ) -> None:
        """Add a function of the guided prediction; several run in turn."""
        self.model_options.setdefault("sampler_post_cfg_function", []).append(post_cfg_function)
        self._keep_uncond(disable_cfg1_optimization)

    def set_model_sampler_pre_cfg_function(
        self, pre_cfg_function: Callable, disable_cfg1_optimization: bool = False
    ) -> None:
        """Add a function of the predictions before guidance; several run in turn."""
        self.model_options.setdefault("sampler_pre_cfg_function", []).append(pre_cfg_function)
        self._keep_uncond(disable_cfg1_optimization)

    def _keep_uncond(self, wanted: bool) -> None:
        if wanted:
            self.model_options["disable_cfg1_optimization"] = True

    def set_model_unet_function_wrapper(self, unet_wrapper_function: Callable) -> None:
        """Run `f(apply_model, {"input": …, "timestep": …, "c": …, "cond_or_uncond": …})` for each forward."""
        self.model_options["model_function_wrapper"] = unet_wrapper_function

    def set_model_patch(self, patch: Callable, name: str) -> None:
        """Add a function at a place in the blocks, e.g. "attn1_patch"."""
        patches = self.model_options["transformer_options"].setdefault("patches", {})
        patches.setdefault(name, []).append(patch)

    def set_model_patch_replace(
        self, patch: Callable, name: str, block_name: str, number: int, transformer_index: int | None = None
    ) -> None:
        """Replace one block's part, e.g. name "dit", block_name "double_block", number 3."""
        replaced = self.model_options["transformer_options"].setdefault("patches_replace", {})
        place = (block_name, number) if transformer_index is None else (block_name, number, transformer_index)
        replaced.setdefault(name, {})[place] = patch
