"""One execution of a prompt, node by node.

A node is chosen, called, and is done; unless it asks for a lazy input, is still at work asynchronously, or
has expanded into a subgraph: then it goes back to the schedule and is chosen again when it can go on.
"""

from __future__ import annotations

import asyncio
import functools
import sys
import time
from collections.abc import Coroutine, Iterable, Mapping
from contextlib import ExitStack
from typing import Any, NamedTuple

from comfy.model_management import InterruptProcessingException, throw_exception_if_processing_interrupted
from comfy_execution.graph import DynamicPrompt, NodeInputError
from comfy_execution.graph_utils import GraphBuilder
from comfy_execution.utils import CurrentNodeContext

from .at_hand import ResultsAtHand
from .caching import ClassicCache, Entry
from .calls import bound_method, call_over_lists, settled
from .definition import Catalogue, NodeDefinition
from .errors import CycleError, ExpansionError
from .expansion import add_expansion, linked_nodes
from .inputs import Given, Lists, gather, hidden_values
from .links import ROOT, Lifetimes, LinkReader
from .progress import Emit, reporting_to
from .reporter import Reporter
from .results import Outputs, Returned, merged, merged_ui, read_return
from .run import Run
from .scheduling import Schedule

Instances = dict[tuple[str, str], dict[str, Any]]
"""Objects of V1 classes: (id, class type) of a prompt's node → by id of it or of a node it expanded into."""


class Work(NamedTuple):
    """Asynchronous calls of a node that have not all ended: results and tasks, arguments, when they began."""

    results: list[Any]
    lists: Lists
    since: float


