"""The database as the gates see it: `components.schema` in the gates' own words."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from phases.gates.base import PendingStatement, StairwayOutcome

if TYPE_CHECKING:
    from components.schema.database import Database


class GateDatabase:
    """Translates between two packages that may not know each other.

    Args:
        database: the real database with the release's migrations.
    """

    def __init__(self, database: Database) -> None:
        self._database = database

    @property
    def dialect(self) -> str:
        """Return `sqlite` or `postgres`."""
        return self._database.dialect

    @property
    def snapshot(self) -> bool:
        """Return whether a restorable copy is kept for migrations without a way down."""
        return self._database.snapshot

    def pending(self) -> Sequence[PendingStatement]:
        """Return the SQL between the database's revision and the release's."""
        return [PendingStatement(item.revision, item.sql) for item in self._database.pending()]

    def tables(self) -> Sequence[str]:
        """Return the statements that make the schema as it is now."""
        return self._database.tables()

    def stairway(self) -> StairwayOutcome:
        """Go up, down and up again on a scratch copy of the real database."""
        outcome = self._database.stairway()
        return StairwayOutcome(outcome.ok, outcome.error, outcome.irreversible)
