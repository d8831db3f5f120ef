"""One migration at a time on one database, whoever runs it from wherever."""

from __future__ import annotations

import contextlib
import sqlite3
from collections.abc import Iterator
from pathlib import Path

from components.schema import connections
from components.schema.errors import DatabaseBusy
from components.schema.urls import SQLITE, database_file, dialect_of, masked

# Any number nobody else is likely to use; the first eight bytes of SHA-256("launch:schema:Revision").
_ADVISORY_KEY = 0x1E03_11B5_27FF_5499


@contextlib.contextmanager
def exclusive(url: str, *, wait: float = connections.LOCK_TIMEOUT_SECONDS) -> Iterator[None]:
    """Holds the database's migration lock; services that use the database are not hindered by it.

    Args:
        url: the database.
        wait: seconds to wait for another migration to end.

    Raises:
        DatabaseBusy: another migration runs and did not end in time.
    """
    holder = _sqlite(url, wait) if dialect_of(url) == SQLITE else _postgres(url, wait)
    with holder:
        yield


def lock_file(url: str) -> Path:
    """Where the lock of an SQLite database is: beside it, so that everyone who uses the file finds it."""
    file = database_file(url)
    return file.with_name(f"{file.name}.migration-lock")


@contextlib.contextmanager
def _sqlite(url: str, wait: float) -> Iterator[None]:
    """A lock in an empty SQLite file of its own.

    SQLite's own locks work on every system, wait with a limit, and end with the process that holds them. The
    database itself is not locked by it: a migration may open and close several connections.
    """
    file = lock_file(url)
    file.parent.mkdir(parents=True, exist_ok=True)
    lock = sqlite3.connect(file, timeout=wait, isolation_level=None, check_same_thread=False)
    try:
        try:
            lock.execute("BEGIN EXCLUSIVE")
        except sqlite3.OperationalError as error:
            raise DatabaseBusy(_busy(url, wait)) from error
        yield
    finally:
        lock.close()


@contextlib.contextmanager
def _postgres(url: str, wait: float) -> Iterator[None]:
    """A session-level advisory lock on a connection of its own (postgresql.org, "Advisory Locks")."""
    from sqlalchemy import text
    from sqlalchemy.exc import OperationalError

    engine = connections.engine(url, lock_timeout=wait)
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.exec_driver_sql(f"SET lock_timeout = {max(1, round(wait * 1000))}")
        try:
            connection.execute(text("SELECT pg_advisory_lock(:key)"), {"key": _ADVISORY_KEY})
        except OperationalError as error:
            raise DatabaseBusy(_busy(url, wait)) from error
        # Closing the connection, by us or by our death, releases the lock.
        yield


def _busy(url: str, wait: float) -> str:
    return (
        f"another migration of {masked(url)} is running and did not end within {wait:g} s; wait for it, or "
        "find out who runs it, and try again"
    )
