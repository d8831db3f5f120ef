"""A launch that could start: everything is read and checked, and nothing is changed yet."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from components.platform import Platform, SlotSpec
from launch import survey
from launch.asked import Asked
from launch.config import Config
from launch.contexts import Contexts
from launch.earlier import running
from launch.image_sources.registry import source
from launch.parts import Parts
from launch.paths import Paths
from launch.programs import Programs
from launch.releases import Resolved
from launch.schema import GateDatabase
from launch.situation import Situation
from launch.survey import Survey
from launch.watching import breaker
from launch.world import StackWorld
from phases.clock import Clock, SystemClock
from phases.errors import NotUndoable
from phases.gates.base import SchemaDatabase
from phases.plan import Plan
from phases.record import LaunchRecord, ReleaseRecord
from stacks.engine import Engine
from stacks.ledger import Archived, Entry, Ledger, Vault, pack
from stacks.replay_check import problems
from stacks.replay_plugins import finder


@dataclass(slots=True)
class Prepared:
    """A launch that could start."""

    asked: Asked
    config: Config
    engine: Engine
    ledger: Ledger
    entry: Entry
    last: LaunchRecord | None
    survey: Survey
    resolved: Resolved
    plan: Plan
    situation: Situation
    platform: Platform
    slots: dict[str, tuple[SlotSpec, ...]]
    companions: Mapping[str, Resolved] = field(default_factory=dict)
    parts: Parts = field(default_factory=Parts)
    pinned: Mapping[str, Any] = field(repr=False, default_factory=dict)
    to: Archived | None = None
    schema_last: bool = False
    clock: Clock = field(default_factory=SystemClock)

    @property
    def paths(self) -> Paths:
        """Return the environment's places on this machine."""
        return Paths(self.config.root, self.config.environment)

    @property
    def previous(self) -> ReleaseRecord | None:
        """Return what users have now."""
        if self.situation.old is None:
            return None
        slot = self.situation.slots.get(self.situation.old) or {}
        last = running(self.last)
        if last is not None and last.digest == slot.get("digest"):
            return last
        return ReleaseRecord(image=slot.get("image", ""), digest=slot.get("digest", ""))

    def vault(self, launch: str) -> Vault:
        """Return what the ledger keeps for a launch that starts now."""
        before = {phase: pack(launch, checkpoint) for phase, checkpoint in self.survey.checkpoints.items()}
        archive = self.entry.vault.archive
        now, current = self.previous, self.last.current if self.last else None
        if now is not None and current is not None:
            others = (item for item in archive if item.launch != current)
            archive = (Archived(current, now.image, before), *others)
        return Vault(self.pinned, before, archive[: self.config.settings.history + 1])

    def world(self, launch: str, vault: Vault, by: str) -> StackWorld:
        """Return the world that this launch changes."""
        contexts = Contexts(
            database=self.database(),
            undo_problems=self.undo_problems,
            by=by,
            images=source(self.config.settings.registry),
            platform=self.platform,
        )
        programs = Programs(
            launch=launch,
            config=self.config,
            engine=self.engine,
            platform=self.platform,
            release=self.plan.release,
            resolved=self.resolved,
            situation=self.situation,
            slots=self.slots,
            parts=self.parts,
        )
        return StackWorld(
            launch=launch,
            config=self.config,
            plan=self.plan,
            programs=programs,
            clock=self.clock,
            vault=vault,
            situation=self.situation,
            contexts=contexts,
            breakers=breaker,
            secrets=self.config.secrets,
        )

    def database(self) -> SchemaDatabase | None:
        """Return the database as the gates need it."""
        settings = self.config.settings.database
        if settings is None or self.resolved.scripts is None or self.resolved.release.revision is None:
            return None
        from components.schema.database import Database

        return GateDatabase(
            Database(
                settings.url,
                scripts=self.resolved.scripts,
                target=self.resolved.release.revision,
                snapshot=settings.snapshot,
            )
        )

    def undo_problems(self) -> Sequence[str]:
        """Return what could not be put back if this launch were undone, one sentence each."""
        plugins = finder(self.engine.environ)
        found: list[str] = []
        for phase, checkpoint in self.survey.checkpoints.items():
            if checkpoint is not None:
                stack = survey.stack_name(self.config.environment, phase)
                found += [
                    f"{stack}: {problem.resource or 'the stack'}: {problem.reason}; {problem.advice}"
                    for problem in problems(checkpoint, plugins=plugins, root=self.config.root)
                    if problem.blocking
                ]
        return found

    def must_be_undoable(self) -> None:
        """Return where every phase that rolls back could be put back.

        Raises:
            NotUndoable: something could not be.
        """
        found = tuple(self.undo_problems())
        if found and any(phase.spec.rollback_on_failure for phase in self.plan.phases):
            lines = "".join(f"\n  {problem}" for problem in found)
            raise NotUndoable(f"this launch could not be undone, so it does not start:{lines}", problems=found)
