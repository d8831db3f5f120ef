"""From a step to the program of its update."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from components.platform import Platform, SchemaSpec, SlotSpec
from launch.config import Config
from launch.parts import Parts
from launch.releases import Resolved
from launch.situation import Situation, flags_spec
from launch.survey import stack_name
from phases.errors import ConfigurationError
from phases.gates.base import Release
from phases.kinds import PhaseKind
from phases.plan import PhasePlan, Step
from phases.verbs import Deploy, DisableTraffic, Migrate, ShiftTraffic
from phases.work import ApplyProgram, Retire, SwitchFlags
from stacks import deploy, going_back, migration, team, traffic
from stacks.engine import Engine, StackHandle
from stacks.marker import Marker

Program = Callable[[], None]


@dataclass(frozen=True, slots=True)
class Programs:
    """Makes the programs of one launch.

    Attributes:
        launch: its id.
        slots: by deploy phase id, what its new slot runs, the service's own first.
        parts: over which phases the services are spread.
    """

    launch: str
    config: Config
    engine: Engine
    platform: Platform
    release: Release
    resolved: Resolved
    situation: Situation
    slots: dict[str, tuple[SlotSpec, ...]]
    parts: Parts = field(default_factory=Parts)

    @property
    def service(self) -> str:
        """Return the service's name."""
        return self.config.settings.service.name or self.config.project

    def handle(self, phase: PhasePlan) -> StackHandle:
        """Return the phase's stack."""
        if phase.stack is None:
            raise ConfigurationError(f"phase {phase.id!r} changes nothing and has no stack")
        handle = self.engine.stack(stack_name(self.config.environment, phase.stack))
        if phase.spec.kind is PhaseKind.TRAFFIC:
            # All routes are in one stack, since users move together; recording each is too much when they are many.
            many = len(self.situation.companions) >= self.config.settings.services_per_stack
            handle.records_at_end = many and self.situation.routed
        return handle

    def marker(self, step: Step) -> Marker:
        """Return what the stack's outputs say after the step."""
        return Marker(self.launch, step.phase, step.id)

    def of(self, step: Step, phase: PhasePlan) -> Program | None:
        """Return the program of the step's update; None where nothing is to be done."""
        match step.work:
            case Migrate("up"):
                return self._migration(step)
            case Deploy(image):
                return self._deploy(step, phase, image)
            case Retire():
                kept = self._described(phase, self.situation.new)
                # A part whose services all went with this release has none that stays, and one that is empty has none.
                return self._slots(step, phase, kept) if kept or phase in self.parts else None
            case ShiftTraffic(percent):
                return self._traffic(step, percent=percent)
            case DisableTraffic():
                return self._traffic(step, percent=0)
            case SwitchFlags(keys):
                return self._traffic(step, switch=keys)
            case ApplyProgram(path):
                return team.program(team.load(path, self.config.root), self._context(step), marker=self.marker(step))
            case _:
                return None

    def _migration(self, step: Step) -> Program | None:
        settings, revision, scripts = self.config.settings, self.release.revision, self.resolved.scripts
        database = settings.database
        if database is None or revision is None or (scripts is None and not settings.moves_schema_by_image):
            return None  # this release has no schema
        schema = SchemaSpec(
            self.service,
            database.url,
            scripts="" if scripts is None else str(scripts),
            revision=revision,
            snapshot=database.snapshot,
            image=self.resolved.image.reference,
        )
        return migration.program(self.platform, schema=schema, marker=self.marker(step))

    def _deploy(self, step: Step, phase: PhasePlan, image: str) -> Program:
        new = self.slots[phase.id]
        if phase not in self.parts and image != new[0].image:
            raise ConfigurationError(f"{step.title}: only {new[0].image} was resolved when the launch started")
        return self._slots(step, phase, self._described(phase, self.situation.old), new)

    def _slots(
        self, step: Step, phase: PhasePlan, kept: tuple[SlotSpec, ...], new: tuple[SlotSpec, ...] = ()
    ) -> Program:
        # The service's own comes first, and a part has others' alone.
        service = None if phase in self.parts else (new or kept)[0].service
        parts = self.parts.count if phase.id == self.parts.main else 1
        marker = self.marker(step)
        return deploy.program(self.platform, service=service, marker=marker, kept=kept, new=new, parts=parts)

    def _described(self, phase: PhasePlan, slot: str | None) -> tuple[SlotSpec, ...]:
        return deploy.described(going_back.read(self.handle(phase)), slot) if slot is not None else ()

    def _traffic(self, step: Step, *, percent: int | None = None, switch: tuple[str, ...] = ()) -> Program:
        situation, spec = self.situation, self.config.spec
        weights = situation.shifted(percent) if percent is not None else dict(situation.weights)
        variants = situation.defaults(spec)
        variants.update({key: variant for key, variant in situation.wanted.items() if key in variants})
        variants.update({flag.key: flag.launch for flag in spec.flags if flag.key in switch})
        router = self.config.settings.router
        return traffic.program(
            self.platform,
            split=situation.split(self.service, weights, router),
            companions=situation.companion_splits(weights, router, self.config.settings.services),
            flags=flags_spec(self.service, spec, variants),
            variants=variants,
            marker=self.marker(step),
        )

    def _context(self, step: Step) -> team.PhaseContext:
        return team.PhaseContext(
            environment=self.config.environment,
            launch=self.launch,
            phase=step.phase,
            slot=self.situation.new,
            image=self.release.image,
            digest=self.release.digest,
            weights=dict(self.situation.weights),
            outputs=dict(self.situation.outputs),
            root=self.config.root,
        )
