"""Runs blocking work on a thread of its own, so that the loop sees interrupts, timeouts and bad metrics meanwhile."""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable
from typing import TypeVar

from phases.clock import Clock

T = TypeVar("T")

TICK_SECONDS = 0.05
GRACE_SECONDS = 45.0
"""Work bounds itself by its deadline and needs time to clean up (cancel an update, release a lock). Only work that
ignores both its deadline and this grace is left behind."""


class ThreadRunner:
    """One daemon thread for each piece of work."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock

    def run(self, work: Callable[[], T], *, deadline: float, tick: Callable[[], None]) -> T:
        """Return what `work` returns, calling `tick` about twenty times a second meanwhile.

        Raises:
            TimeoutError: the work ignored its deadline and its grace.
        """
        done: queue.SimpleQueue[tuple[T | None, BaseException | None]] = queue.SimpleQueue()

        def target() -> None:
            try:
                done.put((work(), None))
            except BaseException as error:  # noqa: BLE001 - handed to the loop's thread, where it is raised again
                done.put((None, error))

        threading.Thread(target=target, name="launch-work", daemon=True).start()
        while True:
            try:
                value, error = done.get(timeout=TICK_SECONDS)
            except queue.Empty:
                tick()
                if self._clock.monotonic() > deadline + GRACE_SECONDS:
                    raise TimeoutError("the work did not stop at its deadline and was left behind") from None
                continue
            if error is not None:
                raise error
            return value  # type: ignore[return-value]  # without an error there is a value
