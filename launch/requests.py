"""What one command asks of a launch that runs in another: files in a directory, one for each request.

A file is all it takes on one machine, and it outlives the one who asked.
"""

from __future__ import annotations

import threading
from pathlib import Path
from typing import Self

from phases.signals import Request, Signals

POLL_SECONDS = 0.2


def ask(directory: Path, request: Request) -> Path:
    """Leave a request; the file disappears when the launch has taken it."""
    directory.mkdir(parents=True, exist_ok=True)
    path = directory / request.value
    path.touch()
    return path


def clear(directory: Path) -> None:
    """Forget what was asked of an earlier launch."""
    for request in Request:
        (directory / request.value).unlink(missing_ok=True)


class Listener:
    """Hands requests to the loop until it is closed.

    Args:
        directory: where they are left.
        signals: who wants to know.
    """

    def __init__(self, directory: Path, signals: Signals) -> None:
        self._directory, self._signals = directory, signals
        self._closed = threading.Event()
        self._thread = threading.Thread(target=self._listen, name="launch-requests", daemon=True)

    def __enter__(self) -> Self:
        """Begin."""
        clear(self._directory)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        """End."""
        self._closed.set()
        self._thread.join()
        clear(self._directory)

    def _listen(self) -> None:
        while not self._closed.wait(POLL_SECONDS):
            for request in Request:
                path = self._directory / request.value
                if path.exists():
                    path.unlink(missing_ok=True)
                    self._signals.send(request)
