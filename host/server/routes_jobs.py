"""ComfyUI's jobs API: queue and history as one list."""

from __future__ import annotations

import asyncio
from typing import NamedTuple

from aiohttp import web

from .intake import is_uuid
from .jobs import IN_PROGRESS, PENDING, STATUSES, Job, full_job, queued_job
from .parts import PARTS, Parts
from .requests import answer, json_object, refusal, text_list, whole_number

routes = web.RouteTableDef()

_SORT_KEYS = {"created_at": "created", "execution_duration": "took"}


class _Wish(NamedTuple):
    """Which jobs are asked for: a part of those of some statuses and of one workflow, if any, in an order."""

    statuses: list[str]
    workflow: str | None
    sort_by: str
    descending: bool
    limit: int | None
    offset: int

    def admits(self, job: Job) -> bool:
        return job["status"] in self.statuses and self.workflow in (None, job.get("workflow_id"))


@routes.get("/jobs")
async def list_jobs(request: web.Request) -> web.Response:
    """Jobs, filtered by `status` and `workflow_id`, sorted, from `offset` on, at most `limit`."""
    limit, offset = whole_number(request, "limit", None), max(whole_number(request, "offset", 0), 0)
    if limit is not None and limit <= 0:
        raise refusal(web.HTTPBadRequest, "limit must be a positive integer")
    wish = _Wish(
        _statuses(request),
        request.query.get("workflow_id") or None,
        _choice(request, "sort_by", tuple(_SORT_KEYS)),
        _choice(request, "sort_order", ("desc", "asc")) == "desc",
        limit,
        offset,
    )
    jobs, total = await asyncio.to_thread(_found, request.app[PARTS], wish)
    page = {"offset": offset, "limit": limit, "total": total, "has_more": offset + len(jobs) < total}
    return answer({"jobs": jobs, "pagination": page})


def _found(parts: Parts, wish: _Wish) -> tuple[list[Job], int]:
    """The jobs that are wished for, and how many there are without a limit."""
    running, pending = parts.queue.current()
    waiting = [queued_job(item.facts, IN_PROGRESS) for item in running]
    waiting += [queued_job(item.facts, PENDING) for item in pending]
    most = -1 if wish.limit is None else min(wish.offset + wish.limit, 2**62)
    order = f"{_SORT_KEYS[wish.sort_by]}{' DESC' if wish.descending else ''}"
    done = list(parts.store.jobs(wish.statuses, wish.workflow, order, most))
    ended = {job["id"] for job in done}  # since the queue was looked at
    waiting = [job for job in waiting if wish.admits(job) and job["id"] not in ended]
    # Both parts are sorted by themselves; a stable sort keeps their order among equals.
    key = _created if wish.sort_by == "created_at" else _took
    jobs = sorted(waiting + done, key=key, reverse=wish.descending)
    end = None if wish.limit is None else wish.offset + wish.limit
    return jobs[wish.offset : end], len(waiting) + parts.store.count_jobs(wish.statuses, wish.workflow)


def _created(job: Job) -> int:
    return job.get("create_time", 0)


def _took(job: Job) -> int:
    return job.get("execution_end_time", 0) - job.get("execution_start_time", 0)


def _statuses(request: web.Request) -> list[str]:
    given = [name.strip().lower() for name in request.query.get("status", "").split(",") if name.strip()]
    unknown = [name for name in given if name not in STATUSES]
    if unknown:
        message = f"Invalid status value(s): {', '.join(unknown)}. Valid values: {', '.join(STATUSES)}"
        raise refusal(web.HTTPBadRequest, message)
    return given or list(STATUSES)


def _choice(request: web.Request, name: str, choices: tuple[str, ...]) -> str:
    given = request.query.get(name, choices[0]).lower()
    if given not in choices:
        raise refusal(web.HTTPBadRequest, f"{name} must be one of {', '.join(choices)}")
    return given


@routes.get("/jobs/{job_id}")
async def show_job(request: web.Request) -> web.Response:
    """One job; a finished one with its graph and all that it showed."""
    parts, job_id = request.app[PARTS], request.match_info["job_id"]
    running, pending = parts.queue.current()
    for items, status in ((running, IN_PROGRESS), (pending, PENDING)):
        for item in items:
            if item.prompt_id == job_id:
                graph = {"workflow": {"prompt": item.prompt, "extra_data": item.extra_data}}
                return answer(queued_job(item.facts, status) | graph)
    entry = parts.store.entry(job_id)
    if entry is None:
        raise refusal(web.HTTPNotFound, "Job not found")
    return answer(full_job(job_id, entry))


@routes.post("/jobs/cancel")
async def cancel_jobs(request: web.Request) -> web.Response:
    """Stop the jobs {"job_ids": […]}, wherever they stand; those that have ended stay as they are."""
    ids = text_list((await json_object(request)).get("job_ids"), "job_ids")
    wrong = [job_id for job_id in ids if not is_uuid(job_id)]
    if wrong:
        return answer({"error": "job_ids contains invalid id(s)", "invalid_ids": wrong}, status=400)
    cancelled = [request.app[PARTS].queue.cancel(job_id) for job_id in ids]
    return answer({"cancelled": any(cancelled)})


@routes.post("/jobs/{job_id}/cancel")
async def cancel_job(request: web.Request) -> web.Response:
    """Stop a job; {"cancelled": false} where it has ended or never was."""
    return answer({"cancelled": request.app[PARTS].queue.cancel(request.match_info["job_id"])})
