"""Why a phase did not become VERIFIED. An outcome, not a malfunction: the loop catches it and rolls back."""

from __future__ import annotations

from enum import StrEnum


class Cause(StrEnum):
    """What ended a phase."""

    FAILED = "failed"
    """A gate, an update or the breaker."""
    TIMEOUT = "timeout"
    """Its time was up."""
    INTERRUPTED = "interrupted"
    """Ctrl-C, SIGTERM, or the terminal was closed."""
    ABORTED = "aborted"
    """`abort` was asked for."""


class Trouble(Exception):
    """A phase ended badly; `str()` is the reason."""

    def __init__(self, reason: str, *, cause: Cause = Cause.FAILED) -> None:
        super().__init__(reason)
        self.cause = cause


class PauseExit(Exception):
    """The launch is PAUSED and this process ends; `resume` goes on."""


class Abandoned(BaseException):
    """A second interrupt: nobody waits any more. `resume` finishes what was begun.

    No Exception, as KeyboardInterrupt is none: what carries on after any error, an undo or a gate, must not take
    this for one.
    """
