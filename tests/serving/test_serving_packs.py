"""What packs bring to the editor, from nodes to blueprints, and what the host tells of itself."""

from __future__ import annotations

import asyncio
import json

import pytest
from kinograph.host.server import replacements
from serving.live_server import count, listening

PACK = """
from aiohttp import web
from comfy_api.latest import ComfyAPI, ComfyExtension, io
from server import PromptServer

WEB_DIRECTORY = "./js"


@PromptServer.instance.routes.get("/studio/greet/{name}")
async def greet(request):
    return web.json_response({"hello": request.match_info["name"]})


@PromptServer.instance.routes.get("/queue")
async def taken(request):
    return web.json_response("not ours to answer")


PromptServer.instance.routes.static("/studio/nothing", "/no/such/folder")
PromptServer.instance.add_on_prompt_handler(lambda given: 1 / 0)


@PromptServer.instance.routes.post("/studio/fail")
async def fail(request):
    raise RuntimeError("a mistake of the pack")


class Shout(io.ComfyNode):
    @classmethod
    def define_schema(cls):
        return io.Schema("StudioShout", inputs=[io.String.Input("words")], outputs=[], is_output_node=True)

    @classmethod
    def execute(cls, words):
        PromptServer.instance.send_sync("studio.shout", {"words": words})
        print("shouting", words)
        return io.NodeOutput(ui={"text": [words.upper()]})


class Studio(ComfyExtension):
    async def on_load(self):
        rules = [{"new_id": "words", "old_id": "text"}]
        replaced = io.NodeReplace("StudioShout", "StudioWhisper", input_mapping=rules)
        await ComfyAPI().node_replacement.register(replaced)

    async def get_node_list(self):
        return [Shout]


async def comfy_entrypoint():
    return Studio()
"""


@pytest.fixture(scope="module")
def studio(tmp_path_factory):
    """A server with a pack that brings everything a pack can bring."""
    from serving.live_server import Server

    pack = tmp_path_factory.mktemp("packs") / "studio pack"
    for name, content in {
        "__init__.py": PACK,
        "js/main.js": "export const studio = 1",
        "js/docs/StudioShout/en.md": "# Shout",
        "locales/en/main.json": json.dumps({"settingsCategories": {"Studio": "Studio"}}),
        "locales/zh/nodeDefs.json": json.dumps({"StudioShout": {"display_name": "喊"}}),
        "locales/xx/main.json": "{broken",
        "example_workflows/first.json": '{"nodes": []}',
        "example_workflows/first.jpg": "a picture",
        "subgraphs/Pair.json": '{"definitions": {}}',
    }.items():
        path = pack / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content, encoding="utf-8")
    server = Server(tmp_path_factory.mktemp("studio"), "--pack", str(pack)).start()
    yield server
    server.stop()


def test_nodes_of_every_pack_are_described(studio):
    info = studio.get("/object_info").json
    assert {"KinoLoadVideo", "SaveImage", "StudioShout", "TestShow"} <= set(info)
    assert studio.get("/object_info/StudioShout").json == {"StudioShout": info["StudioShout"]}
    assert studio.get("/object_info/Nothing").json == {}


def test_browser_modules_are_listed_and_served(studio):
    assert "/extensions/studio%20pack/main.js" in studio.get("/extensions").json
    module = studio.get("/extensions/studio%20pack/main.js")
    assert module.headers["Content-Type"].startswith("text/javascript") and b"studio" in module.body
    assert studio.get("/extensions/studio%20pack/docs/StudioShout/en.md").body == b"# Shout"
    assert studio.get("/extensions/nothing/main.js").status == 404


def test_translations_are_merged_and_broken_ones_told(studio):
    texts = studio.get("/i18n").json
    assert texts["zh"]["nodeDefs"]["StudioShout"]["display_name"] == "喊"
    assert texts["en"]["settingsCategories"]["Studio"] == "Studio"
    assert "cannot be read" in (studio.folder / "log.txt").read_text()


def test_templates_come_with_their_pictures(studio):
    offered = studio.get("/workflow_templates").json
    assert offered["studio pack"] == ["first"] and "first_cut" in offered["kinograph"]
    assert studio.get("/api/workflow_templates/studio%20pack/first.json").json == {"nodes": []}
    assert studio.get("/api/workflow_templates/studio%20pack/first.jpg").body == b"a picture"
    assert (
        studio.get("/api/workflow_templates/kinograph/first_cut.jpg").headers["Content-Type"] == "image/jpeg"
    )
    assert studio.get("/api/workflow_templates/studio%20pack/__init__.py").status == 404
    assert studio.get("/templates/index.json").json == [] == studio.get("/templates/index.zh.json").json


def test_blueprints_are_listed_without_and_given_with_their_graphs(studio):
    offered = studio.get("/global_subgraphs").json
    key = next(key for key, entry in offered.items() if entry["name"] == "Pair")
    assert offered[key]["info"]["node_pack"] == "custom_nodes.studio pack" and "data" not in offered[key]
    assert json.loads(studio.get(f"/global_subgraphs/{key}").json["data"]) == {"definitions": {}}
    assert studio.get("/global_subgraphs/nothing").json is None


