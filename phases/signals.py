"""What people ask of a running launch, and which of it stops the work that is under way."""

from __future__ import annotations

import threading
from enum import StrEnum


class Request(StrEnum):
    """What somebody asked for."""

    INTERRUPT = "interrupt"
    """Ctrl-C, SIGTERM, or the terminal was closed."""
    ABORT = "abort"
    """Roll back now."""
    PAUSE = "pause"
    """Wait at the next safe point."""
    RESUME = "resume"
    """Go on after a pause."""
    PROMOTE = "promote"
    """Go to the next step without waiting for the rest of the bake."""


class Signals:
    """Requests on their way to the loop; every method may be called from any thread and from signal handlers.

    Args:
        pause_on_interrupt: an interrupt lets the running work finish instead of stopping it.
    """

    def __init__(self, *, pause_on_interrupt: bool = False) -> None:
        self.stop = threading.Event()
        """Set when the work under way should end: the engine cancels, gates return."""
        self.abandoned = False
        """A second interrupt came: nobody waits any more."""
        self._pause_on_interrupt = pause_on_interrupt
        self._rolling_back = False
        self._interrupts = 0
        self._woken = threading.Event()
        self._pending: set[Request] = set()

    def send(self, request: Request) -> None:
        """Ask for something."""
        # A set's add and discard are atomic, and a lock here could deadlock with a signal handler.
        if request is Request.INTERRUPT:
            self._interrupts += 1
            self.abandoned = self._interrupts > 1
        if request is Request.RESUME:
            self._pending.discard(Request.PAUSE)
        if not self._rolling_back:
            self._pending.add(request)
            if request is Request.ABORT or (request is Request.INTERRUPT and not self._pause_on_interrupt):
                self.stop.set()
        self._woken.set()

    def hang_up(self) -> None:
        """Take the closing of the terminal as an interrupt, and never as a second one.

        One closed window may say it twice: the shell passes it on to its jobs, and the system tells the foreground
        job again when the shell is gone.
        """
        if self._interrupts == 0:
            self.send(Request.INTERRUPT)

    def take(self, request: Request) -> bool:
        """Return whether that was asked for, and forget it."""
        asked = request in self._pending
        self._pending.discard(request)
        return asked

    def pending(self, request: Request) -> bool:
        """Return whether that was asked for."""
        return request in self._pending

    def wait(self, seconds: float) -> None:
        """Wait until something is asked for, at most that long."""
        self._woken.wait(seconds)
        self._woken.clear()

    def begin_rollback(self) -> None:
        """From now on nothing stops the work but a second interrupt: what asked for the rollback must not end it."""
        self._rolling_back = True
        self._pending.clear()
        self.stop.clear()
