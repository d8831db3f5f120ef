"""What an API watch sees: each change of an object, dated in the moment it arrives."""

from __future__ import annotations

import contextlib
import http.client
import threading
import time
from collections.abc import Callable
from typing import Any, TypeVar

from tests.cluster.rest import Refused, Rest

T = TypeVar("T")

_LONG = 7200.0


class Sight:
    """Watches the objects of a collection from a thread of its own, until this process ends or the API server does.

    Args:
        rest: the API.
        path: of the collection, a field selector included if it is about one object.
        tell: is given each object and when it arrived, by the system's clock; on the watch's thread.
    """

    def __init__(self, rest: Rest, path: str, tell: Callable[[dict[str, Any], float], None]) -> None:
        self._rest, self._path, self._tell = rest, path, tell
        threading.Thread(target=self._look, daemon=True).start()

    def _look(self) -> None:
        with contextlib.suppress(OSError, http.client.HTTPException, ValueError, Refused):  # the API server has ended
            while True:  # it closes a watch now and then
                for event in self._rest.watch(self._path, seconds=_LONG):
                    at = time.time()
                    if event["type"] in ("ADDED", "MODIFIED"):
                        self._tell(event["object"], at)


class Moments:
    """Dated values that one thread adds and another one waits for."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._found: list[tuple[float, Any]] = []

    def add(self, value: object, at: float) -> None:
        """Add a value, unless it is the last one's."""
        with self._changed:
            if not self._found or self._found[-1][1] != value:
                self._found.append((at, value))
                self._changed.notify_all()

    def since(self, begin: float) -> list[tuple[float, Any]]:
        """Return what was added since then, and before it the value that there was by then."""
        with self._changed:
            earlier = [each for each in self._found if each[0] < begin][-1:]
            return earlier + [each for each in self._found if each[0] >= begin]

    def wait(self, fits: Callable[[Any], bool], *, since: float, limit: float, what: str) -> float:
        """Return when the first value since then that fits was added.

        Raises:
            TimeoutError: none came in so many seconds.
        """
        end = time.monotonic() + limit
        with self._changed:
            while True:
                found = next((at for at, value in self._found if at >= since and fits(value)), None)
                if found is not None:
                    return found
                left = end - time.monotonic()
                if left <= 0 or not self._changed.wait(left):
                    raise TimeoutError(f"{what}: not so after {limit:g} s; last seen {self._found[-1:]}")
