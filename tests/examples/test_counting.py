"""The load generator's figures: what users met, and whose fault it was."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from examples.load.counting import EXAMPLES, Counts, Failure, Outcome, judge, percentile


def test_tells_what_a_version_earned_from_what_failed_on_the_way() -> None:
    counts = Counts()
    for version, failure in (("2.0", None), ("2.1", None), ("2.1", Failure.EARNED), (None, Failure.REFUSED)):
        counts.add(Outcome(10.0, "POST /checkout", 0.01, version, failure))
    figures = counts.summary()
    assert (figures["requests"], figures["failed"], figures["earned"], figures["on_the_way"]) == (4, 2, 1, 1)
    assert figures["on_the_way_by_kind"] == {"refused": 1}
    assert {name: (each["requests"], each["failed"]) for name, each in figures["versions"].items()} == {
        "2.0": (1, 0),
        "2.1": (2, 1),
    }


def test_knows_when_a_version_was_first_and_last_seen() -> None:
    counts = Counts()
    for at in (3.0, 1.0, 2.0):
        counts.add(Outcome(at, "GET /", 0.01, "2.1"))
    assert counts.summary()["versions"]["2.1"]["last_at"] == 3.0


def test_tells_the_first_failures_in_full() -> None:
    counts = Counts()
    for number in range(EXAMPLES + 5):
        counts.add(Outcome(float(number), "GET /", 0.1, None, Failure.BROKEN, "reset"))
    figures = counts.summary()
    assert len(figures["examples"]) == EXAMPLES
    assert figures["examples"][0] == {
        "at": 0.0,
        "request": "GET /",
        "version": None,
        "failure": "broken",
        "detail": "reset",
    }


def test_without_a_request_there_is_no_latency() -> None:
    assert Counts().summary()["p99_ms"] is None


@pytest.mark.parametrize(
    ("status", "version", "failure"),
    [
        (201, "2.0", None),
        (500, "2.1", Failure.EARNED),
        (404, "2.1", Failure.EARNED),
        (502, None, Failure.GATEWAY),
        (201, None, Failure.GATEWAY),
    ],
)
def test_judges_an_answer_by_who_gave_it(status: int, version: str | None, failure: Failure | None) -> None:
    assert judge("POST /checkout", status, 201, version)[0] is failure


def test_the_99th_percentile_of_a_hundred_is_the_second_slowest() -> None:
    assert percentile(0.99, list(range(1, 101))) == 99


@given(st.lists(st.floats(0, 10), min_size=1), st.floats(0.01, 1))
def test_a_percentile_is_a_value_that_the_share_does_not_exceed(values: list[float], q: float) -> None:
    found = percentile(q, values)
    assert found in values
    assert sum(value <= found for value in values) >= q * len(values)
    assert sum(value < found for value in values) < q * len(values)


@pytest.mark.parametrize("q", [0, 1.1])
def test_refuses_what_is_no_share(q: float) -> None:
    with pytest.raises(ValueError, match="share"):
        percentile(q, [1.0])
