"""Whether the shop can do its work."""

from __future__ import annotations

from database import Database


def problem(database: Database) -> str | None:
    try:
        database.run("SELECT COUNT(*) FROM products")
    except Exception as error:  # noqa: BLE001 - whatever it is, the shop cannot work
        return f"the database does not answer: {type(error).__name__}"
    return None
