"""Remembers which process runs a stack's update, so that a later one can tell a dead owner from a living one."""

from __future__ import annotations

import contextlib
import json
import os
from pathlib import Path

from phases.errors import UpdateConflict
from stacks import reaper

_CLOCK_SLACK_S = 5.0
"""How far apart two readings of a process's birth may be: it is counted from a boot time that follows the clock."""


class RunRecord:
    """The notes about running CLIs in a stack's private directory.

    One file each, since a CLI that is about to be turned away by the stack's lock must not overwrite the note of the
    one that holds it.
    """

    def __init__(self, directory: Path) -> None:
        self._directory = directory

    def write(self, pid: int) -> None:
        """Notes that this process has started the CLI `pid`."""
        owner = os.getpid()
        note = {"cli": [pid, _born(pid)], "owner": [owner, _born(owner)]}
        path = self._path(pid)
        draft = path.with_suffix(".draft")
        with contextlib.suppress(OSError):  # without it, only the courtesy below is lost
            draft.write_text(json.dumps(note), encoding="utf-8")
            draft.replace(path)

    def clear(self, pid: int) -> None:
        """Forgets the CLI `pid`, which has ended."""
        with contextlib.suppress(OSError):
            self._path(pid).unlink()

    def end_orphans(self, stack: str) -> None:
        """Ends each noted CLI, gently at first, that still runs although its owner is dead.

        Raises:
            UpdateConflict: an owner is alive, so that the lock is no dead process's.
        """
        for path in sorted(self._directory.glob("run-*.json")):
            note = _read(path)
            cli, owner = note.get("cli"), note.get("owner")
            if cli and owner and _lives(*cli):
                if _lives(*owner):
                    raise UpdateConflict(
                        f"Stack {stack} is being updated by process {owner[0]}, which is alive, so its lock stays. "
                        "Wait for its end, or stop that process first.",
                        stack=stack,
                    )
                reaper.end([int(cli[0])])
            with contextlib.suppress(OSError):
                path.unlink()

    def _path(self, pid: int) -> Path:
        return self._directory / f"run-{pid}.json"


def _read(path: Path) -> dict[str, list[float]]:
    try:
        note = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return note if isinstance(note, dict) else {}


def _born(pid: int) -> float:
    """When the process began: its id alone may be somebody else's by now."""
    import psutil

    try:
        return psutil.Process(pid).create_time()
    except psutil.Error:
        return 0.0


def _lives(pid: float, born: float) -> bool:
    import psutil

    try:
        process = psutil.Process(int(pid))
        return abs(process.create_time() - born) < _CLOCK_SLACK_S and process.status() != psutil.STATUS_ZOMBIE
    except psutil.Error:
        return False
