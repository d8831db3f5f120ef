"""The plan: what is printed is what runs, and the loop decides no order."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from phases import plan
from phases.gates.base import Release
from phases.spec import LaunchSpec
from phases.verbs import Deploy, DisableTraffic, Migrate, ShiftTraffic, SyntheticTests
from phases.work import Replay, Retire, SwitchFlags, Watch

Make = Callable[..., LaunchSpec]
RELEASE = Release("shop:2.0", "sha256:2", "0002", ("new_checkout",))
AFTER_ANOTHER = plan.Situation(previous_image="shop:1.0")


def test_a_launch_goes_phase_by_phase_and_retires_the_old_slot_last(spec: Make) -> None:
    works = [type(step.work) for step in plan.build(spec(), RELEASE, AFTER_ANOTHER).steps()]
    assert works == [Migrate, Deploy, SyntheticTests, ShiftTraffic, ShiftTraffic, SwitchFlags, Watch, Retire]


def test_flags_go_on_after_the_last_weight_and_the_bake_comes_after_both(spec: Make) -> None:
    traffic = plan.build(spec(), RELEASE, AFTER_ANOTHER).phase("traffic").steps
    assert [(step.title, step.bake) for step in traffic] == [
        ("traffic 0% -> 10%", 10.0),
        ("traffic 10% -> 100%", 0.0),
        ("traffic flags on: new_checkout", 10.0),
    ]


def test_a_step_may_switch_its_own_flags(spec: Make) -> None:
    steps = [{"weight": 10, "bake": "1s", "flags": ["new_checkout"]}, {"weight": 100}]
    traffic = plan.build(spec({"traffic": {"steps": steps}}), RELEASE, AFTER_ANOTHER).phase("traffic").steps
    assert [type(step.work) for step in traffic] == [ShiftTraffic, SwitchFlags, ShiftTraffic]


def test_a_first_launch_needs_no_steps_between(spec: Make) -> None:
    built = plan.build(spec(), RELEASE, plan.Situation())
    assert [step.title for step in built.phase("traffic").steps] == [
        "traffic 0% -> 100%",
        "traffic flags on: new_checkout",
    ]
    assert built.closing == ()


def test_the_old_slot_is_kept_where_that_is_wanted(spec: Make) -> None:
    assert plan.build(spec(keep_previous=True), RELEASE, AFTER_ANOTHER).closing == ()


def test_what_a_teams_program_keeps_is_its_own_business(spec: Make) -> None:
    built = plan.build(spec({"deploy": {"program": "infrastructure.service:slots"}}), RELEASE, AFTER_ANOTHER)
    assert built.closing == ()


def test_an_older_schema_comes_after_the_users_have_moved(spec: Make) -> None:
    built = plan.build(spec(), RELEASE, plan.Situation(previous_image="shop:3.0", schema_last=True))
    assert [phase.id for phase in built.phases] == ["deploy", "health", "traffic", "post_launch", "migration"]


def test_without_a_rollback_verb_the_checkpoint_is_replayed(spec: Make) -> None:
    built = plan.build(spec({"health": {"actions": {"rollback": "disable_traffic"}}}), RELEASE, AFTER_ANOTHER)
    assert built.phase("deploy").undo.work == Replay()
    assert built.phase("health").undo.work == DisableTraffic()


def test_all_traffic_phases_update_the_one_router() -> None:
    phases = [{"id": "canary", "kind": "traffic", "steps": [{"weight": 5}]}, {"id": "traffic"}]
    built = plan.build(LaunchSpec.model_validate({"phases": phases}), RELEASE, AFTER_ANOTHER)
    assert {phase.stack for phase in built.phases} == {"canary"}


@given(st.lists(st.integers(0, 99), unique=True, max_size=6).map(sorted), st.booleans())
def test_ids_are_unique_and_the_last_weight_is_everybody(weights: list[int], first: bool) -> None:
    steps = [{"weight": weight, "bake": "1s"} for weight in [*weights, 100]]
    sequence = LaunchSpec.model_validate({"phases": [{"id": "deploy"}, {"id": "traffic", "steps": steps}]})
    built = plan.build(sequence, RELEASE, plan.Situation(previous_image=None if first else "shop:1.0"))
    ids = [step.id for step in built.steps()]
    assert len(ids) == len(set(ids))
    shifts = [step.work.percent for step in built.steps() if isinstance(step.work, ShiftTraffic)]
    assert shifts[-1] == 100
    assert shifts == sorted(shifts)


@pytest.mark.parametrize(("step", "changes"), [("deploy.1", True), ("health.1", False), ("post_launch.1", False)])
def test_steps_know_whether_they_are_updates(spec: Make, step: str, *, changes: bool) -> None:
    built = plan.build(spec(), RELEASE, AFTER_ANOTHER)
    assert next(item for item in built.steps() if item.id == step).changes_stack is changes
