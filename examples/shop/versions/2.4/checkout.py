"""Selling something: the classic checkout and, behind the flag `new_checkout`, one that promises a day of delivery."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from database import Database
from flags import Flags

DELIVERY = timedelta(days=2)


class Refused(Exception):
    """An order that cannot be fulfilled."""


class Checkout:
    def __init__(self, database: Database, flags: Flags) -> None:
        self._database = database
        self._flags = flags

    def kind(self) -> str:
        return "new" if self._flags.on("new_checkout") else "classic"

    def place(self, product: str, quantity: int, customer: str) -> dict[str, Any]:
        total = price(self._database, product) * quantity
        if self.kind() == "classic":
            [(number,)] = self._database.run(
                "INSERT INTO orders (product, quantity, contact, total_cents) VALUES (?, ?, ?, ?) RETURNING id",
                (product, quantity, customer, total),
            )
            return {"order": number, "total_cents": total, "checkout": "classic"}
        day = (datetime.now(UTC) + DELIVERY).date().isoformat()
        [(number,)] = self._database.run(
            "INSERT INTO orders (product, quantity, contact, total_cents, delivery_day) VALUES (?, ?, ?, ?, ?) "
            "RETURNING id",
            (product, quantity, customer, total, day),
        )
        return {"order": number, "total_cents": total, "checkout": "new", "delivery_day": day}


def price(database: Database, product: str) -> int:
    rows = database.run("SELECT price_cents FROM products WHERE name = ?", (product,))
    if not rows:
        raise Refused(f"there is no product {product!r}")
    return rows[0][0]
