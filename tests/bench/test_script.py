"""The script that plays a service's metrics: exact whenever it is read."""

from __future__ import annotations

import re

from bench.race.script import NEW, OLD, Script


def counted(script: Script, now: float, slot: str, code: str) -> int:
    found = re.search(rf'requests_total{{slot="{slot}",code="{code}"}} (\d+)', script.text(now))
    assert found is not None
    return int(found[1])


def test_everybody_is_on_the_old_version_at_first() -> None:
    script = Script(1000.0, at=10.0)
    assert counted(script, 12.5, OLD, "2xx") == 2500
    assert counted(script, 12.5, NEW, "2xx") == 0


def test_users_follow_the_weights_from_the_moment_they_change() -> None:
    script = Script(1000.0, at=0.0)
    script.change(1.0, weights={OLD: 50, NEW: 50})
    assert counted(script, 3.0, OLD, "2xx") == 2000
    assert counted(script, 3.0, NEW, "2xx") == 1000


def test_only_the_new_version_fails_and_only_from_the_breach_on() -> None:
    script = Script(1000.0, at=0.0, weights={OLD: 50, NEW: 50})
    script.change(2.0, failing=0.5)
    assert counted(script, 4.0, NEW, "5xx") == 500
    assert counted(script, 4.0, NEW, "2xx") == 1500
    assert counted(script, 4.0, OLD, "5xx") == 0


def test_nobody_fails_once_nobody_is_there() -> None:
    script = Script(1000.0, at=0.0, weights={OLD: 50, NEW: 50}, failing=0.5)
    script.change(1.0, weights={OLD: 100, NEW: 0})
    assert counted(script, 9.0, NEW, "5xx") == 250


def test_reading_changes_nothing() -> None:
    script = Script(1000.0, at=0.0, weights={OLD: 50, NEW: 50})
    assert script.text(1.0) == script.text(1.0)
    assert script.text(0.5) == script.text(1.0)  # a clock that goes back takes no request back


def test_durations_are_a_histogram_of_the_same_requests() -> None:
    text = Script(1000.0, at=0.0).text(1.0)
    assert f'duration_seconds_bucket{{slot="{OLD}",le="0.01"}} 0' in text
    assert f'duration_seconds_bucket{{slot="{OLD}",le="0.025"}} 1000' in text
    assert f'duration_seconds_bucket{{slot="{OLD}",le="+Inf"}} 1000' in text
    assert f'duration_seconds_count{{slot="{OLD}"}} 1000' in text
