"""Restorable copies of a whole database, for migrations without a way down.

Restoring loses what was written since the copy was made; that is the price where there is no way down.
"""

from __future__ import annotations

import os
import threading
from pathlib import Path

from components.schema import connections, postgres, sqlite
from components.schema.errors import SchemaError
from components.schema.urls import SQLITE, database_file, dialect_of, masked

_ENDINGS = {SQLITE: ".sqlite", "postgresql": ".sql.gz"}


def snapshot_file(url: str, directory: str | Path, name: str) -> Path:
    """Where the snapshot of that name is, or would be."""
    return Path(directory) / f"{name}{_ENDINGS[dialect_of(url)]}"


def take(url: str, directory: str | Path, *, name: str = "snapshot", cancelled: threading.Event | None = None) -> Path:
    """Copies the database, while services go on using it, into a file that only its owner can read.

    Args:
        url: the database.
        directory: where the file goes; made where it is missing.
        name: the file's name without its ending. A snapshot of that name is replaced, once the new one is
            whole.
        cancelled: ends it once it is set.

    Raises:
        MigrationCancelled: `cancelled` was set.
        DatabaseBusy: a lock was not to be had in time.
        SchemaError: no fitting `pg_dump`, no space, no permission.
    """
    target = snapshot_file(url, directory, name)
    target.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    unfinished = target.with_name(f"{target.name}.{os.getpid()}.unfinished")
    try:
        if dialect_of(url) == SQLITE:
            sqlite.copy(database_file(url), unfinished)
        else:
            postgres.dump(url, unfinished, cancelled=cancelled)
        unfinished.replace(target)
    finally:
        unfinished.unlink(missing_ok=True)
    return target


def restore(url: str, file: str | Path, *, lock_timeout: float = connections.LOCK_TIMEOUT_SECONDS) -> None:
    """Puts the database back to a snapshot, as one transaction that running services see happen at once.

    Raises:
        DatabaseBusy: a lock was not to be had in time; the database is as it was.
        SchemaError: the snapshot is gone, or could not be restored; the database is as it was.
    """
    source = Path(file)
    if not source.is_file():
        raise SchemaError(f"the snapshot {source} of {masked(url)} is gone; it cannot be restored")
    if dialect_of(url) == SQLITE:
        sqlite.copy(source, database_file(url), wait=lock_timeout)
    else:
        postgres.load(url, source, empty=True, lock_timeout=lock_timeout)
