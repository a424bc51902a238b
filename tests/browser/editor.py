"""ComfyUI's editor in one browser tab, driven as a user does: mouse, keyboard, dialogs.

Nodes are drawn on a canvas, so their slots and widgets have places, not elements: the editor's own
geometry says where, and the mouse goes there. What a test prepares it may set through `app`.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from playwright.sync_api import Page

NODE_LIBRARY = re.compile("^(Nodes?|Node Library)")
SEARCH_NODES = re.compile("^Search Nodes")
READY = """() => window.app?.graph && window.LiteGraph?.registered_node_types?.PreviewImage
  && app.extensionManager?.workflow?.activeWorkflow && !app.extensionManager.spinner"""
RECORD = """() => {
  window.seen = [];
  const names = ['execution_start', 'executing', 'progress', 'progress_state', 'executed', 'b_preview',
    'b_preview_with_metadata', 'execution_success', 'execution_error', 'execution_interrupted'];
  for (const name of names)
    app.api.addEventListener(name, event => window.seen.push([name, event.detail]));
}"""
BLANK = """async () => {
  const open = app.extensionManager.workflow;
  await app.extensionManager.command.execute('Comfy.NewBlankWorkflow');
  for (const other of [...open.openWorkflows])
    if (other !== open.activeWorkflow) await open.closeWorkflow(other);
  window.seen.length = 0;
}"""
ADD = """([type, place]) => {
  const node = LiteGraph.createNode(type);
  node.pos = place;
  app.graph.add(node);
  return String(node.id);
}"""
GEOMETRY = """([id, name]) => {
  const node = app.canvas.graph.getNodeById(id) ?? app.canvas.graph.getNodeById(Number(id));
  const on = place => [...app.canvasPosToClientPos(place)];
  const slot = (list, is_input) => Object.fromEntries(
    (list ?? []).map((item, at) => [item.name, on(node.getConnectionPos(is_input, at))]));
  return {
    title: on([node.pos[0] + node.size[0] / 2, node.pos[1] - 15]),
    inputs: slot(node.inputs, true),
    outputs: slot(node.outputs, false),
    widgets: Object.fromEntries((node.widgets ?? []).map(widget =>
      [widget.name, on([node.pos[0] + node.size[0] / 2, node.pos[1] + (widget.last_y ?? widget.y) + 10])])),
  };
}"""


@dataclass(frozen=True)
class Node:
    """A node on the canvas that is open."""

    editor: Editor
    id: str

    def ask(self, expression: str) -> Any:
        """The value of a JavaScript expression in which `node` is this one."""
        find = "const node = app.canvas.graph.getNodeById(id) ?? app.canvas.graph.getNodeById(Number(id));"
        return self.editor.page.evaluate(f"id => {{ {find} return {expression}; }}", self.id)

    def place(self, part: str, name: str = "") -> tuple[float, float]:
        """Where on the page a part is: `title`, or a name among `inputs`, `outputs`, `widgets`."""
        found = self.editor.page.evaluate(GEOMETRY, [self.id, name])[part]
        return tuple(found[name] if name else found)

    @property
    def kind(self) -> str:
        return self.ask("node.type")

    def select(self) -> None:
        self.editor.page.mouse.click(*self.place("title"))

    def value(self, widget: str) -> Any:
        return self.ask(f"node.widgets.find(widget => widget.name == {widget!r})?.value")

    def widgets(self) -> list[str]:
        return self.ask("node.widgets.map(widget => widget.name)")

    def choose(self, widget: str, option: str) -> None:
        """Pick an option of a combo from the list that a click opens."""
        self.editor.page.mouse.click(*self.place("widgets", widget))
        entry = self.editor.page.locator(".litecontextmenu .litemenu-entry")
        entry.get_by_text(option, exact=True).click()

    def type(self, widget: str, text: str) -> None:
        """Write into a number or a line of text, in the box that a double click opens."""
        self.editor.page.mouse.dblclick(*self.place("widgets", widget))
        box = self.editor.page.locator(".graphdialog input")
        box.fill(text)
        box.press("Enter")

    def toggle(self, widget: str) -> None:
        self.editor.page.mouse.click(*self.place("widgets", widget))

    def wire(self, output: str, to: Node, slot: str) -> None:
        """Drag from an output to an input of another node."""
        self.editor.drag(self.place("outputs", output), to.place("inputs", slot))

    def feeds(self, slot: str) -> list[Any] | None:
        """`[node, output number]` at the other end of an input's wire; None if it has none."""
        link = f"node.inputs.find(input => input.name == {slot!r})?.link"
        found = self.ask(
            f"(link => link && [link.origin_id, link.origin_slot])(app.canvas.graph.getLink({link}))"
        )
        return found and [str(found[0]), found[1]]


class Editor:
    """One tab of the editor."""

    def __init__(self, page: Page, url: str) -> None:
        self.page = page
        self.url = url

    def open(self) -> None:
        """Go to the editor and wait until it can be used."""
        self.page.goto(self.url)
        self.page.wait_for_function(READY)
        self.page.evaluate(RECORD)

    def blank(self) -> None:
        """An empty graph in the only tab."""
        self.page.evaluate(BLANK)

    def add(self, kind: str, x: float, y: float) -> Node:
        """A new node of a type with its corner at x, y of the canvas."""
        node = Node(self, self.page.evaluate(ADD, [kind, [x, y]]))
        self.drawn()
        return node

    def nodes(self) -> list[Node]:
        """The nodes of the open graph, oldest first."""
        found = self.page.evaluate("() => app.canvas.graph.nodes.map(node => String(node.id))")
        return [Node(self, identity) for identity in found]

    def prompt(self) -> dict[str, Any]:
        """The graph in API format, as the editor would queue it."""
        return self.page.evaluate("async () => (await app.graphToPrompt()).output")

    def drag_from_library(self, title: str, x: int, y: int) -> None:
        """Find a node in the library and drag it to x, y of the canvas."""
        self.page.get_by_role("button", name=NODE_LIBRARY).first.click()
        self.page.get_by_placeholder(SEARCH_NODES).fill(title)
        leaf = self.page.get_by_role("treeitem").filter(has_text=title).last
        leaf.drag_to(self.page.locator("#graph-canvas"), target_position={"x": x, "y": y})
        self.page.keyboard.press("Escape")

    def drawn(self) -> None:
        """Wait for the canvas: places of slots and widgets are known once it has been drawn."""
        self.page.evaluate(
            "() => new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)))"
        )

    def drag(self, start: tuple[float, float], end: tuple[float, float]) -> None:
        mouse = self.page.mouse
        mouse.move(*start)
        mouse.down()
        mouse.move((start[0] + end[0]) / 2, (start[1] + end[1]) / 2, steps=3)
        mouse.move(*end, steps=3)
        mouse.up()
        self.drawn()
