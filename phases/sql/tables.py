"""The tables that a migration begins with, and what each statement makes of them.

Whether a change is harmless often depends on what was there: VARCHAR(20) after VARCHAR(50), or after VARCHAR(10)? Where
that is not known, nothing is declared safe.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace

from sqlglot import exp

from phases.sql.classified import Dialect
from phases.sql.parsing import column_of, name_of, parse_one

_SERIAL = frozenset({exp.DataType.Type.SERIAL, exp.DataType.Type.BIGSERIAL, exp.DataType.Type.SMALLSERIAL})


@dataclass(frozen=True, slots=True)
class Column:
    """A column as far as compatibility is concerned.

    Attributes:
        name: in lower case.
        type: None where it has none (SQLite) or it could not be read.
        nullable: NULL may be in it.
        filled: it has a value when an INSERT leaves it out: a default, an identity, a generated value.
        default: the default as SQL text, None where there is none.
        volatile: each row gets a value of its own, so adding the column writes every row.
        constraints: UNIQUE, CHECK and REFERENCES at the column, as SQL text.
    """

    name: str
    type: exp.DataType | None = None
    nullable: bool = True
    filled: bool = False
    default: str | None = None
    volatile: bool = False
    constraints: frozenset[str] = frozenset()


@dataclass(slots=True)
class Table:
    """A table.

    Attributes:
        name: in lower case, with its schema unless that is the default one.
        columns: by name.
        constraints: those of the table, as SQL text without their names.
        new: made by the migration itself, so the version before does not know it.
        added: columns that the migration itself added.
    """

    name: str
    columns: dict[str, Column] = field(default_factory=dict)
    constraints: frozenset[str] = frozenset()
    new: bool = False
    added: set[str] = field(default_factory=set)

    def all_constraints(self) -> frozenset[str]:
        """Return the table's constraints and those of its columns, written the same way."""
        return self.constraints | {text for column in self.columns.values() for text in column.constraints}


@dataclass(frozen=True, slots=True)
class Index:
    """An index.

    Attributes:
        table: its table's name.
        unique: whether it refuses duplicates.
        definition: as SQL text without its name.
    """

    table: str
    unique: bool
    definition: str


class Tables:
    """What is known of a schema.

    Args:
        existing: CREATE TABLE and CREATE INDEX statements of what is there; empty where nothing is known.
        dialect: how to read them.
    """

    def __init__(self, existing: Iterable[str], dialect: Dialect) -> None:
        self.dialect: Dialect = dialect
        self.tables: dict[str, Table] = {}
        self.indexes: dict[str, Index] = {}
        self.complete = False
        self.new_names: set[str] = set()  # views, functions, types that the migration itself made
        for statement in existing:
            tree = parse_one(statement, dialect)
            if isinstance(tree, exp.Create):
                self.learn(tree, new=False)
                self.complete = True

    def learn(self, tree: exp.Create, *, new: bool) -> None:
        """Take note of a CREATE statement."""
        kind = str(tree.args.get("kind")).upper()
        if kind == "TABLE":
            self._learn_table(table_of(tree), new=new, only_if_missing=bool(tree.args.get("exists")))
        elif kind == "INDEX" and isinstance(tree.this, exp.Index):
            self.indexes[tree.this.name.lower()] = index_of(tree)
        elif new:
            self.new_names.add(name_of(tree.find(exp.Table) or tree.this))

    def _learn_table(self, table: Table, *, new: bool, only_if_missing: bool) -> None:
        if only_if_missing and new:
            if table.name in self.tables:
                return  # IF NOT EXISTS: nothing happens
            new = self.complete  # where not all is known it may be there already
        table.new = new
        self.tables[table.name] = table

    def get(self, name: str) -> Table | None:
        """Return a table, if it is known."""
        return self.tables.get(name)

    def is_new(self, name: str) -> bool:
        """Return whether the migration itself made a table."""
        table = self.tables.get(name)
        return table is not None and table.new

    def rename(self, old: str, new: str) -> None:
        """Take note of a table's new name."""
        table = self.tables.pop(old, None)
        if table is not None:
            table.name = new
            self.tables[new] = table

    def drop(self, name: str) -> None:
        """Forget a table and its indexes."""
        self.tables.pop(name, None)
        self.indexes = {key: index for key, index in self.indexes.items() if index.table != name}


