"""The plan of a launch: what `plan` prints and what the loop runs, in the same order, from the same values.

Pure: configuration and what runs now in, a list of steps out. The loop never decides order.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from phases import durations
from phases.gates.base import Release
from phases.kinds import PhaseKind
from phases.spec import LaunchSpec, PhaseSpec, TrafficStep
from phases.verbs import Deploy, Migrate, RunProgram, ShiftTraffic, SyntheticTests
from phases.work import CHANGES_NOTHING, ApplyProgram, Replay, Retire, SwitchFlags, Watch, Work


@dataclass(frozen=True, slots=True)
class Step:
    """One change of the world, and how long it is watched before the next."""

    id: str
    """Unique in the launch: `traffic.2`."""
    phase: str
    work: Work
    title: str
    """What the update's message and the display say: `traffic 1% -> 10%`."""
    bake: float = 0.0
    """Seconds."""

    @property
    def changes_stack(self) -> bool:
        """Return whether the step is a stack update."""
        return not isinstance(self.work, CHANGES_NOTHING)


@dataclass(frozen=True, slots=True)
class PhasePlan:
    """A phase with its steps and its undo."""

    spec: PhaseSpec
    steps: tuple[Step, ...]
    undo: Step
    """Puts back what the steps changed, whichever of them ran."""
    stack: str | None
    """Suffix of the stack that it updates; None where it changes nothing."""

    @property
    def id(self) -> str:
        """Return the phase's id."""
        return self.spec.id


@dataclass(frozen=True, slots=True)
class Situation:
    """What the plan must know of what runs now."""

    previous_image: str | None = None
    """What the users have now; None on a first launch."""
    schema_last: bool = False
    """Going back to an earlier launch: its older schema comes last, when no newer code runs any more."""


@dataclass(frozen=True, slots=True)
class Plan:
    """A whole launch."""

    release: Release
    phases: tuple[PhasePlan, ...]
    closing: tuple[Step, ...]
    """Steps after the last phase. Users are on the new version by then: trouble here never moves them back."""

    def steps(self) -> Iterator[Step]:
        """Return every step in order."""
        for phase in self.phases:
            yield from phase.steps
        yield from self.closing

    def phase(self, phase_id: str) -> PhasePlan:
        """Return the phase of that id."""
        return next(phase for phase in self.phases if phase.id == phase_id)


def build(spec: LaunchSpec, release: Release, situation: Situation) -> Plan:
    """Return the plan for launching `release` in that situation."""
    ordered = list(spec.phases)
    if situation.schema_last:
        ordered.sort(key=lambda phase: phase.kind is PhaseKind.MIGRATION)
    traffic = next((phase.id for phase in ordered if phase.kind is PhaseKind.TRAFFIC), None)
    phases = tuple(_phase(phase, release, situation, traffic) for phase in ordered)
    deploys = [phase for phase in phases if phase.spec.kind is PhaseKind.DEPLOY]
    closing: tuple[Step, ...] = ()
    if situation.previous_image is not None and not spec.keep_previous:
        closing = tuple(
            Step(f"{phase.id}.retire", phase.id, Retire(), f"{phase.id} retire {situation.previous_image}")
            for phase in deploys
            if phase.spec.program is None  # what a team's program keeps is its own business
        )
    return Plan(release, phases, closing)


def _phase(phase: PhaseSpec, release: Release, situation: Situation, traffic: str | None) -> PhasePlan:
    works = list(_works(phase, release, situation))
    steps = tuple(
        Step(f"{phase.id}.{number}", phase.id, work, f"{phase.id} {title}", bake)
        for number, (work, title, bake) in enumerate(works, start=1)
    )
    changes = any(step.changes_stack for step in steps)
    stack: str | None = None
    if changes:
        # There is one router, so every traffic phase updates the stack of the first.
        stack = traffic if phase.kind is PhaseKind.TRAFFIC else phase.id
    undo_work = phase.actions.rollback if phase.actions.rollback is not None else Replay()
    undo = Step(f"{phase.id}.undo", phase.id, undo_work, f"{phase.id} undo")
    return PhasePlan(phase, steps, undo, stack)


def _works(phase: PhaseSpec, release: Release, situation: Situation) -> Iterator[tuple[Work, str, float]]:
    execute = phase.actions.execute
    if phase.program is not None:
        yield ApplyProgram(phase.program), phase.program, 0.0
        return
    match phase.kind:
        case PhaseKind.MIGRATION:
            work = execute or Migrate("up")
            yield work, _migration_title(work, release), 0.0
        case PhaseKind.DEPLOY:
            work = execute or Deploy(release.image)
            yield work, getattr(work, "image", None) or release.image, 0.0
        case PhaseKind.HEALTH:
            yield execute or SyntheticTests(), _title(execute or SyntheticTests()), 0.0
        case PhaseKind.TRAFFIC:
            yield from _traffic(phase, release, situation)
        case PhaseKind.POST_LAUNCH:
            if execute is not None:
                yield execute, _title(execute), 0.0
            yield Watch(), f"watch {durations.show(phase.window or 0.0)}", phase.window or 0.0
        case PhaseKind.CUSTOM:
            if execute is not None:
                yield execute, _title(execute), 0.0


def _migration_title(work: Work, release: Release) -> str:
    match work:
        case Migrate("up"):
            return f"schema to {release.revision or 'its head'}"
        case Migrate():
            return "schema back"
        case _:
            return _title(work)


def _title(work: Work) -> str:
    match work:
        case RunProgram(argv):
            return "run " + " ".join(argv)
        case SyntheticTests():
            return "synthetic tests"
        case ShiftTraffic(percent):
            return f"traffic to {percent}%"
        case _:
            return type(work).__name__.lower()


def _traffic(phase: PhaseSpec, release: Release, situation: Situation) -> Iterator[tuple[Work, str, float]]:
    execute = phase.actions.execute
    if isinstance(execute, RunProgram):
        yield execute, _title(execute), 0.0
    target = execute.percent if isinstance(execute, ShiftTraffic) else 100
    steps = phase.steps or (TrafficStep(weight=target),)
    if situation.previous_image is None:
        # A first launch has nobody to protect and nothing to go back to: everything at once, watched as the last step.
        steps = (steps[-1].model_copy(update={"flags": tuple(key for step in steps for key in step.flags)}),)
    later = [key for key in release.flags if not any(key in step.flags for step in steps)]
    before = 0
    for step in steps:
        last = step is steps[-1]
        keys = tuple(key for key in release.flags if key in step.flags or (last and key in later))
        yield ShiftTraffic(step.weight), f"{before}% -> {step.weight}%", 0.0 if keys else step.bake
        if keys:
            yield SwitchFlags(keys), f"flags on: {', '.join(keys)}", step.bake
        before = step.weight
