"""The sequence as a user wrote it, after variables are filled in and everything is checked.

`launch/config.py` reads these from `launch.yaml` and merges the environment's overrides into them; the plan is built
from them alone.
"""

from __future__ import annotations

from collections.abc import Mapping
from itertools import pairwise
from typing import Annotated, Any

from pydantic import (
    BeforeValidator,
    Field,
    PlainSerializer,
    ValidationInfo,
    WithJsonSchema,
    field_validator,
    model_validator,
)

from phases import verbs
from phases.durations import Duration, show
from phases.flags import FlagSpec
from phases.gates.registry import Validator
from phases.kinds import PhaseKind
from phases.model import Misplaced, Settings
from phases.thresholds import OnInconclusive, Thresholds


def _action(value: object) -> object:
    if value is None or isinstance(value, verbs.Action):
        return value
    if isinstance(value, str):
        return verbs.parse(value)
    if isinstance(value, Mapping) and set(value) == {"run"}:
        argv = value["run"]
        if not (isinstance(argv, list | tuple) and argv and all(isinstance(word, str) and word for word in argv)):
            raise ValueError("run takes a list of words: run: [program, argument, ...]")
        return verbs.RunProgram(tuple(argv))
    raise ValueError(f"it must be a verb ({', '.join(verbs.VERBS)}) or run: [program, argument, ...]")


Action = Annotated[
    Any,
    BeforeValidator(_action),
    PlainSerializer(lambda action: None if action is None else verbs.written(action)),
    WithJsonSchema(
        {
            "anyOf": [
                {"type": "null"},
                {"type": "string", "examples": ["run_migration --direction up", "shift_traffic --percent 100"]},
                {
                    "type": "object",
                    "properties": {"run": {"type": "array", "items": {"type": "string"}, "minItems": 1}},
                    "required": ["run"],
                    "additionalProperties": False,
                },
            ]
        }
    ),
]


_EXECUTES: Mapping[PhaseKind, tuple[type, ...]] = {
    PhaseKind.MIGRATION: (verbs.Migrate,),
    PhaseKind.DEPLOY: (verbs.Deploy,),
    PhaseKind.HEALTH: (verbs.SyntheticTests,),
    PhaseKind.TRAFFIC: (verbs.ShiftTraffic,),
    PhaseKind.POST_LAUNCH: (verbs.SyntheticTests,),
    PhaseKind.CUSTOM: (verbs.SyntheticTests,),
}
"""What a phase of each kind can do besides running a program; everything else would act on another phase's stack."""

_UNDOES: Mapping[PhaseKind, tuple[type, ...]] = {
    PhaseKind.MIGRATION: (verbs.Migrate,),
    PhaseKind.DEPLOY: (verbs.Deploy, verbs.DisableTraffic),
    PhaseKind.HEALTH: (verbs.DisableTraffic, verbs.ShiftTraffic),
    PhaseKind.TRAFFIC: (verbs.DisableTraffic, verbs.ShiftTraffic),
    PhaseKind.POST_LAUNCH: (verbs.DisableTraffic, verbs.ShiftTraffic),
    PhaseKind.CUSTOM: (verbs.DisableTraffic,),
}
"""How a phase of each kind can be undone besides running a program."""


class Actions(Settings):
    """What a phase does, and how it is undone where replaying the previous checkpoint is not wanted."""

    execute: Action = None
    """A verb, or `run: [program, args]`. Without one, the phase does what its kind says."""
    rollback: Action = None
    """A verb, or `run: [program, args]`. Without one, the previous checkpoint is replayed."""


class TrafficStep(Settings):
    """One step of a traffic phase."""

    weight: int = Field(ge=0, le=100)
    """Percent of the users that the new slot gets."""
    bake: Duration = 0.0
    """How long the breaker watches before the next step."""
    flags: tuple[str, ...] = ()
    """Flags switched on together with this step; those no step names go on after the last one."""