def table_of(tree: exp.Create) -> Table:
    """Return what a CREATE TABLE makes."""
    schema = tree.this
    table = Table(name_of(schema))
    if not isinstance(schema, exp.Schema):
        return table
    constraints: list[str] = []
    for part in schema.expressions:
        if isinstance(part, exp.ColumnDef):
            column = column_from(part)
            table.columns[column.name] = column
        elif isinstance(part, exp.Identifier):  # SQLite takes a column without a type
            table.columns[column_of(part)] = Column(column_of(part))
        elif isinstance(part, exp.Constraint):
            constraints.extend(_normal(inner) for inner in part.expressions)
        elif isinstance(part, exp.PrimaryKey):
            _make_key(table, part)
            constraints.append(_normal(part))
        else:
            constraints.append(_normal(part))
    for part in schema.find_all(exp.PrimaryKey):
        _make_key(table, part)
    table.constraints = frozenset(constraints)
    return table


def column_from(definition: exp.ColumnDef) -> Column:
    """Return what a column definition says."""
    name = column_of(definition)
    kind = definition.args.get("kind")
    column = Column(name, kind if isinstance(kind, exp.DataType) else None)
    for constraint in definition.args.get("constraints") or []:
        column = _with(column, constraint.args.get("kind") or constraint)
    if column.type is not None and column.type.this in _SERIAL:
        column = replace(column, nullable=False, filled=True, volatile=True)
    return column


def _with(column: Column, rule: exp.Expression) -> Column:
    """The column with one more of its constraints."""
    own = column.constraints
    match rule:
        case exp.NotNullColumnConstraint():
            return replace(column, nullable=bool(rule.args.get("allow_null")))
        case exp.PrimaryKeyColumnConstraint():
            key = f"PRIMARY KEY ({column.name})"
            return replace(column, nullable=False, filled=column.filled or _is_rowid(column), constraints=own | {key})
        case exp.DefaultColumnConstraint():
            default = rule.this.sql() if rule.this is not None else "NULL"
            filled = default.upper() != "NULL"
            return replace(column, filled=filled, default=default, volatile=not _stable(rule.this))
        case exp.GeneratedAsIdentityColumnConstraint() | exp.ComputedColumnConstraint():
            return replace(column, filled=True, volatile=True)
        case exp.AutoIncrementColumnConstraint():
            return replace(column, filled=True)
        case exp.UniqueColumnConstraint():
            return replace(column, constraints=own | {f"UNIQUE ({column.name})"})
        case exp.Reference():
            return replace(column, constraints=own | {f"FOREIGN KEY ({column.name}) {rule.sql().upper()}"})
        case exp.CheckColumnConstraint():
            return replace(column, constraints=own | {_normal(rule)})
        case _:
            return column


def _is_rowid(column: Column) -> bool:
    """SQLite numbers such a key itself; on Postgres one without a default has to be given."""
    return column.type is not None and column.type.this == exp.DataType.Type.INT


def index_of(tree: exp.Create) -> Index:
    """Return what a CREATE INDEX makes."""
    index = tree.this
    table = name_of(index.args.get("table"))
    parameters = index.args.get("params")
    text = parameters.sql().upper() if parameters is not None else ""
    return Index(table, bool(tree.args.get("unique")), text)


# Functions whose value is the same for all rows of a statement, so that Postgres 11 and up stores it once
# (postgresql.org, ALTER TABLE, notes on ADD COLUMN).
_STABLE = (exp.Cast, exp.CurrentTimestamp, exp.CurrentDate, exp.CurrentTime, exp.CurrentUser)


def _stable(default: exp.Expression | None) -> bool:
    if default is None:
        return True
    functions = list(default.find_all(exp.Func))
    return all(isinstance(function, _STABLE) for function in functions)


def _make_key(table: Table, key: exp.PrimaryKey) -> None:
    names = [column_of(part) for part in key.expressions]
    for name in names:
        column = table.columns.get(name)
        if column is not None:
            filled = column.filled or (len(names) == 1 and _is_rowid(column))
            table.columns[name] = replace(column, nullable=False, filled=filled)


def _normal(constraint: exp.Expression) -> str:
    """Return a constraint's text so that two ways to write it compare equal."""
    bare = constraint.copy()
    for option in ("include", "nulls", "enforced"):
        bare.args.pop(option, None)
    if isinstance(bare, exp.UniqueColumnConstraint):
        parts = bare.this.expressions if isinstance(bare.this, exp.Schema) else []
        return f"UNIQUE ({', '.join(column_of(part) for part in parts)})"
    if isinstance(bare, exp.PrimaryKey):
        return f"PRIMARY KEY ({', '.join(column_of(part) for part in bare.expressions)})"
    if isinstance(bare, exp.ForeignKey):
        names = ", ".join(column_of(part) for part in bare.expressions)
        reference = bare.args.get("reference")
        return f"FOREIGN KEY ({names}) {reference.sql().upper() if reference is not None else ''}".strip()
    return bare.sql().upper()
