"""Signatures: a digest of all that a node's result depends on, by which results are found again.

A node's signature covers its class, its constants, the fingerprint of what it reads from outside, and the
signatures of the nodes it is linked to. Node ids play no part, unless the node asks for its own.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Mapping
from hashlib import blake2b
from typing import Any

from comfy_execution.graph_utils import is_link

from .definition import Catalogue

Signature = bytes | None
"""None: the result depends on something that cannot be compared, and is never reused."""


class NotComparable(Exception):
    """A value of which two copies cannot be told equal."""


class Signer:
    """Signs the nodes of one prompt, each once.

    Args:
        catalogue: the node classes.
        find: the node of an id, None where there is none.
        fingerprint: awaits a node's fingerprint; any value.
    """

    def __init__(
        self,
        catalogue: Catalogue,
        find: Callable[[str], Mapping[str, Any] | None],
        fingerprint: Callable[[str], Awaitable[Any]],
    ) -> None:
        self.signatures: dict[str, Signature] = {}
        self._catalogue = catalogue
        self._find = find
        self._fingerprint = fingerprint

    async def sign(self, node_ids: Iterable[str]) -> None:
        """Sign nodes and all they depend on. No recursion: graphs may be deep; a cycle is never reused."""
        entered: set[str] = set()
        stack = list(node_ids)
        while stack:
            node_id = stack[-1]
            node = None if node_id in self.signatures else self._find(node_id)
            if node is None:
                self.signatures.setdefault(node_id, None)
                stack.pop()
            elif node_id not in entered:
                entered.add(node_id)
                sources = (value[0] for value in node["inputs"].values() if is_link(value))
                stack += [
                    source for source in sources if source not in self.signatures and source not in entered
                ]
            else:
                self.signatures[node_id] = await self._signature(node_id, node)
                stack.pop()

    async def _signature(self, node_id: str, node: Mapping[str, Any]) -> Signature:
        inputs = []
        for name, value in sorted(node["inputs"].items()):
            if not is_link(value):
                inputs.append((name, value))
                continue
            source = self.signatures.get(value[0])
            if source is None:
                return None
            inputs.append((name, _Link(source, value[1])))
        definition = self._catalogue[node["class_type"]]
        fingerprint = await self._fingerprint(node_id) if definition.fingerprint else None
        owner = node_id if self._catalogue.belongs_to_node_id(node) else None
        try:
            facts = canonical([node["class_type"], owner, fingerprint, inputs])
        except (NotComparable, RecursionError):
            return None
        return blake2b(facts, digest_size=20).digest()


class _Link:
    def __init__(self, source: bytes, slot: int) -> None:
        self.facts = source + b"#%d" % slot


def canonical(value: Any) -> bytes:
    """Bytes that are equal for equal values only.

    Raises:
        NotComparable: NaN, or an object that is not plain data.
    """
    if isinstance(value, str):
        return _framed(b"s", value.encode("utf-8", "surrogatepass"))
    if isinstance(value, bool) or value is None:
        return b"%a" % value
    if isinstance(value, int):
        return _framed(b"i", b"%x" % value)
    if isinstance(value, float):
        if value != value:
            raise NotComparable("NaN differs from itself")
        return _framed(b"f", float.hex(value).encode())
    if isinstance(value, bytes):
        return _framed(b"b", value)
    if isinstance(value, _Link):
        return _framed(b"l", value.facts)
    if isinstance(value, (list, tuple)):
        return _framed(b"[", b"".join(map(canonical, value)))
    if isinstance(value, Mapping):
        pairs = sorted(canonical(key) + canonical(item) for key, item in value.items())
        return _framed(b"{", b"".join(pairs))
    if isinstance(value, (set, frozenset)):
        return _framed(b"(", b"".join(sorted(map(canonical, value))))
    raise NotComparable(f"a {type(value).__name__} cannot be compared")


def _framed(kind: bytes, body: bytes) -> bytes:
    return b"%b%d:%b" % (kind, len(body), body)
