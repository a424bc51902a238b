"""Foreign packs load as in ComfyUI, and broken ones only say what is wrong."""

import sys
from textwrap import dedent

import pytest
from comfy_api.latest import io
from kinograph.host.packs import load_core, load_kinograph, load_pack

import nodes


@pytest.fixture(autouse=True)
def clean_registry():
    """What a test loads is gone after it."""
    tables = (
        nodes.NODE_CLASS_MAPPINGS,
        nodes.NODE_DISPLAY_NAME_MAPPINGS,
        nodes.EXTENSION_WEB_DIRS,
        nodes.LOADED_MODULE_DIRS,
    )
    before = [dict(table) for table in tables]
    yield
    for table, old in zip(tables, before, strict=True):
        for name in set(table) - set(old):
            del table[name]
        table.update(old)


@pytest.fixture
def write_pack(tmp_path):
    """`write_pack({"__init__.py": code, …})` makes the folder "some-pack.v2" and returns it."""

    def write(files):
        folder = tmp_path / "some-pack.v2"
        for name, code in files.items():
            file = folder / name
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(dedent(code))
        return folder

    return write


V1_NODE = """
    class Adds:
        RETURN_TYPES = ("INT",)
        FUNCTION = "add"
        CATEGORY = "test"

        @classmethod
        def INPUT_TYPES(cls):
            return {"required": {"a": ("INT", {"default": 1}), "b": ("INT", {"default": 2})}}

        def add(self, a, b):
            return (a + b,)
"""

V3_NODE = """
    from comfy_api.latest import ComfyExtension, io

    class Doubles(io.ComfyNode):
        @classmethod
        def define_schema(cls):
            inputs, outputs = [io.Int.Input("a")], [io.Int.Output()]
            return io.Schema("PackDoubles", "Doubles it", inputs=inputs, outputs=outputs)

        @classmethod
        def execute(cls, a):
            return io.NodeOutput(2 * a)
"""

V3_EXTENSION = """
    class Extension(ComfyExtension):
        async def get_node_list(self):
            return NODES

    async def comfy_entrypoint():
        return Extension()
"""


def test_a_v1_pack(write_pack):
    folder = write_pack(
        {
            "__init__.py": """
                from .inner.adds import Adds
                NODE_CLASS_MAPPINGS = {"PackAdds": Adds}
                NODE_DISPLAY_NAME_MAPPINGS = {"PackAdds": "Add two"}
                WEB_DIRECTORY = "./js"
            """,
            "inner/__init__.py": "",
            "inner/adds.py": V1_NODE,
            "js/pack.js": "",
        }
    )
    pack = load_pack(folder)
    assert (pack.name, pack.problems) == ("some-pack.v2", [])
    assert pack.nodes["PackAdds"]().add(1, 2) == (3,)
    assert pack.nodes["PackAdds"].RELATIVE_PYTHON_MODULE == "custom_nodes.some-pack.v2"
    assert pack.display_names == {"PackAdds": "Add two"}
    assert pack.web == folder / "js"
    assert nodes.NODE_CLASS_MAPPINGS["PackAdds"] is pack.nodes["PackAdds"]
    assert nodes.NODE_DISPLAY_NAME_MAPPINGS["PackAdds"] == "Add two"
    assert nodes.EXTENSION_WEB_DIRS | {"some-pack.v2": str(folder / "js")} == nodes.EXTENSION_WEB_DIRS


def test_a_v3_pack_is_loaded_before_it_is_asked(write_pack):
    extension = """
    class Extension(ComfyExtension):
        nodes = []

        async def on_load(self):
            self.nodes = [Doubles]

        async def get_node_list(self):
            return self.nodes

    async def comfy_entrypoint():
        return Extension()
    """
    pack = load_pack(write_pack({"__init__.py": V3_NODE + extension}))
    assert pack.problems == []
    assert pack.display_names == {"PackDoubles": "Doubles it"}
    assert pack.nodes["PackDoubles"].EXECUTE_NORMALIZED(a=4).args == (8,)
    assert pack.nodes["PackDoubles"].GET_NODE_INFO_V1()["python_module"] == "custom_nodes.some-pack.v2"


