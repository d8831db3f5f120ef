"""SQLite's way to change a table: make another, copy the rows, drop the first, rename.

Alembic's batch mode does it (`_alembic_tmp_NAME`), and so do people by hand, after sqlite.org/lang_altertable.html,
section 7. Seen alone its DROP TABLE would break everything; seen as a whole it changes what is different between the
two tables.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from sqlglot import exp

from phases.sql import alter
from phases.sql.classified import Finding
from phases.sql.parsing import column_of, name_of
from phases.sql.tables import Column, Table, Tables, table_of
from phases.sql.types import widens


@dataclass(frozen=True, slots=True)
class Rebuild:
    """One rebuild among a list of statements.

    Attributes:
        table: what is rebuilt.
        copy: the name of the new table until it takes the old one's place.
        members: positions of its statements.
    """

    table: str
    copy: str
    members: tuple[int, ...]


def rebuilds(trees: Sequence[exp.Expression | None]) -> list[Rebuild]:
    """Return every rebuild: CREATE y, optionally INSERT INTO y, DROP x, ALTER y RENAME TO x, in this order."""
    found = []
    for last, tree in enumerate(trees):
        names = _renamed(tree)
        if names is None:
            continue
        copy, table = names
        drop = max((at for at in range(last) if _drops(trees[at], table)), default=None)
        if drop is None:
            continue
        create = max((at for at in range(drop) if _creates(trees[at], copy)), default=None)
        if create is None:
            continue
        fills = [at for at in range(create + 1, drop) if _fills(trees[at], copy)]
        found.append(Rebuild(table, copy, (create, *fills, drop, last)))
    return found


def compared(rebuild: Rebuild, trees: Sequence[exp.Expression | None], tables: Tables) -> list[Finding]:
    """Return what the rebuild as a whole means, and take note of the new table."""
    create = trees[rebuild.members[0]]
    if not isinstance(create, exp.Create):
        return []
    old = tables.get(rebuild.table)
    new = table_of(create)
    new.name = rebuild.table
    sources = _sources([trees[at] for at in rebuild.members[1:-2]])
    if old is not None and old.new:
        findings = [Finding("additive", f"the new table {new.name} is made again", new.name)]
    elif old is None:
        findings = list(_without_the_old(new, sources))
    else:
        findings = list(_differences(old, new, sources, tables.dialect))
    if not findings:
        findings = [
            Finding("additive", f"{new.name} is rebuilt, and fits all that the version before does with it", new.name)
        ]
    if old is not None:
        new.new = old.new
        new.added = {name for name in new.columns if name not in old.columns} | (old.added & set(new.columns))
    tables.tables[new.name] = new
    return findings


def _differences(old: Table, new: Table, sources: dict[str, str], dialect: str) -> Iterator[Finding]:
    taken = set(sources.values())
    for name, before in old.columns.items():
        after = new.columns.get(name)
        if after is None:
            moved = next((target for target, source in sources.items() if source == name), None)
            yield _renamed_column(new.name, name, moved) if moved else alter.column_dropped(new.name, name)
        elif name in old.added:
            yield alter.column_added(new.name, after, dialect)
        else:
            yield from _column(new.name, before, after, dialect)
            if name not in taken and sources:
                yield Finding("data", f"what was in {new.name}.{name} is not copied", new.name, name)
    for name, column in new.columns.items():
        if name not in old.columns and sources.get(name) not in old.columns:
            yield alter.column_added(new.name, column, dialect)
    for text in sorted(new.all_constraints() - old.all_constraints()):
        yield Finding(
            "breaking",
            f"{new.name} gets {_article(text)}: rows that the version before writes may not fit it",
            new.name,
        )
    for text in sorted(old.all_constraints() - new.all_constraints()):
        yield alter.constraint_dropped(new.name, _article(text))


def _column(table: str, before: Column, after: Column, dialect: str) -> Iterator[Finding]:
    if before.type is None or after.type is None:
        same = before.type is after.type
    else:
        same = widens(before.type, after.type, dialect=dialect)
    if not same and after.type is not None:
        yield alter.type_changed(table, after.name, before.type, after.type, dialect=dialect)
    if before.nullable and not after.nullable:
        yield alter.not_null(table, after.name)
    if after.nullable and not before.nullable:
        yield alter.nullable(table, after.name)
    if before.filled and not after.filled:
        yield alter.default_dropped(table, after.name)


def _without_the_old(new: Table, sources: dict[str, str]) -> Iterator[Finding]:
    """What can be said where the old table's columns are not known."""
    for name, column in new.columns.items():
        if sources and name not in sources:
            yield alter.column_added(new.name, column, "sqlite")
        elif sources.get(name, name) != name:
            yield _renamed_column(new.name, sources[name], name)
    yield Finding(
        "unknown",
        f"{new.name} is rebuilt, and how it was before is not known: columns may be gone or narrower",
        new.name,
    )


def _renamed_column(table: str, old: str, new: str) -> Finding:
    return Finding(
        "breaking", f"the version before still asks for {table}.{old}, which is called {new} now", table, old
    )


def _sources(fills: Sequence[exp.Expression | None]) -> dict[str, str]:
    """From column of the copy to the column of the old table it is filled from, where that is a plain column."""
    found: dict[str, str] = {}
    for fill in fills:
        if not isinstance(fill, exp.Insert) or not isinstance(fill.this, exp.Schema):
            continue
        select = fill.args.get("expression")
        if not isinstance(select, exp.Select):
            continue
        for target, value in zip(fill.this.expressions, select.expressions, strict=False):
            plain = value.this if isinstance(value, exp.Alias) else value
            plain = plain.this if isinstance(plain, exp.Cast) else plain
            found[column_of(target)] = column_of(plain) if isinstance(plain, exp.Column) else ""
    return found


def _article(text: str) -> str:
    kinds = {"UNIQUE": "a unique constraint", "FOREIGN KEY": "a foreign key", "CHECK": "a check"}
    kind = next((word for key, word in kinds.items() if text.startswith(key)), "a constraint")
    return f"{kind} ({text})"


def _renamed(tree: exp.Expression | None) -> tuple[str, str] | None:
    if not isinstance(tree, exp.Alter) or str(tree.args.get("kind")).upper() != "TABLE" or tree.args.get("options"):
        return None
    actions = tree.args.get("actions") or []
    if len(actions) != 1 or not isinstance(actions[0], exp.AlterRename):
        return None
    return name_of(tree.this), name_of(actions[0].this)


def _creates(tree: exp.Expression | None, name: str) -> bool:
    return isinstance(tree, exp.Create) and str(tree.args.get("kind")).upper() == "TABLE" and name_of(tree.this) == name


def _drops(tree: exp.Expression | None, name: str) -> bool:
    if not isinstance(tree, exp.Drop) or str(tree.args.get("kind")).upper() != "TABLE":
        return False
    return [name_of(table) for table in [*(tree.args.get("tables") or []), tree.this] if table is not None] == [name]


def _fills(tree: exp.Expression | None, name: str) -> bool:
    return isinstance(tree, exp.Insert) and name_of(tree.this) == name
