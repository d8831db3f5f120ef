"""From single breaches to figures."""

from __future__ import annotations

import pytest

from bench.race.figures import Breach, measurements, quantile


def breach(safe: float = 11.5, verdict: float | None = 11.4, name: str = "somebody") -> Breach:
    return Breach(name, breached=10.0, visible=11.0, verdict=verdict, safe=safe, weights=((5.0, 50.0), (safe, 0.0)))


def test_times_are_differences() -> None:
    figures = breach().figures()
    assert figures["breach_to_zero"] == pytest.approx(1.5)
    assert figures["visible_to_zero"] == pytest.approx(0.5)
    assert figures["verdict_to_zero"] == pytest.approx(0.1)


def test_bad_requests_are_those_of_the_new_version_between_the_breach_and_safety() -> None:
    figures = breach().figures()
    assert figures["bad_requests"] == pytest.approx(750)
    assert figures["bad_requests_once_visible"] == pytest.approx(250)


def test_a_weight_that_moved_meanwhile_counts_as_long_as_it_was_so() -> None:
    moved = Breach("somebody", 10.0, 10.0, None, 12.0, ((9.0, 50.0), (11.0, 10.0), (12.0, 0.0)))
    assert moved.bad_requests(moved.breached) == pytest.approx(500 + 100)


def test_whoever_says_no_verdict_has_no_such_figure() -> None:
    assert "verdict_to_zero" not in breach(verdict=None).figures()
    names = [one.name for one in measurements([breach(verdict=None)])]
    assert "race.somebody.verdict_to_zero.median" not in names
    assert "race.somebody.visible_to_zero.median" in names


@pytest.mark.parametrize(
    ("values", "share", "right"),
    [([3.0], 0.95, 3.0), ([2.0, 1.0], 0.5, 1.0), ([float(n) for n in range(1, 31)], 0.95, 29.0)],
    ids=["one", "two", "thirty"],
)
def test_a_quantile_is_a_value_that_was_measured(values: list[float], share: float, right: float) -> None:
    assert quantile(values, share) == right


def test_everybody_is_beside_the_limit() -> None:
    found = {one.name: one for one in measurements([breach()], [breach(safe=11.1, name="loop")])}
    one = found["race.somebody.visible_to_zero.p95"]
    assert one.value == pytest.approx(0.5)
    assert one.baseline == pytest.approx(0.1)
    assert one.unit == "s"
    assert found["race.somebody.breaches"].value == 1


def test_a_record_holds_everything() -> None:
    record = breach().to_json()
    assert record["contestant"] == "somebody"
    assert record["weights"] == ((5.0, 50.0), (11.5, 0.0))
    assert record["bad_requests"] == pytest.approx(750)
