"""From what Alembic, a migration or a driver raises to a sentence: what happened, and what is left."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import TYPE_CHECKING

from alembic.util import CommandError
from sqlalchemy.exc import DBAPIError, OperationalError, SQLAlchemyError

from components.schema.errors import DatabaseBusy, MigrationCancelled, MigrationFailed, SchemaError, ScriptsError
from components.schema.urls import mask, masked

if TYPE_CHECKING:
    from components.schema.runner import Progress

_LOCK_NOT_AVAILABLE = "55P03"  # postgresql.org, appendix A, class 55
_SQL_SHOWN = 500  # characters of a failing statement that go into a message


@contextlib.contextmanager
def explained(url: str, progress: Progress, direction: str) -> Iterator[None]:
    """Raises a SchemaError for every failure inside; it shows no password and no statement's parameter.

    Raises:
        DatabaseBusy: a lock was not to be had in time.
        MigrationCancelled: somebody asked to stop.
        ScriptsError: the scripts do not lead where they should.
        MigrationFailed: a migration raised.
        SchemaError: the database could not be reached.
    """
    try:
        yield
    except Exception as error:  # noqa: BLE001 - a migration may raise anything
        # The original may show the URL, so it is not chained: its text would reach the log with the
        # traceback.
        raise _translated(error, url, progress, direction) from None


def _translated(error: Exception, url: str, progress: Progress, direction: str) -> SchemaError:
    if isinstance(error, SchemaError) and progress.running is None:
        return error
    if progress.cancelled and progress.running is not None:
        return MigrationCancelled(
            f"{_what(progress, direction, url)} was cancelled. Its transaction was rolled back; {_left(progress)}"
        )
    if is_lock_timeout(error):
        return DatabaseBusy(
            f"{_what(progress, direction, url)} waited for a lock that something else holds - a long "
            "transaction of a running service, another session - and gave up, so that nobody had to wait "
            f"behind it. Nothing of this step was changed; {_left(progress)}. Try again when the database "
            "is quieter"
        )
    if progress.running is None:
        return _before_the_first_step(error, url, direction)
    statement = error.statement if isinstance(error, DBAPIError) else None
    reason = mask(_reason(error), url)
    message = f"{_what(progress, direction, url)} failed: {reason}"
    if statement:
        message += f"; the statement was: {_shortened(mask(statement, url))}"
    irreversible = direction == "down" and isinstance(error, NotImplementedError)
    if irreversible:
        message += " (this migration has no way down; only a snapshot brings the schema before it back)"
    message += f". Its transaction was rolled back; {_left(progress)}"
    return MigrationFailed(
        message,
        revision=progress.running,
        direction=direction,
        statement=statement,
        irreversible=irreversible,
    )


def _before_the_first_step(error: Exception, url: str, direction: str) -> SchemaError:
    if isinstance(error, CommandError):
        return ScriptsError(mask(str(error), url))
    if isinstance(error, SQLAlchemyError):
        return SchemaError(f"{masked(url)} cannot be used: {mask(_reason(error), url)}")
    return SchemaError(
        f"env.py could not be run (direction: {direction}): {type(error).__name__}: {mask(str(error), url)}"
    )


def is_lock_timeout(error: BaseException) -> bool:
    """Whether a driver's error means that a lock was not to be had in time."""
    if not isinstance(error, DBAPIError):
        return False
    if getattr(error.orig, "sqlstate", None) == _LOCK_NOT_AVAILABLE:
        return True
    return isinstance(error, OperationalError) and "database is locked" in str(error.orig)


def _what(progress: Progress, direction: str, url: str) -> str:
    step = f"migration {progress.running} ({direction})" if progress.running else "reading the schema's revision"
    return f"{step} on {masked(url)}"


def _left(progress: Progress) -> str:
    if progress.done:
        return f"the steps before it stay done ({', '.join(progress.done)})"
    return "the schema is as it was"


def _reason(error: Exception) -> str:
    if isinstance(error, DBAPIError) and error.orig is not None:
        return " ".join(str(error.orig).split())
    text = " ".join(str(error).split())
    return (
        text if isinstance(error, SchemaError) else f"{type(error).__name__}: {text}" if text else type(error).__name__
    )


def _shortened(statement: str) -> str:
    text = " ".join(statement.split())
    return text if len(text) <= _SQL_SHOWN else f"{text[:_SQL_SHOWN]} ..."
