"""What is said about one statement."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

Dialect = Literal["sqlite", "postgres"]
"""The databases whose SQL can be read."""

Kind = Literal["additive", "breaking", "data", "unknown"]
"""What a statement means for a running service of the version before.

- `additive`: it does not notice.
- `breaking`: some of its reads or writes fail, or give something else.
- `data`: rows that it reads change, or become more or fewer; whether that hurts depends on what they mean.
- `unknown`: it could not be told from the SQL. Never declared safe.
"""


@dataclass(frozen=True, slots=True)
class Classified:
    """One statement with its class.

    Attributes:
        statement: the SQL.
        kind: its class.
        reason: a sentence for the developer who wrote it.
        table: the table it is about, where there is one.
        column: the column it is about, where there is one.
        warning: a sentence about locks or speed: nothing that makes it incompatible.
    """

    statement: str
    kind: Kind
    reason: str
    table: str | None = None
    column: str | None = None
    warning: str | None = None

    def evidence(self) -> dict[str, Any]:
        """Return it as JSON-able values, without what is not there."""
        values = {
            "statement": self.statement,
            "class": self.kind,
            "reason": self.reason,
            "table": self.table,
            "column": self.column,
            "warning": self.warning,
        }
        return {name: value for name, value in values.items() if value is not None}


@dataclass(frozen=True, slots=True)
class Finding:
    """What a rule says of a statement, before it is attached to its text."""

    kind: Kind
    reason: str
    table: str | None = None
    column: str | None = None
    warning: str | None = None

    def of(self, statement: str) -> Classified:
        """Return it with the text of the statement."""
        return Classified(statement, self.kind, self.reason, self.table, self.column, self.warning)
