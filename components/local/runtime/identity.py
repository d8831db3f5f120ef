"""Which process is meant: a process id alone is reused by the system, an id with its start time is not.

On Linux the start time is read as clock ticks since boot, together with the boot's own id: unlike a time of day
it does not move when somebody sets the clock. Elsewhere psutil's creation time serves.
"""

from __future__ import annotations

import os
import signal
import time
from contextlib import suppress
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

_PROC = Path("/proc")
_KILLED_SECONDS = 0.5
_POLL_SECONDS = 0.01


@dataclass(frozen=True, slots=True)
class Identity:
    """One process, for ever: its id, and when it started."""

    pid: int
    started: str

    @classmethod
    def of(cls, pid: int) -> Identity | None:
        """The process that has this id now, or None if there is none (a zombie counts as none)."""
        started = _started(pid)
        return None if started is None else cls(pid, started)

    @classmethod
    def parse(cls, value: object) -> Identity | None:
        """Read what `as_json` wrote; None for anything else."""
        if isinstance(value, dict) and isinstance(value.get("pid"), int):
            return cls(value["pid"], str(value.get("started")))
        return None

    def as_json(self) -> dict[str, Any]:
        """A JSON object that `parse` reads."""
        return {"pid": self.pid, "started": self.started}

    def alive(self) -> bool:
        """Whether this very process still runs."""
        return _started(self.pid) == self.started

    def send(self, number: signal.Signals) -> None:
        """Send a signal to this process, if it still runs."""
        if self.alive():
            with suppress(ProcessLookupError):
                os.kill(self.pid, number)

    def send_group(self, number: signal.Signals) -> None:
        """Send a signal to the process group that this process leads or led.

        The group outlives its leader while a member lives, and the system gives the id of a living group to no
        new process: with the leader gone the id still means this group. Only a leader that is somebody else
        means that all of it is gone.
        """
        now = _started(self.pid)
        if now is None or now == self.started:
            with suppress(ProcessLookupError, PermissionError):
                os.killpg(self.pid, number)

    def kill_group(self) -> None:
        """Kill whatever is left of that group, and wait a moment until it is gone and holds no port any more.

        A process is not gone at once when it is killed. One that nobody waits for (in a container whose first process
        waits for none) stays as a zombie, which holds nothing.
        """
        self.send_group(signal.SIGKILL)
        deadline = time.monotonic() + _KILLED_SECONDS
        while self._group_left() and time.monotonic() < deadline:
            time.sleep(_POLL_SECONDS)

    def _group_left(self) -> bool:
        try:
            os.killpg(self.pid, 0)
        except (ProcessLookupError, PermissionError):  # nobody's, or somebody else's by now
            return False
        return True


@lru_cache(maxsize=1)
def _boot() -> str:
    return (_PROC / "sys/kernel/random/boot_id").read_text().strip()


def _started(pid: int) -> str | None:
    if not (_PROC / "self/stat").exists():
        return _started_psutil(pid)
    try:
        stat = (_PROC / str(pid) / "stat").read_bytes()
    except (FileNotFoundError, ProcessLookupError):
        return None
    # "pid (name) state ppid ...": the name may hold anything, so count from its closing parenthesis (proc(5)).
    fields = stat[stat.rindex(b")") + 2 :].split()
    return None if fields[0] in {b"Z", b"X"} else f"{_boot()}:{int(fields[19])}"


def _started_psutil(pid: int) -> str | None:
    import psutil

    try:
        process = psutil.Process(pid)
        return None if process.status() == psutil.STATUS_ZOMBIE else f"{process.create_time():.3f}"
    except psutil.NoSuchProcess:
        return None
