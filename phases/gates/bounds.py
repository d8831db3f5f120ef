"""Nothing hangs: waiting and calling under a gate's deadline and stop."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Generic, TypeVar

from phases.gates.base import GateContext

T = TypeVar("T")
_POLL_SECONDS = 0.05


class Unanswered(Exception):
    """A call did not answer before the gate had to; `str()` says why it was left."""


class _Call(Generic[T]):
    """One call in a thread of its own."""

    def __init__(self, function: Callable[[], T]) -> None:
        self._function = function
        self.done = threading.Event()
        self.values: list[T] = []
        self.error: BaseException | None = None

    def run(self) -> None:
        try:
            self.values.append(self._function())
        except BaseException as error:  # noqa: BLE001 - raised again where the answer is waited for
            self.error = error
        finally:
            self.done.set()


def left(context: GateContext) -> float:
    """Return the seconds until the gate has to answer; may be infinite, never negative."""
    return max(0.0, context.deadline - context.clock.monotonic())


def over(context: GateContext) -> str | None:
    """Return why the gate has to answer now, or None while it may go on."""
    if context.stop.is_set():
        return "it was stopped"
    if left(context) <= 0:
        return "the phase's time was over"
    return None


def pause(context: GateContext, seconds: float) -> bool:
    """Wait, and return whether the whole time passed: False where a stop or the deadline came first."""
    until = context.clock.monotonic() + seconds
    while (rest := until - context.clock.monotonic()) > 0:
        if over(context):
            return False
        context.clock.sleep(min(rest, _POLL_SECONDS, left(context)))
    return not over(context)


def bounded(context: GateContext, function: Callable[[], T]) -> T:
    """Call code that is not ours and may block, and return what it returns.

    It runs in a daemon thread, which is left behind if it does not answer: Python cannot end a thread.

    Raises:
        Unanswered: the gate had to answer first.
        Exception: whatever `function` raised.
    """
    call = _Call(function)
    threading.Thread(target=call.run, name="launch-gate", daemon=True).start()
    while not call.done.wait(_POLL_SECONDS):
        if reason := over(context):
            raise Unanswered(reason)
    if isinstance(call.error, Exception):
        raise call.error
    if call.error is not None:  # a sys.exit() in code that is not ours ends that code, not the launch
        raise RuntimeError(f"it ended with {type(call.error).__name__}: {call.error}") from call.error
    return call.values[0]
