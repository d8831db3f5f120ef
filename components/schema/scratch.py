"""A scratch copy of the real database, to rehearse on."""

from __future__ import annotations

import contextlib
import sqlite3
import tempfile
from collections.abc import Iterator
from pathlib import Path

from components.schema import postgres, sqlite
from components.schema.errors import SchemaError
from components.schema.urls import SQLITE, database_file, dialect_of, parse

DATA_LIMIT_BYTES = 256 * 1024 * 1024
"""Up to this size a copy has the data as well; a larger database is rehearsed with its schema alone."""

# What holds the revision is needed in a copy of the schema as well. Tables of that name in any schema.
_VERSION_TABLES = "*alembic_version*"


@contextlib.contextmanager
def scratch(url: str, *, directory: str | Path | None = None, data_limit: int = DATA_LIMIT_BYTES) -> Iterator[str]:
    """Makes a copy of the database and removes it afterwards; the real one goes on being used meanwhile.

    Args:
        url: the real database.
        directory: where the copy goes, SQLite only; without it the system's place for temporary files.
        data_limit: size in bytes up to which the data is copied with the schema.

    Yields:
        The copy's URL. It may hold a password.

    Raises:
        SchemaError: no copy can be made; the message says what it would take.
    """
    copy = _sqlite if dialect_of(url) == SQLITE else _postgres
    with copy(url, directory, data_limit) as scratched:
        yield scratched


@contextlib.contextmanager
def _sqlite(url: str, directory: str | Path | None, data_limit: int) -> Iterator[str]:
    source = database_file(url)
    if directory is not None:
        Path(directory).mkdir(parents=True, exist_ok=True)
    # Only we may look into it: it holds users' data.
    with tempfile.TemporaryDirectory(prefix="launch-scratch-", dir=directory) as folder:
        target = Path(folder) / "scratch.sqlite"
        if source.exists() and source.stat().st_size <= data_limit:
            sqlite.copy(source, target)
        elif source.exists():
            _copy_sqlite_schema(source, target)
        yield parse(url).set(database=str(target)).render_as_string(hide_password=False)


def _copy_sqlite_schema(source: Path, target: Path) -> None:
    """Makes the tables, indexes, views and triggers of a database in another, and the recorded revision."""
    try:
        with (
            contextlib.closing(sqlite3.connect(source.resolve().as_uri() + "?mode=ro", uri=True)) as reader,
            contextlib.closing(sqlite3.connect(target)) as writer,
        ):
            # In the order in which they were made; what SQLite makes itself has no SQL, or may not be made by hand.
            statements = reader.execute(
                "SELECT sql FROM sqlite_master WHERE sql IS NOT NULL AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\' "
                "ORDER BY rowid"
            ).fetchall()
            for (statement,) in statements:
                writer.execute(statement)
            tables = reader.execute(
                "SELECT name FROM sqlite_master WHERE type = 'table' AND name LIKE '%alembic_version%'"
            ).fetchall()
            for (table,) in tables:
                for row in reader.execute(f'SELECT version_num FROM "{table}"'):  # noqa: S608 - a name of its own
                    writer.execute(f'INSERT INTO "{table}" (version_num) VALUES (?)', row)  # noqa: S608
            writer.commit()
    except sqlite3.Error as error:
        raise SchemaError(f"no scratch copy of {source} could be made: {error}") from error


@contextlib.contextmanager
def _postgres(url: str, directory: str | Path | None, data_limit: int) -> Iterator[str]:
    """A dump, loaded into a database of its own on the same server.

    `CREATE DATABASE ... TEMPLATE` would be quicker, and would keep every new session out of the real database until
    it is done.
    """
    postgres.programs(url)  # whether there are any, before anything is made
    size = int(postgres.query(url, "SELECT pg_database_size(current_database())")[0][0])
    with tempfile.TemporaryDirectory(prefix="launch-scratch-", dir=directory) as folder:
        arguments = ["--no-owner", "--no-privileges", "--no-publications", "--no-subscriptions"]
        files = [Path(folder) / "all.sql.gz"]
        if size <= data_limit:
            postgres.dump(url, files[0], arguments=arguments)
        else:
            postgres.dump(url, files[0], arguments=[*arguments, "--schema-only"])
            files.append(Path(folder) / "version.sql.gz")
            postgres.dump(url, files[1], arguments=["--data-only", f"--table=*.{_VERSION_TABLES}"])
        with postgres.temporary_database(url, "launch_scratch") as scratched:
            for file in files:
                postgres.load(scratched, file)
                file.unlink()
            yield scratched
