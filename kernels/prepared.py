"""Weights rearranged once for a fast path, and again as soon as they change."""

from __future__ import annotations

from collections.abc import Callable, Hashable

from torch import Tensor
from torch.utils.weak import WeakTensorKeyDictionary

_prepared: WeakTensorKeyDictionary = WeakTensorKeyDictionary()
"""By weight: by form, what the weight was and what was made of it. Dies with the weight."""


def prepared(weight: Tensor, form: Hashable, make: Callable[[Tensor], Tensor]) -> Tensor:
    """`make(weight)`, computed at the first call and whenever the weight was written, moved or cast since.

    Args:
        weight: a parameter; kept alive by its owner, not by this.
        form: names what `make` makes, so that one weight can have several forms.
        make: a pure function of the weight.
    """
    forms = _prepared.setdefault(weight, {})
    version = None if weight.is_inference() else weight._version
    stamp = (version, weight.data_ptr(), weight.dtype, weight.device)
    known = forms.get(form)
    if known is None or known[0] != stamp:
        known = forms[form] = (stamp, make(weight.detach()))
    return known[1]
