"""What the gates of a launch may know."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from components.platform import Platform
from launch.document import document
from launch.image_sources.base import ImageSource
from phases.gates.base import FlagView, GateContext, Moment, SchemaDatabase
from phases.gates.feature_flag_evaluation import FeatureFlagEvaluation
from phases.plan import PhasePlan
from phases.run import Control

if TYPE_CHECKING:
    from collections.abc import Callable

    from launch.world import StackWorld


class Contexts:
    """Makes a gate's context from what the world knows at that moment.

    Args:
        database: the schema gates' database, if there is one.
        undo_problems: what could not be put back.
        by: who launches.
        images: the environment's registry.
        platform: where the release runs.
    """

    def __init__(
        self,
        *,
        database: SchemaDatabase | None,
        undo_problems: Callable[[], Sequence[str]],
        by: str,
        images: ImageSource,
        platform: Platform,
    ) -> None:
        self._images = images
        self._platform = platform
        self._database = database
        self._undo_problems = undo_problems
        self._by = by

    def __call__(self, world: StackWorld, phase: PhasePlan, moment: Moment, control: Control) -> GateContext:
        """Return the context."""
        situation, config = world.situation, world.config
        running: Mapping[str, Any] = situation.slots.get(situation.new) or {}
        return GateContext(
            environment=config.environment,
            phase=phase.id,
            kind=phase.spec.kind,
            moment=moment,
            release=world.plan.release,
            root=config.root,
            clock=world.clock,
            deadline=control.deadline,
            stop=control.stop,
            slot=situation.new,
            slot_url=situation.slot_url,
            router_url=situation.router,
            # Before this launch deployed, the slot may still hold an earlier release.
            deployed_digest=running.get("digest") if situation.deployed_by == world.launch else None,
            registries=dict.fromkeys(config.settings.registry.names, self._images),
            rollout=self._platform.rollout(config.settings.service.name, situation.slot_url),
            reach=self._platform.reach(config.settings.service.name),
            database=self._database,
            flags=FlagView(
                config.spec.flags, situation.defaults(config.spec), self._flag_file(phase, situation.flag_source)
            ),
            document=lambda: document(world, self._database, self._by),
            undo_problems=self._undo_problems,
            secrets=world.secrets,
        )

    def _flag_file(self, phase: PhasePlan, source: str | None) -> str | None:
        """Return where the flags can be evaluated; fetched only for a phase that has such a gate."""
        wanted = any(isinstance(item.gate, FeatureFlagEvaluation) for item in phase.spec.validators)
        return self._platform.flag_file(source) if wanted and source is not None else source
