"""Stand-ins for `torch.Tensor` in annotations, so that declaring a node needs no torch."""

from __future__ import annotations

import sys
from typing import Any


class _IsTensor(type):
    def __instancecheck__(cls, value: Any) -> bool:
        torch = sys.modules.get("torch")
        return torch is not None and isinstance(value, torch.Tensor)


class Tensor(metaclass=_IsTensor):
    """Any `torch.Tensor`; `isinstance` works."""
