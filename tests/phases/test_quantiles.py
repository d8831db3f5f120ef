"""A limit on p99 means the same here as on the team's dashboard."""

from __future__ import annotations

import math
from itertools import accumulate

import pytest
from hypothesis import given
from hypothesis import strategies as st

from phases.quantiles import quantile


def test_interpolates_within_the_bucket_that_holds_the_rank() -> None:
    """Prometheus' own example: half of the way through a bucket is half of the way between its bounds."""
    assert quantile(0.5, {1.0: 0, 2.0: 10, math.inf: 10}) == 1.5


def test_the_first_bucket_begins_at_zero() -> None:
    assert quantile(0.5, {1.0: 10, math.inf: 10}) == 0.5


def test_what_is_slower_than_every_bound_counts_as_the_highest_bound() -> None:
    assert quantile(0.99, {1.0: 5, 10.0: 5, math.inf: 10}) == 10.0


def test_no_observation_has_no_quantile() -> None:
    assert quantile(0.99, {1.0: 0, math.inf: 0}) is None


def test_a_single_bucket_tells_nothing() -> None:
    assert quantile(0.99, {math.inf: 10}) is None


def test_a_count_that_falls_is_taken_for_the_one_before_it() -> None:
    """Buckets that were read at slightly different times; Prometheus repairs them in the same way."""
    assert quantile(1.0, {1.0: 4, 2.0: 3, 4.0: 8, math.inf: 8}) == 4.0


@pytest.mark.parametrize("q", [0, -0.1, 1.1])
def test_refuses_what_is_no_quantile(q: float) -> None:
    with pytest.raises(ValueError, match="above 0 and at most 1"):
        quantile(q, {1.0: 1, math.inf: 1})


def test_refuses_a_histogram_without_its_total() -> None:
    with pytest.raises(ValueError, match=r"\+Inf"):
        quantile(0.5, {1.0: 1})


BOUNDS = (0.1, 0.5, 1.0, 2.5)
OBSERVATIONS = st.lists(st.floats(min_value=0.001, max_value=2.5), min_size=1, max_size=200)


def _histogram(observations: list[float]) -> dict[float, float]:
    return {bound: sum(value <= bound for value in observations) for bound in (*BOUNDS, math.inf)}


@given(OBSERVATIONS, st.floats(min_value=0.001, max_value=1.0))
def test_lies_in_the_bucket_of_the_observation_with_that_rank(observations: list[float], q: float) -> None:
    """Against the observations themselves: the estimate is never further off than the width of one bucket."""
    estimate = quantile(q, _histogram(observations))
    true = sorted(observations)[max(0, math.ceil(q * len(observations)) - 1)]
    upper = next(bound for bound in BOUNDS if true <= bound)
    lower = BOUNDS[BOUNDS.index(upper) - 1] if upper != BOUNDS[0] else 0.0
    assert estimate is not None
    assert lower <= estimate <= upper


@given(st.lists(st.integers(0, 50), min_size=5, max_size=5).filter(any))
def test_a_higher_quantile_is_never_lower(counts: list[int]) -> None:
    buckets = dict(zip((*BOUNDS, math.inf), map(float, accumulate(counts)), strict=True))
    found = [quantile(q, buckets) for q in (0.1, 0.5, 0.9, 0.99, 1.0)]
    assert found == sorted(found, key=lambda value: value or 0.0)
