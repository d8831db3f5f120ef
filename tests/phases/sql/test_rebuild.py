"""SQLite's way to change a table is judged by what is different afterwards."""

from __future__ import annotations

import pytest

from phases.sql.classified import Classified, Kind
from phases.sql.classify import classify_all

OLD = (
    "CREATE TABLE item (id INTEGER NOT NULL, name VARCHAR(20), price INTEGER DEFAULT 0 NOT NULL, "
    "PRIMARY KEY (id), CONSTRAINT once UNIQUE (name))"
)
SAME = "id INTEGER NOT NULL, name VARCHAR(20), price INTEGER DEFAULT '0' NOT NULL, PRIMARY KEY (id)"


def rebuilt(
    columns: str, *, copied: str = "id, name, price", taken: str | None = None, copy: str = "_alembic_tmp_item"
) -> list[str]:
    return [
        f"CREATE TABLE {copy} ({columns})",
        f"INSERT INTO {copy} ({copied}) SELECT {taken or copied} FROM item",  # noqa: S608 - nothing runs it
        "DROP TABLE item",
        f"ALTER TABLE {copy} RENAME TO item",
    ]


def judged(statements: list[str], *existing: str) -> list[Classified]:
    return [found for _, found in classify_all(statements, "sqlite", existing=existing or (OLD,))]


@pytest.mark.parametrize("copy", ["_alembic_tmp_item", "new_item", '"item_new"'])
def test_the_same_again_is_additive(copy: str) -> None:
    """By whatever name the copy goes: people do it by hand as well."""
    found = judged(rebuilt(f"{SAME}, UNIQUE (name)", copy=copy))

    assert [each.kind for each in found] == ["additive"]
    assert found[0].table == "item"
    assert "DROP TABLE item" in found[0].statement


@pytest.mark.parametrize(
    ("columns", "copied", "kind", "column"),
    [
        (f"{SAME}, colour TEXT, UNIQUE (name)", "id, name, price", "additive", "colour"),
        (f"{SAME}, colour TEXT DEFAULT 'red' NOT NULL, UNIQUE (name)", "id, name, price", "additive", "colour"),
        (f"{SAME}, colour TEXT NOT NULL, UNIQUE (name)", "id, name, price", "breaking", "colour"),
        (
            "id INTEGER NOT NULL, name VARCHAR(20), PRIMARY KEY (id), UNIQUE (name)",
            "id, name",
            "breaking",
            "price",
        ),
        (SAME.replace("name VARCHAR(20)", "name VARCHAR(20) NOT NULL") + ", UNIQUE (name)", None, "breaking", "name"),
        (SAME.replace("DEFAULT '0' NOT NULL", "NOT NULL") + ", UNIQUE (name)", None, "breaking", "price"),
        (SAME.replace("DEFAULT '0' NOT NULL", "DEFAULT '0'") + ", UNIQUE (name)", None, "breaking", "price"),
        (SAME.replace("price INTEGER", "price TEXT") + ", UNIQUE (name)", None, "breaking", "price"),
        (f"{SAME}, UNIQUE (name), UNIQUE (price)", None, "breaking", None),
        (f"{SAME}, UNIQUE (name), CHECK (price > 0)", None, "breaking", None),
        (f"{SAME}, UNIQUE (name), FOREIGN KEY (price) REFERENCES price (id)", None, "breaking", None),
        (SAME, None, "unknown", None),  # the unique constraint is gone
        (f"{SAME}, UNIQUE (name)", "id, name", "data", "price"),
    ],
)
def test_what_is_different_counts(columns: str, copied: str | None, kind: Kind, column: str | None) -> None:
    found = judged(rebuilt(columns, copied=copied or "id, name, price"))

    assert [(each.kind, each.column) for each in found] == [(kind, column)], [each.reason for each in found]


def test_a_renamed_column_is_recognised_by_where_its_values_come_from() -> None:
    columns = SAME.replace("name VARCHAR(20)", "title VARCHAR(20)") + ", UNIQUE (title)"

    found = judged(
        rebuilt(columns, copied="id, title, price", taken="item.id, item.name, CAST(item.price AS INTEGER) AS price")
    )

    assert ("breaking", "name") in [(each.kind, each.column) for each in found]
    assert any("called title now" in each.reason for each in found)


def test_a_longer_text_is_no_change_on_sqlite_and_neither_is_a_shorter_one() -> None:
    """SQLite ignores the length."""
    found = judged(rebuilt(SAME.replace("VARCHAR(20)", "VARCHAR(10)") + ", UNIQUE (name)"))

    assert [each.kind for each in found] == ["additive"]


def test_what_was_there_before_is_not_known_so_nothing_is_declared_safe() -> None:
    found = [each for _, each in classify_all(rebuilt(f"{SAME}, colour TEXT"), "sqlite")]

    assert [each.kind for each in found] == ["additive", "unknown"]


def test_an_index_made_again_after_a_rebuild_is_no_new_one() -> None:
    index = "CREATE UNIQUE INDEX ux ON item (price)"

    found = judged([*rebuilt(f"{SAME}, UNIQUE (name)"), index], OLD, index)

    assert [each.kind for each in found] == ["additive", "additive"]


def test_a_table_of_the_migrations_own_may_be_rebuilt_at_will() -> None:
    statements = ["CREATE TABLE item (id INTEGER, name TEXT)", *rebuilt("id INTEGER NOT NULL", copied="id")]

    assert {each.kind for _, each in classify_all(statements, "sqlite", existing=("CREATE TABLE x (id INTEGER)",))} == {
        "additive"
    }


def test_a_second_rebuild_is_compared_with_the_first() -> None:
    first = rebuilt(f"{SAME}, colour TEXT, UNIQUE (name)")
    second = rebuilt(f"{SAME}, UNIQUE (name)")

    found = judged([*first, *second])

    assert [each.kind for each in found] == ["additive", "breaking"]


def test_a_drop_alone_is_no_rebuild() -> None:
    assert [each.kind for each in judged(["DROP TABLE item", "CREATE TABLE item (id INTEGER)"])] == [
        "breaking",
        "additive",
    ]
