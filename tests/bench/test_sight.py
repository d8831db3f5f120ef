"""What an API watch saw, and what a route says."""

from __future__ import annotations

import pytest

from bench.race.objects import http_route, route_weight
from bench.race.sight import Moments


def test_a_moment_is_the_first_that_fits_since_then() -> None:
    seen = Moments()
    for at, weight in ((1.0, 0), (2.0, 50), (3.0, 0), (4.0, 0)):
        seen.add(weight, at)
    assert seen.wait(lambda weight: weight == 0, since=1.5, limit=0.0, what="zero") == 3.0


def test_what_was_so_before_does_not_count() -> None:
    seen = Moments()
    seen.add(50, 1.0)
    with pytest.raises(TimeoutError, match="half: not so after 0 s; last seen"):
        seen.wait(lambda weight: weight == 50, since=2.0, limit=0.0, what="half")


def test_the_past_ends_with_what_was_so_by_then() -> None:
    seen = Moments()
    for at, weight in ((1.0, 0), (2.0, 50), (5.0, 0)):
        seen.add(weight, at)
    assert seen.since(4.0) == [(2.0, 50), (5.0, 0)]


def test_a_share_is_of_all_weights() -> None:
    route = http_route("shop", "default", {"blue": 3, "green": 1})
    assert route_weight(route, "green") == 25
    assert route_weight(route, "red") == 0
    assert route_weight({"spec": {}}, "green") is None
