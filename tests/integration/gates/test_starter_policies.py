"""The policies that come with launch, over launches that keep to them and launches that do not."""

from __future__ import annotations

from collections.abc import Callable
from copy import deepcopy
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from phases.clock import SystemClock
from phases.gates.base import GateContext, Moment, Release
from phases.gates.policy import Policy
from phases.kinds import PhaseKind
from phases.verdict import GateResult, Verdict

pytestmark = pytest.mark.integration

GOOD: dict[str, Any] = {
    "release": {"image": "shop:2.0", "digest": "sha256:0", "revision": "0002", "flags": ["new_checkout"]},
    "environment": "production",
    "tier": "critical",
    "first": False,
    "thresholds": {"error_rate": 0.01},
    "phases": [
        {"id": "deploy", "kind": "deploy", "rollback_on_failure": True, "steps": [], "validators": []},
        {
            "id": "traffic",
            "kind": "traffic",
            "rollback_on_failure": True,
            "steps": [{"weight": 10, "bake": 60.0}, {"weight": 100, "bake": 0.0}],
            "validators": ["feature_flag_evaluation"],
        },
    ],
    "migration": {
        "statements": [{"revision": "0002", "sql": "ALTER TABLE a ADD b", "class": "additive", "reason": "added"}]
    },
    "flags": [
        {"key": "new_checkout", "kind": "release", "owner": "anna", "expires": "2027-01-01", "cleanup": "#1"},
        {"key": "other", "kind": "release", "owner": None, "expires": None, "cleanup": None},
    ],
    "who": "anna",
    "time": "2026-11-18T09:00:00+00:00",
}
WEDNESDAY = datetime(2026, 11, 18, 9, 0, tzinfo=UTC)
FRIDAY_EVENING = datetime(2026, 11, 20, 17, 5, tzinfo=UTC)
SUNDAY = datetime(2026, 11, 22, 9, 0, tzinfo=UTC)


class Stopped(SystemClock):
    def __init__(self, now: datetime) -> None:
        self._now = now

    def now(self) -> datetime:
        return self._now


def check(
    change: Callable[[dict[str, Any]], object] = lambda _: None,
    *,
    now: datetime = WEDNESDAY,
    **settings: Any,  # noqa: ANN401
) -> GateResult:
    document = deepcopy(GOOD)
    change(document)
    context = GateContext(
        environment="production",
        phase="deploy",
        kind=PhaseKind.DEPLOY,
        moment=Moment.ENTRY,
        release=Release("shop:2.0", "sha256:0"),
        root=Path(),
        clock=Stopped(now),
        document=lambda: document,
    )
    return Policy(**settings).check(context)


def test_they_compile() -> None:
    assert Policy().problems(Path()) == ()


def test_a_launch_that_keeps_to_them_passes_without_a_warning() -> None:
    result = check()
    assert (result.verdict, result.warnings) == (Verdict.PASSED, ())


def denied(change: Callable[[dict[str, Any]], object], **settings: Any) -> list[str]:  # noqa: ANN401
    result = check(change, **settings)
    return list(result.evidence.get("deny", []))


def test_a_phase_that_does_not_roll_back_is_denied() -> None:
    found = denied(lambda launch: launch["phases"][0].update(rollback_on_failure=False))
    assert found == ["phase deploy does not roll back on failure (rollback_on_failure is false)"]


def test_a_critical_service_begins_with_few_users() -> None:
    found = denied(lambda launch: launch["phases"][1]["steps"][0].update(weight=25))
    assert found == ["phase traffic begins with 25 % of the users; the tier critical allows 10 % at first"]


def test_a_critical_service_does_not_move_all_users_at_once() -> None:
    found = denied(lambda launch: launch["phases"][1].update(steps=[]))
    assert len(found) == 1
    assert "all users at once" in found[0]


def test_the_first_step_is_a_setting() -> None:
    settings = {"data": {"settings": {"first_step_percent": 25}}}
    assert denied(lambda launch: launch["phases"][1]["steps"][0].update(weight=25), **settings) == []
    assert len(denied(lambda launch: launch["phases"][1]["steps"][0].update(weight=26), **settings)) == 1


def test_a_first_launch_and_other_tiers_may_move_everybody_at_once() -> None:
    assert denied(lambda launch: (launch["phases"][1].update(steps=[]), launch.update(first=True))) == []
    assert denied(lambda launch: (launch["phases"][1].update(steps=[]), launch.update(tier=None))) == []


def test_a_breaking_statement_is_denied_and_an_unclear_one_warned_about() -> None:
    result = check(lambda launch: launch["migration"]["statements"][0].update({"class": "breaking", "reason": "gone"}))
    assert result.verdict is Verdict.FAILED
    assert "revision 0002 breaks the version that is running: gone" in result.reason
    result = check(lambda launch: launch["migration"]["statements"][0].update({"class": "unknown"}))
    assert result.verdict is Verdict.PASSED
    assert "nobody can tell" in result.warnings[0]


@pytest.mark.parametrize("field", ["owner", "expires"])
def test_a_release_flag_that_is_used_has_an_owner_and_an_expiry(field: str) -> None:
    expected = [f"release flag new_checkout has no {field}"]
    assert denied(lambda launch: launch["flags"][0].update({field: None})) == expected
    assert denied(lambda launch: launch["flags"][0].pop(field)) == expected


def test_a_flag_that_lives_long_needs_none() -> None:
    assert denied(lambda launch: launch["flags"][0].update(kind="operational", owner=None)) == []


def test_a_friday_evening_in_production_is_warned_about() -> None:
    result = check(now=FRIDAY_EVENING)
    assert result.verdict is Verdict.PASSED
    assert result.warnings == ("it is Friday, 17:05 (UTC): whoever repairs this launch does it at the weekend",)


def test_so_is_a_sunday() -> None:
    assert check(now=SUNDAY).warnings == ("it is Sunday (UTC)",)


def test_the_hour_and_the_time_zone_are_settings() -> None:
    assert check(now=FRIDAY_EVENING, data={"settings": {"friday_from_hour": 18}}).warnings == ()
    assert check(now=FRIDAY_EVENING, timezone="America/New_York").warnings == ()
    assert "Friday, 18:05 (Europe/Berlin)" in check(now=FRIDAY_EVENING, timezone="Europe/Berlin").warnings[0]


def test_nobody_minds_a_friday_evening_in_a_test_environment() -> None:
    assert check(lambda launch: launch.update(environment="dev", tier=None), now=FRIDAY_EVENING).warnings == ()
