"""Runs `launch ARGS` and kills its own process, as `kill -9` does, at a point that the loop announces.

`python killed_at.py POINT DELAY FILE ARGS...`: POINT is the number of an event or its name (see `name`). The names
of the points are written to FILE, one a line. With a DELAY the process goes on for that many seconds after the
event, so that it dies in the middle of what the event began.
"""

from __future__ import annotations

import os
import signal
import sys
import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import launch.display
from launch.edge import run
from phases import events
from phases.events import Event, MetricsRead, Observer


def name(event: Event) -> str:
    """Return what tells a point of a launch from the others, the same in every launch."""
    match event:
        case events.PhaseMoved():
            told: tuple[object, ...] = (event.phase, event.to)
        case events.GateChecked():
            told = (event.phase, event.gate)
        case events.UpdateStarted() | events.UpdateApplied() | events.UpdateFailedEvent():
            told = (event.message.partition(" ")[2],)
        case events.StepApplied() | events.BakeStarted():
            told = (event.step,)
        case events.TrafficShifted() | events.RollbackStarted() | events.Warned():
            told = (event.phase,)
        case _:
            told = ()
    return " ".join(str(part) for part in (event.name, *told) if part)


class Points:
    """Names points; one that is passed a second time is called so."""

    def __init__(self) -> None:
        self._seen: Counter[str] = Counter()

    def __call__(self, event: Event) -> str:
        """Return the point's name."""
        plain = name(event)
        self._seen[plain] += 1
        return plain if self._seen[plain] == 1 else f"{plain} ({self._seen[plain]})"


def main() -> int:
    at, delay, file, arguments = sys.argv[1], float(sys.argv[2]), Path(sys.argv[3]), sys.argv[4:]
    points, seen = Points(), 0

    def observe(event: Event) -> None:
        nonlocal seen
        if isinstance(event, MetricsRead):
            return  # how many of these there are depends on the clock
        point = points(event)
        with file.open("a", encoding="utf-8") as out:
            out.write(point + "\n")
        if at in (point, str(seen)):
            if delay:
                threading.Timer(delay, die).start()
            else:
                die()
        seen += 1

    @contextmanager
    def choose(*_: object, **__: object) -> Iterator[Observer]:
        yield observe

    launch.display.choose = choose  # the display is what a test may replace
    return run(arguments)


def die() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


if __name__ == "__main__":
    sys.exit(main())
