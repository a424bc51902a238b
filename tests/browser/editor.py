"""ComfyUI's editor in one browser tab, driven as a user does: mouse, keyboard, dialogs.

In the classic rendering nodes are drawn on a canvas, so their slots and widgets have places, not elements:
the editor's own geometry says where, and the mouse goes there. In the Vue rendering widgets are elements.
What a test only prepares it may set through `app`.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from browser import scripts

if TYPE_CHECKING:
    from playwright.sync_api import Locator, Page

NODE_LIBRARY = re.compile(r"^Node Library|^Nodes$")
SEARCH_NODES = re.compile("^Search Nodes")
WORKFLOWS = re.compile("^Workflows")
TEMPLATES = re.compile("^Templates")
COMPLAINT = re.compile("missing|error|fail|cannot|conflict", re.IGNORECASE)
CANCEL = re.compile("cancel current run|interrupt", re.IGNORECASE)
ATTEMPTS = 3
"""At drawing a wire: an editor that is busy can miss the mouse."""

CLASSIC, VUE = "classic", "vue"


@dataclass(frozen=True)
class Node:
    """A node of the open graph."""

    editor: Editor
    id: str

    def ask(self, expression: str) -> Any:
        """The value of a JavaScript expression in which `node` is this one."""
        return self.editor.page.evaluate(f"id => {{ {scripts.FIND} return {expression}; }}", self.id)

    @property
    def kind(self) -> str:
        return self.ask("node.type")

    @property
    def element(self) -> Locator:
        """The node itself; only in the Vue rendering."""
        return self.editor.page.locator(f'[data-node-id="{self.id}"]')

    def place(self, part: str, name: str) -> tuple[float, float]:
        """Where on the page a part is; `part` is `inputs`, `outputs` or `widgets`, and `title` of itself."""
        self.editor.drawn()
        x, y = self.editor.page.evaluate(scripts.GEOMETRY, self.id)[part][name]
        return x, y

    def select(self) -> None:
        self.editor.page.mouse.click(*self.place("title", "title"))

    def widgets(self) -> list[str]:
        return self.ask("node.widgets.map(widget => widget.name)")

    def value(self, widget: str) -> Any:
        return self.ask(f"node.widgets.find(widget => widget.name == {widget!r})?.value")

    def set(self, **values: Any) -> None:
        """Give widgets their values without the mouse."""
        self.editor.page.evaluate(scripts.SET, [self.id, values])

    def choose(self, widget: str, option: str) -> None:
        """Pick an option of a combo from the list that a click opens."""
        if self.editor.rendering == VUE:
            self.element.get_by_role("combobox", name=widget, exact=True).click()
            self.editor.page.get_by_role("option", name=option, exact=True).click()
            return
        self.click(widget)
        self.editor.page.locator(".litecontextmenu .litemenu-entry").get_by_text(option, exact=True).click()

    def type(self, widget: str, text: str) -> None:
        """Write into a number or a line of text; the classic rendering opens a box by a double click."""
        if self.editor.rendering == VUE:
            box = self.element.get_by_label(widget, exact=True).locator("input")
            box.fill(text)
            box.press("Enter")
            return
        self.editor.page.mouse.dblclick(*self.place("widgets", widget))
        box = self.editor.page.locator(".graphdialog input")
        box.fill(text)
        box.press("Enter")

    def click(self, widget: str) -> None:
        self.editor.page.mouse.click(*self.place("widgets", widget))

    def wire(self, output: str, to: Node, slot: str) -> None:
        """Drag from an output to an input of another node, again if a busy editor missed it."""
        for _ in range(ATTEMPTS):
            self.editor.drag(self.place("outputs", output), to.place("inputs", slot))
            if to.feeds(slot):
                return

    def feeds(self, slot: str) -> list[Any] | None:
        """`[node, output number]` at the other end of an input's wire; None if it has none."""
        link = f"node.inputs.find(input => input.name == {slot!r}).link"
        origin = f"(link => link && [String(link.origin_id), link.origin_slot])(node.graph.getLink({link}))"
        return self.ask(origin) or None


