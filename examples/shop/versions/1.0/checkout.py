"""Selling something."""

from __future__ import annotations

from typing import Any

from database import Database
from flags import Flags


class Refused(Exception):
    """An order that cannot be fulfilled."""


class Checkout:
    def __init__(self, database: Database, flags: Flags) -> None:
        self._database = database
        self._flags = flags

    def kind(self) -> str:
        return "classic"

    def place(self, product: str, quantity: int, customer: str) -> dict[str, Any]:
        total = price(self._database, product) * quantity
        [(number,)] = self._database.run(
            "INSERT INTO orders (product, quantity, customer, total_cents) VALUES (?, ?, ?, ?) RETURNING id",
            (product, quantity, customer, total),
        )
        return {"order": number, "total_cents": total, "checkout": "classic"}


def price(database: Database, product: str) -> int:
    rows = database.run("SELECT price_cents FROM products WHERE name = ?", (product,))
    if not rows:
        raise Refused(f"there is no product {product!r}")
    return rows[0][0]
