"""A node as the editor shows it, drawn from its schema: slots, widgets and their defaults."""

from __future__ import annotations

from typing import Any

from node_texts import Input, Node
from PIL import Image, ImageDraw, ImageFont

WIDTH, ROW, TITLE, RADIUS = 300, 19, 25, 8
BODY, BAR, FIELD, EDGE = (53, 53, 53), (68, 68, 68), (34, 34, 34), (26, 26, 26)
TEXT, QUIET = (224, 224, 224), (160, 160, 160)
SOCKETS = {
    "VIDEO": (150, 205, 130),
    "IMAGE": (100, 181, 246),
    "MASK": (129, 199, 132),
    "LATENT": (255, 156, 249),
    "MODEL": (179, 157, 219),
    "CLIP": (255, 213, 0),
    "VAE": (255, 110, 110),
    "CONDITIONING": (255, 169, 49),
    "AUDIO": (240, 150, 110),
    "KINO_SPANS": (90, 200, 200),
}
ANY = (170, 170, 170)
WIDGETS = {"INT", "FLOAT", "STRING", "BOOLEAN", "COMBO", "COMFY_DYNAMICCOMBO_V3"}


def font(size: int) -> Any:
    return ImageFont.load_default(size)


def is_widget(given: Input) -> bool:
    return given.type in WIDGETS or bool(given.options)


def shown_inputs(node: Node) -> list[Input]:
    """The inputs of a fresh node: of a method combo only the first method's own."""
    first = next((given.options[0] for given in node.inputs if given.id == "method"), None)
    return [given for given in node.inputs if given.method in (None, first)]


def node_card(node: Node) -> Image.Image:
    """The node, `WIDTH` pixels wide."""
    inputs = shown_inputs(node)
    sockets = [given for given in inputs if not is_widget(given)]
    widgets = [given for given in inputs if is_widget(given)]
    slots = max(len(sockets), len(node.outputs))
    height = TITLE + ROW * (slots + len(widgets)) + 14
    card = Image.new("RGB", (WIDTH, height), EDGE)
    draw = ImageDraw.Draw(card)
    draw.rounded_rectangle((0, 0, WIDTH - 1, height - 1), RADIUS, BODY)
    draw.rounded_rectangle((0, 0, WIDTH - 1, TITLE), RADIUS, BAR)
    draw.text((12, TITLE // 2), node.display_name, TEXT, font(13), anchor="lm")
    for row, given in enumerate(sockets):
        _socket(draw, 10, row, given.type, given.id, "lm")
    for row, (name, kind, _) in enumerate(node.outputs):
        _socket(draw, WIDTH - 10, row, kind, name, "rm")
    for row, given in enumerate(widgets):
        _widget(draw, TITLE + 8 + ROW * (slots + row), given)
    return card


def _socket(draw: ImageDraw.ImageDraw, x: int, row: int, kind: str, name: str, anchor: str) -> None:
    y = TITLE + 4 + ROW * row + ROW // 2
    colour = SOCKETS.get(kind.split(",")[0], ANY)
    draw.ellipse((x - 4, y - 4, x + 4, y + 4), colour)
    draw.text((x + (10 if anchor == "lm" else -10), y), name, TEXT, font(11), anchor=anchor)


def _widget(draw: ImageDraw.ImageDraw, y: int, given: Input) -> None:
    draw.rounded_rectangle((14, y, WIDTH - 14, y + ROW - 3), 8, FIELD)
    middle = y + (ROW - 3) // 2
    draw.text((24, middle), given.id.rpartition(".")[2], QUIET, font(10), anchor="lm")
    draw.text((WIDTH - 24, middle), _value(given), TEXT, font(10), anchor="rm")


def _value(given: Input) -> str:
    """What stands in a fresh widget; names of files differ from machine to machine."""
    if given.options:
        value = given.facts.get("default", given.options[0])
        return "" if given.id in ("file", "vae_name", "lora", "text_encoder") else str(value)
    value = given.facts.get("default", "")
    if isinstance(value, bool):
        return "on" if value else "off"
    return f"{value:g}" if isinstance(value, float) else str(value)[:24]
