"""One small interface over SQLite and Postgres."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from queue import Empty, LifoQueue
from typing import Any

BUSY_SECONDS = 10
"""How long a statement waits for another writer: a migration, or the other release beside this one."""


class Database:
    """Runs single statements, each in a transaction of its own, on a pool of connections."""

    def __init__(self, url: str) -> None:
        scheme, _, rest = url.partition("://")
        self._postgres = scheme.startswith("postgres")
        # Drivers are SQLAlchemy's way to say it; psycopg wants a plain URL.
        self._target = f"postgresql://{rest}" if self._postgres else rest.removeprefix("/")
        self._idle: LifoQueue[Any] = LifoQueue(maxsize=16)

    def run(self, statement: str, values: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        """Run a statement with `?` for its values, and return its rows."""
        connection = self._connection()
        try:
            cursor = connection.execute(statement.replace("?", "%s") if self._postgres else statement, values)
            rows = cursor.fetchall()
            cursor.close()
        except BaseException:
            connection.close()
            raise
        if self._idle.full():
            connection.close()
        else:
            self._idle.put(connection)
        return rows

    def _connection(self) -> Any:  # noqa: ANN401 - of either driver
        try:
            return self._idle.get_nowait()
        except Empty:
            return self._connect()

    def _connect(self) -> Any:  # noqa: ANN401 - of either driver
        if self._postgres:
            import psycopg

            return psycopg.connect(self._target, autocommit=True, connect_timeout=BUSY_SECONDS)
        connection = sqlite3.connect(self._target, timeout=BUSY_SECONDS, isolation_level=None, check_same_thread=False)
        # Readers and the one writer do not wait for each other.
        connection.execute("PRAGMA journal_mode = WAL").fetchall()
        connection.execute("PRAGMA synchronous = NORMAL").fetchall()
        return connection
