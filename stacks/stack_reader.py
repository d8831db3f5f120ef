"""One stack: what can be asked about it. Nothing here changes anything."""

from __future__ import annotations

import json
from contextlib import suppress
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from stacks import engine_errors, workdir
from stacks.directory_backend import DirectoryStack
from stacks.processes import Finished
from stacks.state_file import NotReadable, StateFile
from stacks.updates import HistoryEntry

if TYPE_CHECKING:
    from stacks.engine import Engine


class StackReader:
    """One stack, which need not exist.

    Attributes:
        name: the stack's name.
    """

    def __init__(self, engine: Engine, name: str) -> None:
        self.name = name
        self._engine = engine

    def checkpoint(self) -> dict[str, Any] | None:
        """The stack's recorded state with its secrets in plain text, which must stay in memory.

        Returns:
            The `deployment` of `pulumi stack export`, or None where no such stack exists or nothing was ever
            recorded in it.
        """
        try:
            deployment: Any = self._file().deployment()
        except NotReadable:
            finished = self._read(["stack", "export", "--show-secrets", "--stack", self.name])
            deployment = None if finished is None else json.loads(finished.stdout).get("deployment")
        if not isinstance(deployment, dict) or not deployment.get("resources"):
            return None
        return deployment

    def outputs(self, *, secrets: bool = False) -> dict[str, Any]:
        """The stack's outputs, empty where it does not exist.

        Args:
            secrets: whether secret outputs are shown; otherwise each is the text `[secret]`.
        """
        with suppress(NotReadable):
            return self._file().outputs(secrets=secrets)
        show = ["--show-secrets"] if secrets else []
        finished = self._read(["stack", "output", "--json", *show, "--stack", self.name])
        return {} if finished is None else dict(json.loads(finished.stdout))

    def history(self, limit: int = 50) -> tuple[HistoryEntry, ...]:
        """The newest updates first, at most `limit`; empty where the stack does not exist."""
        entries = self._history(limit)
        count = len(entries)
        return tuple(HistoryEntry.parse(entry, count - index) for index, entry in enumerate(entries[:limit]))

    def _history(self, limit: int) -> list[dict[str, Any]]:
        with suppress(NotReadable):
            if self._files is not None:
                return self._files.history()
        entries = self._told_history(["--page-size", str(limit), "--page", "1"])
        if len(entries) == limit and not entries[0].get("version"):
            entries = self._told_history([])  # only a backend without version numbers has to be asked for all
        return entries

    def _told_history(self, page: list[str]) -> list[dict[str, Any]]:
        finished = self._read(["stack", "history", "--json", *page, "--stack", self.name])
        return [] if finished is None else list(json.loads(finished.stdout or "[]") or [])

    def locks(self) -> frozenset[Path] | None:
        """The files that say who holds the stack's lock; None where the backend is no directory and must be asked."""
        return None if self._files is None else self._files.locks()

    def locked_by(self, pid: int) -> bool:
        """Whether that process of this machine has the stack's lock; False where the backend is no directory."""
        return self._files is not None and self._files.locked_by(pid)

    @property
    def absent(self) -> bool:
        """Whether the stack is known not to exist, without asking anybody; False where the backend is no directory."""
        return self._files is not None and self._files.absent

    def exists(self) -> bool:
        """Whether the backend has the stack."""
        if self._files is not None:
            return not self._files.absent
        return self._read(["stack", "output", "--json", "--stack", self.name]) is not None

    def _file(self) -> StateFile:
        if self._files is None:
            raise NotReadable(f"{self._engine.backend.url} is no directory")
        return StateFile(self._files.state, self._engine.keys)

    @cached_property
    def _files(self) -> DirectoryStack | None:
        directory = self._engine.backend.directory
        if directory is None:
            return None
        return DirectoryStack(directory, self._engine.project, workdir.short_name(self.name))

    def _read(self, args: list[str]) -> Finished | None:
        """Runs a reading command; None where the stack does not exist."""
        if self.absent:
            return None
        finished = self._engine.run_cli(args, self._prepare())
        if finished.code == 0:
            return finished
        if engine_errors.no_such_stack(finished):
            return None
        raise engine_errors.from_command(
            finished, stack=self.name, backend=self._engine.backend.url, verb=" ".join(args[:2])
        )

    @cached_property
    def _directory(self) -> Path:
        return self._engine.home / "work" / workdir.short_name(self.name)

    def _prepare(self) -> Path:
        return workdir.prepare(
            self._directory,
            project=self._engine.project,
            root=self._engine.root,
            stack=self.name,
            settings=self._engine.settings_of_new if self.absent else self._engine.settings,
        )
