"""The new slot's own health check, asked past the router while it has users."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable

from phases.http import probe

logger = logging.getLogger(__name__)

_PATIENCE = 0.05
"""Seconds for which an answer is waited for at once; a healthy service has answered by then."""


def http_health(
    url: str, *, expected: int = 200, timeout: float = 1.0, headers: dict[str, str] | None = None
) -> Callable[[], bool]:
    """Return a check that is true where `GET url` answers `expected` within `timeout` seconds.

    No answer, a late one and a redirect count as failures: a load balancer would take the slot out for the same.
    """

    def healthy() -> bool:
        return probe(url, headers=headers, timeout=timeout).status == expected

    return healthy


class Aside:
    """A health check that keeps nobody waiting: a slot that hangs must not keep the breaker from reading the metrics.

    Args:
        check: answers in time, on a thread of its own.
        patience: seconds for which its answer is waited for.
    """

    def __init__(self, check: Callable[[], bool], *, patience: float = _PATIENCE) -> None:
        self._check = check
        self._patience = patience
        self._asked: _Asked | None = None

    def __call__(self) -> bool | None:
        """Return the answer; None where it is not there yet: then ask again for it. One check runs at a time."""
        if self._asked is None:
            self._asked = _Asked(self._check)
            self._asked.start()
            self._asked.join(self._patience)
        if self._asked.is_alive():
            return None
        healthy, self._asked = self._asked.healthy, None
        return healthy


class _Asked(threading.Thread):
    def __init__(self, check: Callable[[], bool]) -> None:
        super().__init__(name="launch-health", daemon=True)
        self._check = check
        self.healthy = False

    def run(self) -> None:
        try:
            self.healthy = self._check()
        except Exception:
            # Whatever keeps the check from answering keeps it from saying that the slot is well.
            logger.exception("the health check raised")
