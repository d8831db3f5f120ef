"""What the shop answers."""

from __future__ import annotations

import json
import sys
import traceback
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import health
from checkout import Checkout, Refused
from database import Database
from flags import Flags
from release import VERSION


@dataclass(frozen=True)
class Answer:
    status: int
    content: Any


class Shop:
    def __init__(self, database: Database, flags: Flags) -> None:
        self._database = database
        self._checkout = Checkout(database, flags)

    def get(self, path: str) -> Answer:
        match path:
            case "/":
                return Answer(200, {"service": "shop", "version": VERSION, "checkout": self._checkout.kind()})
            case "/version":
                return Answer(200, {"version": VERSION})
            case "/ready":
                return Answer(200, {"ready": True})
            case "/health":
                problem = health.problem(self._database)
                return Answer(503 if problem else 200, {"healthy": not problem, "problem": problem})
            case "/products":
                return self._safely(self._products)
            case _:
                return Answer(404, {"error": f"there is no {path}"})

    def post(self, path: str, body: bytes) -> Answer:
        if path != "/checkout":
            return Answer(404, {"error": f"there is no {path}"})
        try:
            order = json.loads(body)
            wanted = (str(order["product"]), int(order["quantity"]), str(order["customer"]))
        except (ValueError, KeyError, TypeError):
            return Answer(400, {"error": 'an order looks like {"product": "tea", "quantity": 1, "customer": "ann"}'})
        return self._safely(lambda: Answer(201, self._checkout.place(*wanted)))

    def _products(self) -> Answer:
        rows = self._database.run("SELECT name, price_cents FROM products ORDER BY name")
        return Answer(200, {"products": [{"name": name, "price_cents": price} for name, price in rows]})

    def _safely(self, work: Callable[[], Answer]) -> Answer:
        try:
            return work()
        except Refused as refused:
            return Answer(422, {"error": str(refused)})
        except Exception:  # noqa: BLE001 - one bad request must not end the service
            traceback.print_exc(limit=3, file=sys.stderr)
            return Answer(500, {"error": "something is wrong here; it is not your fault"})
