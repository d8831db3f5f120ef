"""The SQL between two revisions, statement by statement.

Two ways to know it. Alembic's offline mode writes the statements without a database, which a migration that asks the
database something (`op.get_bind()`, batch mode on SQLite) cannot do. A recording runs the migrations on a scratch copy
and keeps what they send.
"""

from __future__ import annotations

import dataclasses
import re
from pathlib import Path
from typing import TYPE_CHECKING

from components.schema import scripts as script_files
from components.schema.errors import SchemaError
from components.schema.scratch import DATA_LIMIT_BYTES, scratch
from components.schema.scripts import BASE
from components.schema.urls import dialect_of

if TYPE_CHECKING:
    from components.schema.runner import Progress


@dataclasses.dataclass(frozen=True, slots=True)
class Statement:
    """One SQL statement of a migration.

    Attributes:
        revision: whose it is.
        sql: its text. Parameters, which are users' data, stand as `:name` or `?` where it was recorded.
    """

    revision: str
    sql: str


class NotOffline(SchemaError):
    """A migration needs a live connection, so its SQL cannot be written without one.

    Attributes:
        revision: the first such migration.
    """

    def __init__(self, message: str, *, revision: str | None) -> None:
        super().__init__(message)
        self.revision = revision


def pending_sql(
    url_or_dialect: str, scripts: str | Path, from_revision: str | None, to_revision: str
) -> tuple[Statement, ...]:
    """The SQL that an upgrade would run, by Alembic's offline mode; touches no database.

    Args:
        url_or_dialect: a database URL, or `sqlite` or `postgresql`.
        scripts: the script directory.
        from_revision: where the database is, None or `base` for an empty one.
        to_revision: where it goes.

    Raises:
        ScriptsError: the scripts do not lead from one to the other.
        NotOffline: a migration asks the database something; `recorded_sql` can tell.
    """
    from components.schema.explain import explained
    from components.schema.runner import Progress, write

    dialect = dialect_of(url_or_dialect if "://" in url_or_dialect else f"{url_or_dialect}://")
    target = script_files.resolve(scripts, to_revision)
    start = None if from_revision in {None, BASE} else from_revision
    script_files.between(scripts, start, target)  # says so where there is no way
    found: list[Statement] = []
    progress = Progress()
    try:
        write(dialect, scripts, start, target, progress, lambda sql: _collect(sql, progress, found))
    except Exception as error:
        if progress.running is None:
            with explained(f"{dialect}://", progress, "up"):
                raise
        raise NotOffline(
            f"migration {progress.running} cannot be read offline, since it asks the database something "
            f"({type(error).__name__}: {' '.join(str(error).split())})",
            revision=progress.running,
        ) from error
    return tuple(found)


def recorded_sql(
    url: str,
    scripts: str | Path,
    to_revision: str,
    *,
    directory: str | Path | None = None,
    data_limit: int = DATA_LIMIT_BYTES,
) -> tuple[Statement, ...]:
    """The SQL that an upgrade really sends, seen on a scratch copy of the database; reads are left out.

    Raises:
        ScriptsError: the scripts do not lead there.
        MigrationFailed: a migration fails on the copy, as it would on the real database.
        SchemaError: no copy could be made.
    """
    from components.schema.explain import explained
    from components.schema.runner import Progress, run
    from components.schema.steps import plan

    target = script_files.resolve(scripts, to_revision)
    found: list[Statement] = []
    progress = Progress()
    with scratch(url, directory=directory, data_limit=data_limit) as copy, explained(copy, progress, "up"):
        run(
            copy,
            scripts,
            plan(target, "up"),
            progress,
            watch=lambda sql: _collect(sql, progress, found),
        )
    return tuple(found)


def _collect(sql: str, progress: Progress, found: list[Statement]) -> None:
    text = sql.strip().rstrip(";").strip()
    if progress.running is not None and text and not _is_noise(text):
        found.append(Statement(progress.running, text))


_BOUNDS = re.compile(r"(--|BEGIN\b|COMMIT\b|ROLLBACK\b|SAVEPOINT\b|RELEASE\b|SHOW\b)", re.IGNORECASE)
_CATALOGS = re.compile(
    r"\b(pg_catalog|information_schema|sqlite_(temp_)?(master|schema)|alembic_version)\b", re.IGNORECASE
)


def _is_noise(text: str) -> bool:
    """Comments of the offline mode, bounds of transactions, and looks into the catalogue."""
    if _BOUNDS.match(text):
        return True
    first = text[:6].upper()
    return (first == "SELECT" and _CATALOGS.search(text) is not None) or (first == "PRAGMA" and "=" not in text)
