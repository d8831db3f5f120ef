"""The sequence as a model: what may stand together."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from phases.kinds import PhaseKind
from phases.spec import LaunchSpec, PhaseSpec, TrafficStep


def phase(**keys: Any) -> PhaseSpec:  # noqa: ANN401
    return PhaseSpec.model_validate({"id": "traffic", **keys})


def refusal(**keys: Any) -> str:  # noqa: ANN401
    with pytest.raises(ValidationError) as error:
        phase(**keys)
    (only,) = error.value.errors()
    return str(only["msg"]).removeprefix("Value error, ")


def test_an_id_that_is_a_kind_needs_none() -> None:
    for kind in PhaseKind:
        assert phase(id=kind.value).kind is kind
    assert phase(id="eu", kind="traffic").kind is PhaseKind.TRAFFIC
    assert refusal(id="eu") == "Field required"


def test_a_kind_goes_before_the_id() -> None:
    assert phase(id="traffic", kind="custom").kind is PhaseKind.CUSTOM


@pytest.mark.parametrize("name", ["", "Traffic", "1st", "a b", "a" * 41, "-a", "ä", "a\n"])
def test_an_id_can_name_a_stack(name: str) -> None:
    with pytest.raises(ValidationError):
        phase(id=name, kind="traffic")


def test_the_title_is_the_name_or_made_of_the_id() -> None:
    assert phase(id="post_launch").title == "Post launch"
    assert phase(name="Traffic Shift").title == "Traffic Shift"


def test_weights_go_up() -> None:
    assert phase(steps=[{"weight": 0}, {"weight": 1}, {"weight": 100}]).steps[1] == TrafficStep(weight=1)
    assert refusal(steps=[{"weight": 5}, {"weight": 5}]).startswith("weights must go up from step to step")


def test_baking_fits_into_the_timeout_of_the_phase() -> None:
    steps = [{"weight": 1, "bake": "40s"}, {"weight": 100, "bake": "20s"}]
    assert phase(timeout_ms=60_001, steps=steps).timeout_ms == 60_001
    assert "takes 1m, which does not fit" in refusal(timeout_ms=60_000, steps=steps)
    assert "takes 1m, which does not fit" in refusal(id="post_launch", timeout_ms=60_000, window="1m")


def test_steps_and_windows_belong_to_the_phases_that_have_them() -> None:
    assert "belong to a traffic phase" in refusal(id="deploy", steps=[{"weight": 1}])
    assert "belongs to a post_launch phase" in refusal(window="1s")


@pytest.mark.parametrize(
    ("kind", "moment", "verb"),
    [
        ("traffic", "execute", "deploy --image a:b"),
        ("deploy", "execute", "run_migration --direction up"),
        ("migration", "execute", "shift_traffic --percent 5"),
        ("health", "execute", "disable_traffic"),
        ("post_launch", "execute", "deploy --image a:b"),
        ("health", "rollback", "deploy --image a:b"),
        ("migration", "rollback", "deploy --image a:b"),
    ],
)
def test_a_verb_suits_its_phase(kind: str, moment: str, verb: str) -> None:
    assert f"a {kind} phase can {moment} " in refusal(id=kind, actions={moment: verb})


@pytest.mark.parametrize("kind", list(PhaseKind))
def test_any_phase_can_run_and_undo_with_a_program(kind: PhaseKind) -> None:
    actions = phase(id=kind.value, actions={"execute": {"run": ["a"]}, "rollback": {"run": ["b"]}}).actions
    assert actions.execute != actions.rollback


def test_ids_and_flags_differ() -> None:
    with pytest.raises(ValidationError, match="each phase needs an id of its own"):
        LaunchSpec.model_validate({"phases": [{"id": "health"}, {"id": "health"}]})
    with pytest.raises(ValidationError, match="each flag needs a key of its own"):
        LaunchSpec.model_validate({"phases": [{"id": "health"}], "flags": [{"key": "a"}, {"key": "a"}]})


def test_a_flag_is_found_by_its_key() -> None:
    spec = LaunchSpec.model_validate({"phases": [{"id": "health"}], "flags": [{"key": "a"}]})
    assert spec.flag("a") is spec.flags[0]
    assert spec.flag("b") is None


def test_it_cannot_be_changed() -> None:
    spec = LaunchSpec.model_validate({"phases": [{"id": "health"}]})
    with pytest.raises(ValidationError):
        spec.environment = "x"  # type: ignore[misc]