class PromptRun:
    """Executes one prompt; see `Executor.execute_async` for the arguments."""

    def __init__(
        self,
        catalogue: Catalogue,
        cache: ClassicCache,
        instances: Instances,
        emit: Emit,
        *,
        prompt: dict[str, dict[str, Any]],
        prompt_id: str,
        extra_data: Mapping[str, Any],
    ) -> None:
        self._catalogue = catalogue
        self._instances = instances
        self._prompt_id = prompt_id
        self._extra_data = extra_data
        self._dynprompt = DynamicPrompt(prompt)
        self._report = Reporter(prompt_id, self._dynprompt, emit)
        self._results = ResultsAtHand(catalogue, cache, self._dynprompt)
        self._links = LinkReader(catalogue, self._dynprompt.get_node)
        self._lifetimes = Lifetimes(self._sources, self._results.release)
        self._schedule = Schedule(
            self._links.eager_sources,
            self._results.has,
            self._is_urgent,
            throw_exception_if_processing_interrupted,
        )
        self._asked_for: dict[str, set[str]] = {}
        self._at_work: dict[str, Work] = {}
        self._expansions: dict[str, list[Returned]] = {}
        self._tasks: set[asyncio.Task[Any]] = set()
        self._modes = ExitStack()
        self._node: str | None = None
        self._lists: Lists = {}

    async def execute(self, targets: Iterable[str]) -> Run:
        """Run the targets and all they need."""
        began = time.perf_counter()
        account = self._report.account
        self._report.message("execution_start")
        try:
            with reporting_to(self._report.progress), self._modes:
                account.cached = await self._results.look_up()
                self._report.message("execution_cached", {"nodes": account.cached})
                await self._run_all(list(targets))
        except InterruptProcessingException:
            self._report.interrupted(self._node)
        except CycleError as error:
            self._report.caught_in_cycle(error)
        except (Exception, SystemExit) as error:  # whatever a node raises
            if self._node is None:
                raise
            self._report.failed(self._node, error, self._lists)
        else:
            self._report.message("execution_success")
        finally:
            await self._stop_tasks()
        account.seconds = time.perf_counter() - began
        return account

    async def _run_all(self, targets: list[str]) -> None:
        for target in targets:
            self._lifetimes.use(ROOT, target)
        for target in targets:
            self._schedule.add(target)
        while not self._schedule.is_empty:
            self._node = next(iter(self._at_work), None)  # to name if the wait for it is cancelled
            self._node = await self._schedule.choose()
            self._lists = {}
            began = time.perf_counter()
            await self._advance(self._node)
            self._report.spent(self._node, time.perf_counter() - began)

    async def _advance(self, node_id: str) -> None:
        if node_id in self._expansions:
            self._finish(
                node_id, merged(self._expansions[node_id], self._definition(node_id), self._linked_items)
            )
        elif node_id in self._at_work:
            work = self._at_work.pop(node_id)
            self._lists = work.lists
            self._report.spent(node_id, time.perf_counter() - work.since)
            await self._take(node_id, await settled(work.results))
        elif self._results.has(node_id):
            self._reuse(node_id)
        else:
            await self._call(node_id)

    def _reuse(self, node_id: str) -> None:
        shown = self._results.get(node_id).ui or {"output": None, "meta": None}
        self._report.showed(node_id, shown["output"], shown["meta"])
        self._report.progress.finish(node_id)
        self._schedule.complete(node_id)
        self._lifetimes.end(node_id)

    async def _call(self, node_id: str) -> None:
        self._report.started(node_id)
        node = self._dynprompt.get_node(node_id)
        definition = self._catalogue[node["class_type"]]
        live = self._catalogue.live_inputs(node)
        hidden = hidden_values(live, node_id, self._dynprompt, self._extra_data)
        outputs_for = functools.partial(self._outputs_for, node_id)
        given = gather(node["inputs"], live, hidden, definition.is_v3, outputs_for)
        self._lists = given.lists
        if definition.lazy_check and await self._waits_for_lazy(node_id, definition, given, live.places):
            return
        method = self._method(node_id, definition, definition.function, given)
        results = await call_over_lists(
            definition,
            method,
            given.lists,
            live.places,
            enter=functools.partial(self._enter, node_id),
            blocked=functools.partial(self._report.blocked, node_id),
            spawn=self._spawn,
        )
        pending = [result for result in results if isinstance(result, asyncio.Task)]
        if pending:
            self._at_work[node_id] = Work(results, given.lists, time.perf_counter())
            self._schedule.set_to_work(node_id, asyncio.gather(*pending, return_exceptions=True))
        else:
            await self._take(node_id, results)

    async def _waits_for_lazy(
        self, node_id: str, definition: NodeDefinition, given: Given, places: Mapping[str, str]
    ) -> bool:
        """Ask the node which lazy inputs it needs, and schedule those that have not run."""
        method = self._method(node_id, definition, definition.lazy_check, given)
        enter = functools.partial(self._enter, node_id)
        calls = call_over_lists(
            definition, method, given.lists, places, with_names=True, enter=enter, spawn=self._spawn
        )
        replies = [reply for reply in await settled(await calls) if isinstance(reply, list)]
        named = {name for reply in replies for name in reply if isinstance(name, str)}
        wanted = [name for name in sorted(named) if name not in given.lists or name in given.missing]
        asked, links = self._asked_for.setdefault(node_id, set()), self._links.of(node_id)
        fresh = [name for name in wanted if name not in asked and name not in links.eager]
        for name in fresh:
            if name not in links.lazy:
                raise NodeInputError(f"Node {node_id} asks for its input {name!r}, which is not linked")
            asked.add(name)
            self._schedule.require(node_id, links.lazy[name])
        if fresh:
            self._schedule.retry(node_id)
        return bool(fresh)

    def _outputs_for(self, node_id: str, name: str, source: str) -> Outputs | None:
        if name in self._links.of(node_id).lazy and name not in self._asked_for.get(node_id, ()):
            return None
        return self._results.get(source).outputs

    def _method(self, node_id: str, definition: NodeDefinition, name: str, given: Given) -> Any:
        if definition.is_v3:
            return bound_method(definition, name, given.hidden)
        root = self._dynprompt.get_real_node_id(node_id)
        kept = self._instances.setdefault((root, self._dynprompt.get_node(root)["class_type"]), {})
        if type(kept.get(node_id)) is not definition.cls:
            kept[node_id] = definition.cls()
        return bound_method(definition, name, given.hidden, kept[node_id])

    def _enter(self, node_id: str, number: int) -> CurrentNodeContext:
        throw_exception_if_processing_interrupted()
        torch = sys.modules.get("torch")
        if torch is not None and not torch.is_inference_mode_enabled():
            self._modes.enter_context(torch.inference_mode())
        GraphBuilder.set_default_prefix(node_id, number)
        return CurrentNodeContext(self._prompt_id, node_id, number)

    def _spawn(self, coroutine: Coroutine[Any, Any, Any]) -> asyncio.Task[Any]:
        task = asyncio.create_task(coroutine)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task

    async def _take(self, node_id: str, results: list[Any]) -> None:
        definition = self._definition(node_id)
        returns = [read_return(result, definition) for result in results]
        ui = merged_ui(returns)
        if ui:
            self._report.showed(node_id, ui)
        if any(returned.expand is not None for returned in returns):
            await self._expand(node_id, returns)
        else:
            self._finish(node_id, merged(returns, definition))

    async def _expand(self, node_id: str, returns: list[Returned]) -> None:
        children = add_expansion(node_id, returns, self._dynprompt, self._catalogue)
        self._expansions[node_id] = returns
        await self._results.admit(node_id, children)
        for child in children:
            if self._definition(child).is_output:
                self._lifetimes.use(ROOT, child)
                self._schedule.add(child)
        for source in sorted(linked_nodes(returns)):
            self._lifetimes.use(node_id, source)
            self._schedule.require(node_id, source)
        self._schedule.retry(node_id)

    def _linked_items(self, link: list[Any]) -> list[Any]:
        source, slot = link
        outputs = self._results.get(source).outputs
        if slot >= len(outputs):
            raise ExpansionError(f"A result is output {slot} of node {source}, which has {len(outputs)}")
        return outputs[slot]

    def _finish(self, node_id: str, outputs: Outputs) -> None:
        self._results.put(node_id, Entry(outputs, self._report.shown_by(node_id)))
        self._report.finished(node_id)
        self._schedule.complete(node_id)
        self._lifetimes.end(node_id)
        self._expansions.pop(node_id, None)

    def _sources(self, node_id: str) -> set[str]:
        return self._links.sources(node_id) | linked_nodes(self._expansions.get(node_id, ()))

    def _is_urgent(self, node_id: str) -> bool:
        definition = self._definition(node_id)
        return definition.is_output or definition.is_async

    def _definition(self, node_id: str) -> NodeDefinition:
        return self._catalogue[self._dynprompt.get_node(node_id)["class_type"]]

    async def _stop_tasks(self) -> None:
        tasks = list(self._tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
