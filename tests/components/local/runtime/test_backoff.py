"""How long a crashed process stays down."""

from __future__ import annotations

from components.local.runtime.backoff import Backoff


def test_the_first_crash_costs_no_time_and_each_further_one_twice_as_much() -> None:
    backoff = Backoff(first=0.2, longest=1.0)
    assert [backoff.after(0.1) for _ in range(6)] == [0.0, 0.2, 0.4, 0.8, 1.0, 1.0]


def test_a_stable_run_makes_earlier_crashes_forgotten() -> None:
    backoff = Backoff(first=0.2, stable=10)
    for _ in range(5):
        backoff.after(1)
    assert backoff.after(10) == 0.0
    assert backoff.after(1) == 0.2


def test_a_process_that_crashes_for_a_year_is_still_tried() -> None:
    backoff = Backoff(crashes=10**6)
    assert backoff.after(0) == backoff.longest
