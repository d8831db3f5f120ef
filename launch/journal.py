"""Keeps the record: in the ledger, where every machine sees it, and at every change in a file beside it.

An update of the ledger takes about a second of a core, so it is written from a thread of its own, always with the
newest record, and not at every step; only what a crash must not lose is waited for. The file is what `resume` on the
same machine goes on from. Another machine may find a record that is seconds old, and does again what it does not tell.
"""

from __future__ import annotations

import logging
import os
import threading
import time
from pathlib import Path
from typing import Any

from phases.errors import EngineError
from phases.record import LaunchRecord
from phases.redact import redact
from stacks.ledger import Ledger, Vault

log = logging.getLogger(__name__)

LET_GO_FIRST_SECONDS = 0.25
"""How long the ledger waits after a change for what the loop does next, since nobody waits for it then."""

STEP_SECONDS = 5.0
"""How often the ledger learns of phases and steps; that a launch goes back, or has ended, it learns at once."""

BAKE_SECONDS = 20.0
"""How often the ledger learns of nothing but time that was spent baking."""


class LedgerJournal:
    """The journal of one launch.

    Args:
        ledger: the stack that holds the record.
        vault: what goes with every record.
        path: the file.
        secrets: values that must not be in a record: a provider may repeat one in its error.
    """

    def __init__(self, ledger: Ledger, vault: Vault, path: Path, *, secrets: tuple[str, ...] = ()) -> None:
        self.vault = vault
        self._secrets = secrets
        self._ledger, self._path = ledger, path
        self._changed = threading.Condition()
        self._newest: LaunchRecord | None = None
        self._written: LaunchRecord | None = None
        self._busy = False
        self._closed = False
        self._written_at = 0.0
        self._problem: EngineError | None = None
        self._thread = threading.Thread(target=self._write_newest, name="launch-ledger", daemon=True)
        self._thread.start()

    def adopt(self, record: LaunchRecord) -> None:
        """Take for granted that the ledger holds this record already."""
        with self._changed:
            self._newest = self._written = record
            self._written_at = time.monotonic()
        keep(self._path, record)

    def save(self, record: LaunchRecord, *, durable: bool) -> None:
        """Keep the record; with `durable`, return only when the ledger has it.

        Raises:
            EngineError: the ledger could not be written.
        """
        record = self._clean(record)
        keep(self._path, record)
        with self._changed:
            self._newest = record
            self._changed.notify_all()
            if not durable:
                return
            while self._busy:
                self._changed.wait()
            if self._written != record:
                self._busy = True
            else:
                return
        try:
            self._write(record)
        finally:
            with self._changed:
                self._busy = False
                self._changed.notify_all()

    def _clean(self, record: LaunchRecord) -> LaunchRecord:
        if not self._secrets:
            return record
        return LaunchRecord.model_validate(redact(record.model_dump(mode="json"), self._secrets))

    def close(self) -> None:
        """Stop writing; what is under way ends first."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()
        self._thread.join()

    def _write_newest(self) -> None:
        while True:
            with self._changed:
                while not self._closed and (self._busy or self._newest is None or not self._due()):
                    self._changed.wait(timeout=1.0)
                if not self._closed:
                    # An engine that starts now would take its time from what the loop is just doing: moving users.
                    self._changed.wait_for(lambda: self._closed or self._busy, timeout=LET_GO_FIRST_SECONDS)
                if self._closed:
                    return
                if self._busy:
                    continue
                record = self._newest
                self._busy = True
            try:
                if record is not None:
                    self._write(record)
            except EngineError as error:
                # The next change tries again, and the last write of the launch is waited for.
                log.warning("the ledger could not be written, it will be tried again: %s", error)
                self._written_at = time.monotonic()
            finally:
                with self._changed:
                    self._busy = False
                    self._changed.notify_all()

    def _due(self) -> bool:
        newest, written = self._newest, self._written
        if newest is None or newest == written:
            return False
        if written is None or _course(newest) != _course(written):
            return True
        since = time.monotonic() - self._written_at
        return since > (STEP_SECONDS if _steps(newest) != _steps(written) else BAKE_SECONDS)

    def _write(self, record: LaunchRecord) -> None:
        self._ledger.write(dump(record), self.vault, message=f"{record.id} launch {_summary(record)}")
        self._written, self._written_at = record, time.monotonic()


def dump(record: LaunchRecord) -> dict[str, Any]:
    """Return the record as the ledger's output holds it."""
    return record.model_dump(mode="json", exclude_none=True)


def keep(path: Path, record: LaunchRecord) -> None:
    """Write the record to the file, whole or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_suffix(f".{os.getpid()}.tmp")
    draft.write_text(record.model_dump_json(), encoding="utf-8")
    draft.replace(path)


def recall(path: Path) -> LaunchRecord | None:
    """Return the record that the file holds, if it holds one."""
    try:
        return LaunchRecord.model_validate_json(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None


def _course(record: LaunchRecord) -> object:
    """Return where the launch is heading."""
    return record.state, record.rolling_back


def _steps(record: LaunchRecord) -> object:
    """Return what of a record's phases is more than the time spent baking."""
    return tuple((phase.id, phase.state, phase.done) for phase in record.phases)


def _summary(record: LaunchRecord) -> str:
    if record.state != "RUNNING":
        return f"{record.state} {record.release.image}"
    entered = [phase for phase in record.phases if phase.entered is not None]
    where = f", {entered[-1].id} {entered[-1].state}" if entered else ""
    return f"{'rolling back' if record.rolling_back else 'RUNNING'} {record.release.image}{where}"
