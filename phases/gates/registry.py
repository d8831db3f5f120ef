"""All gates. A new gate is one module, one test, and one line here."""

from __future__ import annotations

from functools import reduce
from operator import or_
from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import Field, create_model

from phases.gates.base import Gate, Moment
from phases.gates.command import Command
from phases.gates.feature_flag_evaluation import FeatureFlagEvaluation
from phases.gates.flag_cleanup import FlagCleanup
from phases.gates.http_status import HttpStatus
from phases.gates.image_digest import ImageDigest
from phases.gates.policy import Policy
from phases.gates.rollback_ready import RollbackReady
from phases.gates.rollout_health import RolloutHealth
from phases.gates.schema_compatibility import SchemaCompatibility
from phases.model import Settings
from phases.thresholds import OnInconclusive

GATES: dict[str, type[Gate]] = {
    gate.type: gate
    for gate in (
        Command,
        FeatureFlagEvaluation,
        FlagCleanup,
        HttpStatus,
        ImageDigest,
        Policy,
        RollbackReady,
        RolloutHealth,
        SchemaCompatibility,
    )
}


class ValidatorBase(Settings):
    """A gate in a phase."""

    type: str
    """Which gate."""
    config: Any
    """Its settings."""
    when: Literal["entry", "exit", "both", "rollback"] | None = None
    """When it is asked; without it, when that makes sense for the gate."""
    on_inconclusive: OnInconclusive | None = None
    """What to do when it cannot tell; the phase's own setting where this is not given."""

    @property
    def gate(self) -> Gate:
        """Return the gate with its settings."""
        assert isinstance(self.config, Gate)  # noqa: S101 - every model made below declares it so
        return self.config

    def asked_at(self, kind: Any, moment: Moment) -> bool:  # noqa: ANN401
        """Return whether the gate is asked at that moment of a phase of that kind."""
        if self.when is None:
            return moment in self.gate.moments(kind)
        return self.when == moment.value or (self.when == "both" and moment is not Moment.ROLLBACK)


def _model(gate: type[Gate]) -> type[ValidatorBase]:
    needs = any(field.is_required() for field in gate.model_fields.values())
    return create_model(
        f"{gate.__name__}Validator",
        __base__=ValidatorBase,
        __doc__=gate.__doc__,
        type=(Literal[gate.type], ...),  # type: ignore[arg-type]  # mypy knows no computed Literal
        config=(gate, ... if needs else gate()),
    )


if TYPE_CHECKING:
    Validator = ValidatorBase
else:
    Validator = (
        Annotated[reduce(or_, map(_model, GATES.values())), Field(discriminator="type")]
        if len(GATES) > 1
        else _model(next(iter(GATES.values())))
    )