def test_an_entrypoint_may_be_a_plain_function(write_pack):
    extension = V3_EXTENSION.replace("async def comfy_entrypoint", "def comfy_entrypoint")
    pack = load_pack(write_pack({"__init__.py": f"{V3_NODE}\n    NODES = [Doubles]\n{extension}"}))
    assert list(pack.nodes) == ["PackDoubles"]


def test_node_class_mappings_win_over_the_entrypoint(write_pack):
    code = f"{V1_NODE}\n    NODE_CLASS_MAPPINGS = {{'PackAdds': Adds}}\n{V3_NODE}\n    NODES = [Doubles]\n"
    pack = load_pack(write_pack({"__init__.py": code + V3_EXTENSION}))
    assert list(pack.nodes) == ["PackAdds"]


def test_a_single_file_is_a_pack(tmp_path):
    file = tmp_path / "adds.py"
    file.write_text(dedent(f"{V1_NODE}\n    NODE_CLASS_MAPPINGS = {{'PackAdds': Adds}}\n"))
    pack = load_pack(file)
    assert (pack.name, list(pack.nodes), pack.problems) == ("adds", ["PackAdds"], [])
    assert pack.nodes["PackAdds"].RELATIVE_PYTHON_MODULE == "custom_nodes.adds"


def test_a_pack_that_expands_into_a_graph(write_pack):
    code = """
    from comfy_api.latest import ComfyExtension, io
    from comfy_execution.graph_utils import GraphBuilder

    class Repeats(io.ComfyNode):
        @classmethod
        def define_schema(cls):
            return io.Schema(
                "PackRepeats", inputs=[io.Int.Input("times")], outputs=[io.Int.Output()], enable_expand=True
            )

        @classmethod
        def execute(cls, times):
            graph = GraphBuilder()
            last = graph.node("Start")
            for _ in range(times):
                last = graph.node("Step", value=last.out(0))
            return io.NodeOutput(last.out(0), expand=graph.finalize())

    NODES = [Repeats]
    """
    from comfy_execution.graph_utils import GraphBuilder

    GraphBuilder.set_default_prefix("9", 0)
    repeats = load_pack(write_pack({"__init__.py": code + V3_EXTENSION})).nodes["PackRepeats"]
    output = repeats.PREPARE_CLASS_CLONE(None).EXECUTE_NORMALIZED(times=2)
    assert output.args == (["9.0.0.3", 0],)
    assert output.expand["9.0.0.3"] == {"class_type": "Step", "inputs": {"value": ["9.0.0.2", 0]}}


@pytest.mark.parametrize(
    ("code", "asked"),
    [
        ("import comfy.ldm.modules.attention", "comfy.ldm.modules.attention"),
        ("from comfy import controlnet", "comfy.controlnet"),
        ("import folder_paths\nfolder_paths.models_of_the_moon", "folder_paths.models_of_the_moon"),
    ],
)
def test_what_a_pack_asks_for_beyond_the_host_is_named(write_pack, code, asked):
    pack = load_pack(write_pack({"__init__.py": "from . import inner", "inner.py": code}))
    (problem,) = pack.problems
    assert pack.nodes == {}
    assert f"some-pack.v2 cannot be loaded: {asked} is not part of Kinograph's embedded host" in problem


@pytest.mark.parametrize(
    ("code", "told"),
    [
        ("import a_package_nobody_has.sub", "needs the Python package a_package_nobody_has"),
        ("1 / 0", "ZeroDivisionError: division by zero (line 1 of"),
        ("def broken(:", "(__init__.py, line 1)"),
        ("\nfrom . import missing", "ImportError: cannot import name 'missing'"),
        ("\nfrom .missing import x", "__init__.py)"),
        ("import sys; sys.exit(3)", "SystemExit: 3"),
        ("x = 1", "neither NODE_CLASS_MAPPINGS nor a comfy_entrypoint"),
        ("def comfy_entrypoint(): return 5", "returned a int, not a ComfyExtension"),
        ("async def comfy_entrypoint(): raise OSError('no disk')", "OSError: no disk"),
    ],
)
def test_a_broken_pack_only_says_what_is_wrong(write_pack, code, told):
    pack = load_pack(write_pack({"__init__.py": code}))
    assert pack.nodes == {}
    assert told in " ".join(pack.problems)


@pytest.mark.parametrize("name", ["gone", "graph.json"])
def test_what_is_no_pack_is_named(tmp_path, name):
    (tmp_path / "graph.json").write_text("{}")
    (problem,) = load_pack(tmp_path / name).problems
    assert f"{name} is neither a folder with an __init__.py nor a Python file" in problem


