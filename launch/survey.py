"""What an environment is now: read once, from the stacks' checkpoints, before a launch decides anything."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from typing import Any

from phases.kinds import PhaseKind
from phases.spec import LaunchSpec
from stacks import deploy, going_back
from stacks.checkpoint import Checkpoint
from stacks.engine import Engine
from stacks.replay_values import plain

SLOTS = ("blue", "green")
THREADS = 4
"""Each reads one stack with one CLI process; two cores gain nothing from more."""


@dataclass(frozen=True, slots=True)
class Survey:
    """The stacks of an environment as they are now."""

    checkpoints: Mapping[str, Checkpoint | None] = field(default_factory=dict, repr=False)
    """By the phase id that names the stack."""
    deploy: str | None = None
    """The phase whose slots the router serves."""
    traffic: str | None = None
    migration: str | None = None

    def joined(self, other: Survey) -> Survey:
        """Return this survey with the stacks of another one as well."""
        return replace(self, checkpoints={**self.checkpoints, **other.checkpoints})

    def companions(self, phase: str) -> frozenset[str]:
        """Return the other services whose slots a deploy phase's stack holds."""
        return frozenset(deploy.recorded_companions(self.checkpoints.get(phase)))

    def outputs(self, phase: str | None) -> Mapping[str, Any]:
        """Return a stack's outputs, secrets in plain text; empty where there is nothing."""
        checkpoint = self.checkpoints.get(phase) if phase else None
        return {key: plain(value) for key, value in checkpoint.outputs.items()} if checkpoint else {}

    @property
    def slots(self) -> Mapping[str, Mapping[str, str]]:
        """Return the slots of the service, with image, digest and url."""
        return deploy.recorded_slots(self.checkpoints.get(self.deploy or ""))

    @property
    def weights(self) -> Mapping[str, int]:
        """Return each slot's percent of the users, for slots that exist."""
        found = self.outputs(self.traffic).get("weights") or {}
        return {slot: round(weight) for slot, weight in found.items() if slot in self.slots}

    @property
    def flags(self) -> Mapping[str, str]:
        """Return each flag's variant."""
        found = self.outputs(self.traffic).get("flags")
        return found if isinstance(found, Mapping) else {}

    @property
    def live(self) -> str | None:
        """Return the slot that most users are on; None where there are no users."""
        slot, weight = max(self.weights.items(), key=lambda item: item[1], default=("", 0))
        return slot if weight > 0 else None

    @property
    def new(self) -> str:
        """Return the slot that the next release gets."""
        return next(slot for slot in SLOTS if slot != self.live)


def stack_name(environment: str, phase: str) -> str:
    """Return the name of a phase's stack."""
    return f"{environment}-{phase}"


def first(spec: LaunchSpec, kind: PhaseKind) -> str | None:
    """Return the id of the first phase of a kind."""
    return next((phase.id for phase in spec.phases if phase.kind is kind), None)


def take(engine: Engine, environment: str, spec: LaunchSpec, stacks: Sequence[str]) -> Survey:
    """Read the stacks named after those phases, several at a time.

    Raises:
        EngineError: one could not be read.
    """
    with ThreadPoolExecutor(THREADS) as pool:
        handles = [engine.stack(stack_name(environment, phase)) for phase in stacks]
        checkpoints = dict(zip(stacks, pool.map(going_back.read, handles), strict=True))
    return Survey(
        checkpoints,
        deploy=first(spec, PhaseKind.DEPLOY),
        traffic=first(spec, PhaseKind.TRAFFIC),
        migration=first(spec, PhaseKind.MIGRATION),
    )
