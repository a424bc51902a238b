"""Prompts as ComfyUI's jobs API tells of them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

PENDING, IN_PROGRESS, COMPLETED, FAILED, CANCELLED = STATUSES = (
    "pending",
    "in_progress",
    "completed",
    "failed",
    "cancelled",
)

_VISIBLE_KINDS = {"images", "video", "audio", "3d", "text"}
_SOLID_EXTENSIONS = (".obj", ".fbx", ".gltf", ".glb", ".usdz")
_TEXT_EXTENSIONS = (".txt", ".md", ".json")
_LONGEST_TEXT = 1024

Job = dict[str, Any]


def queued_job(facts: list[Any], status: str) -> Job:
    """A prompt of the queue; facts: [number, id, prompt, extra_data, targets]."""
    return _present(
        {
            "id": facts[1],
            "status": status,
            "priority": facts[0],
            "create_time": _created(facts[3]),
            "outputs_count": 0,
            "previewable_outputs_count": 0,
            "workflow_id": workflow_id(facts[3]),
        }
    )


def finished_job(prompt_id: str, entry: Mapping[str, Any]) -> Job:
    """A prompt of the history, without what it showed."""
    number, _, _, extra_data, _ = entry["prompt"]
    messages = dict(entry["status"]["messages"])
    ends = ("execution_success", "execution_error", "execution_interrupted")
    end = next((messages[name] for name in ends if name in messages), {})
    shown = list(_shown_items(entry["outputs"]))
    return _present(
        {
            "id": prompt_id,
            "status": _status(entry["status"]["status_str"], messages),
            "priority": number,
            "create_time": _created(extra_data),
            "execution_start_time": messages.get("execution_start", {}).get("timestamp"),
            "execution_end_time": end.get("timestamp"),
            "execution_error": messages.get("execution_error"),
            "outputs_count": len([item for item in shown if isinstance(item[2], Mapping)]),
            "previewable_outputs_count": len([item for item in shown if _is_visible(*item[1:])]),
            "preview_output": _preview(shown),
            "workflow_id": workflow_id(extra_data),
        }
    )


def full_job(prompt_id: str, entry: Mapping[str, Any]) -> Job:
    """A prompt of the history with its graph and all that it showed."""
    _, _, prompt, extra_data, _ = entry["prompt"]
    return finished_job(prompt_id, entry) | {
        "outputs": entry["outputs"],
        "execution_status": entry["status"],
        "workflow": {"prompt": prompt, "extra_data": extra_data},
    }


def workflow_id(extra_data: Mapping[str, Any]) -> str | None:
    """The id of the editor's document, where the client has sent one."""
    for key in ("extra_pnginfo", "workflow", "id"):
        extra_data = extra_data.get(key) if isinstance(extra_data, Mapping) else None
    return extra_data if isinstance(extra_data, str) else None


def _created(extra_data: Mapping[str, Any]) -> int:
    return extra_data["create_time"]


def _status(outcome: str, messages: Mapping[str, Any]) -> str:
    if outcome == "success":
        return COMPLETED
    return CANCELLED if "execution_interrupted" in messages else FAILED


def _shown_items(outputs: Mapping[str, Any]) -> Iterator[tuple[str, str, Any]]:
    """(node id, kind, item): files as mappings, texts as they are."""
    for node_id, shown in outputs.items():
        for kind, items in shown.items():
            if kind == "animated" or not isinstance(items, (list, tuple)):
                continue
            for item in items:
                if isinstance(item, str) and item.lower().endswith(_SOLID_EXTENSIONS):
                    yield node_id, "3d", {"filename": item, "type": "output", "subfolder": ""}
                elif isinstance(item, Mapping) or kind == "text":
                    yield node_id, kind, item


def _is_visible(kind: str, item: Any) -> bool:
    if not isinstance(item, Mapping):
        return False
    format_, name = str(item.get("format") or ""), str(item.get("filename") or "").lower()
    return (
        kind in _VISIBLE_KINDS
        or format_.startswith(("video/", "audio/"))
        or name.endswith(_SOLID_EXTENSIONS + _TEXT_EXTENSIONS)
    )


def _preview(shown: list[tuple[str, str, Any]]) -> dict[str, Any] | None:
    """What stands for a job: a saved picture or film, else one of the temp folder, else a text."""
    candidates = []
    for node_id, kind, item in shown:
        if not isinstance(item, Mapping):
            text = str(item)
            short = {"content": text[:_LONGEST_TEXT]} | (
                {"truncated": True} if len(text) > _LONGEST_TEXT else {}
            )
            candidates.append((3, {**short, "nodeId": node_id, "mediaType": kind}))
        elif _is_visible(kind, item):
            is_text = kind == "text" or str(item.get("filename")).lower().endswith(_TEXT_EXTENSIONS)
            rank = 2 if is_text else 0 if item.get("type") == "output" else 1
            candidates.append((rank, {"mediaType": kind, **item, "nodeId": node_id}))
    return min(candidates, key=lambda candidate: candidate[0], default=(0, None))[1]


def _present(job: Job) -> Job:
    return {key: value for key, value in job.items() if value is not None}
