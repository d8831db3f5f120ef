"""Waiting for what controllers will have done soon."""

from __future__ import annotations

import time
from collections.abc import Callable

_LIMIT_SECONDS = 90.0
_POLL_SECONDS = 0.05


def wait_until(ready: Callable[[], object], limit: float = _LIMIT_SECONDS) -> None:
    """Waits until `ready` answers with something true.

    Raises:
        AssertionError: it did not within so many seconds.
    """
    end = time.monotonic() + limit
    while not (last := ready()):
        assert time.monotonic() < end, f"still not so after {limit:g} s: {last!r}"
        time.sleep(_POLL_SECONDS)
