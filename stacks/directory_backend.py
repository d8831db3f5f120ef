"""What can be seen of a stack without the CLI where the backend is a directory: its state, its locks, its history."""

from __future__ import annotations

import contextlib
import json
import logging
import os
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from stacks.state_file import NotReadable

log = logging.getLogger(__name__)

_ABANDONED_S = 60.0
"""How old a half-written lock is that nobody can be writing any more; one takes far less than a second."""

_COMPRESSED = (".gz", ".zst")
_STATES = (".json", *(f".json{ending}" for ending in _COMPRESSED))
"""What the name of a state may end with."""


@dataclass(frozen=True, slots=True)
class DirectoryStack:
    """One stack's files in the directory, whether they are there or not.

    Attributes:
        directory: of the backend.
        project: the project's name.
        stack: the last part of the stack's name.
    """

    directory: Path
    project: str
    stack: str

    @property
    def state(self) -> Path:
        """The file with its newest state; it is elsewhere where Pulumi was told to compress it."""
        return self.directory / ".pulumi" / "stacks" / self.project / f"{self.stack}.json"

    @property
    def absent(self) -> bool:
        """Whether there is no state of it: compressed neither, nor where Pulumi kept it before it had projects."""
        stacks = self.directory / ".pulumi" / "stacks"
        folders = (stacks / self.project, stacks)
        return not any((folder / f"{self.stack}{ending}").exists() for folder in folders for ending in _STATES)

    def locks(self) -> frozenset[Path]:
        """Return the files that say who holds its lock."""
        return frozenset((_locks(self.directory, self.project) / self.stack).glob("*.json"))

    def locked_by(self, pid: int) -> bool:
        """Return whether a process of this machine has its lock, as the lock says."""
        for path in self.locks():
            with contextlib.suppress(OSError, ValueError):
                lock = json.loads(path.read_text(encoding="utf-8"))
                if isinstance(lock, dict) and lock.get("pid") == pid:
                    return True
        return False

    def history(self) -> list[dict[str, Any]]:
        """Return what is recorded of its updates, the newest first; what a killed Pulumi left half-written is left out.

        Raises:
            NotReadable: Pulumi keeps it in another form.
        """
        if not self.state.exists() or any(path.suffix in _COMPRESSED for path in self._history.glob("*.json.*")):
            raise NotReadable(str(self._history))
        return [entry for _, entry in self._entries()]

    @property
    def _history(self) -> Path:
        return self.directory / ".pulumi" / "history" / self.project / self.stack

    def _entries(self) -> Iterator[tuple[Path, dict[str, Any]]]:
        for path in sorted(self._history.glob("*.history.json"), reverse=True):  # named by nanoseconds
            with contextlib.suppress(OSError, ValueError):
                entry = json.loads(path.read_text(encoding="utf-8"))
                if isinstance(entry, dict):
                    yield path, entry

    def reword(self, *, old: str, new: str) -> bool:
        """Change the message of the newest update that has the message `old`, and say whether there was one.

        The CLI takes the message when it starts and writes it when it ends. An update that was started before it was
        decided what it does gets its last word here.
        """
        for path, entry in self._entries():
            if entry.get("message") == old:
                entry["message"] = new
                draft = path.with_name(f".{path.name}.{os.getpid()}")
                try:
                    draft.write_text(json.dumps(entry, indent=4, ensure_ascii=False), encoding="utf-8")
                    draft.replace(path)
                except OSError:
                    return False
                return True
        return False


def names(directory: Path, project: str) -> tuple[str, ...]:
    """Return the names of a project's stacks, sorted.

    Raises:
        NotReadable: there are stacks from before Pulumi had projects, whose names do not tell whose they are; or the
            directory cannot be read, which Pulumi says better.
    """
    stacks = directory / ".pulumi" / "stacks"
    try:
        if any(name.endswith(_STATES) for name in _listed(stacks)):
            raise NotReadable(str(stacks))
        found = [name for name in _listed(stacks / project) if name.endswith(_STATES)]
    except OSError as error:
        raise NotReadable(str(stacks)) from error
    return tuple(sorted(name[: name.rindex(".json")] for name in found))


def mend(directory: Path, project: str) -> None:
    """Remove what a CLI that was killed in the middle of a write left, and what would keep a stack from being read.

    That is an empty `.attrs` file beside a state (see `Backend.engine_url`; a CLI that was started by hand writes
    them), without which the state reads as before, and the draft of a lock, which the engine takes for a lock that
    it cannot read.
    """
    kept = directory / ".pulumi"
    for path in [kept / "meta.yaml.attrs", *(kept / "stacks" / project).glob("*.attrs")]:
        with contextlib.suppress(OSError):
            if not path.stat().st_size:
                path.unlink()
                log.warning("removed %s, which was left empty by a Pulumi that was killed", path)
    for path in _locks(directory, project).glob("*/*.tmp"):
        with contextlib.suppress(OSError):
            if time.time() - path.stat().st_mtime > _ABANDONED_S:
                path.unlink()
                log.warning("removed %s, a lock that was never finished", path)


def _listed(folder: Path) -> list[str]:
    try:
        return [path.name for path in folder.iterdir()]
    except FileNotFoundError:
        return []


def _locks(directory: Path, project: str) -> Path:
    return directory / ".pulumi" / "locks" / "organization" / project
