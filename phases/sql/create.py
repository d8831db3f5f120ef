"""CREATE and DROP."""

from __future__ import annotations

from sqlglot import exp

from phases.sql.classified import Finding
from phases.sql.parsing import name_of
from phases.sql.tables import Tables, index_of

BUILDS = (
    "an index built this way keeps writers out of the table until it is done; on a large table use "
    "postgresql_concurrently=True in an autocommit_block()"
)


def created(tree: exp.Create, tables: Tables) -> Finding:
    """Return what a CREATE statement means."""
    kind = str(tree.args.get("kind")).upper()
    if kind == "INDEX" and isinstance(tree.this, exp.Index):
        return _index(tree, tables)
    name = name_of(tree.find(exp.Table) or tree.this)
    if kind == "TRIGGER":
        return _trigger(tree, tables)
    if kind == "TABLE":
        note = ""
        if any(True for _ in tree.find_all(exp.Reference)):
            note = "; rows in it may keep rows of the tables it refers to from being deleted"
        return Finding("additive", f"the table {name} is new: the version before does not use it{note}", name)
    if tree.args.get("replace") and name not in tables.new_names:
        return Finding(
            "unknown",
            f"the {kind.lower()} {name} may be there already, and the version before would get the new one",
            name,
        )
    return Finding("additive", f"the {kind.lower()} {name} is new: the version before does not use it", name)


def dropped(tree: exp.Drop, tables: Tables) -> Finding:
    """Return what a DROP statement means."""
    kind = str(tree.args.get("kind")).upper()
    names = [name_of(table) for table in [*(tree.args.get("tables") or []), tree.this] if table is not None]
    shown = ", ".join(names)
    if kind == "INDEX":
        return _index_dropped(shown, tables)
    mine = bool(names) and all(tables.is_new(name) or name in tables.new_names for name in names)
    if mine:
        return Finding("additive", f"the {kind.lower()} {shown} was made by this migration itself", shown)
    if kind == "TRIGGER":
        return Finding("unknown", f"whether the version before needs the trigger {shown} cannot be told here")
    return Finding(
        "breaking",
        f"the version before may still use the {kind.lower()} {shown}; drop it in a later release, when nothing "
        "uses it any more",
        shown,
    )


def _index(tree: exp.Create, tables: Tables) -> Finding:
    table = name_of(tree.this.args.get("table"))
    if tables.is_new(table):
        return Finding("additive", f"an index on the new table {table}", table)
    known = tables.indexes.get(tree.this.name.lower())
    if known is not None and known == index_of(tree):
        return Finding("additive", f"the index {tree.this.name} of {table} is made again as it was", table)
    blocks = tables.dialect == "postgres" and not tree.args.get("concurrently")
    warning = BUILDS if blocks else None
    if tree.args.get("unique"):
        return Finding(
            "breaking",
            f"a unique index on {table}: the version before may write duplicates, which would fail now",
            table,
            warning=warning,
        )
    return Finding("additive", f"an index on {table} changes no result", table, warning=warning)


def _index_dropped(name: str, tables: Tables) -> Finding:
    known = tables.indexes.get(name)
    slow = "queries of the version before that use it get slower"
    if known is None:
        return Finding(
            "unknown",
            f"whether the index {name} is unique is not known: the version before may rely on it for "
            "INSERT ... ON CONFLICT",
            warning=slow,
        )
    if known.unique:
        return Finding(
            "breaking",
            f"{name} is unique: the version before relies on it against duplicates and for ON CONFLICT",
            known.table,
        )
    return Finding("additive", f"the index {name} only makes reads of {known.table} quick", known.table, warning=slow)


def _trigger(tree: exp.Create, tables: Tables) -> Finding:
    properties = tree.args.get("properties")
    table = name_of(properties.find(exp.Table)) if properties is not None else ""
    if table and tables.is_new(table):
        return Finding("additive", f"a trigger on the new table {table}", table)
    return Finding(
        "unknown",
        f"a trigger{f' on {table}' if table else ''} runs for the version before as well; what it does there cannot "
        "be told here",
        table or None,
    )
