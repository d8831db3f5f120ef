"""Ends a running statement when a launch is cancelled, so that its transaction is rolled back at once."""

from __future__ import annotations

import contextlib
import logging
import threading
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from sqlalchemy.engine import Connection

_log = logging.getLogger(__name__)

_POLL_SECONDS = 0.1
"""How often the guard looks whether its work is over; a cancellation itself is seen at once."""


class Interrupter:
    """Watches an event while a migration runs.

    Args:
        cancelled: set by whoever wants to stop; None for never.
    """

    def __init__(self, cancelled: threading.Event | None) -> None:
        self._cancelled = cancelled
        self._connections: list[Any] = []
        self._over = threading.Event()

    @property
    def is_set(self) -> bool:
        """Whether somebody wants to stop."""
        return self._cancelled is not None and self._cancelled.is_set()

    def attach(self, connection: Connection) -> None:
        """Let this connection's statements be ended."""
        self._connections.append(connection.connection.dbapi_connection)

    @contextlib.contextmanager
    def watching(self) -> Iterator[None]:
        """Watches for as long as the block runs."""
        if self._cancelled is None:
            yield
            return
        guard = threading.Thread(target=self._guard, args=(self._cancelled,), name="migration-guard", daemon=True)
        guard.start()
        try:
            yield
        finally:
            self._over.set()
            guard.join()

    def _guard(self, cancelled: threading.Event) -> None:
        while not self._over.is_set():
            if cancelled.wait(_POLL_SECONDS):
                for connection in self._connections:
                    _interrupt(connection)
                # Again after a while: a statement may have begun just after the first try.
                self._over.wait(_POLL_SECONDS)


def _interrupt(connection: Any) -> None:  # noqa: ANN401 - any driver's
    """Both drivers allow this from another thread; others are left to end by themselves."""
    end = getattr(connection, "cancel_safe", None) or getattr(connection, "interrupt", None)
    try:
        if end is not None:
            end()
    except Exception as error:  # noqa: BLE001 - closed meanwhile, or the server is gone: over either way
        _log.debug("could not interrupt: %s", type(error).__name__)
