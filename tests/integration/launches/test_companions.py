"""Two services are launched together: one plan, the same updates, and both go back where one of them is bad."""

from __future__ import annotations

import shutil
import urllib.request
from collections.abc import Callable
from typing import Any

import pytest

from tests.integration.launches.conftest import Project

pytestmark = [pytest.mark.integration, pytest.mark.timeout(600)]

SERVICES = '  launch:services: { cart: { image: "cart:1.0" } }\n'


@pytest.fixture(scope="module")
def pair(make_project: Callable[..., Project]) -> Project:
    """shop:1.0 and cart:1.0, launched together. The carts are shops of another name."""
    project = make_project("1.0", "2.0", "2.3")
    project.look_often()
    shutil.copytree(project.root / "registry" / "shop", project.root / "registry" / "cart")
    environment = project.root / "Pulumi.dev.yaml"
    environment.write_text(environment.read_text(encoding="utf-8") + SERVICES, encoding="utf-8")
    project.launch("up", "dev", "--image", "shop:1.0", check=0)
    return project


def version_of_cart(project: Project) -> str:
    """Who answers the cart's users."""
    (cart,) = project.status()["services"]
    with urllib.request.urlopen(cart["url"], timeout=10) as answer:  # noqa: S310 - our own router
        return str(answer.headers["X-Shop-Version"])


def test_both_are_launched_in_the_same_updates(pair: Project) -> None:
    before: dict[str, Any] = pair.services()
    assert before == {"shop": [("shop:1.0", 100)], "cart": [("cart:1.0", 100)]}
    pair.edit("Pulumi.dev.yaml", "cart:1.0", "cart:2.0")
    try:
        result = pair.launch("up", "dev", "--image", "shop:2.0", check=0)
        assert pair.services() == {"shop": [("shop:2.0", 100)], "cart": [("cart:2.0", 100)]}
        assert version_of_cart(pair) == "2.0"
        shifts = [event for event in result.all("update.applied") if event["stack"] == "dev-traffic"]
        assert len(shifts) == 3, "two shifts and the flags, however many services there are"
        pair.launch("rollback", "dev", check=0)
        assert pair.services() == before
        assert version_of_cart(pair) == "1.0"
    finally:
        pair.edit("Pulumi.dev.yaml", "cart:2.0", "cart:1.0")


def test_a_bad_companion_takes_the_good_service_back_with_it(pair: Project) -> None:
    before = pair.services()
    pair.edit("Pulumi.dev.yaml", "cart:1.0", "cart:2.3")
    try:
        result = pair.launch("up", "dev", "--image", "shop:2.0", check=1)
    finally:
        pair.edit("Pulumi.dev.yaml", "cart:2.3", "cart:1.0")
    assert "cart" in result.ended["reason"], result
    assert pair.services() == before
    assert version_of_cart(pair) == "1.0"


def test_a_companion_that_is_not_in_the_registry_stops_before_anything_is_changed(pair: Project) -> None:
    before = pair.services()
    pair.edit("Pulumi.dev.yaml", "cart:1.0", "cart:9.9")
    try:
        result = pair.launch("up", "dev", "--image", "shop:2.0", check=2)
    finally:
        pair.edit("Pulumi.dev.yaml", "cart:9.9", "cart:1.0")
    assert "launch:services.cart" in result.stderr
    assert pair.services() == before
