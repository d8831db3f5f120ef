"""The whole launch as one JSON-able document, for policies. Its form is described in docs/guides/gates.md."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from phases.gates.base import SchemaDatabase

if TYPE_CHECKING:
    from launch.world import StackWorld


def document(world: StackWorld, database: SchemaDatabase | None, by: str) -> dict[str, Any]:
    """Return the document."""
    spec, release = world.config.spec, world.plan.release
    variants = world.situation.defaults(spec)
    return {
        "release": {
            "image": release.image,
            "digest": release.digest,
            "revision": release.revision,
            "flags": list(release.flags),
        },
        "environment": world.config.environment,
        "tier": spec.tier,
        "first": world.situation.old is None,
        "thresholds": spec.rollback_threshold.model_dump(mode="json"),
        "phases": [
            {
                "id": phase.id,
                "kind": phase.kind.value,
                "timeout_ms": phase.timeout_ms,
                "rollback_on_failure": phase.rollback_on_failure,
                "steps": [{"weight": step.weight, "bake": step.bake} for step in phase.steps],
                "validators": [validator.type for validator in phase.validators],
            }
            for phase in spec.phases
        ],
        "migration": {"statements": _statements(database)},
        "flags": [
            {**flag.model_dump(mode="json", exclude={"variants", "targeting"}), "variant": variants[flag.key]}
            for flag in spec.flags
        ],
        "who": by,
        "time": world.clock.now().isoformat(),
    }


def _statements(database: SchemaDatabase | None) -> list[dict[str, Any]]:
    """Return the migration's statements with their classes; what cannot be read is one statement of class `unknown`."""
    if database is None:
        return []
    from components.schema.errors import SchemaError
    from phases.gates.schema_compatibility import classify_pending

    try:
        found = classify_pending(tuple(database.pending()), database)
    except SchemaError as error:
        return [{"revision": None, "sql": "", "class": "unknown", "reason": f"it cannot be read: {error}"}]
    return [
        {"revision": revision, "sql": item.statement, "class": item.kind, "reason": item.reason}
        for revision, item in found
    ]
