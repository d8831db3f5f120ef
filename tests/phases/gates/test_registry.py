from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from pydantic import TypeAdapter, ValidationError

from phases.gates.base import Moment
from phases.gates.http_status import HttpStatus
from phases.gates.registry import GATES, Validator, ValidatorBase
from phases.kinds import PhaseKind
from phases.meanings import meaning
from phases.thresholds import OnInconclusive

VALIDATOR: TypeAdapter[ValidatorBase] = TypeAdapter(Validator)
HERE = Path(__file__).parent
MODULES = HERE.parents[2] / "phases" / "gates"


@pytest.mark.parametrize("name", sorted(GATES))
def test_each_gate_is_a_module_and_a_test_of_its_name(name: str) -> None:
    assert (MODULES / f"{name}.py").is_file()
    tests = [HERE / f"test_{name}.py", HERE.parents[1] / "integration" / "gates" / f"test_{name}.py"]
    assert any(test.is_file() for test in tests)


@pytest.mark.parametrize("gate", GATES.values(), ids=GATES)
def test_each_gate_says_what_it_is_and_what_each_setting_means(gate: Any) -> None:  # noqa: ANN401
    assert gate.__doc__
    assert all(meaning(gate, name, field) for name, field in gate.model_fields.items())
    for kind in PhaseKind:
        assert gate.moments(kind) <= {Moment.ENTRY, Moment.EXIT}
        assert gate.moments(kind)


@pytest.mark.parametrize(
    "written",
    [
        {"type": "schema_compatibility", "config": {"backward_compatible": True}},
        {"type": "image_digest", "config": {"registry": "ecr", "verify": True}},
        {"type": "http_status", "config": {"endpoint": "/health", "expected": 200, "retries": 3}},
        {"type": "feature_flag_evaluation", "config": {"provider": "openfeature", "flags": ["new_checkout"]}},
        {"type": "rollback_ready"},
        {"type": "flag_cleanup"},
        {"type": "policy"},
    ],
    ids=lambda written: written["type"],
)
def test_what_teams_write_becomes_the_gate_with_its_settings(written: dict[str, Any]) -> None:
    validator = VALIDATOR.validate_python(written)
    assert isinstance(validator.gate, GATES[written["type"]])
    assert VALIDATOR.validate_python(VALIDATOR.dump_python(validator)) == validator


def test_settings_that_a_gate_needs_cannot_be_left_out() -> None:
    with pytest.raises(ValidationError, match="config"):
        VALIDATOR.validate_python({"type": "http_status"})


def test_an_unknown_gate_is_refused_with_the_names_there_are() -> None:
    with pytest.raises(ValidationError) as caught:
        VALIDATOR.validate_python({"type": "http_statsu", "config": {}})
    assert all(name in str(caught.value) for name in GATES)


def test_an_unknown_setting_is_refused() -> None:
    with pytest.raises(ValidationError, match="retry"):
        VALIDATOR.validate_python({"type": "http_status", "config": {"endpoint": "/", "retry": 3}})


def test_when_is_what_the_configuration_says_else_what_makes_sense() -> None:
    def asked(when: str | None) -> set[Moment]:
        written = {"type": "http_status", "config": {"endpoint": "/"}, "when": when}
        validator = VALIDATOR.validate_python(written)
        return {moment for moment in Moment if validator.asked_at(PhaseKind.HEALTH, moment)}

    assert asked(None) == HttpStatus.moments(PhaseKind.HEALTH) == {Moment.ENTRY}
    assert asked("exit") == {Moment.EXIT}
    assert asked("both") == {Moment.ENTRY, Moment.EXIT}
    assert asked("rollback") == {Moment.ROLLBACK}


def test_a_gate_may_have_a_policy_of_its_own_for_not_knowing() -> None:
    validator = VALIDATOR.validate_python({"type": "rollback_ready", "on_inconclusive": "continue"})
    assert validator.on_inconclusive is OnInconclusive.CONTINUE
