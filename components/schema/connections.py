"""Connections on which a migration is safe: as a whole or not at all, and blocking nobody for long."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from components.schema.urls import SQLITE, database_file, parse

if TYPE_CHECKING:
    from sqlalchemy.engine import Connection, Engine

LOCK_TIMEOUT_SECONDS = 10.0
"""How long a migration waits for a lock before it gives up: everyone who comes after it waits behind it."""

_CLIENT_CHECK_MILLISECONDS = 500
_CHECKS_ITS_CLIENT = (14,)  # the server's version


def engine(url: str, *, lock_timeout: float = LOCK_TIMEOUT_SECONDS) -> Engine:
    """An engine without a pool: nothing of it stays open after its last connection is closed.

    Raises:
        SchemaError: the URL is no good.
    """
    from sqlalchemy import create_engine
    from sqlalchemy.pool import NullPool

    parsed = parse(url)
    arguments: dict[str, Any] = {}
    if parsed.get_backend_name() == SQLITE:
        database_file(url)
        arguments["timeout"] = lock_timeout
    else:
        arguments["connect_timeout"] = max(1, round(lock_timeout))
        arguments["application_name"] = "launch"
    # Parameters of failing statements are users' data and do not belong in a message.
    return create_engine(parsed, poolclass=NullPool, connect_args=arguments, hide_parameters=True)


def prepare(connection: Connection, *, writes: bool, lock_timeout: float = LOCK_TIMEOUT_SECONDS) -> None:
    """Makes a connection, ours or that of a team's `env.py`, fit for a migration."""
    if connection.dialect.name == SQLITE:
        _prepare_sqlite(connection, writes=writes, lock_timeout=lock_timeout)
        return
    # An environment that began a transaction keeps it; what is set is over with it then.
    began = connection.in_transaction()
    scope = "LOCAL " if began else ""
    connection.exec_driver_sql(f"SET {scope}lock_timeout = {round(lock_timeout * 1000)}")
    if (connection.dialect.server_version_info or ()) >= _CHECKS_ITS_CLIENT:
        # Else the server would go on with a statement, and hold its locks, long after our process was killed.
        connection.exec_driver_sql(f"SET {scope}client_connection_check_interval = {_CLIENT_CHECK_MILLISECONDS}")
    if not began:
        connection.commit()


def _prepare_sqlite(connection: Connection, *, writes: bool, lock_timeout: float) -> None:
    """Gives Python's SQLite driver real transactions around schema changes.

    By itself the driver begins a transaction only before INSERT, UPDATE and DELETE, so a CREATE or ALTER
    would be committed on the spot, and a migration that fails halfway would leave half of it behind. The
    remedy is that of SQLAlchemy's documentation of the pysqlite dialect, "Serializable isolation /
    Savepoints / Transactional DDL": the driver begins nothing, and we begin. IMMEDIATE takes the write lock
    at the beginning, where waiting for it is possible, and not in the middle, where SQLite would refuse at
    once.

    Foreign keys are off while tables are rebuilt, as SQLite's own procedure wants it
    (sqlite.org/lang_altertable.html, section 7): with them on, dropping the old copy of a table deletes the
    rows that refer to it. `violations` is the check that belongs to it.
    """
    from sqlalchemy import event

    begin = "BEGIN IMMEDIATE" if writes else "BEGIN"

    def on_begin(begun: Connection) -> None:
        if begun.get_execution_options().get("isolation_level") == "AUTOCOMMIT":
            return  # an autocommit_block() of the migration
        # Set each time: leaving an autocommit_block() gives the driver its own habits back.
        _driver_connection(begun).isolation_level = None
        begun.exec_driver_sql(begin)

    raw = _driver_connection(connection)
    raw.isolation_level = None
    cursor = raw.cursor()
    cursor.execute("PRAGMA foreign_keys = OFF")
    cursor.execute(f"PRAGMA busy_timeout = {round(lock_timeout * 1000)}")
    if connection.in_transaction():  # `engine.begin()` in the environment, which the driver took for nothing
        cursor.execute(begin)
    cursor.close()
    event.listen(connection, "begin", on_begin)


def _driver_connection(connection: Connection) -> Any:  # noqa: ANN401 - any driver's
    return connection.connection.dbapi_connection


def violations(connection: Connection) -> set[tuple[Any, ...]]:
    """Rows of an SQLite database whose foreign key leads nowhere: table, row id, parent, index of the key."""
    return {tuple(row) for row in connection.exec_driver_sql("PRAGMA foreign_key_check")}
