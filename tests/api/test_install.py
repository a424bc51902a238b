"""The stand-ins are in reach of `import`, are cheap, and refuse by name what is not there."""

import importlib
import subprocess
import sys

import pytest
from kinograph.host.api import install as installer


def run_python(code: str, *, path: str = "") -> str:
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, env={"PYTHONPATH": path}
    )
    return done.stdout.strip()


@pytest.mark.parametrize("name", sorted(installer._MODULES))
def test_each_public_name_is_the_stand_in_itself(name):
    assert importlib.import_module(name) is importlib.import_module(
        f"kinograph.host.api.{installer._MODULES[name]}"
    )


def test_installing_twice_adds_nothing():
    finders = list(sys.meta_path)
    assert installer.install()
    assert sys.meta_path == finders


def test_a_real_comfy_api_is_left_alone(tmp_path):
    (tmp_path / "comfy_api").mkdir()
    (tmp_path / "comfy_api" / "__init__.py").write_text("REAL = True")
    install = "from kinograph.host.api.install import install; print(install())"
    assert run_python(f"{install}; import comfy_api; print(comfy_api.REAL)", path=str(tmp_path)).split() == [
        "False",
        "True",
    ]


def test_declaring_nodes_needs_neither_torch_nor_numpy_nor_av():
    code = """
import sys
from kinograph.host.api.install import install
install()
from comfy_api.latest import ComfyExtension, Input, InputImpl, Types, io, ui
from comfy_api.v0_0_2 import ComfyAPISync
import comfy.utils, comfy.model_management, comfy.model_patcher, comfy.comfy_types
import comfy_execution.graph, comfy_execution.graph_utils, folder_paths, nodes, server

class Brighten(io.ComfyNode):
    @classmethod
    def define_schema(cls):
        return io.Schema("Brighten", inputs=[io.Image.Input("image")], outputs=[io.Image.Output()])

    @classmethod
    def execute(cls, image: Input.Image) -> io.NodeOutput:
        return io.NodeOutput(image)

Brighten.GET_NODE_INFO_V1()
print([name for name in ("torch", "numpy", "av", "PIL", "safetensors") if name in sys.modules])
"""
    assert run_python(code) == "[]"


@pytest.mark.parametrize(
    ("statement", "asked"),
    [
        ("import comfy.ldm.modules.attention", "comfy.ldm.modules.attention"),
        ("from comfy.ldm.modules.attention import optimized_attention", "comfy.ldm.modules.attention"),
        ("from comfy import sd", "comfy.sd"),
        ("import comfy.hooks", "comfy.hooks"),
        ("from comfy.utils import bislerpy", "comfy.utils.bislerpy"),
        ("from comfy.model_management import cast_to_gpu", "comfy.model_management.cast_to_gpu"),
        ("import comfy; comfy.sd", "comfy.sd"),
        ("from comfy_api.latest import io; io.Hologram", "comfy_api.latest.io.Hologram"),
        ("import folder_paths; folder_paths.get_secret()", "folder_paths.get_secret"),
        ("from server import PromptServer; PromptServer.instance.app", "server.PromptServer.instance.app"),
        ("from comfy.cli_args import args; args.listen_to_me", "comfy.cli_args.args.listen_to_me"),
        ("from nodes import KSampler", "nodes.KSampler"),
        ("from comfy_extras.nodes_mask import MaskComposite", "comfy_extras.nodes_mask"),
        ("import importlib; importlib.import_module('comfy.lora')", "comfy.lora"),
    ],
)
def test_what_is_not_there_is_refused_by_its_name(statement, asked):
    with pytest.raises((ImportError, AttributeError)) as refused:
        exec(statement, {})
    assert str(refused.value).startswith(f"{asked} is not part of Kinograph's embedded host")
    assert "inside ComfyUI" in str(refused.value)


@pytest.mark.parametrize(
    "statement",
    [
        "import comfy; comfy.utils.ProgressBar(1); comfy.model_management.processing_interrupted()",
        "import comfy_execution; comfy_execution.graph.ExecutionBlocker(None)",
        "from comfy_api.latest import _io, _util; _io.Image; _util.VideoCodec",
        "import comfy_api.latest._input_impl.video_types as types; types.VideoFromFile",
        "from comfy.comfy_types.node_typing import ComfyNodeABC",
    ],
)
def test_submodules_are_there_without_an_import_of_their_own(statement):
    run_python(f"from kinograph.host.api.install import install; install(); {statement}")


def test_probing_for_an_attribute_answers_no():
    import comfy.model_management

    assert not hasattr(comfy.model_management, "xpu_available_on_mars")


def test_a_pack_may_fall_back_when_a_module_is_missing():
    try:
        from comfy.ldm.modules import attention
    except ImportError:
        attention = None
    assert attention is None
