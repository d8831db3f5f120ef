"""The demo service on Postgres."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from tests.integration.shop.conftest import World

pytestmark = pytest.mark.integration

ORDER = {"product": "mug", "quantity": 1, "customer": "ann"}


def test_2_0_sells_on_postgres_too(make_world: Callable[[str], World], postgres_server: Any) -> None:  # noqa: ANN401
    """The URL is as the environment's settings have it, driver and all."""
    world = make_world(postgres_server.create_database("demo_shop"))
    world.migrate("2.0")
    shop = world.start("2.0")
    shop.switch("on")
    assert shop.ask("/health")[0] == 200
    status, sold = shop.ask("/checkout", ORDER)
    assert (status, sold["total_cents"], sold["checkout"]) == (201, 850, "new")
    shop.switch("off")
    world.down("2.0", "0001")
    assert shop.ask("/checkout", ORDER)[0] == 201
