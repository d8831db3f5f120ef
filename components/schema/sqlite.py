"""SQLite's online backup: a consistent copy of a database while services use it, in both directions."""

from __future__ import annotations

import contextlib
import sqlite3
import time
from collections.abc import Callable
from pathlib import Path

from components.schema import connections
from components.schema.errors import DatabaseBusy, SchemaError

# Pages copied at a time. All at once: between two steps another process may write, and the copy would start
# again.
_ALL = -1


def copy(
    source: Path,
    target: Path,
    *,
    wait: float = connections.LOCK_TIMEOUT_SECONDS,
    clock: Callable[[], float] = time.monotonic,
) -> None:
    """Copies a database onto another, which sees it as one transaction.

    Args:
        source: the database to copy.
        target: the database to overwrite, or a file that does not exist yet.
        wait: seconds to wait for locks on either.
        clock: for tests.

    Raises:
        DatabaseBusy: a lock was not to be had in time; the target is as it was.
        SchemaError: not an SQLite database, no space, or no permission.
    """
    deadline = clock() + wait

    def progress(status: int, _remaining: int, _total: int) -> None:
        # Python tries again forever while either database is locked; an exception from here ends it.
        if status in {sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED} and clock() >= deadline:
            raise DatabaseBusy(f"{source} could not be copied to {target} within {wait:g} s: one is locked")

    if not source.is_file():
        raise SchemaError(f"there is no database {source} to copy")
    if not target.exists():
        target.touch(mode=0o600)  # it holds users' data
    try:
        with (
            contextlib.closing(sqlite3.connect(source, timeout=wait)) as reader,
            contextlib.closing(sqlite3.connect(target, timeout=wait)) as writer,
        ):
            reader.backup(writer, pages=_ALL, progress=progress)
    except sqlite3.Error as error:
        raise SchemaError(f"{source} could not be copied to {target}: {error}") from error


def remove(file: Path) -> None:
    """Removes a database with its journals; nothing to remove is no error."""
    for ending in ("-wal", "-shm", "-journal", ""):
        file.with_name(f"{file.name}{ending}").unlink(missing_ok=True)
