"""What can go wrong with a schema, in one short tree."""

from __future__ import annotations


class SchemaError(Exception):
    """A schema could not be read, moved, copied or restored; `str()` is the sentence for the user."""


class ScriptsError(SchemaError):
    """The script directory is missing, broken or ambiguous; the database was not touched."""


class DatabaseBusy(SchemaError):
    """Another migration, or a long transaction of a running service, holds the database."""


class MigrationCancelled(SchemaError):
    """Somebody asked to stop; the migration that was running was rolled back, those before it stay."""


class MigrationFailed(SchemaError):
    """A migration raised; its own transaction was rolled back.

    Attributes:
        revision: the revision whose migration failed, or None where it failed before the first one.
        direction: `up` or `down`.
        statement: the SQL that failed, without its parameters, where the database refused a statement.
        irreversible: True where the migration says itself that it has no way down.
    """

    def __init__(
        self,
        message: str,
        *,
        revision: str | None,
        direction: str,
        statement: str | None = None,
        irreversible: bool = False,
    ) -> None:
        super().__init__(message)
        self.revision = revision
        self.direction = direction
        self.statement = statement
        self.irreversible = irreversible
