"""A script as ComfyUI's users write it: queue, listen until the end, fetch the pictures."""

from __future__ import annotations

import asyncio
import io
import json
import uuid
from urllib.parse import urlencode
from urllib.request import Request, urlopen

import aiohttp
import pytest
from PIL import Image

pytest.importorskip("torch")

GRAPH = {
    "3": {
        "class_type": "EmptyImage",
        "inputs": {"width": 32, "height": 16, "batch_size": 2, "color": 0xFF8800},
    },
    "9": {"class_type": "SaveImage", "inputs": {"filename_prefix": "script/made", "images": ["3", 0]}},
}


def queue_prompt(address: str, prompt: dict, client_id: str) -> str:
    data = json.dumps({"prompt": prompt, "client_id": client_id}).encode()
    return json.load(urlopen(Request(f"{address}/prompt", data=data)))["prompt_id"]


async def run_and_listen(address: str, prompt: dict) -> str:
    client_id = str(uuid.uuid4())
    address_of_socket = f"{address}/ws?clientId={client_id}"
    async with aiohttp.ClientSession() as session, session.ws_connect(address_of_socket) as socket:
        prompt_id = await asyncio.to_thread(queue_prompt, address, prompt, client_id)
        async for message in socket:
            event = json.loads(message.data) if message.type == aiohttp.WSMsgType.TEXT else {}
            if event.get("type") == "executing" and event["data"]["node"] is None:
                assert event["data"]["prompt_id"] == prompt_id
                return prompt_id
    raise ConnectionError("the server closed the connection")


def test_a_script_gets_the_pictures_that_its_graph_saves(server):
    prompt_id = asyncio.run(run_and_listen(server.url, GRAPH))
    history = json.load(urlopen(f"{server.url}/history/{prompt_id}"))[prompt_id]
    saved = history["outputs"]["9"]["images"]
    assert len(saved) == 2 and history["status"]["completed"]
    for file in saved:
        assert (file["subfolder"], file["type"]) == ("script", "output")
        picture = Image.open(io.BytesIO(urlopen(f"{server.url}/view?{urlencode(file)}").read()))
        assert picture.size == (32, 16) and picture.convert("RGB").getpixel((0, 0)) == (255, 136, 0)
        assert json.loads(picture.text["prompt"]) == GRAPH
