"""Ends runs of the Pulumi CLI whose owner died without a word, for instance by `kill -9`.

Runs as a small process of its own: `python -I -S reaper.py`. The owner writes `+PID` when it has started a CLI and
`-PID` when that CLI has ended; the end of standard input is the owner's death. A CLI that is left then is asked to
cancel, as Ctrl-C would, so that it can record what it did and release its lock; after a while it is asked to
terminate, and at last its whole session is killed. Each CLI leads a session of its own, so a process that is meant
to outlive it has only to begin another session.

Standard library only, and nothing else of this package: it starts in milliseconds and stays small.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterable

CANCEL_SECONDS = 5.0
"""How long an orphaned CLI may take to cancel."""

TERMINATE_SECONDS = 3.0
"""How long it may take to terminate after that, before its session is killed."""

_POLL_SECONDS = 0.05


def session_members(session: int) -> list[int]:
    """The processes of the session that `session` leads or led."""
    members = []
    for pid in _all_pids():
        try:
            if os.getsid(pid) == session:
                members.append(pid)
        except OSError:  # gone, or somebody else's
            continue
    return members


def kill_session(session: int) -> None:
    """Kills every process of a session, also those that appear while it does so."""
    for _ in range(3):
        members = [pid for pid in session_members(session) if pid != os.getpid()]
        if not members:
            return
        for pid in members:
            send(pid, signal.SIGKILL)


def send(pid: int, number: signal.Signals) -> None:
    """Sends a signal to a process that may be gone already."""
    try:
        os.kill(pid, number)
    except (ProcessLookupError, PermissionError):
        return


def end(
    sessions: Iterable[int],
    *,
    cancel_seconds: float = CANCEL_SECONDS,
    terminate_seconds: float = TERMINATE_SECONDS,
    clock: Callable[[], float] = time.monotonic,
) -> None:
    """Ends the CLIs that lead these sessions: cancel, terminate, kill."""
    left = [session for session in sessions if _alive(session)]
    for patience in (cancel_seconds, terminate_seconds):
        for session in left:
            send(session, signal.SIGINT)
        limit = clock() + patience
        while left and clock() < limit:
            time.sleep(_POLL_SECONDS)
            left = [session for session in left if _alive(session)]
    for session in sessions:
        kill_session(session)


def _alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except OSError:
        return False
    return not _zombie(pid)


def _zombie(pid: int) -> bool:
    """Whether it has ended and only waits to be noticed by its parent (Linux; elsewhere orphans are reaped)."""
    try:
        with open(f"/proc/{pid}/stat", encoding="utf-8", errors="replace") as file:  # noqa: PTH123
            return file.read().rpartition(")")[2].split()[0] == "Z"
    except (OSError, IndexError):
        return False


def _all_pids() -> list[int]:
    try:
        return [int(name) for name in os.listdir("/proc") if name.isdigit()]  # noqa: PTH208
    except FileNotFoundError:  # macOS has no /proc
        listing = subprocess.run(["ps", "-A", "-o", "pid="], capture_output=True, text=True, check=True)
        return [int(line) for line in listing.stdout.split()]


def main() -> None:
    """Follows the owner's words on standard input until it is gone."""
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)  # it ends with its owner, and never sooner
    running: dict[int, None] = {}
    for line in sys.stdin:
        word = line.strip()
        if word.startswith("+"):
            running[int(word[1:])] = None
        elif word.startswith("-"):
            running.pop(int(word[1:]), None)
    if running:
        end(tuple(running))


if __name__ == "__main__":
    main()