class PhaseSpec(Settings):
    """One phase of the sequence."""

    id: str = Field(
        pattern=r"^[a-z][a-z0-9_-]{0,39}$",
        json_schema_extra={"patternErrorMessage": "a name of lower-case letters, digits, _ and -, at most 40"},
    )
    """Its name in stacks, records and events."""
    kind: PhaseKind
    """What it does; an id that is itself a kind needs no `kind`."""
    name: str | None = None
    """Its name for people."""
    timeout_ms: int = Field(default=600_000, gt=0)
    """Milliseconds after which the phase is cancelled and rolled back."""
    rollback_on_failure: bool = True
    """False: a failure here leaves everything as it is, for a person (exit code 3)."""
    validators: tuple[Validator, ...] = ()
    """The gates."""
    actions: Actions = Actions()
    """What it does and how it is undone."""
    steps: tuple[TrafficStep, ...] = ()
    """Weights and bakes of a traffic phase."""
    window: Duration | None = None
    """How long a `post_launch` phase watches."""
    thresholds: Thresholds | None = None
    """Limits that differ in this phase."""
    on_inconclusive: OnInconclusive = OnInconclusive.HOLD
    """What to do when a gate of this phase cannot tell."""
    program: str | None = Field(
        default=None,
        pattern=r"^[\w.]+:[\w.]+$",
        json_schema_extra={"patternErrorMessage": "the place of a function, written package.module:function"},
    )
    """A team's own Pulumi program for this phase, `package.module:function`."""
    synthetic: str | None = None
    """File with the synthetic transactions, for a health phase."""
    synthetic_runs: int = Field(default=1, ge=1)
    """How often each synthetic transaction runs."""

    @model_validator(mode="before")
    @classmethod
    def _kind_of_id(cls, values: Any) -> Any:  # noqa: ANN401
        if isinstance(values, Mapping) and "kind" not in values and values.get("id") in list(PhaseKind):
            return {**values, "kind": values["id"]}
        return values

    @field_validator("actions")
    @classmethod
    def _verbs_suit(cls, actions: Actions, info: ValidationInfo) -> Actions:
        kind = info.data.get("kind")
        for moment, suitable in (("execute", _EXECUTES), ("rollback", _UNDOES)):
            action = getattr(actions, moment)
            if kind is None or action is None or isinstance(action, (verbs.RunProgram, *suitable[kind])):
                continue
            names = [name for name, made in verbs.VERBS.items() if made in suitable[kind]]
            raise Misplaced(
                f"a {kind} phase can {moment} {', '.join(names)} or run: [program, argument, ...], nothing else",
                at=(moment,),
                found=verbs.written(action),
            )
        return actions

    @field_validator("steps")
    @classmethod
    def _steps_go_up(cls, steps: tuple[TrafficStep, ...], info: ValidationInfo) -> tuple[TrafficStep, ...]:
        kind = info.data.get("kind")
        if steps and kind not in (None, PhaseKind.TRAFFIC):
            raise ValueError(f"steps belong to a traffic phase, and this is a {kind} phase")
        for number, (low, high) in enumerate(pairwise(steps), start=1):
            if high.weight <= low.weight:
                raise Misplaced(
                    f"weights must go up from step to step, and the step before has {low.weight}",
                    at=(number, "weight"),
                    found=high.weight,
                )
        execute = info.data["actions"].execute if "actions" in info.data else None
        if steps and isinstance(execute, verbs.ShiftTraffic) and execute.percent != steps[-1].weight:
            raise Misplaced(
                f"the last step must have the weight that execute names, which is {execute.percent}",
                at=(len(steps) - 1, "weight"),
                found=steps[-1].weight,
            )
        _fits("the baking of its steps", sum(step.bake for step in steps), info)
        return steps

    @field_validator("window")
    @classmethod
    def _window_ends(cls, window: float | None, info: ValidationInfo) -> float | None:
        if window is None:
            return None
        kind = info.data.get("kind")
        if kind not in (None, PhaseKind.POST_LAUNCH):
            raise ValueError(f"a window belongs to a post_launch phase, and this is a {kind} phase")
        _fits("its window", window, info)
        return window

    @property
    def title(self) -> str:
        """Return the name for people."""
        return self.name or self.id.replace("_", " ").replace("-", " ").capitalize()


class LaunchSpec(Settings):
    """The whole sequence."""

    environment: str = "production"
    """A name for people and policies; the environment's own name is the command's argument."""
    rollback_threshold: Thresholds = Thresholds()
    """Limits of the breaker, before the tier's."""
    tiers: Mapping[str, Thresholds] = Field(default_factory=dict)
    """Named sets of limits; `launch:tier` of the environment chooses one."""
    tier: str | None = None
    """The tier that was chosen (from the environment)."""
    flags: tuple[FlagSpec, ...] = ()
    """The service's feature flags."""
    keep_previous: bool = False
    """Keep the old slot running after the launch, for an instant way back."""
    rollback_timeout_ms: int = Field(default=120_000, gt=0)
    """Milliseconds for each undo."""
    phases: tuple[PhaseSpec, ...] = Field(min_length=1)
    """The phases, in order."""

    @field_validator("phases")
    @classmethod
    def _ids_differ(cls, phases: tuple[PhaseSpec, ...]) -> tuple[PhaseSpec, ...]:
        first: dict[str, int] = {}
        for number, phase in enumerate(phases):
            if first.setdefault(phase.id, number) != number:
                raise Misplaced(
                    f"each phase needs an id of its own, and phases[{first[phase.id]}] has this one",
                    at=(number, "id"),
                    found=phase.id,
                )
        return phases

    @field_validator("phases")
    @classmethod
    def _ends_with_all_users(cls, phases: tuple[PhaseSpec, ...]) -> tuple[PhaseSpec, ...]:
        """Refuse a launch that would retire the old slot while users are on it."""
        numbers = [number for number, phase in enumerate(phases) if phase.kind is PhaseKind.TRAFFIC]
        if not numbers:
            return phases
        last = phases[numbers[-1]]
        weight = last.steps[-1].weight if last.steps else getattr(last.actions.execute, "percent", 100)
        if weight != 100:
            where = (numbers[-1], "steps") if last.steps else (numbers[-1], "actions", "execute")
            raise Misplaced(
                "the last traffic phase must end with weight 100, since the old slot is retired after the launch",
                at=where,
                found=weight,
            )
        return phases

    @field_validator("flags")
    @classmethod
    def _keys_differ(cls, flags: tuple[FlagSpec, ...]) -> tuple[FlagSpec, ...]:
        first: dict[str, int] = {}
        for number, flag in enumerate(flags):
            if first.setdefault(flag.key, number) != number:
                raise Misplaced(
                    f"each flag needs a key of its own, and flags[{first[flag.key]}] has this one",
                    at=(number, "key"),
                    found=flag.key,
                )
        return flags

    def flag(self, key: str) -> FlagSpec | None:
        """Return the flag of that key, or None."""
        return next((flag for flag in self.flags if flag.key == key), None)


def _fits(what: str, seconds: float, info: ValidationInfo) -> None:
    limit = info.data.get("timeout_ms")
    if limit is not None and seconds * 1000 >= limit:
        raise ValueError(
            f"{what} takes {show(seconds)}, which does not fit into the phase's timeout_ms of {limit}; "
            "raise timeout_ms or watch for less time"
        )