def test_a_pack_s_own_routes_are_served_and_its_mistakes_contained(studio):
    assert studio.get("/studio/greet/you").json == {"hello": "you"}
    assert studio.get("/api/studio/greet/you").json == {"hello": "you"}
    assert "queue_pending" in studio.get("/queue").json
    assert "/studio/nothing is left out" in (studio.folder / "log.txt").read_text()
    failed = studio.post("/studio/fail")
    assert failed.status == 500 and b"a mistake" not in failed.body and b"Traceback" not in failed.body


def test_a_replaced_node_runs_as_the_new_one(studio):
    shown = studio.get("/node_replacements").json["StudioWhisper"]
    assert shown[0]["new_node_id"] == "StudioShout"
    prompt = {"1": {"class_type": "StudioWhisper", "inputs": {"text": "softly"}}}
    entry = studio.wait_for(studio.queue(prompt))
    assert entry["outputs"]["1"]["text"] == ["SOFTLY"]
    assert entry["prompt"][2]["1"]["class_type"] == "StudioShout"


def test_links_follow_a_replacement_s_outputs(monkeypatch):
    rule = {"new_node_id": "New", "input_mapping": [{"new_id": "k", "set_value": 3}]}
    rule["output_mapping"] = [{"old_idx": 0, "new_idx": 2}]
    monkeypatch.setattr(replacements, "registered", lambda: {"Old": [rule]})
    prompt = {
        "1": {"class_type": "Old", "inputs": {"gone": 1}},
        "2": {"class_type": "Kept", "inputs": {"a": ["1", 0], "b": ["1", 1], "c": [1, 2]}},
        "3": "no node",
    }
    changed = replacements.replace_missing(prompt, {"New", "Kept"})
    assert changed["1"] == {"class_type": "New", "inputs": {"k": 3}}
    assert changed["2"]["inputs"] == {"a": ["1", 2], "b": ["1", 1], "c": [1, 2]}
    assert prompt["1"]["class_type"] == "Old"


def test_messages_and_prints_of_a_node_reach_its_listeners(studio):
    async def listen():
        async with listening(studio) as listener:
            given = {"clientId": listener.client_id, "enabled": True}
            await asyncio.to_thread(studio.request, "PATCH", "/internal/logs/subscribe", given)
            prompt = {"1": {"class_type": "StudioShout", "inputs": {"words": "here"}}}
            body = {"prompt": prompt, "client_id": listener.client_id}
            prompt_id = (await asyncio.to_thread(studio.post, "/prompt", body)).json["prompt_id"]
            return await listener.until_done(prompt_id)

    messages = asyncio.run(listen())
    assert ("studio.shout", {"words": "here"}) in messages
    printed = [entry["m"] for name, data in messages if name == "logs" for entry in data["entries"]]
    assert "shouting here" in "".join(printed)
    assert " - shouting here\n" in studio.get("/internal/logs").json
    assert "success in" in studio.get("/internal/logs").json, "what the host itself logs"
    raw = studio.get("/internal/logs/raw").json
    assert "shouting here\n" in [entry["m"] for entry in raw["entries"]] and raw["size"]["cols"] > 0


def test_torch_is_not_imported_to_serve(server):
    server.wait_for(server.queue(count(seed=2)))
    for path in ("/object_info", "/system_stats", "/models", "/i18n", "/extensions"):
        server.get(path)
    maps = f"/proc/{server.process.pid}/maps"
    try:
        with open(maps) as loaded:
            assert "libtorch" not in loaded.read()
    except FileNotFoundError:
        pytest.skip("needs /proc")


def test_the_machine_tells_of_itself(server):
    stats = server.get("/system_stats").json
    assert stats["system"]["ram_total"] > stats["system"]["ram_free"] > 0
    assert stats["system"]["comfyui_version"] and stats["devices"][0]["type"]


def test_model_files_are_listed_and_their_headers_shown(server):
    folder = server.folder / "models" / "loras"
    folder.mkdir(parents=True, exist_ok=True)
    header = json.dumps({"__metadata__": {"title": "ours"}}).encode()
    (folder / "ours.safetensors").write_bytes(len(header).to_bytes(8, "little") + header)
    (folder / "cut.safetensors").write_bytes(b"\xff" * 20)
    assert "ours.safetensors" in server.get("/models/loras").json and "loras" in server.get("/models").json
    facts = server.get("/experiment/models/loras").json
    assert {"name", "pathIndex", "size"} <= set(facts[0])
    assert server.get("/view_metadata/loras?filename=ours.safetensors").json == {"title": "ours"}
    assert server.get("/view_metadata/loras?filename=cut.safetensors").status == 404
    assert server.get("/models/nothing").status == 404
    kinds = [entry["name"] for entry in server.get("/experiment/models").json]
    assert "loras" in kinds and "custom_nodes" not in kinds


def test_the_newest_files_come_first(server):
    import os

    for age, name in enumerate(("newest.wav", "older.wav")):
        path = server.folder / "input" / name
        path.write_bytes(b"")
        os.utime(path, (4e9 - age, 4e9 - age))
    listed = server.get("/internal/files/input").json
    assert listed[:2] == ["newest.wav [input]", "older.wav [input]"]
    assert server.get("/internal/files/nothing").status == 400


def test_the_editor_is_served_and_its_hashed_files_kept_by_browsers(server):
    page = server.get("/")
    assert b"the editor" in page.body and "no-store" in page.headers["Cache-Control"]
    assert "immutable" in server.get("/assets/app-1234.js").headers["Cache-Control"]
    assert server.get("/nothing.js").status == 404
