"""The router's own metrics, as the router writes them."""

from __future__ import annotations

import contextlib
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from components.local.runtime.metrics import Exposition, SlotMetrics
from phases.metrics.router import parse


class Slots:
    """A router with these slots."""

    unrouted = 0

    def __init__(self, *slots: SlotMetrics) -> None:
        self._slots = slots

    def metrics(self) -> tuple[SlotMetrics, ...]:
        return self._slots


def exposition(*slots: SlotMetrics) -> str:
    return Exposition(Slots(*slots)).text().decode()


def test_reads_what_the_router_counted_for_each_slot() -> None:
    old, new = SlotMetrics("old"), SlotMetrics("new")
    old.count_status(200, 0.02)
    for status in (200, 204, 404, 500, 503):
        new.count_status(status, 0.3)
    new.count("error", 2.5)
    new.count("client_closed", 0.01)

    counters = parse(exposition(old, new))

    assert (counters["old"].requests, counters["old"].errors) == (1, 0)
    assert (counters["new"].requests, counters["new"].errors) == (7, 3)
    assert counters["new"].buckets[0.25] == 1
    assert counters["new"].buckets[0.3] == 6
    assert counters["new"].buckets[math.inf] == 7


def test_a_slot_without_a_request_has_zeros() -> None:
    assert parse(exposition(SlotMetrics("new")))["new"].requests == 0


def test_a_router_without_slots_has_none() -> None:
    assert parse(exposition()) == {}


@pytest.mark.parametrize("text", ["", "<html>\n", "# TYPE up gauge\nup 1\n"])
def test_refuses_what_is_not_the_routers(text: str) -> None:
    """An empty answer is not a slot without users."""
    with pytest.raises(ValueError, match=r"."):
        parse(text)


@pytest.mark.parametrize("value", ["NaN", "+Inf", "-1"])
def test_refuses_what_is_no_count(value: str) -> None:
    """One NaN would make every comparison false, and the breaker blind."""
    labels = '{slot="new",code="2xx"}'
    with pytest.raises(ValueError, match="no count"):
        parse(f"# TYPE launch_router_requests_total counter\nlaunch_router_requests_total{labels} {value}\n")


@given(st.integers(0, 10_000), st.integers(0, 20), st.text('abc{}="\\,# \nTYPEHL_019.+-e', max_size=8))
def test_a_broken_answer_never_breaks_the_breaker(at: int, removed: int, added: str) -> None:
    """Whatever the text is, it is counters or an outage; the two errors are what the source turns into one."""
    text = exposition(SlotMetrics("new"))
    at %= len(text)
    with contextlib.suppress(ValueError, KeyError):
        parse(text[:at] + added + text[at + removed :])


def test_refuses_counters_without_a_slot() -> None:
    text = '# TYPE launch_router_requests_total counter\nlaunch_router_requests_total{code="2xx"} 1\n'
    with pytest.raises(KeyError):
        parse(text)
