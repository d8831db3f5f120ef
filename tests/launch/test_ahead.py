"""Which stacks are armed when, and for what."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import SimpleNamespace
from typing import Any

import pytest

from launch.ahead import Ahead, goes_back
from launch.situation import Situation
from phases import plan
from phases.gates.base import Release
from phases.plan import Plan
from phases.spec import LaunchSpec
from stacks.ledger import Vault, pack
from stacks.marker import Marker

SLOTS = {"blue": {"image": "shop:1.0", "url": "http://blue"}, "green": {"image": "shop:2.0", "url": "http://green"}}


class Arms:
    """Remembers what was armed: by stack the step and the message."""

    def __init__(self) -> None:
        self.seats: dict[str, tuple[str | None, str]] = {}
        self.sound: set[str] = set()

    def armed(self, stack: str, step: str | None) -> bool:
        return stack in self.seats and self.seats[stack][0] == step

    def seat(self, stack: str, step: str | None, wording: Any, reword: object, make: object) -> None:  # noqa: ANN401
        del reword, make
        self.seats[stack] = (step, wording.either(forward=step is not None, back=True))


class Look:
    """Looks ahead in the usual launch."""

    def __init__(self, changes: Mapping[str, Mapping[str, Any]], *, deployed: bool = True) -> None:
        phases: list[dict[str, Any]] = [
            {"id": "migration"},
            {"id": "deploy"},
            {"id": "health"},
            {"id": "traffic", "steps": [{"weight": 10, "bake": "10s"}, {"weight": 100, "bake": "10s"}]},
            {"id": "post_launch", "window": "30s"},
        ]
        spec = LaunchSpec.model_validate({"phases": [{**phase, **changes.get(phase["id"], {})} for phase in phases]})
        release = Release("shop:2.0", "sha256:2", "0002", ("new_checkout",))
        self.plan: Plan = plan.build(spec, release, plan.Situation(previous_image="shop:1.0"))
        self.arms = Arms()
        slots = SLOTS if deployed else {"blue": SLOTS["blue"]}
        programs: Any = SimpleNamespace(
            of=lambda step, phase: "a program",  # noqa: ARG005
            handle=lambda phase: SimpleNamespace(name=phase.stack, reword=None),
            marker=lambda step: Marker("01J", step.phase, step.id),
        )
        vault = Vault(before={phase: pack("01J", None) for phase in ("migration", "deploy", "traffic")})
        situation = Situation("green", "blue", slots=slots)
        self.ahead = Ahead("01J", self.plan, programs, situation, vault, self.arms)  # type: ignore[arg-type]

    def after(self, step: str, *, running: bool = False, soon: bool = False) -> dict[str, str | None]:
        steps = list(self.plan.steps())
        at = next(number for number, found in enumerate(steps) if found.id == step)
        self.ahead.prepare(steps[at + 1 :], steps[at] if running else None, soon=soon)
        return {stack: seat[0] for stack, seat in self.arms.seats.items()}


@pytest.fixture
def look() -> Callable[..., Look]:
    def make(changes: Mapping[str, Mapping[str, Any]] | None = None, **options: Any) -> Look:  # noqa: ANN401
        return Look(changes or {}, **options)

    return make


def test_the_deployment_is_armed_while_the_schema_moves(look: Callable[..., Look]) -> None:
    assert look(deployed=False).after("migration.1", running=True) == {"deploy": "deploy.1"}


def test_the_first_shift_is_armed_as_soon_as_it_is_known_where_users_go(look: Callable[..., Look]) -> None:
    assert look(deployed=False).after("deploy.1", running=True) == {}
    assert look().after("deploy.1") == {"traffic": "traffic.1"}


def test_while_a_step_bakes_the_next_is_armed_and_the_way_back(look: Callable[..., Look]) -> None:
    found = look()
    assert found.after("traffic.1") == {"traffic": "traffic.2"}
    assert found.arms.seats["traffic"][1] == "01J traffic 10% -> 100%, or back"


def test_a_step_that_follows_at_once_is_not_armed(look: Callable[..., Look]) -> None:
    assert look().after("traffic.2", soon=True) == {}


def test_the_watch_has_a_way_back_and_the_retirement_ready(look: Callable[..., Look]) -> None:
    found = look()
    assert found.after("post_launch.1") == {"traffic": None, "deploy": "deploy.retire"}
    assert found.arms.seats["traffic"][1] == "01J traffic undo, or nothing"


def test_where_nothing_can_turn_out_bad_any_more_no_way_back_is_armed(look: Callable[..., Look]) -> None:
    instant = {"traffic": {"steps": [{"weight": 100}]}, "post_launch": {"window": "0s"}}
    assert look(instant).after("post_launch.1", soon=True) == {}


def test_a_stack_that_is_busy_is_not_armed(look: Callable[..., Look]) -> None:
    assert look().after("traffic.1", running=True) == {}


@pytest.mark.parametrize(
    ("verb", "back"),
    [
        ("disable_traffic", True),
        ("shift_traffic --percent 0", True),
        ("shift_traffic --percent 20", False),
        ({"run": ["./back.sh"]}, False),
    ],
)
def test_only_an_undo_that_brings_the_whole_state_back_is_armed(
    look: Callable[..., Look],
    verb: object,
    *,
    back: bool,
) -> None:
    found = look({"traffic": {"actions": {"rollback": verb}}})
    assert goes_back(found.plan.phase("traffic"), "shop:1.0") == back


def test_the_deployment_of_another_version_is_no_way_back(look: Callable[..., Look]) -> None:
    found = look({"deploy": {"actions": {"rollback": "deploy --image shop:0.9"}}})
    assert not goes_back(found.plan.phase("deploy"), "shop:1.0")
    assert goes_back(found.plan.phase("deploy"), "shop:0.9")
