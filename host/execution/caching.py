"""Caches of node results over prompts, by signature.

All four have the same methods. `ClassicCache` keeps what the current prompt uses, `RecentCache` some results
more, `MemoryCache` what fits into a number of bytes, `NoCache` nothing.
"""

from __future__ import annotations

from collections import Counter, OrderedDict
from collections.abc import Collection, Iterator
from typing import Any, NamedTuple

from .results import Outputs
from .signatures import Signature

_OVERHEAD_BYTES = 256


class Entry(NamedTuple):
    """A node's result: its output lists and what it showed, {"meta": …, "output": ui} or None."""

    outputs: Outputs
    ui: dict[str, Any] | None


class Owner(NamedTuple):
    """The node whose expansion an entry belongs to: `root` stands in the prompt, `parent` may be inside."""

    root: str
    root_class: str
    parent: str


class ClassicCache:
    """Keeps the results of the nodes in the last prompt, and of what they expanded into."""

    signs = True
    """Whether nodes need signatures at all."""

    def __init__(self) -> None:
        self._entries: OrderedDict[bytes, tuple[Entry, Owner | None]] = OrderedDict()
        self._current: set[bytes] = set()

    def __len__(self) -> int:
        return len(self._entries)

    def begin(self, signatures: Collection[Signature], roots: Collection[tuple[str, str]]) -> None:
        """A prompt starts.

        Args:
            signatures: of all its nodes.
            roots: (id, class type) of all its nodes; what these expanded into earlier stays.
        """
        self._current = {signature for signature in signatures if signature}
        self._current |= {key for key, (_, owner) in self._entries.items() if owner and owner[:2] in roots}
        for signature in self._current & self._entries.keys():
            self._entries.move_to_end(signature)
        self._drop_outdated()

    def expanded(self, owner: Owner, signatures: Collection[Signature]) -> None:
        """A node has just expanded into nodes of these signatures, in place of its earlier expansion."""
        self._current -= {key for key, (_, other) in self._entries.items() if other == owner}
        self._current |= {signature for signature in signatures if signature}
        self._drop_outdated()

    def get(self, signature: Signature) -> Entry | None:
        """The result of a node with this signature."""
        if signature not in self._entries:
            return None
        self._entries.move_to_end(signature)
        return self._entries[signature][0]

    def put(self, signature: Signature, entry: Entry, owner: Owner | None = None) -> None:
        """Keep a finished node's result; `owner` where the node came from an expansion."""
        if signature is not None:
            self._remove(signature)
            self._entries[signature] = (entry, owner)
            self._make_room()

    def clear(self) -> None:
        """Forget everything."""
        for signature in list(self._entries):
            self._remove(signature)

    def _drop_outdated(self) -> None:
        for signature in self._entries.keys() - self._current:
            self._remove(signature)

    def _make_room(self) -> None:
        """Nothing to do: only what the prompt uses is kept."""

    def _remove(self, signature: bytes) -> None:
        self._entries.pop(signature, None)


class RecentCache(ClassicCache):
    """Keeps the `size` results used last, and in any case those that the current prompt uses."""

    def __init__(self, size: int) -> None:
        super().__init__()
        self.size = size

    def _drop_outdated(self) -> None:
        self._make_room()

    def _make_room(self) -> None:
        while len(self._entries) > self.size and (oldest := next(iter(self._entries))) not in self._current:
            self._remove(oldest)


class MemoryCache(ClassicCache):
    """Keeps the results used last that together fit into `limit` bytes.

    Memory that several results share, as views of one tensor do, is counted once.
    """

    def __init__(self, limit: int) -> None:
        super().__init__()
        self.limit = limit
        self.held = 0
        self._users: Counter[int] = Counter()
        self._blocks: dict[bytes, dict[int, int]] = {}

    def put(self, signature: Signature, entry: Entry, owner: Owner | None = None) -> None:
        if signature is not None:
            self._remove(signature)
            blocks = dict(memory_blocks(entry.outputs)) | {id(entry): _OVERHEAD_BYTES}
            self._entries[signature], self._blocks[signature] = (entry, owner), blocks
            for block, size in blocks.items():
                self.held += size if not self._users[block] else 0
                self._users[block] += 1
            self._make_room()

    def _remove(self, signature: bytes) -> None:
        super()._remove(signature)
        for block, size in self._blocks.pop(signature, {}).items():
            self._users[block] -= 1
            if not self._users[block]:
                del self._users[block]
                self.held -= size

    def _drop_outdated(self) -> None:
        """Nothing to do: earlier results stay while there is room."""

    def _make_room(self) -> None:
        while self.held > self.limit:
            self._remove(next(iter(self._entries)))


class NoCache(ClassicCache):
    """Keeps nothing: every prompt runs all its nodes, and a result is freed after its last use."""

    signs = False

    def put(self, signature: Signature, entry: Entry, owner: Owner | None = None) -> None:
        """Forget the result at once."""


def memory_blocks(value: Any) -> Iterator[tuple[int, int]]:
    """(address, bytes) of what a result holds: tensors, arrays, bytes and text in plain containers.

    Tensors and arrays are known by their attributes: torch and numpy need not be loaded.
    """
    if isinstance(value, (list, tuple)):
        for item in value:
            yield from memory_blocks(item)
    elif isinstance(value, dict):
        for item in value.values():
            yield from memory_blocks(item)
    elif str(getattr(value, "layout", None)) == "torch.strided":
        storage = value.untyped_storage()
        yield storage.data_ptr(), storage.nbytes()
    elif isinstance(getattr(value, "nbytes", None), int):
        while hasattr(getattr(value, "base", None), "nbytes"):
            value = value.base
        yield id(value), value.nbytes
    elif isinstance(value, (str, bytes, bytearray)):
        yield id(value), len(value)
    elif hasattr(value, "get_ram_usage"):
        yield id(value), value.get_ram_usage()
