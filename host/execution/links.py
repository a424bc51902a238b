"""The links of a prompt's nodes, and which results may still be asked for."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, NamedTuple

from comfy_execution.graph_utils import is_link

from .definition import Catalogue

ROOT = ""
"""The user of a node that must run although no other node asks for it."""


class Links(NamedTuple):
    """Where a node's linked inputs come from: source node ids by input name.

    Attributes:
        eager: needed before the node is called at all.
        lazy: run only when the node asks for them.
    """

    eager: dict[str, str]
    lazy: dict[str, str]


class LinkReader:
    """Reads the links of a prompt's nodes, each once."""

    def __init__(self, catalogue: Catalogue, find: Callable[[str], dict[str, Any]]) -> None:
        self._catalogue = catalogue
        self._find = find
        self._known: dict[str, Links] = {}

    def of(self, node_id: str) -> Links:
        """The links of a node."""
        if node_id not in self._known:
            self._known[node_id] = self._read(self._find(node_id))
        return self._known[node_id]

    def eager_sources(self, node_id: str) -> list[str]:
        """The nodes that must have run before a node is called, in the order of its inputs."""
        return list(dict.fromkeys(self.of(node_id).eager.values()))

    def sources(self, node_id: str) -> set[str]:
        """All nodes that a node is linked to."""
        links = self.of(node_id)
        return {*links.eager.values(), *links.lazy.values()}

    def _read(self, node: dict[str, Any]) -> Links:
        specs = self._catalogue.live_inputs(node).specs
        links = Links({}, {})
        for name, value in node["inputs"].items():
            if is_link(value):
                lazy = name in specs and specs[name].options.get("lazy")
                (links.lazy if lazy else links.eager)[name] = value[0]
        return links


class Lifetimes:
    """Counts who may still use a node's result, so that it can be freed after its last use.

    A node that was never run, because nobody asked for it, ends when its last user does; then the nodes
    that only it would have used end too.

    Args:
        sources: the nodes that a node is linked to.
        release: called with a node id when nobody can use its result any more.
    """

    def __init__(self, sources: Callable[[str], Iterable[str]], release: Callable[[str], None]) -> None:
        self._sources = sources
        self._release = release
        self._users: dict[str, set[str]] = {}
        self._ended: set[str] = set()

    def use(self, user: str, source: str) -> None:
        """`user` may ask for the result of `source`, and hence for all that it depends on."""
        stack = [(user, source)]
        while stack:
            user, source = stack.pop()
            known = source in self._users and source not in self._ended
            self._users.setdefault(source, set()).add(user)
            if not known:
                self._ended.discard(source)
                stack += [(source, other) for other in self._sources(source)]

    def end(self, node_id: str) -> None:
        """A node has finished: it will not ask for anything any more, and no root waits for it."""
        if node_id not in self._ended:
            self._users[node_id].discard(ROOT)
            self._drop_if_unused(node_id, [])
        stack = [node_id]
        while stack:
            node_id = stack.pop()
            if node_id not in self._ended:
                self._ended.add(node_id)
                for source in self._sources(node_id):
                    self._users[source].discard(node_id)
                    self._drop_if_unused(source, stack)

    def _drop_if_unused(self, node_id: str, unused: list[str]) -> None:
        if not self._users[node_id]:
            self._release(node_id)
            unused.append(node_id)
