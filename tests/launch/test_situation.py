"""What a launch knows about its services and where their users come in."""

from __future__ import annotations

from launch.situation import Situation

SLOTS = {"blue": {"url": "http://blue"}, "green": {"url": "http://green"}}


def situation(*routers: str) -> Situation:
    """Make what is known when the services `cart` and `mail` are deployed and these have routers."""
    made = Situation("green", "blue")
    made.learn_part("deploy", {"companions": {"cart": SLOTS, "mail": SLOTS}})
    made.learn_traffic({"routers": {name: {"url": f"http://{name}"} for name in routers}})
    return made


def test_a_service_that_came_with_this_release_has_no_router_yet() -> None:
    assert Situation("green", "blue").routed
    assert not situation("cart").routed
    assert situation("cart", "mail").routed


def test_a_service_that_went_has_a_router_still() -> None:
    assert situation("cart", "gone", "mail").routed
