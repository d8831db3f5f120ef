"""Many services are spread over several deploy stacks, and each stays where it is."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from launch.parts import Parts, assigned, part_id, spread
from phases import plan as plans
from phases.errors import ConfigurationError
from phases.gates.base import Release
from phases.spec import LaunchSpec

NAMES = st.sets(st.from_regex(r"\A[a-z]{1,3}\Z"), max_size=40)


def spec(*phases: dict[str, object]) -> LaunchSpec:
    return LaunchSpec.model_validate({"phases": phases})


def test_few_services_are_all_in_the_phase_itself() -> None:
    assert assigned("deploy", ["till", "cart"], {"deploy": ()}, size=20) == {"deploy": ("cart", "till")}


def test_more_of_them_fill_one_part_after_the_other_and_the_first_has_the_launchs_own() -> None:
    found = assigned("deploy", [f"s{number}" for number in range(5)], {"deploy": ()}, size=2)

    assert found == {"deploy": ("s0",), "deploy_part2": ("s1", "s2"), "deploy_part3": ("s3", "s4")}


def test_a_new_service_goes_where_there_is_room_and_nobody_moves() -> None:
    there = {"deploy": ["cart"], "deploy_part2": ["till"]}

    assert assigned("deploy", ["cart", "till", "alpha"], there, size=2) == {
        "deploy": ("cart",),
        "deploy_part2": ("alpha", "till"),
    }


def test_a_part_whose_services_all_went_is_still_there_to_let_go_of_them() -> None:
    there = {"deploy": ["cart"], "deploy_part2": ["till"]}

    assert assigned("deploy", ["cart"], there, size=2) == {"deploy": ("cart",), "deploy_part2": ()}


@given(first=NAMES, second=NAMES, size=st.integers(1, 7))
def test_whoever_is_launched_twice_is_in_the_same_part_twice(first: set[str], second: set[str], size: int) -> None:
    before = assigned("deploy", first, {"deploy": ()}, size=size)
    after = assigned("deploy", second, before, size=size)

    homes = {service: part for part, services in before.items() for service in services}
    for part, services in after.items():
        assert len(services) + (part == "deploy") <= max(size, len(before.get(part, ())) + 1)
        assert all(homes.get(service, part) == part for service in services)
    assert sorted(service for services in after.values() for service in services) == sorted(second)


@given(names=NAMES, size=st.integers(1, 7), done=st.integers(0, 5))
def test_a_launch_that_is_taken_up_finds_the_same_parts(names: set[str], size: int, done: int) -> None:
    """However many of them have been deployed by then."""
    planned = assigned("deploy", names, {"deploy": ()}, size=size)
    deployed = {part: services if number < done else () for number, (part, services) in enumerate(planned.items())}

    assert assigned("deploy", names, deployed, size=size) == planned


def test_each_part_is_a_phase_of_its_own_after_the_deploy_phase() -> None:
    gate = {"type": "image_digest", "config": {"registry": "local"}}
    before = spec(
        {"id": "deploy", "timeout_ms": 1000, "validators": [gate], "actions": {"rollback": {"run": ["./mine"]}}},
        {"id": "traffic"},
    )

    found = spread(before, "deploy", ["deploy", "deploy_part2", "deploy_part3"])

    assert [phase.id for phase in found.phases] == ["deploy", "deploy_part2", "deploy_part3", "traffic"]
    part = found.phases[1]
    assert (part.kind, part.timeout_ms) == (before.phases[0].kind, 1000)
    assert not part.validators
    assert part.actions.rollback is None
    plan = plans.build(found, Release("shop:2.0", "sha256:1"), plans.Situation(previous_image="shop:1.0"))
    assert [phase.stack for phase in plan.phases] == ["deploy", "deploy_part2", "deploy_part3", "traffic"]
    assert [step.id for step in plan.closing] == ["deploy.retire", "deploy_part2.retire", "deploy_part3.retire"]


def test_nothing_is_different_where_one_part_is_enough() -> None:
    before = spec({"id": "deploy"}, {"id": "traffic"})

    assert spread(before, "deploy", ["deploy"]) is before


def test_a_phase_that_has_the_name_of_a_part_is_refused() -> None:
    before = spec({"id": "deploy"}, {"id": "deploy_part2", "kind": "deploy"})

    with pytest.raises(ConfigurationError, match="'deploy_part2' has the name of a part"):
        spread(before, "deploy", ["deploy", "deploy_part2"])


def test_the_phase_itself_is_no_part() -> None:
    found = spread(spec({"id": "deploy"}), "deploy", ["deploy", part_id("deploy", 2)])
    plan = plans.build(found, Release("shop:2.0", "sha256:1"), plans.Situation())
    parts = Parts("deploy", {"deploy": (), "deploy_part2": ("cart",)})

    assert [phase in parts for phase in plan.phases] == [False, True]
    assert parts.others == ("deploy_part2",)
    assert parts.count == 2
