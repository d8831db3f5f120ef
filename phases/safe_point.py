"""Where the loop looks up: interrupts, aborts, pauses."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from phases.deadline import Deadline
from phases.run import Run
from phases.signals import Request
from phases.states import LaunchState
from phases.trouble import Abandoned, Cause, PauseExit, Trouble

T = TypeVar("T")

PAUSE_POLL_SECONDS = 1.0


def safe_point(run: Run, deadline: Deadline, *, watch: Callable[[], None] | None = None) -> None:
    """Return when the launch may go on.

    Args:
        run: the run.
        deadline: of the phase; a pause moves it.
        watch: called while paused; raises Trouble where the new version turns out bad meanwhile.

    Raises:
        Trouble: somebody interrupted or aborted the launch, or `watch` found trouble.
        PauseExit: the launch is PAUSED and the process shall end.
    """
    if run.signals.abandoned:
        raise Abandoned
    if run.signals.take(Request.ABORT):
        raise Trouble("abort was asked for", cause=Cause.ABORTED)
    if run.signals.take(Request.INTERRUPT):
        if run.pause_on_interrupt:
            run.move_launch(LaunchState.PAUSED, "interrupted; `resume` goes on", interrupted=True)
            raise PauseExit
        raise Trouble("interrupted", cause=Cause.INTERRUPTED)
    if run.signals.take(Request.PAUSE):
        _pause(run, deadline, watch)


def _pause(run: Run, deadline: Deadline, watch: Callable[[], None] | None) -> None:
    began = run.clock.monotonic()
    run.move_launch(LaunchState.PAUSED, "pause was asked for")
    try:
        while not (run.signals.take(Request.RESUME) or run.signals.pending(Request.PROMOTE)):
            if run.signals.abandoned:
                raise Abandoned
            if run.signals.pending(Request.ABORT) or run.signals.pending(Request.INTERRUPT):
                break
            if watch is not None:
                watch()
            run.signals.wait(PAUSE_POLL_SECONDS)
    except Trouble:
        run.move_launch(LaunchState.RUNNING, "the breaker tripped while paused")
        raise
    finally:
        deadline.extend(run.clock.monotonic() - began)
    if run.signals.pending(Request.INTERRUPT) and run.pause_on_interrupt:
        raise PauseExit
    run.move_launch(LaunchState.RUNNING, "resumed")
    safe_point(run, deadline, watch=watch)


def while_working(
    run: Run, work: Callable[[], T], deadline: Deadline, *, watch: Callable[[], None] | None = None, every: float = 1.0
) -> T:
    """Return what `work` returns; a second interrupt ends the wait.

    Args:
        run: the run.
        work: runs on another thread; it ends by itself at the deadline, or soon after `signals.stop` is set.
        deadline: when its time is up.
        watch: called meanwhile; where it raises Trouble, the work is stopped first and then the trouble raised.
        every: seconds between two calls of `watch`.

    Raises:
        Abandoned: nobody waits any more.
        TimeoutError: the work ignored its deadline.
    """
    found: list[Trouble] = []
    due = run.clock.monotonic() + every

    def tick() -> None:
        nonlocal due
        if run.signals.abandoned:
            raise Abandoned
        if watch is None or found or run.clock.monotonic() < due:
            return
        due = run.clock.monotonic() + every
        try:
            watch()
        except Trouble as trouble:
            found.append(trouble)
            run.signals.stop.set()

    try:
        value = run.runner.run(work, deadline=deadline.at, tick=tick)
    except Exception as error:
        if found:
            run.signals.stop.clear()
            raise found[0] from error
        raise
    if found:
        run.signals.stop.clear()
        raise found[0]
    return value
