"""Is the new slot rolled out, and does it stay up? What is broken, what needs time, and what cannot be told."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import pytest

from phases.gates.base import GateContext, Moment
from phases.gates.rollout_health import RolloutHealth
from phases.kinds import PhaseKind
from phases.verdict import GateResult, Verdict

MakeContext = Callable[..., GateContext]


@dataclass(frozen=True)
class Problem:
    kind: str
    message: str
    lasting: bool


@dataclass(frozen=True)
class View:
    wanted: int = 2
    available: int = 2
    complete: bool = True
    restarts: int = 0
    problems: tuple[Problem, ...] = ()
    events: tuple[str, ...] = ()


WELL = View()
COMING = View(available=1, complete=False)
CRASHING = Problem("crash_loop", "pod shop-green-1: CrashLoopBackOff after 3 restarts", lasting=True)
QUOTA = Problem("quota", "pods of shop-green cannot be made: exceeded quota: pods", lasting=False)


class Cluster:
    """Shows these views one after the other; the last one stays."""

    def __init__(self, *views: View | Exception) -> None:
        self.views = views
        self.looked: list[str] = []

    def look(self, slot: str) -> View:
        view = self.views[min(len(self.looked), len(self.views) - 1)]
        self.looked.append(slot)
        if isinstance(view, Exception):
            raise view
        return view


def check(make_context: MakeContext, cluster: Cluster, gate: RolloutHealth | None = None) -> GateResult:
    return (gate or RolloutHealth()).check(make_context(rollout=cluster, deadline=500.0))


def test_a_deploy_phase_ends_with_it_and_others_begin_with_it() -> None:
    assert RolloutHealth.moments(PhaseKind.DEPLOY) == {Moment.EXIT}
    assert RolloutHealth.moments(PhaseKind.TRAFFIC) == {Moment.ENTRY}


def test_a_slot_whose_instances_all_serve_passes_at_once(make_context: MakeContext) -> None:
    cluster = Cluster(WELL)
    result = check(make_context, cluster)
    assert (result.verdict, result.reason) == (Verdict.PASSED, "slot green: 2 of 2 instances serve")
    assert cluster.looked == ["green"]


def test_one_that_is_on_its_way_is_waited_for(make_context: MakeContext) -> None:
    cluster = Cluster(COMING, COMING, WELL)
    assert check(make_context, cluster).verdict is Verdict.PASSED
    assert len(cluster.looked) == 3


def test_one_that_does_not_get_there_fails_and_says_what_it_lacks(make_context: MakeContext) -> None:
    view = View(available=0, complete=False, problems=(QUOTA,), events=("ReplicaSet shop-green-1: FailedCreate: no",))
    result = check(make_context, Cluster(view), RolloutHealth(wait=10))
    assert result.verdict is Verdict.FAILED
    assert result.reason == (
        "slot green after 10s: 0 of 2 instances serve; pods of shop-green cannot be made: exceeded quota: pods"
        " (the platform's last warning: ReplicaSet shop-green-1: FailedCreate: no)"
    )
    assert result.evidence["problems"] == [{"kind": "quota", "message": QUOTA.message}]


def test_what_waiting_does_not_cure_fails_at_once(make_context: MakeContext) -> None:
    cluster = Cluster(View(available=1, complete=False, problems=(CRASHING, QUOTA)))
    result = check(make_context, cluster)
    assert (result.verdict, result.reason) == (Verdict.FAILED, f"slot green: {CRASHING.message}")
    assert len(cluster.looked) == 1


def test_restarts_count_though_all_serve(make_context: MakeContext) -> None:
    """It crashes under load and comes back in time: users have noticed."""
    result = check(make_context, Cluster(View(restarts=2)))
    assert result.reason == "slot green: its instances were started anew 2 times, none may"
    assert check(make_context, Cluster(View(restarts=2)), RolloutHealth(restarts=2)).verdict is Verdict.PASSED


def test_it_has_to_stay_well_for_as_long_as_told(make_context: MakeContext) -> None:
    cluster = Cluster(WELL)
    assert check(make_context, cluster, RolloutHealth(stable=5)).verdict is Verdict.PASSED
    assert len(cluster.looked) == 6
    crashed = Cluster(WELL, WELL, View(restarts=1))
    assert check(make_context, crashed, RolloutHealth(stable=5)).verdict is Verdict.FAILED


def test_a_relapse_begins_to_count_anew(make_context: MakeContext) -> None:
    cluster = Cluster(WELL, WELL, COMING, WELL)
    assert check(make_context, cluster, RolloutHealth(stable=2)).verdict is Verdict.PASSED
    assert len(cluster.looked) == 6


def test_a_slot_that_is_not_there_fails(make_context: MakeContext) -> None:
    result = check(make_context, Cluster(LookupError("the namespace has no Deployment 'shop-green'")))
    assert result.verdict is Verdict.FAILED
    assert result.reason == "slot green is not there: the namespace has no Deployment 'shop-green'"


def test_a_cluster_that_does_not_answer_is_no_bad_release(make_context: MakeContext) -> None:
    result = check(make_context, Cluster(COMING, OSError("timed out")))
    assert result.verdict is Verdict.INCONCLUSIVE
    assert result.reason == "the platform did not say how slot green is: timed out"


@pytest.mark.parametrize(("changes", "why"), [({"rollout": None}, "does not tell"), ({"slot": None}, "no slot")])
def test_where_nobody_can_tell_it_says_so(make_context: MakeContext, changes: dict[str, object], why: str) -> None:
    result = RolloutHealth().check(make_context(**{"rollout": Cluster(WELL), **changes}))
    assert result.verdict is Verdict.INCONCLUSIVE
    assert why in result.reason


def test_the_end_of_the_phase_cuts_it_off(make_context: MakeContext) -> None:
    result = RolloutHealth(wait=100).check(make_context(rollout=Cluster(COMING), deadline=3.0))
    assert result.verdict is Verdict.INCONCLUSIVE
    assert result.reason == "slot green: 1 of 2 instances serve, but the phase's time was over"


def test_secrets_in_a_message_are_taken_out(make_context: MakeContext) -> None:
    leaking = Problem("crash_loop", "exit: bad password hunter2", lasting=True)
    result = RolloutHealth().check(make_context(rollout=Cluster(View(problems=(leaking,))), secrets=("hunter2",)))
    assert "hunter2" not in result.reason + str(result.evidence)