def test_one_bad_v1_node_leaves_the_others(write_pack):
    code = """
    class Fails(Adds):
        @classmethod
        def INPUT_TYPES(cls):
            raise RuntimeError("no list of files")

    class Renamed(Adds):
        FUNCTION = "sum_up"

    NODE_CLASS_MAPPINGS = {"PackFails": Fails, "PackEmpty": object, "PackRenamed": Renamed, "PackAdds": Adds}
    """
    pack = load_pack(write_pack({"__init__.py": V1_NODE + code}))
    assert list(pack.nodes) == ["PackAdds"]
    assert "PackFails is left out: RuntimeError: no list of files" in pack.problems[0]
    assert "PackEmpty is left out: TypeError: its class has no INPUT_TYPES, FUNCTION" in pack.problems[1]
    assert "PackRenamed is left out: TypeError: its class has no method sum_up" in pack.problems[2]


def test_one_bad_v3_node_leaves_the_others(write_pack):
    code = """
    class Fails(io.ComfyNode):
        @classmethod
        def define_schema(cls):
            return io.Schema("PackFails", inputs=[io.Int.Input("a"), io.Int.Input("a")])

        @classmethod
        def execute(cls, a):
            return io.NodeOutput()

    NODES = [Fails, None, Doubles]
    """
    pack = load_pack(write_pack({"__init__.py": V3_NODE + code + V3_EXTENSION}))
    assert list(pack.nodes) == ["PackDoubles"]
    assert [problem.partition(" is left out")[0] for problem in pack.problems] == [
        "some-pack.v2: the node Fails",
        "some-pack.v2: the node None",
    ]


@pytest.mark.parametrize("directory", ["../outside", "/etc", "link"])
def test_browser_modules_lie_inside_the_pack(write_pack, tmp_path, directory):
    code = f"{V1_NODE}\n    NODE_CLASS_MAPPINGS = {{'PackAdds': Adds}}\n    WEB_DIRECTORY = {directory!r}"
    folder = write_pack({"__init__.py": code})
    (tmp_path / "outside").mkdir()
    (folder / "link").symlink_to(tmp_path / "outside")
    pack = load_pack(folder)
    assert pack.web is None
    assert "browser modules are left out" in pack.problems[0]
    assert list(pack.nodes) == ["PackAdds"]


def test_pyproject_may_name_the_web_folder(write_pack):
    project = '[project]\nname = "x"\nweb = "wrong"\n\n[tool.comfy]\nDisplayName = "X"\nweb = "dist"\n'
    code = f"{V1_NODE}\n    NODE_CLASS_MAPPINGS = {{'PackAdds': Adds}}"
    folder = write_pack({"__init__.py": code, "pyproject.toml": project, "dist/a.js": ""})
    assert load_pack(folder).web == folder / "dist"


def test_core_ids_stay_cores(write_pack):
    core = load_core()
    assert core.problems == []
    code = f"{V1_NODE}\n    NODE_CLASS_MAPPINGS = {{'LoadImage': Adds, 'PackAdds': Adds}}"
    pack = load_pack(write_pack({"__init__.py": code}))
    assert list(pack.nodes) == ["PackAdds"]
    assert "LoadImage is left out" in pack.problems[0]
    assert nodes.NODE_CLASS_MAPPINGS["LoadImage"] is core.nodes["LoadImage"]
    assert core.nodes["LoadImage"].GET_NODE_INFO_V1()["python_module"] == "nodes"


def test_this_pack_loads_by_the_same_door():
    pack = load_kinograph()
    assert pack.problems == []
    assert pack.nodes and all(issubclass(node, io.ComfyNode) for node in pack.nodes.values())
    assert all(node_id.startswith("Kino") for node_id in pack.nodes)
    assert all(node.CATEGORY.startswith("Kinograph/") for node in pack.nodes.values())


def test_loading_does_not_touch_a_real_comfyui(tmp_path):
    import subprocess

    (tmp_path / "comfy_api").mkdir()
    (tmp_path / "comfy_api" / "__init__.py").touch()
    code = "from kinograph.host.packs import load_core; load_core()"
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, env={"PYTHONPATH": str(tmp_path)}
    )
    assert "ComfyUI itself can be imported in this process" in done.stderr
