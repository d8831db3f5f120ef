"""What `plan` prints: the steps that the loop would take, with Pulumi's preview of each update."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from launch.prepared import Prepared
from launch.world import StackWorld
from phases.durations import show
from phases.errors import LaunchError
from phases.gates.base import Moment
from phases.plan import PhasePlan, Step
from phases.run import Control
from phases.verbs import ShiftTraffic

_UNKNOWN_URL = "http://not-yet-known.invalid"
"""Stands for the new slot's address: it has none before it is deployed."""


@dataclass(frozen=True, slots=True)
class Entry:
    """A line of the plan."""

    phase: str
    step: str
    title: str
    bake: float = 0.0
    gates: tuple[str, ...] = ()
    changes: Mapping[str, int] | None = field(default=None)
    problem: str | None = None

    def to_json(self) -> dict[str, Any]:
        """Return the line as one JSON object."""
        return {
            "phase": self.phase,
            "step": self.step,
            "title": self.title,
            "bake_seconds": self.bake,
            "gates": list(self.gates),
            "changes": None if self.changes is None else dict(self.changes),
            "problem": self.problem,
        }

    @property
    def line(self) -> str:
        """Return the line for people."""
        if self.gates:
            return f"{self.step:<14} {self.title}: {', '.join(self.gates)}"
        told = ""
        if self.changes is not None:
            changed = ", ".join(f"{count} {op}" for op, count in self.changes.items() if op != "same")
            told = f" [{changed or 'no change'}]"
        watched = f"watch {show(self.bake)}"
        bake = f", then {watched}" if self.bake and not self.title.endswith(watched) else ""
        problem = f" (no preview: {self.problem})" if self.problem else ""
        return f"{self.step:<14} {self.title}{bake}{told}{problem}"


def describe(prepared: Prepared, *, preview: bool) -> Iterator[Entry]:
    """Return the plan's lines in order; with `preview` each update's changes against what the stack holds now."""
    situation = prepared.situation
    if situation.slot_url is None:
        new = {"image": prepared.resolved.release.image, "url": _UNKNOWN_URL}
        situation.slots = {**situation.slots, situation.new: new}
    world = prepared.world("PLAN", prepared.vault("PLAN"), "")
    for phase in prepared.plan.phases:
        yield from _gates(phase, Moment.ENTRY)
        for step in phase.steps:
            yield _step(world, step, phase, preview=preview)
            if isinstance(step.work, ShiftTraffic):
                situation.weights = situation.shifted(step.work.percent)
        yield from _gates(phase, Moment.EXIT)
    for step in prepared.plan.closing:
        yield Entry(step.phase, step.id, step.title)


def _gates(phase: PhasePlan, moment: Moment) -> Iterator[Entry]:
    names = tuple(item.type for item in phase.spec.validators if item.asked_at(phase.spec.kind, moment))
    if names:
        yield Entry(phase.id, f"{phase.id}.{moment}", "gates", gates=names)


def _step(world: StackWorld, step: Step, phase: PhasePlan, *, preview: bool) -> Entry:
    if not (preview and step.changes_stack and phase.stack is not None):
        return Entry(phase.id, step.id, step.title, step.bake)
    control = Control(float("inf"), threading.Event(), lambda *_, **__: None)
    try:
        changes = world.preview(step, control)
    except LaunchError as error:
        return Entry(phase.id, step.id, step.title, step.bake, problem=str(error))
    return Entry(phase.id, step.id, step.title, step.bake, changes=changes)
