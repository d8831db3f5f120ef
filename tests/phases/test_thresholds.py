"""Limits, and limits over limits."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from phases.thresholds import OnInconclusive, Thresholds

some = st.builds(
    lambda keys: Thresholds(**keys),
    st.fixed_dictionaries(
        {},
        optional={
            "error_rate": st.none() | st.floats(0, 1),
            "latency_p99_ms": st.none() | st.floats(1, 1000),
            "min_requests": st.integers(1, 100),
            "window": st.floats(0.1, 100),
            "on_inconclusive": st.sampled_from(OnInconclusive),
        },
    ),
)


def test_only_what_is_set_goes_over() -> None:
    below = Thresholds(error_rate=0.1, min_requests=5)
    made = below.over(Thresholds(error_rate=None, window=3.0))
    assert (made.error_rate, made.min_requests, made.window) == (None, 5, 3.0)


def test_a_default_that_is_written_out_is_set() -> None:
    assert Thresholds(min_requests=5).over(Thresholds(min_requests=20)).min_requests == 20


@given(some, some, some)
def test_it_does_not_matter_how_a_cascade_is_grouped(low: Thresholds, middle: Thresholds, high: Thresholds) -> None:
    assert low.over(middle).over(high) == low.over(middle.over(high))


@given(some)
def test_nothing_set_changes_nothing(limits: Thresholds) -> None:
    assert limits.over(Thresholds()) == limits
    assert Thresholds().over(limits) == limits


@pytest.mark.parametrize(
    "wrong",
    [
        {"error_rate": 1.1}, {"error_rate": -0.1}, {"latency_p99_ms": 0}, {"health_check_failures": 0},
        {"max_ratio": 0}, {"min_requests": 0}, {"window": 0.0}, {"interval": 0.0}, {"on_inconclusive": "shrug"},
        {"errors": 5},
    ],
)  # fmt: skip
def test_a_limit_that_means_nothing_is_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        Thresholds(**wrong)
