"""The class of each statement of a migration."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from sqlglot import exp

from phases.sql import alter, commands, create, rebuild, rows
from phases.sql.classified import Classified, Dialect, Finding, Kind
from phases.sql.parsing import name_of, parse, parse_one
from phases.sql.tables import Tables

_VERSION_TABLE = "alembic_version"
_STRICTNESS: tuple[Kind, ...] = ("additive", "data", "unknown", "breaking")
_TRIGGER = re.compile(r"\s*CREATE\s+(TEMP(ORARY)?\s+)?TRIGGER\b", re.IGNORECASE)
_BOOKKEEPING = re.compile(rf"\b{_VERSION_TABLE}\b", re.IGNORECASE)


def classify(sql: str, dialect: Dialect, *, existing: Iterable[str] = ()) -> Classified:
    """Return the class of one statement that stands alone; of several in one text, the strictest.

    Args:
        sql: the statement.
        dialect: of which database.
        existing: CREATE TABLE and CREATE INDEX statements of what is there.
    """
    found = _findings(sql, parse_one(sql, dialect), Tables(existing, dialect))
    return max(found, key=lambda each: _STRICTNESS.index(each.kind))


def classify_all(
    statements: Sequence[str], dialect: Dialect, *, existing: Iterable[str] = ()
) -> tuple[tuple[int, Classified], ...]:
    """Return the class of each statement of a migration, in order, each seen with those before it.

    Alembic's own bookkeeping is left out. An ALTER TABLE of several actions has several entries. A table that is
    rebuilt (SQLite) is judged as a whole, at its last statement.

    Args:
        statements: in the order in which they run.
        dialect: of which database.
        existing: CREATE TABLE and CREATE INDEX statements of what is there before.

    Returns:
        Pairs of a statement's position and its class.
    """
    tables = Tables(existing, dialect)
    trees = [parse_one(sql, dialect) for sql in statements]
    whole = {found.members[-1]: found for found in rebuild.rebuilds(trees)}
    parts = {at for found in whole.values() for at in found.members[:-1]}
    result: list[tuple[int, Classified]] = []
    for at, (sql, tree) in enumerate(zip(statements, trees, strict=True)):
        if at in parts or _is_bookkeeping(sql, tree):
            continue
        if at in whole:
            text = ";\n".join(statements[each].strip().rstrip(";") for each in whole[at].members)
            result += [(at, each.of(text)) for each in rebuild.compared(whole[at], trees, tables)]
        else:
            result += [(at, each) for each in _findings(sql, tree, tables)]
    return tuple(result)


def _findings(sql: str, tree: exp.Expression | None, tables: Tables) -> list[Classified]:
    if _is_bookkeeping(sql, tree):
        return [Classified(sql, "additive", "Alembic's own bookkeeping", _VERSION_TABLE)]
    if _TRIGGER.match(sql) is not None and tree is None:  # SQLite's, with statements inside
        return [commands.trigger(sql).of(sql)]
    if tree is None:
        each = parse(sql, tables.dialect)
        if not each:
            return [Classified(sql, "unknown", "this is no SQL that could be read")]
        found = [_findings(one.sql(dialect=tables.dialect), one, tables) for one in each]
        return [finding for group in found for finding in group]
    return [found.of(sql) for found in _known(sql, tree, tables)]


def _known(sql: str, tree: exp.Expression, tables: Tables) -> list[Finding]:
    match tree:
        case exp.Create():
            finding = create.created(tree, tables)
            tables.learn(tree, new=True)
            return [finding]
        case exp.Drop():
            finding = create.dropped(tree, tables)
            for name in [name_of(table) for table in tree.args.get("tables") or []]:
                tables.drop(name)
                tables.indexes.pop(name, None)
            return [finding]
        case exp.Alter():
            return alter.altered(tree, tables)
        case exp.Insert() | exp.Update() | exp.Delete() | exp.Merge() | exp.TruncateTable():
            return [rows.changed(tree, tables)]
        case exp.Select() | exp.Union():
            return [_read(tree, tables)]
        case exp.Pragma():
            return [commands.pragma(sql)]
        case exp.Grant():
            return [Finding("additive", "a permission more takes nothing from the version before")]
        case exp.Revoke():
            return [Finding("breaking", "the version before may need the permission")]
        case _:
            return [commands.command(sql)]


def _read(tree: exp.Expression, tables: Tables) -> Finding:
    if any(True for _ in tree.find_all(exp.Insert, exp.Update, exp.Delete, exp.Merge)):
        return rows.changed(tree, tables)
    called = sorted({function.name for function in tree.find_all(exp.Anonymous)})
    if called:
        return Finding("unknown", f"what the function {', '.join(called)} does cannot be told here")
    return Finding("additive", "it only reads")


def _is_bookkeeping(sql: str, tree: exp.Expression | None) -> bool:
    if _BOOKKEEPING.search(sql) is None or not isinstance(tree, exp.Create | exp.Insert | exp.Update | exp.Delete):
        return False
    target = tree.this
    return isinstance(target, exp.Table | exp.Schema) and name_of(target).rpartition(".")[2] == _VERSION_TABLE
