"""Statements that the parser leaves as text, told apart by how they begin."""

from __future__ import annotations

import re
from collections.abc import Sequence

from phases.sql.classified import Finding, Kind

_Rule = tuple[re.Pattern[str], Kind, str, str | None]


def _rule(pattern: str, kind: Kind, reason: str, warning: str | None = None) -> _Rule:
    return re.compile(pattern, re.IGNORECASE | re.DOTALL), kind, reason, warning


_NAME = r"(?:ONLY\s+)?(?:IF\s+EXISTS\s+)?(?P<table>[\w.\"]+)"

# The first that fits counts.
_RULES: Sequence[_Rule] = (
    _rule(
        rf"ALTER\s+TABLE\s+{_NAME}\s+VALIDATE\s+CONSTRAINT\b[^,]*$",
        "additive",
        "rows that are there are checked; what may be written does not change",
    ),
    _rule(
        rf"ALTER\s+TABLE\s+{_NAME}\s+ADD\s+(?:CONSTRAINT\s+\S+\s+)?(?:CHECK|EXCLUDE|UNIQUE|PRIMARY|FOREIGN)\b",
        "breaking",
        "rows that the version before writes may not fit the constraint, and would be refused",
    ),
    _rule(
        rf"ALTER\s+TABLE\s+{_NAME}\s+SET\s+SCHEMA\b",
        "breaking",
        "the version before still asks for the table where it was",
    ),
    _rule(
        rf"ALTER\s+TABLE\s+{_NAME}\s+(?:ENABLE|FORCE)\s+ROW\s+LEVEL\s+SECURITY",
        "breaking",
        "the version before sees only the rows that a policy gives it, without one none",
    ),
    _rule(
        rf"ALTER\s+TABLE\s+{_NAME}\s+ATTACH\s+PARTITION\b",
        "unknown",
        "rows of the partition appear in the table for the version before as well",
    ),
    _rule(
        rf"ALTER\s+TABLE\s+{_NAME}\s+DETACH\s+PARTITION\b",
        "breaking",
        "rows of the partition are gone from the table, and the version before still reads them",
    ),
    _rule(
        r"ALTER\s+TYPE\s+(?P<table>[\w.\"]+)\s+ADD\s+VALUE\b",
        "additive",
        "the version before keeps writing the values it knows",
        "it may fail on reading the new value once the new version has written it",
    ),
    _rule(
        r"ALTER\s+TYPE\s+(?P<table>[\w.\"]+)\s+RENAME\b",
        "breaking",
        "the version before still uses the name before",
    ),
    _rule(
        r"CREATE\s+EXTENSION\b",
        "additive",
        "an extension adds functions and types that the version before does not use",
    ),
    _rule(r"DROP\s+EXTENSION\b", "breaking", "the version before may use what the extension brought"),
    _rule(
        r"REFRESH\s+MATERIALIZED\s+VIEW\b",
        "additive",
        "the view shows newer rows, as at any refresh",
        "without CONCURRENTLY nobody can read the view until it is done",
    ),
    _rule(
        r"(?:VACUUM|REINDEX|ANALYZE|CLUSTER)\b",
        "additive",
        "upkeep that changes no result",
        "VACUUM FULL, CLUSTER and REINDEX keep everyone out of the table until they are done",
    ),
    _rule(r"(?:SET|RESET)\b", "additive", "a setting of the migration's own session"),
    _rule(
        r"(?:BEGIN|COMMIT|END|START\s+TRANSACTION|SAVEPOINT|RELEASE)\b",
        "additive",
        "the bounds of a transaction",
    ),
    _rule(r"COMMENT\s+ON\b", "additive", "a comment changes nothing for a service"),
    _rule(r"REPLACE\s+INTO\s+(?P<table>[\w.\"]+)", "data", "rows that the version before reads are replaced"),
    _rule(
        r"LOCK\s+(?:TABLE\s+)?(?P<table>[\w.\"]+)",
        "unknown",
        "nobody else gets at the table until the migration ends; how long that is cannot be told here",
    ),
)

# https://www.sqlite.org/pragma.html: those that say something, or last no longer than the connection.
_HARMLESS_PRAGMAS = frozenset(
    [
        "busy_timeout",
        "cache_size",
        "defer_foreign_keys",
        "foreign_key_check",
        "foreign_key_list",
        "foreign_keys",
        "index_info",
        "index_list",
        "index_xinfo",
        "integrity_check",
        "legacy_alter_table",
        "optimize",
        "quick_check",
        "recursive_triggers",
        "synchronous",
        "table_info",
        "table_list",
        "table_xinfo",
        "temp_store",
    ]
)


def command(sql: str) -> Finding:
    """Return what a statement means that is known by its beginning only."""
    text = " ".join(sql.split())
    for pattern, kind, reason, warning in _RULES:
        match = pattern.match(text)
        if match is not None:
            table = match.groupdict().get("table")
            return Finding(kind, reason, table.replace('"', "").lower() if table else None, warning=warning)
    first = " ".join(text.split()[:3]) or "nothing"
    return Finding("unknown", f"what this statement does ({first} ...) cannot be told from its text")


def pragma(sql: str) -> Finding:
    """Return what an SQLite PRAGMA means."""
    match = re.match(r"PRAGMA\s+(?:\w+\.)?(\w+)", sql.strip(), re.IGNORECASE)
    name = match[1].lower() if match else ""
    if name in _HARMLESS_PRAGMAS:
        return Finding("additive", f"PRAGMA {name} only concerns the migration's own connection")
    return Finding("unknown", f"PRAGMA {name} may change the database for everyone")


def trigger(sql: str) -> Finding:
    """Return what a trigger with statements inside means."""
    match = re.search(r"\bON\s+([\w.\"]+)", sql, re.IGNORECASE)
    table = match[1].replace('"', "").lower() if match else None
    where = f" on {table}" if table else ""
    return Finding(
        "unknown",
        f"a trigger{where} runs for the version before as well; what it does there cannot be told here",
        table,
    )
