"""What a schema looks like, in a form in which two can be compared and the difference be named.

The order of columns does not count: a column that is dropped and made again stands last, and no service should mind.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from components.schema import connections
from components.schema.errors import SchemaError
from components.schema.urls import SQLITE, mask, masked

if TYPE_CHECKING:
    from sqlalchemy.engine import Connection
    from sqlalchemy.engine.reflection import Inspector

Fingerprint = dict[str, str]
"""From the name of a part (`table item: column price`) to what it is."""

_IGNORED = "alembic_version"


def fingerprint(url: str) -> Fingerprint:
    """Every table, column, key, index, constraint, view, trigger, function, sequence and type of a database.

    Raises:
        SchemaError: the database cannot be read.
    """
    from sqlalchemy import inspect
    from sqlalchemy.exc import SQLAlchemyError

    parts: Fingerprint = {}
    try:
        with connections.engine(url).connect() as connection:
            found = inspect(connection)
            for schema in _schemas(found):
                prefix = f"{schema}." if schema not in {None, "public"} else ""
                for table in found.get_table_names(schema=schema):
                    if table != _IGNORED:
                        _table(found, table, schema, f"table {prefix}{table}", parts)
                        _foreign_keys(connection, found, table, schema, f"table {prefix}{table}", parts)
                for view in found.get_view_names(schema=schema):
                    parts[f"view {prefix}{view}"] = str(found.get_view_definition(view, schema=schema))
            _others(connection, parts)
    except SQLAlchemyError as error:
        raise SchemaError(f"{masked(url)} cannot be read: {mask(str(error), url)}") from None
    return parts


def differences(before: Fingerprint, after: Fingerprint) -> tuple[str, ...]:
    """What is different, each as a short phrase."""
    found = [f"{name} is gone" for name in before if name not in after]
    found += [f"{name} is left over" for name in after if name not in before]
    found += [
        f"{name} was {before[name]} and is {after[name]}"
        for name in before
        if after.get(name, before[name]) != before[name]
    ]
    return tuple(found)


def _schemas(found: Inspector) -> list[str | None]:
    if found.dialect.name == SQLITE:
        return [None]
    return [name for name in found.get_schema_names() if name != "information_schema"]


def _table(found: Inspector, table: str, schema: str | None, name: str, parts: Fingerprint) -> None:
    import warnings

    from sqlalchemy.exc import SAWarning

    parts[name] = "there"
    with warnings.catch_warnings():
        # About indexes on expressions and types it does not know: both are compared below by their own text.
        warnings.simplefilter("ignore", SAWarning)
        for column in found.get_columns(table, schema=schema):
            parts[f"{name}: column {column['name']}"] = _column(column, found)
        parts[f"{name}: primary key"] = str(found.get_pk_constraint(table, schema=schema)["constrained_columns"])
        for unique in found.get_unique_constraints(table, schema=schema):
            parts[f"{name}: unique {sorted(unique['column_names'])}"] = "there"
        for check in found.get_check_constraints(table, schema=schema):
            parts[f"{name}: check {check['name'] or check['sqltext']}"] = str(check["sqltext"])
        if found.dialect.name != SQLITE:
            return
        for index in found.get_indexes(table, schema=schema):
            parts[f"{name}: index {index['name']}"] = f"{index['column_names']} unique={bool(index['unique'])}"


def _foreign_keys(
    connection: Connection, found: Inspector, table: str, schema: str | None, name: str, parts: Fingerprint
) -> None:
    if found.dialect.name == SQLITE:
        # SQLAlchemy leaves out ON DELETE and ON UPDATE of keys that stand at their column.
        quoted = table.replace("'", "''")
        rows = connection.exec_driver_sql(f"SELECT * FROM pragma_foreign_key_list('{quoted}')")  # noqa: S608
        for _id, _seq, target, source, column, on_update, on_delete, _match in rows:
            options = f"ON UPDATE {on_update} ON DELETE {on_delete}"
            parts[f"{name}: foreign key {source}"] = f"{target}.{column or 'its key'} {options}"
        return
    for key in found.get_foreign_keys(table, schema=schema):
        target = f"{key['referred_schema'] or ''}.{key['referred_table']}{key['referred_columns']}"
        parts[f"{name}: foreign key {key['constrained_columns']}"] = f"{target} {sorted(key['options'].items())}"


def _column(column: Any, found: Inspector) -> str:  # noqa: ANN401 - SQLAlchemy's
    kind = column["type"].compile(dialect=found.dialect) if str(column["type"]) != "NULL" else "no type"
    null = "NULL" if column["nullable"] else "NOT NULL"
    default = f" DEFAULT {column['default']}" if column.get("default") is not None else ""
    more = (
        f" {column[name]}" if (name := next((key for key in ("identity", "computed") if column.get(key)), "")) else ""
    )
    return f"{kind} {null}{default}{more}"


# What SQLAlchemy does not reflect, or not exactly. Extensions bring their own functions and types.
_POSTGRES = {
    "index": "SELECT indexrelid::regclass::text, pg_get_indexdef(indexrelid) || CASE WHEN indisvalid THEN '' "
    "ELSE ' INVALID' END FROM pg_index JOIN pg_class ON pg_class.oid = indexrelid WHERE {mine} "
    "AND indrelid::regclass::text !~ 'alembic_version'",
    "trigger": "SELECT tgname || ' on ' || tgrelid::regclass, pg_get_triggerdef(pg_trigger.oid) FROM pg_trigger "
    "WHERE NOT tgisinternal",
    "function": "SELECT p.oid::regprocedure::text, md5(pg_get_functiondef(p.oid)) FROM pg_proc p "
    "JOIN pg_namespace n ON n.oid = pronamespace WHERE prokind IN ('f', 'p') AND {own} AND NOT EXISTS "
    "(SELECT 1 FROM pg_depend d WHERE d.objid = p.oid AND d.deptype = 'e')",
    "sequence": "SELECT pg_class.oid::regclass::text, seqtypid::regtype || ' by ' || seqincrement FROM pg_sequence "
    "JOIN pg_class ON pg_class.oid = seqrelid WHERE {mine}",
    "enum": "SELECT t.oid::regtype::text, string_agg(enumlabel, ', ' ORDER BY enumsortorder) FROM pg_enum e "
    "JOIN pg_type t ON t.oid = enumtypid GROUP BY 1",
    "domain": "SELECT t.oid::regtype::text, typbasetype::regtype::text FROM pg_type t JOIN pg_namespace n "
    "ON n.oid = typnamespace WHERE typtype = 'd' AND {own}",
    "materialized view": "SELECT pg_class.oid::regclass::text, pg_get_viewdef(pg_class.oid) FROM pg_class "
    "WHERE relkind = 'm' AND {mine}",
    "extension": "SELECT extname, extversion FROM pg_extension",
}
_OWN = "n.nspname NOT IN ('pg_catalog', 'information_schema') AND n.nspname NOT LIKE 'pg@_%' ESCAPE '@'"
_MINE = f"EXISTS (SELECT 1 FROM pg_namespace n WHERE n.oid = relnamespace AND {_OWN})"  # noqa: S608 - constants
_SQLITE = (
    "SELECT type || ' ' || name, sql FROM sqlite_master WHERE type = 'trigger' "
    "UNION ALL SELECT 'index ' || name, sql FROM sqlite_master WHERE type = 'index' AND sql LIKE '%where%'"
)


def _others(connection: Connection, parts: Fingerprint) -> None:
    if connection.dialect.name == SQLITE:
        parts.update({name: " ".join(sql.split()) for name, sql in connection.exec_driver_sql(_SQLITE)})
        return
    for kind, statement in _POSTGRES.items():
        # Names come out with their schema, whatever the session's search path makes shorter.
        rows = connection.exec_driver_sql(statement.replace("{mine}", _MINE).replace("{own}", _OWN).replace("%", "%%"))
        parts.update({f"{kind} {name}": text for name, text in rows})
