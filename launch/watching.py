"""The breaker of a launch: which metrics, which slots, which limits."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from launch.configuration.environment import EnvironmentSettings, ServiceSettings
from phases.breaker import Breaker
from phases.breakers import Breakers
from phases.health import Aside, http_health
from phases.kinds import PhaseKind
from phases.metrics.base import MetricsSource, Sample, SourceSettings
from phases.metrics.registry import SOURCES
from phases.plan import PhasePlan
from phases.run import Watching

if TYPE_CHECKING:
    from launch.world import StackWorld

_WATCHED = (PhaseKind.TRAFFIC, PhaseKind.POST_LAUNCH)


class WorldMetrics:
    """A service's metrics, wherever its router is by now: a first launch has none before its first shift.

    Args:
        world: knows where.
        service: whose; None for the environment's own.
    """

    def __init__(self, world: StackWorld, service: str | None = None) -> None:
        self._world = world
        self._service = service
        self._sources: dict[str, MetricsSource] = {}

    def sample(self) -> Sample:
        """Read the counters; before there is a router they are all zero.

        Raises:
            MetricsUnavailable: the router does not answer.
        """
        address = self._address()
        if address is None:
            return Sample(self._world.clock.monotonic(), {})
        if address not in self._sources:  # one source for each address: it keeps its connection
            self._sources[address] = self._source(address)
        return self._sources[address].sample()

    def _address(self) -> str | None:
        situation, metrics = self._world.situation, self._world.config.settings.metrics
        if metrics is not None:
            return metrics.address
        if self._service is None:
            return situation.admin
        return situation.routers.get(self._service, {}).get("admin")

    def _source(self, address: str) -> MetricsSource:
        settings, situation = self._world.config.settings, self._world.situation
        if settings.metrics is None:
            return SOURCES["router"](SourceSettings(address, clock=self._world.clock))
        slots = tuple(slot for slot in (situation.old, situation.new) if slot is not None)
        return SOURCES[settings.metrics.source](
            settings.metrics.to_source(
                slots=slots,
                names=metric_names(settings, self._service or settings.service.name),
                router=settings.router_kind,
                clock=self._world.clock,
            )
        )


def metric_names(settings: EnvironmentSettings, service: str) -> dict[str, str]:
    """Return what queries for a service's metrics may name."""
    cluster = settings.of_platform
    return {"service": service} | ({} if cluster is None else {"namespace": cluster.namespace})


def breaker(world: StackWorld, phase: PhasePlan) -> Watching | None:
    """Return the breaker for a phase during which users are at risk; None for the others."""
    if phase.spec.kind not in _WATCHED:
        return None
    settings, situation = world.config.settings, world.situation
    own = _breaker(world, phase, WorldMetrics(world), situation.slots, settings.service)
    companions = {
        name: _breaker(world, phase, WorldMetrics(world, name), slots, settings.services[name], name)
        for name, slots in situation.companions.items()
        if situation.new in slots and name in settings.services
    }
    return Breakers(own, companions, clock=world.clock) if companions else own


def _breaker(
    world: StackWorld,
    phase: PhasePlan,
    source: MetricsSource,
    slots: Mapping[str, Mapping[str, str]],
    service: ServiceSettings,
    name: str | None = None,
) -> Breaker:
    situation = world.situation
    url = slots.get(situation.new, {}).get("url")
    reach = world.programs.platform.reach(name or service.name)

    def healthy() -> bool:
        with reach(url or "") as reached:
            return http_health(reached.rstrip("/") + service.health)()

    return Breaker(
        phase.spec.thresholds or world.config.spec.rollback_threshold,
        source=source,
        new_slot=situation.new,
        old_slot=situation.old if situation.old in slots else None,
        clock=world.clock,
        health=Aside(healthy) if url is not None else None,
    )
