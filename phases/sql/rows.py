"""INSERT, UPDATE, DELETE and what else touches rows."""

from __future__ import annotations

from sqlglot import exp

from phases.sql.classified import Finding
from phases.sql.parsing import column_of, name_of
from phases.sql.tables import Tables


def changed(tree: exp.Expression, tables: Tables) -> Finding:
    """Return what a statement about rows means; the strictest of all that it contains (WITH ... DELETE)."""
    parts = tree.find_all(exp.Insert, exp.Update, exp.Delete, exp.Merge, exp.TruncateTable)
    findings = [_one(part, tables) for part in parts]
    return next((found for found in findings if found.kind != "additive"), findings[0])


def _one(tree: exp.Expression, tables: Tables) -> Finding:
    match tree:
        case exp.Insert():
            return _insert(tree, tables)
        case exp.Update():
            return _update(tree, tables)
        case exp.Delete():
            return _gone(name_of(tree.this), tables, every=tree.args.get("where") is None)
        case exp.TruncateTable():
            names = [name_of(table) for table in tree.expressions]
            old = [name for name in names if not tables.is_new(name)]
            return _gone(", ".join(old or names), tables, every=True)
        case _:
            name = name_of(tree.this)
            return Finding("data", f"rows of {name} that the version before reads are merged with others", name)


def _insert(tree: exp.Insert, tables: Tables) -> Finding:
    name = name_of(tree.this)
    if tables.is_new(name):
        return Finding("additive", f"rows for the new table {name}", name)
    return Finding(
        "data", f"the version before finds rows in {name} that it did not write; say whether it understands them", name
    )


def _update(tree: exp.Update, tables: Tables) -> Finding:
    name = name_of(tree.this)
    if tables.is_new(name):
        return Finding("additive", f"rows of the new table {name}", name)
    columns = [column_of(each.this) for each in tree.expressions if isinstance(each, exp.EQ)]
    table = tables.get(name)
    if table is not None and columns and len(columns) == len(tree.expressions) and set(columns) <= table.added:
        shown = ", ".join(columns)
        warning = None
        if tables.dialect == "postgres" and tree.args.get("where") is None:
            warning = f"every row of {name} is locked until the migration ends; fill a large table in batches"
        return Finding(
            "additive", f"fills {name}.{shown}, which the version before does not know", name, shown, warning
        )
    shown = ", ".join(columns)
    return Finding(
        "data", f"values that the version before reads change ({name}.{shown})", name, columns[0] if columns else None
    )


def _gone(name: str, tables: Tables, *, every: bool) -> Finding:
    if tables.is_new(name):
        return Finding("additive", f"rows of the new table {name}", name)
    if every:
        return Finding("breaking", f"all rows of {name} are deleted, and the version before still reads them", name)
    return Finding("data", f"rows of {name} that the version before may read are deleted", name)
