"""What a replay must do differently because of the state that is there now.

A checkpoint alone says what is to be; how to get there without losing anything depends on what is: a renamed
resource is taken back under its old name, a resource that was let go of (`retainOnDelete`) is taken over again, a
value that only one of the two states ignores is really restored.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from stacks.checkpoint import Checkpoint, Resource
from stacks.replay_values import plain


@dataclass(frozen=True, slots=True)
class Adjustment:
    """The options of one resource that depend on the present.

    Attributes:
        aliases: URNs under which the same resource may be recorded now.
        import_id: the id to import, or to go on recording as imported; empty for none.
        ignore_changes: property paths whose present values stay.
    """

    aliases: tuple[str, ...] = ()
    import_id: str = ""
    ignore_changes: tuple[str, ...] = ()


def adjustments(checkpoint: Checkpoint, current: Checkpoint | None) -> Mapping[str, Adjustment]:
    """The adjustment for each resource of `checkpoint`, by URN.

    Args:
        checkpoint: what is to be.
        current: what the stack holds now; None where that is not known: then the recorded options are repeated.
    """
    if current is None:
        return {
            resource.urn: Adjustment(resource.aliases, resource.import_id, resource.ignore_changes)
            for resource in checkpoint.live
        }
    renamed = _renamed(checkpoint, current)
    found: dict[str, Adjustment] = {}
    for resource in checkpoint.live:
        alias = renamed.get(resource.urn)
        present = current.by_urn.get(alias or resource.urn)
        found[resource.urn] = Adjustment(
            aliases=(alias,) if alias else (),
            import_id=_import_id(resource, present),
            ignore_changes=_ignored(resource, present),
        )
    return found


def unprotected(checkpoint: Checkpoint, current: Checkpoint) -> Checkpoint | None:
    """The present state with the protection taken off what a replay of `checkpoint` deletes.

    The engine refuses to delete a protected resource in the same update that drops it. Replaying this first makes
    the way free; None where nothing stands in it.
    """
    renamed = set(_renamed(checkpoint, current).values())
    blocking = {
        resource.urn
        for resource in current.live
        if resource.protect and resource.urn not in checkpoint.by_urn and resource.urn not in renamed
    }
    if not blocking:
        return None
    return Checkpoint(
        tuple(
            replace(resource, protect=False) if resource.urn in blocking else resource for resource in current.resources
        )
    )


def _renamed(checkpoint: Checkpoint, current: Checkpoint) -> dict[str, str]:
    """The present URN of each resource that the checkpoint knows under another one.

    The state names an alias only in the update that used it, so the provider's id decides: the same type and the
    same id are the same thing.
    """
    gone = {resource.urn: resource for resource in current.live if resource.urn not in checkpoint.by_urn}
    by_id = {(resource.type, resource.id): urn for urn, resource in gone.items() if _identified(resource)}
    by_alias = {alias: urn for urn, resource in gone.items() for alias in resource.aliases}
    found: dict[str, str] = {}
    for resource in checkpoint.live:
        if resource.urn in current.by_urn or resource.external:
            continue
        urn = by_id.get((resource.type, resource.id)) if _identified(resource) else None
        urn = urn or by_alias.get(resource.urn) or next((alias for alias in resource.aliases if alias in gone), None)
        if urn is not None and gone[urn].custom == resource.custom and gone[urn].id == resource.id:
            found[resource.urn] = urn
    return found


def _identified(resource: Resource) -> bool:
    return resource.custom and not resource.external and bool(resource.id)


def _import_id(resource: Resource, present: Resource | None) -> str:
    """What to import.

    The same resource goes on being recorded as imported. One that was dropped without being deleted is imported
    back. One that was deleted or replaced cannot be: it is created.
    """
    if not _identified(resource) or resource.is_provider:
        return ""
    if present is not None and present.id == resource.id:
        return resource.import_id
    if present is None and resource.retain_on_delete:
        return resource.import_id or resource.id
    return ""


def _ignored(resource: Resource, present: Resource | None) -> tuple[str, ...]:
    """The recorded paths, without those whose present value was set by a program that did not ignore them."""
    if present is None:
        return resource.ignore_changes
    return tuple(
        path
        for path in resource.ignore_changes
        if path in present.ignore_changes or _top(resource.inputs, path) == _top(present.inputs, path)
    )


def _top(inputs: Mapping[str, Any], path: str) -> Any:  # noqa: ANN401
    """The value of the property a path begins with (`a.b[0]` begins with `a`); everything for `*`."""
    if path.startswith("*"):
        return plain(inputs)
    key = path.split(".", 1)[0].split("[", 1)[0]
    if not key and path.startswith('["'):
        key = path[2:].split('"', 1)[0]
    return plain(inputs.get(key))
