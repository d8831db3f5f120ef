"""Several services are launched together, and any of them stops the launch."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from phases.breakers import Breakers
from phases.reading import Reading, Trip
from phases.verdict import GateResult, Verdict, inconclusive, passed


class Time:
    """A clock that a test moves."""

    def __init__(self) -> None:
        self.at = 0.0

    def monotonic(self) -> float:
        return self.at

    def now(self) -> datetime:
        return datetime(2026, 1, 1, tzinfo=UTC)

    def sleep(self, seconds: float) -> None:
        self.at += seconds


class Scripted:
    """A breaker that says what a test wants."""

    def __init__(self, *, interval: float = 1.0, result: GateResult | None = None) -> None:
        self.interval = interval
        self.trip: Trip | None = None
        self.result = result or passed("well")
        self.ticks = 0
        self.moves = 0

    def moved(self) -> None:
        self.moves += 1

    def tick(self) -> Reading:
        self.ticks += 1
        verdict = Verdict.FAILED if self.trip else Verdict.PASSED
        return Reading(0.0, 10, verdict=verdict, tripped=self.trip)

    def conclusion(self) -> GateResult:
        return self.result


@pytest.fixture
def time() -> Time:
    return Time()


def test_a_companion_that_breaks_a_limit_stops_the_launch_by_its_name_and_for_good(time: Time) -> None:
    shop, cart = Scripted(), Scripted()
    both = Breakers(shop, {"cart": cart}, clock=time)
    assert both.tick().tripped is None
    time.sleep(1)
    cart.trip = Trip("error_rate", 0.5, 0.02)
    assert both.tick().tripped == Trip("cart:error_rate", 0.5, 0.02)
    time.sleep(1)
    cart.trip = None
    assert both.tick().verdict is Verdict.FAILED


def test_the_services_own_trip_comes_first(time: Time) -> None:
    shop, cart = Scripted(), Scripted()
    shop.trip, cart.trip = Trip("error_rate", 0.3, 0.02), Trip("error_rate", 0.5, 0.02)
    assert Breakers(shop, {"cart": cart}, clock=time).tick().tripped == shop.trip


def test_a_quiet_companion_is_not_read_as_often_as_a_service_near_its_limit(time: Time) -> None:
    shop, cart = Scripted(interval=0.1), Scripted(interval=1.0)
    both = Breakers(shop, {"cart": cart}, clock=time)
    for _ in range(10):
        both.tick()
        assert both.interval == pytest.approx(0.1)
        time.sleep(0.1)
    assert (shop.ticks, cart.ticks) == (10, 1)


def test_a_companion_near_its_limit_makes_all_go_faster(time: Time) -> None:
    cart = Scripted(interval=0.1)
    both = Breakers(Scripted(interval=1.0), {"cart": cart}, clock=time)
    both.tick()
    assert both.interval == pytest.approx(0.1)


def test_every_service_is_told_that_the_traffic_moves(time: Time) -> None:
    services = [Scripted() for _ in range(20)]
    both = Breakers(services[0], {str(n): each for n, each in enumerate(services[1:])}, clock=time)
    both.moved()
    both.tick()
    assert [each.moves for each in services] == [1] * 20
    assert [each.ticks for each in services] == [1] * 20


def test_a_bake_shows_no_more_than_its_worst_service(time: Time) -> None:
    both = Breakers(Scripted(), {"cart": Scripted(result=inconclusive("no request"))}, clock=time)
    assert both.conclusion().verdict is Verdict.INCONCLUSIVE
    assert both.conclusion().reason == "cart: no request"
