"""The schema of a database as CREATE statements."""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING

from sqlalchemy import MetaData
from sqlalchemy.exc import SAWarning, SQLAlchemyError
from sqlalchemy.schema import CreateIndex, CreateTable

from components.schema import connections
from components.schema.errors import SchemaError
from components.schema.urls import SQLITE, mask, masked

if TYPE_CHECKING:
    from sqlalchemy.engine import Connection


def described(url: str) -> tuple[str, ...]:
    """CREATE TABLE and CREATE INDEX statements of all tables.

    Raises:
        SchemaError: the database cannot be read.
    """
    try:
        with connections.engine(url).connect() as connection:
            if connection.dialect.name == SQLITE:
                return _sqlite(connection)
            return _reflected(connection)
    except SQLAlchemyError as error:
        raise SchemaError(f"{masked(url)} cannot be read: {mask(str(error), url)}") from None


def _sqlite(connection: Connection) -> tuple[str, ...]:
    """SQLite keeps the statements themselves."""
    rows = connection.exec_driver_sql(
        "SELECT sql FROM sqlite_master WHERE type IN ('table', 'index') AND sql IS NOT NULL ORDER BY rowid"
    )
    return tuple(sql for (sql,) in rows)


def _reflected(connection: Connection) -> tuple[str, ...]:
    found: list[str] = []
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", SAWarning)  # about types and indexes it cannot describe exactly
        schemas = [
            name
            for (name,) in connection.exec_driver_sql(
                "SELECT nspname FROM pg_namespace WHERE nspname NOT LIKE 'pg!_%%' ESCAPE '!' "
                "AND nspname <> 'information_schema'"
            )
        ]
        for schema in schemas:
            metadata = MetaData(schema=None if schema == "public" else schema)
            metadata.reflect(connection)
            for table in metadata.sorted_tables:
                found.append(str(CreateTable(table).compile(dialect=connection.dialect)))
                found += [str(CreateIndex(index).compile(dialect=connection.dialect)) for index in table.indexes]
    return tuple(found)
