"""Destroying an environment: users first, then the slots, then the schema, and the ledger last."""

from __future__ import annotations

from launch.taking_over import Standing
from phases.errors import EnvironmentBusy
from phases.kinds import PhaseKind
from stacks.ledger import describe

_ORDER = {PhaseKind.TRAFFIC: 0, PhaseKind.CUSTOM: 1, PhaseKind.DEPLOY: 2, PhaseKind.MIGRATION: 3}


def owned(standing: Standing) -> list[str]:
    """Return the environment's stacks in the order in which they go.

    Raises:
        EnvironmentBusy: a launch is running.
    """
    environment = standing.asked.environment
    if standing.alive and standing.record is not None:
        raise EnvironmentBusy(
            f"{describe(standing.entry.record or {})}; `python -m launch abort {environment}` ends it first",
            launch=standing.record.id,
        )
    kinds = {phase.id: phase.kind for phase in standing.record.phases} if standing.record else {}

    def rank(name: str) -> tuple[int, str]:
        if name == environment:
            return 9, name
        return _ORDER.get(kinds.get(name.removeprefix(f"{environment}-"), PhaseKind.CUSTOM), 1), name

    names = [name for name in standing.engine.stacks() if name == environment or name.startswith(f"{environment}-")]
    return sorted((name for name in names if _is_ours(name, environment, names)), key=rank)


def _is_ours(name: str, environment: str, names: list[str]) -> bool:
    """Return whether a stack belongs to this environment and not to one whose name only begins like it."""
    others = [other for other in names if other.startswith(f"{environment}-") and f"{other}-" in "".join(names)]
    return not any(name == other or name.startswith(f"{other}-") for other in others if other != environment)


def demolish(standing: Standing, name: str) -> None:
    """Destroy one stack and forget it."""
    handle = standing.engine.stack(name)
    handle.cancel()
    handle.destroy(message=f"down {standing.asked.environment}")
    handle.remove()
    if name == standing.asked.environment:
        standing.paths.journal.unlink(missing_ok=True)
        standing.paths.events.unlink(missing_ok=True)
