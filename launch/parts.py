"""Many services in one launch: their slots are spread over several deploy stacks.

The engine keeps a stack's whole state after every change of a resource, so an update takes time with the square of what
it deploys. A deploy phase with many companions is therefore carried out in parts: `deploy`, `deploy_part2`, and so on,
each a phase with a stack of its own, one after the other. A part is undone, taken up and retired like any phase.

A service stays in the part that it is in, as long as it is launched at all: two stacks must not have the same slot.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Collection, Iterable, Mapping

from phases.errors import ConfigurationError
from phases.plan import PhasePlan
from phases.record import LaunchRecord
from phases.spec import Actions, LaunchSpec, PhaseSpec


def part_id(main: str, number: int) -> str:
    """Return the phase id of a part; the first is the phase itself."""
    return main if number == 1 else f"{main}_part{number}"


def recorded(main: str, record: LaunchRecord | None) -> int:
    """Return how many parts a launch had that is taken up."""
    ids = {phase.id for phase in record.phases} if record is not None else set()
    number = 1
    while part_id(main, number + 1) in ids:
        number += 1
    return number


def assigned(
    main: str, wanted: Iterable[str], there: Mapping[str, Collection[str]], *, size: int
) -> dict[str, tuple[str, ...]]:
    """Return, by phase id, the companions that each part launches, in order; the phase itself comes first.

    Args:
        main: id of the deploy phase.
        wanted: the companions of the launch.
        there: by the id of every part that exists, the companions that are in it now.
        size: how many services a part may have; in the first one of them is the launch's own.
    """
    homes = {service: part for part, services in there.items() for service in services}
    found: dict[str, list[str]] = {main: [], **{part: [] for part in there}}
    taken = {part: len(there.get(part, ())) + (part == main) for part in found}
    strangers = []
    for service in sorted(wanted):
        if service in homes:
            found[homes[service]].append(service)
        else:
            strangers.append(service)
    number = 1
    for service in strangers:
        while taken.get(part_id(main, number), 0) >= size:
            number += 1
        part = part_id(main, number)
        found.setdefault(part, []).append(service)
        taken[part] = taken.get(part, 0) + 1
    return {part: tuple(sorted(services)) for part, services in found.items()}


def spread(spec: LaunchSpec, main: str, parts: Collection[str]) -> LaunchSpec:
    """Return the sequence with a phase for each part, right after the deploy phase.

    The gates are asked once, before and after the phase itself; each part has its time, and goes back as it came.

    Raises:
        ConfigurationError: a phase of the sequence has the name of a part.
    """
    others = [part for part in parts if part != main]
    if not others:
        return spec
    taken = {phase.id for phase in spec.phases}.intersection(others)
    if taken:
        raise ConfigurationError(
            f"phase {min(taken)!r} has the name of a part of {main!r}, over which the services of this launch are "
            "spread: give it another one, or raise `launch:services_per_stack`"
        )
    phases: list[PhaseSpec] = []
    for phase in spec.phases:
        phases.append(phase)
        if phase.id == main:
            alone = {"validators": (), "actions": Actions(), "name": None}
            phases += [phase.model_copy(update={**alone, "id": part}) for part in others]
    return spec.model_copy(update={"phases": tuple(phases)})


@dataclasses.dataclass(frozen=True, slots=True)
class Parts:
    """The parts of a launch's deploy phase.

    Attributes:
        main: id of that phase; None where there is none, or a team's own program carries it out.
        services: by phase id, the companions that each launches.
    """

    main: str | None = None
    services: Mapping[str, tuple[str, ...]] = dataclasses.field(default_factory=dict)

    def __contains__(self, phase: PhasePlan) -> bool:
        """Whether that phase is a part, and not the phase itself."""
        return phase.id != self.main and phase.id in self.services

    @property
    def others(self) -> tuple[str, ...]:
        """Return the ids of all parts but the phase itself."""
        return tuple(part for part in self.services if part != self.main)

    @property
    def count(self) -> int:
        """Return how many there are."""
        return max(len(self.services), 1)
