"""Which pack a node is of, as a saved node says: what the editor repeats in a prompt's `_meta`."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

_REGISTRY_ID = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9._-]{0,98}[A-Za-z0-9])?")
_GITHUB_OWNER = re.compile(r"(?!.*--)[A-Za-z0-9](?:[A-Za-z0-9-]{0,37}[A-Za-z0-9])?")
_COMMIT = re.compile(r"[0-9A-Fa-f]{4,40}")
_LABELS = r"[0-9a-z-]+(?:\.[0-9a-z-]+)*"
_NUMBER = "(?:0|[1-9][0-9]*)"
_RELEASE = re.compile(rf"{_NUMBER}(?:\.{_NUMBER}){{2}}(?:-{_LABELS})?(?:\+{_LABELS})?")


def origin(properties: Mapping[str, Any]) -> dict[str, str]:
    """A node's pack from its `properties`; what is not well-formed is left out, as in editors from 1.50 on.

    Returns:
        Any of `cnr_id` (its id in ComfyUI's registry), `aux_id` (`owner/repository` on GitHub) and
        `ver` (a release such as 1.2.0, without a leading v, a commit, or "unknown").
    """
    said = {name: properties.get(name) for name in ("cnr_id", "aux_id", "ver")}
    texts = {name: value for name, value in said.items() if isinstance(value, str)}
    if "ver" in texts:
        texts["ver"] = texts["ver"].removeprefix("v")
    return {name: text for name, text in texts.items() if _FORMS[name](text)}


def _is_repository(text: str) -> bool:
    owner, _, name = text.partition("/")
    return bool(_GITHUB_OWNER.fullmatch(owner) and _REGISTRY_ID.fullmatch(name))


def _is_version(text: str) -> bool:
    return text == "unknown" or bool(_RELEASE.fullmatch(text) or _COMMIT.fullmatch(text))


_FORMS = {"cnr_id": _REGISTRY_ID.fullmatch, "aux_id": _is_repository, "ver": _is_version}