class Editor:
    """One tab of the editor."""

    def __init__(self, page: Page, url: str) -> None:
        self.page = page
        self.url = url
        self.rendering = CLASSIC
        self.failures: list[str] = []
        self.complaints_at_start: list[str] = []
        page.on("pageerror", lambda error: self.failures.append(str(error)))
        page.on("response", lambda answer: self._note(answer.status, answer.url))
        page.on("filechooser", lambda chooser: None)  # else asked for as late as the click

    def _note(self, status: int, url: str) -> None:
        if status >= 500:
            self.failures.append(f"{status} {url}")

    def open(self) -> None:
        """Go to the editor and wait until it can be used."""
        self.page.goto(self.url)
        self.ready()

    def ready(self) -> None:
        """Wait for a page that is loading; from then on it notes what the server sends."""
        self.page.wait_for_function(scripts.READY)
        self.page.evaluate(scripts.RECORD)
        self.complaints_at_start = self.complaints()

    def complaints(self) -> list[str]:
        """The texts of dialogs and notices that speak of something missing or gone wrong."""
        shown = self.page.evaluate(scripts.NOTICES)
        return [text for text in shown if COMPLAINT.search(text)]

    def close_templates(self) -> None:
        """Wait until the templates are shown and close them; Escape does not."""
        shown = self.page.get_by_test_id("template-workflows-content")
        shown.wait_for()
        self.page.get_by_role("dialog").filter(has=shown).locator("button:has(.pi-times)").click()
        shown.wait_for(state="detached")

    def blank(self) -> None:
        """An empty graph in the only tab, nothing open beside it, nothing seen yet."""
        self.page.keyboard.press("Escape")
        self.page.evaluate(scripts.BLANK)

    def render(self, rendering: str) -> None:
        """Draw nodes in the classic or in the Vue way."""
        self.page.evaluate(
            "on => app.extensionManager.setting.set('Comfy.VueNodes.Enabled', on)", rendering == VUE
        )
        self.rendering = rendering

    def load(self, workflow: dict[str, Any]) -> None:
        """Open a saved graph, in the editor's or in API format."""
        self.page.evaluate(scripts.LOAD, workflow)

    def add(self, kind: str, x: float, y: float, **values: Any) -> Node:
        """A new node of a type with its corner at x, y of the canvas."""
        node = Node(self, self.page.evaluate(scripts.ADD, [kind, [x, y]]))
        node.set(**values)
        return node

    def nodes(self) -> list[Node]:
        """The nodes of the open graph, oldest first."""
        found = self.page.evaluate("() => app.canvas.graph.nodes.map(node => String(node.id))")
        return [Node(self, identity) for identity in found]

    def prompt(self) -> dict[str, Any]:
        """The graph in API format, as the editor would queue it."""
        return self.page.evaluate("async () => (await app.graphToPrompt()).output")

    def drawn(self) -> None:
        """Draw the canvas now: only then are the places of slots and widgets known."""
        self.page.evaluate("() => app.canvas.draw(true, true)")

    def drag(self, start: tuple[float, float], end: tuple[float, float]) -> None:
        mouse = self.page.mouse
        mouse.move(*start)
        mouse.down()
        mouse.move((start[0] + end[0]) / 2, (start[1] + end[1]) / 2, steps=3)
        mouse.move(*end, steps=3)
        mouse.up()

    def open_library(self) -> None:
        self.page.get_by_role("button", name=NODE_LIBRARY).first.click()

    def drag_from_library(self, title: str, x: int, y: int) -> None:
        """Find a node in the library and drag it to x, y of the canvas."""
        self.open_library()
        self.page.get_by_placeholder(SEARCH_NODES).fill(title)
        leaf = self.page.get_by_role("treeitem").filter(has_text=title).last
        leaf.drag_to(self.page.locator("#graph-canvas"), target_position={"x": x, "y": y})

    def drop(self, file: Path, kind: str, x: float, y: float) -> None:
        """Drop a file of the user's own on a place of the canvas."""
        self.page.evaluate(scripts.DROP, [list(file.read_bytes()), file.name, kind, x, y])

    def queue(self) -> None:
        self.page.get_by_test_id("queue-button").click()

    def cancel(self) -> None:
        self.page.get_by_role("button", name=CANCEL).first.click()

    def wait_for(self, *messages: str, after: int = 0) -> dict[str, Any]:
        """Wait until the server has sent one of these messages; returns what it said.

        Args:
            after: how many messages to pass over, of those that came before.
        """
        found = "([names, after]) => window.seen.slice(after).find(([name]) => names.includes(name))"
        return self.page.wait_for_function(found, arg=[list(messages), after]).json_value()[1]

    def seen(self, message: str) -> list[Any]:
        """What the server has said in messages of this name."""
        found = "name => window.seen.filter(([other]) => other === name).map(([, detail]) => detail)"
        return self.page.evaluate(found, message)

    def run(self) -> None:
        """Queue the graph and wait for its success."""
        before = self.page.evaluate("() => window.seen.length")
        self.queue()
        self.wait_for("execution_success", "execution_error", "execution_interrupted", after=before)
        assert self.seen("execution_success"), self.seen("execution_error")

    def save_as(self, name: str) -> None:
        """Save for the first time, by keyboard."""
        self.page.keyboard.press("Control+s")
        box = self.page.get_by_role("dialog").get_by_role("textbox")
        box.fill(name)
        box.press("Enter")
        self.page.wait_for_function(
            "name => app.extensionManager.workflow.activeWorkflow.path.endsWith(`${name}.json`)", arg=name
        )

    def reopen(self, name: str) -> None:
        """Open a saved workflow from the sidebar."""
        self.page.get_by_role("button", name=WORKFLOWS).first.click()
        self.page.get_by_role("treeitem").filter(has_text=name).last.click()
        self.page.wait_for_function("() => app.canvas.graph.nodes.length > 0")
