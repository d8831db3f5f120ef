"""ALTER TABLE, action by action."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from sqlglot import exp

from phases.sql.classified import Finding
from phases.sql.parsing import column_of, name_of
from phases.sql.tables import Column, Table, Tables, column_from
from phases.sql.types import rewrites, widens

_REWRITE = "Postgres writes every row of the table for it and keeps everyone out until it is done"
_LATER = "do it in a later release, when no running version uses it"


def altered(tree: exp.Alter, tables: Tables) -> list[Finding]:
    """Return what each action of an ALTER statement means, and take note of it."""
    kind = str(tree.args.get("kind")).upper()
    name = name_of(tree.this)
    if kind == "INDEX":
        return [Finding("additive", f"the index {name} gets another name; no statement of a service uses it")]
    if kind != "TABLE":
        return [Finding("breaking", f"the version before may use the {kind.lower()} {name} as it was; {_LATER}", name)]
    table = tables.get(name)
    fresh = table is not None and table.new
    findings = [found for action in tree.args.get("actions") or [] for found in _action(action, tree, name, tables)]
    if fresh:
        return [Finding("additive", f"a change to the new table {name}", name) for _ in findings[:1]]
    return findings or [Finding("unknown", f"what this does to {name} cannot be told", name)]


def _action(action: exp.Expression, tree: exp.Alter, name: str, tables: Tables) -> Iterator[Finding]:
    table = tables.get(name)
    match action:
        case exp.ColumnDef():
            yield from _added(action, name, table, tables.dialect)
        case exp.RenameColumn():
            yield _column_renamed(name, column_of(action.this), column_of(action.args.get("to")), table)
        case exp.AlterRename() if tree.args.get("options"):
            # `RENAME a TO b` without COLUMN, as the parser reads it.
            yield _column_renamed(name, column_of(action.this), "", table)
        case exp.AlterRename():
            new = name_of(action.this)
            yield Finding(
                "breaking", f"the version before still asks for {name}, which is called {new} now; {_LATER}", name
            )
            tables.rename(name, new)
        case exp.Drop():
            yield from _dropped(action, name, table)
        case exp.AlterColumn():
            yield _column_altered(action, name, table, tables.dialect)
        case exp.AddConstraint():
            yield from (constraint_added(name, constraint) for constraint in action.expressions)
        case _:
            yield Finding("unknown", f"what this does to {name} cannot be told", name)


def _added(action: exp.ColumnDef, name: str, table: Table | None, dialect: str) -> Iterator[Finding]:
    column = column_from(action)
    if table is not None and action.args.get("exists") and column.name in table.columns:
        yield Finding("additive", f"{name}.{column.name} is there already", name, column.name)
        return
    yield column_added(name, column, dialect)
    if table is not None:
        table.columns[column.name] = column
        table.added.add(column.name)


def column_added(table: str, column: Column, dialect: str) -> Finding:
    """Return what a new column means."""
    warning = _REWRITE if column.volatile and dialect == "postgres" else None
    unique = any(text.startswith(("UNIQUE", "PRIMARY KEY")) for text in column.constraints)
    if unique and column.filled and not column.volatile:
        return Finding(
            "breaking",
            f"rows that the version before writes into {table} would all get the same {column.name}, which has to be "
            "unique",
            table,
            column.name,
        )
    if not column.nullable and not column.filled:
        return Finding(
            "breaking",
            f"INSERTs of the version before leave {table}.{column.name} out, and it is NOT NULL without a default: "
            "give it a server default, or make it nullable",
            table,
            column.name,
            warning,
        )
    how = "has a default" if column.filled else "may be NULL"
    return Finding(
        "additive",
        f"{table}.{column.name} is new and {how}: the version before leaves it out",
        table,
        column.name,
        warning,
    )


def constraint_added(table: str, constraint: exp.Expression) -> Finding:
    """Return what a new constraint means."""
    what = {
        "FOREIGN KEY": "a foreign key",
        "UNIQUE": "a unique constraint",
        "CHECK": "a check",
        "PRIMARY KEY": "a primary key",
    }
    text = constraint.sql().upper()
    kind = next((word for key, word in what.items() if key in text), "a constraint")
    return Finding(
        "breaking",
        f"{kind} on {table}: rows that the version before writes may not fit it, and would be refused (also with "
        "NOT VALID, which spares only the rows that are there)",
        table,
    )


def type_changed(
    table: str, column: str, old: exp.DataType | None, new: exp.DataType, *, dialect: str, using: bool = False
) -> Finding:
    """Return what another type means for a column."""
    target = new.sql(dialect=dialect)
    if not using and widens(old, new, dialect=dialect):
        slow = dialect == "postgres" and rewrites(old, new)
        return Finding(
            "additive",
            f"{table}.{column} takes all it took before as {target}",
            table,
            column,
            _REWRITE if slow else None,
        )
    was = f"was {old.sql(dialect=dialect)} and" if old is not None else "(what it was is not known)"
    return Finding(
        "breaking",
        f"{table}.{column} {was} becomes {target}: what the version before writes may not fit, and what it reads may "
        "be of another kind. Add a new column beside it instead",
        table,
        column,
    )


def not_null(table: str, column: str) -> Finding:
    """Return what NOT NULL means for a column that was nullable."""
    return Finding(
        "breaking",
        f"the version before may write NULL into {table}.{column}, which would be refused; {_LATER}",
        table,
        column,
    )


def nullable(table: str, column: str) -> Finding:
    """Return what it means that a column may be NULL."""
    return Finding(
        "breaking",
        f"the version before may meet NULL in {table}.{column}, which it has never seen there, and going back would "
        "be refused once there is one",
        table,
        column,
    )


def default_dropped(table: str, column: str) -> Finding:
    """Return what it means that a default is gone."""
    return Finding(
        "breaking",
        f"INSERTs of the version before may leave {table}.{column} to its default, which is gone; {_LATER}",
        table,
        column,
    )


def column_dropped(table: str, column: str) -> Finding:
    """Return what it means that a column is gone."""
    return Finding(
        "breaking",
        f"the version before still reads or writes {table}.{column}; stop using it first and drop it in a later "
        "release",
        table,
        column,
    )


def constraint_dropped(table: str, what: str) -> Finding:
    """Return what it means that a constraint is gone."""
    return Finding(
        "unknown",
        f"{what} of {table} is gone: whether the version before relies on what it guaranteed (no duplicates, "
        "ON CONFLICT, no dangling references) cannot be told here",
        table,
    )


def _column_renamed(name: str, old: str, new: str, table: Table | None) -> Finding:
    if table is not None and old in table.columns and new:
        table.columns[new] = replace(table.columns.pop(old), name=new)
    called = f", which is called {new} now" if new else ", which has another name now"
    return Finding(
        "breaking",
        f"the version before still asks for {name}.{old}{called}: add a new column, fill both, and drop the old one "
        "in a later release",
        name,
        old,
    )


def _dropped(action: exp.Drop, name: str, table: Table | None) -> Iterator[Finding]:
    kind = str(action.args.get("kind")).upper()
    for target in [*(action.args.get("tables") or []), action.this]:
        if target is None:
            continue
        column = column_of(target)
        if kind != "COLUMN":
            yield constraint_dropped(name, f"the constraint {column}")
        elif table is not None and column in table.added:
            yield Finding("additive", f"{name}.{column} was added by this migration itself", name, column)
            table.added.discard(column)
            table.columns.pop(column, None)
        else:
            yield column_dropped(name, column)
            if table is not None:
                table.columns.pop(column, None)


def _column_altered(action: exp.AlterColumn, name: str, table: Table | None, dialect: str) -> Finding:
    column = column_of(action.this)
    known = table.columns.get(column) if table is not None else None
    if table is not None and known is not None and column in table.added:
        finding = _added_altered(action, name, known)
    else:
        finding = _old_altered(action, name, column, known, dialect)
    if table is not None and known is not None:
        table.columns[column] = _after(action, known)
    return finding


def _old_altered(action: exp.AlterColumn, name: str, column: str, known: Column | None, dialect: str) -> Finding:
    """What a change means for a column that the version before knows."""
    target = action.args.get("dtype")
    if isinstance(target, exp.DataType):
        old = known.type if known is not None else None
        using = isinstance(action.args.get("using"), exp.Expression)
        return type_changed(name, column, old, target, dialect=dialect, using=using)
    if action.args.get("allow_null") is False:
        if known is not None and not known.nullable:
            return Finding("additive", f"{name}.{column} is NOT NULL already", name, column)
        return not_null(name, column)
    if action.args.get("allow_null"):
        if known is not None and known.nullable:
            return Finding("additive", f"{name}.{column} may be NULL already", name, column)
        return nullable(name, column)
    if isinstance(action.args.get("default"), exp.Expression):
        return Finding(
            "additive",
            f"only rows that leave {name}.{column} out get the new default",
            name,
            column,
        )
    if action.args.get("drop"):
        return default_dropped(name, column)
    return Finding("unknown", f"what this does to {name}.{column} cannot be told", name, column)


def _added_altered(action: exp.AlterColumn, name: str, known: Column) -> Finding:
    """What a change means for a column that this migration added: the version before leaves it out."""
    after = _after(action, known)
    if after.nullable or after.filled:
        return Finding("additive", f"a change to the new column {name}.{known.name}", name, known.name)
    return column_added(name, after, "")


def _after(action: exp.AlterColumn, known: Column) -> Column:
    target = action.args.get("dtype")
    if isinstance(target, exp.DataType):
        return replace(known, type=target)
    if action.args.get("allow_null") is not None:
        return replace(known, nullable=bool(action.args["allow_null"]))
    default = action.args.get("default")
    if default is not None:
        return replace(known, filled=True, default=default.sql())
    return replace(known, filled=False, default=None)
