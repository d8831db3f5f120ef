"""SQL text to syntax trees."""

from __future__ import annotations

import logging

import sqlglot
from sqlglot import exp

from phases.sql.classified import Dialect

# sqlglot says on every statement it does not know that it leaves it as text; that is what we look at.
logging.getLogger("sqlglot").setLevel(logging.ERROR)


def parse(sql: str, dialect: Dialect) -> tuple[exp.Expression, ...]:
    """Return the trees of the statements in a text, or none where it cannot be read."""
    try:
        found = [tree for tree in sqlglot.parse(sql, read=dialect) if tree is not None]
    except (sqlglot.errors.SqlglotError, RecursionError):
        return ()
    trees = tuple(tree for tree in found if isinstance(tree, exp.Expression))
    return trees if len(trees) == len(found) else ()  # half a text read would be worse than none


def parse_one(sql: str, dialect: Dialect) -> exp.Expression | None:
    """Return the tree of a text that is exactly one statement, else None."""
    found = parse(sql, dialect)
    return found[0] if len(found) == 1 else None


def name_of(table: exp.Expression | None) -> str:
    """Return a table's name as the database compares it, with its schema unless that is the default one."""
    if table is None:
        return ""
    if isinstance(table, exp.Schema):
        return name_of(table.this)
    schema = table.text("db")
    own = _folded(table.this) if isinstance(table.this, exp.Identifier) else table.name
    return own if schema.lower() in {"", "public", "main"} else f"{schema}.{own}"


def column_of(expression: exp.Expression | str | None) -> str:
    """Return a column's name as the database compares it."""
    if isinstance(expression, exp.Identifier):
        return _folded(expression)
    if isinstance(expression, exp.Column | exp.ColumnDef):
        return column_of(expression.this)
    if isinstance(expression, exp.Expression):
        return expression.name.lower()
    return (expression or "").lower()


def _folded(identifier: exp.Identifier) -> str:
    # Postgres folds what is not quoted to lower case; SQLite does not care about case at all. Two names that differ
    # in case only do not occur in one schema that anybody wants to keep.
    return str(identifier.this).lower()
