"""Who owns which field of an object, and what happens where two want the same one.

See https://kubernetes.io/docs/reference/using-api/server-side-apply/.
"""

from __future__ import annotations

from copy import deepcopy
from typing import Any

from . import difference, objects
from .checkpoint import recorded_manager
from .naming import unique
from .values import Object

OF_CREATION = "pulumi-kubernetes"
"""The manager of what a POST creates; its fields are taken over by the first update."""

_HELP = (
    "https://www.pulumi.com/registry/packages/kubernetes/how-to-guides/"
    "managing-resources-with-server-side-apply/#handle-field-conflicts-on-existing-resources"
)

# Beginnings of the names of managers whose fields are silently taken over, and how they manage them.
_TAKEN_OVER = (
    ("kubectl", "Apply"),
    ("kubectl", "Update"),
    ("before-first-apply", "Update"),
    ("pulumi-kubernetes", "Update"),
    ("pulumi-resource-kubernetes", "Update"),
)
_CREATED_BY_US = ("pulumi-resource-kubernetes", "pulumi-kubernetes", "pulumi-kubernetes.exe")


def manager_of(inputs: Object, state: Object) -> str:
    """Return the field manager of a resource: the one its annotation names, the recorded one, or a new one."""
    named = objects.annotation(inputs, objects.PATCH_FIELD_MANAGER)
    return named or recorded_manager(state) or unique("pulumi-kubernetes-")


def entries(live: Object) -> list[Object]:
    """Return the managed fields of a live object."""
    held = objects.at(live, "metadata", "managedFields")
    return held if isinstance(held, list) else []


def takeover(live: Object, manager: str) -> list[Object]:
    """Return the JSON patch that makes the manager the owner of what kubectl and the creation own; maybe empty."""
    ours: Object | None = next(
        (entry for entry in entries(live) if entry.get("manager") == manager and entry.get("operation") == "Apply"),
        None,
    )
    merged = deepcopy(ours)
    kept, edited = [], False
    for entry in entries(live):
        if entry is ours:
            continue
        if not _is_taken_over(entry):
            kept.append(entry)
            continue
        edited = True
        if merged is None:
            merged = {**deepcopy(entry), "manager": manager, "operation": "Apply"}
        else:
            merged["fieldsV1"] = _union(merged.get("fieldsV1") or {}, entry.get("fieldsV1") or {})
    if not edited:
        return []
    return [{"op": "replace", "path": "/metadata/managedFields", "value": [*kept, merged]}]


def _is_taken_over(entry: Object) -> bool:
    return not entry.get("subresource") and any(
        str(entry.get("manager")).startswith(name) and entry.get("operation") == operation
        for name, operation in _TAKEN_OVER
    )


def _union(one: Object, other: Object) -> Object:
    both = dict(one)
    for name, fields in other.items():
        both[name] = _union(both[name], fields) if isinstance(both.get(name), dict) else fields
    return both


def forces(inputs: Object, live: Object | None, *, always: bool, preview: bool) -> bool:
    """Whether fields are taken from other managers without asking.

    Args:
        inputs: which may say so by annotation.
        live: the object as it is, or None where it is created.
        always: whether the provider is configured so.
        preview: whether nothing is changed: then what an update would take over beforehand is no conflict.
    """
    if always or objects.is_annotated(inputs, objects.PATCH_FORCE):
        return True
    if live is None:
        return preview
    if not entries(live):
        return True
    return preview and any(
        entry.get("operation") == "Update" and entry.get("manager") in _CREATED_BY_US for entry in entries(live)
    )


def conflict_text(manager: str, reason: str) -> str:
    """Return what the user is told of a conflict."""
    return (
        f"server-side apply field conflict detected, see {_HELP} for troubleshooting help\n"
        f'The resource managed by field manager "{manager}" had an apply conflict: {reason}'
    )


def without_ignored(inputs: Object, live: Object, manager: str, ignored: list[str]) -> Object:
    """Return the inputs with the ignored properties as they are: left out where another manager has them.

    Only keys are followed, as in the real plugin: a path into a list is left alone.
    """
    changed = deepcopy(inputs)
    for text in ignored:
        path = difference.parsed(text)
        keys = [step for step in path if isinstance(step, str)]
        if len(keys) < len(path):
            continue
        ours = any(_has(entry, keys) for entry in entries(live) if entry.get("manager") == manager)
        theirs = any(_has(entry, keys) for entry in entries(live) if entry.get("manager") != manager)
        if theirs and not ours:
            _remove(changed, keys)
        elif (value := objects.at(live, *keys)) is not None:
            _set(changed, keys, deepcopy(value))
    return changed


def _has(entry: Object, keys: list[str]) -> bool:
    fields: Any = entry.get("fieldsV1")
    for key in keys:
        if not isinstance(fields, dict) or f"f:{key}" not in fields:
            return False
        fields = fields[f"f:{key}"]
    return True


def _remove(obj: Object, keys: list[str]) -> None:
    holder = objects.at(obj, *keys[:-1])
    if isinstance(holder, dict):
        holder.pop(keys[-1], None)


def _set(obj: Object, keys: list[str], value: Any) -> None:  # noqa: ANN401
    holder: Any = obj
    for key in keys[:-1]:
        holder = holder.setdefault(key, {})
        if not isinstance(holder, dict):
            return
    holder[keys[-1]] = value
