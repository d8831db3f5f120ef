"""The flags of an environment as they are today."""

from __future__ import annotations

from datetime import UTC, datetime

from launch.asked import Asked, engine_for
from launch.config import load
from launch.survey import first, stack_name
from phases.flag_audit import FlagRow, audit
from phases.kinds import PhaseKind


def rows(asked: Asked) -> tuple[FlagRow, ...]:
    """Return a row for each flag, those that owe something first."""
    engine = engine_for(asked.root, asked.environment, asked.environ)
    config = load(
        asked.environment,
        root=asked.root,
        environ=asked.environ,
        config_values=engine.config(asked.environment),
        image_needed=False,
    )
    traffic = first(config.spec, PhaseKind.TRAFFIC)
    found = engine.stack(stack_name(asked.environment, traffic)).outputs().get("flags") if traffic else None
    return audit(config.spec.flags, found or {}, datetime.now(UTC).date())
