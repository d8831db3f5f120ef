"""Selling something: as in 2.0, with a fraud check that gets slow once there is something to look through.

Every request succeeds, so the error rate stays at zero: only the slowest hundredth of the users tells.
"""

from __future__ import annotations

import itertools
import time
from datetime import UTC, datetime, timedelta
from typing import Any

from database import Database
from flags import Flags

DELIVERY = timedelta(days=2)
FAST_UNTIL = 12
"""Checkouts."""
SUSPICIOUS_EVERY = 6
SLOW_SECONDS = 1.4


class Refused(Exception):
    """An order that cannot be fulfilled."""


class Checkout:
    def __init__(self, database: Database, flags: Flags) -> None:
        self._database = database
        self._flags = flags
        self._checkouts = itertools.count(1)

    def kind(self) -> str:
        return "new" if self._flags.on("new_checkout") else "classic"

    def place(self, product: str, quantity: int, customer: str) -> dict[str, Any]:
        total = price(self._database, product) * quantity
        self._look_for_fraud()
        if self.kind() == "classic":
            [(number,)] = self._database.run(
                "INSERT INTO orders (product, quantity, customer, total_cents) VALUES (?, ?, ?, ?) RETURNING id",
                (product, quantity, customer, total),
            )
            return {"order": number, "total_cents": total, "checkout": "classic"}
        day = (datetime.now(UTC) + DELIVERY).date().isoformat()
        [(number,)] = self._database.run(
            "INSERT INTO orders (product, quantity, customer, total_cents, delivery_day) VALUES (?, ?, ?, ?, ?) "
            "RETURNING id",
            (product, quantity, customer, total, day),
        )
        return {"order": number, "total_cents": total, "checkout": "new", "delivery_day": day}

    def _look_for_fraud(self) -> None:
        number = next(self._checkouts)
        if number > FAST_UNTIL and number % SUSPICIOUS_EVERY == 0:
            time.sleep(SLOW_SECONDS)


def price(database: Database, product: str) -> int:
    rows = database.run("SELECT price_cents FROM products WHERE name = ?", (product,))
    if not rows:
        raise Refused(f"there is no product {product!r}")
    return rows[0][0]
