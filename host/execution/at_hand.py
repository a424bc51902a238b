"""The results that a run has at hand: its own, and those that the cache kept from earlier runs."""

from __future__ import annotations

import logging
import math
from collections.abc import Collection
from typing import Any

from comfy.model_management import InterruptProcessingException
from comfy_execution.graph import DynamicPrompt

from .caching import ClassicCache, Entry, Owner
from .calls import bound_method, call_over_lists, settled
from .definition import Catalogue
from .inputs import gather, hidden_values
from .signatures import Signature, Signer

_LOG = logging.getLogger(__name__)


class ResultsAtHand:
    """Finds results by node id."""

    def __init__(self, catalogue: Catalogue, cache: ClassicCache, dynprompt: DynamicPrompt) -> None:
        self._catalogue = catalogue
        self._cache = cache
        self._dynprompt = dynprompt
        self._prompt = dynprompt.get_original_prompt()
        self._signer = Signer(catalogue, self._find, self._fingerprint)
        self._own: dict[str, Entry] = {}

    async def look_up(self) -> list[str]:
        """Sign the prompt's nodes; returns the ids of those whose results are kept from earlier runs."""
        if self._cache.signs:
            await self._signer.sign(self._prompt)
        roots = {(node_id, node["class_type"]) for node_id, node in self._prompt.items()}
        self._cache.begin(self._signer.signatures.values(), roots)
        return [node_id for node_id in self._prompt if self._cache.get(self._signature(node_id))]

    async def admit(self, parent: str, children: Collection[str]) -> None:
        """Sign the nodes into which `parent` has expanded."""
        if self._cache.signs:
            await self._signer.sign(children)
            self._cache.expanded(self._owner(parent), [self._signature(child) for child in children])

    def get(self, node_id: str) -> Entry | None:
        """A node's result; one from the cache stays at hand from now on, whatever the cache drops."""
        if node_id not in self._own:
            kept = self._cache.get(self._signature(node_id))
            if kept is None:
                return None
            self._own[node_id] = kept
        return self._own[node_id]

    def has(self, node_id: str) -> bool:
        """Whether a node's result is at hand."""
        return self.get(node_id) is not None

    def put(self, node_id: str, entry: Entry) -> None:
        """A node has finished."""
        self._own[node_id] = entry
        parent = self._dynprompt.get_parent_node_id(node_id)
        self._cache.put(self._signature(node_id), entry, self._owner(parent) if parent else None)

    def release(self, node_id: str) -> None:
        """Nobody in this run will ask for a node's result any more."""
        self._own.pop(node_id, None)

    def _signature(self, node_id: str) -> Signature:
        return self._signer.signatures.get(node_id)

    def _owner(self, parent: str) -> Owner:
        root = self._dynprompt.get_real_node_id(parent)
        return Owner(root, self._prompt[root]["class_type"], parent)

    def _find(self, node_id: str) -> dict[str, Any] | None:
        return self._dynprompt.get_node(node_id) if self._dynprompt.has_node(node_id) else None

    async def _fingerprint(self, node_id: str) -> Any:
        """What the node says of the state of its sources; linked inputs are None to it."""
        node = self._dynprompt.get_node(node_id)
        definition = self._catalogue[node["class_type"]]
        try:
            live = self._catalogue.live_inputs(node)
            given = gather(node["inputs"], live, hidden_values(live, node_id), definition.is_v3)
            method = bound_method(definition, definition.fingerprint, given.hidden)
            return await settled(await call_over_lists(definition, method, given.lists, live.places))
        except InterruptProcessingException:
            raise
        except Exception as error:  # the node's own code
            told = "Node %s (%s) will run again, because its %s failed: %s"
            _LOG.warning(told, node_id, definition.class_type, definition.fingerprint, error)
            return math.nan
