"""A database with its pending migration, as the gate `schema_compatibility` asks for it."""

from __future__ import annotations

import dataclasses
from pathlib import Path

from components.schema import migrate, pending, scripts
from components.schema.errors import SchemaError, ScriptsError
from components.schema.pending import Statement
from components.schema.scripts import BASE
from components.schema.stairway import stairway
from components.schema.urls import SQLITE, database_file, dialect_of


@dataclasses.dataclass(frozen=True, slots=True)
class Outcome:
    """Whether the stairway can be climbed.

    Attributes:
        ok: up, down and up again worked.
        error: at which revision it failed in which direction, and why.
        irreversible: revisions without a way down.
    """

    ok: bool
    error: str | None = None
    irreversible: tuple[str, ...] = ()


@dataclasses.dataclass(frozen=True)
class Database:
    """The real database; nothing here changes it.

    Attributes:
        url: its SQLAlchemy URL.
        scripts: script directory of the release that is launched.
        target: the revision it needs.
        directory: where scratch copies of SQLite databases go; None for the system's place.
        snapshot: a restorable copy is kept for migrations without a way down.
    """

    url: str = dataclasses.field(repr=False)
    scripts: str | Path
    target: str
    directory: str | Path | None = None
    snapshot: bool = False

    @property
    def dialect(self) -> str:
        """`sqlite` or `postgres`."""
        return SQLITE if dialect_of(self.url) == SQLITE else "postgres"

    def pending(self) -> tuple[Statement, ...]:
        """The SQL between the database's revision and the target; nothing where the way leads down.

        What cannot be read offline is recorded on a scratch copy of the database.

        Raises:
            SchemaError: neither worked.
        """
        start = self._start()
        if start is None:
            return ()
        try:
            return pending.pending_sql(self.url, self.scripts, start, self.target)
        except ScriptsError:
            raise
        except SchemaError:  # a migration, or an env.py, that wants a connection
            return pending.recorded_sql(self.url, self.scripts, self.target, directory=self.directory)

    def stairway(self) -> Outcome:
        """Up, down and up again on a scratch copy.

        Raises:
            SchemaError: no copy could be made.
        """
        start = self._start()
        if start is None:
            return Outcome(ok=True)
        result = stairway(self.url, self.scripts, start, self.target, directory=self.directory)
        error = None if result.ok else f"{result.failed_at} ({result.direction}): {result.error}"
        return Outcome(result.ok, error, tuple(each.revision for each in result.irreversible))

    def tables(self) -> tuple[str, ...]:
        """CREATE TABLE and CREATE INDEX statements of the schema as it is now.

        Raises:
            SchemaError: the database cannot be read.
        """
        if self.dialect == SQLITE and not database_file(self.url).exists():
            return ()
        from components.schema.describe import described

        return described(self.url)

    def _start(self) -> str | None:
        """Where the database is, or None where the target is not above that."""
        now = migrate.current(self.url, self.scripts) or BASE
        target = scripts.resolve(self.scripts, self.target)
        if target == now or now not in {BASE, *scripts.path_down(self.scripts, target)}:
            return None
        return now
