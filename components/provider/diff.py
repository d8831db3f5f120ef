"""Compares a recorded resource with new inputs, path by path."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from typing import Any

from components.provider.resource import Change, Edit, Values
from components.provider.shape import Properties, child
from components.provider.unknown import Unknown


def compare(inputs: Properties, old: Values, new: Values, *, ignore: Collection[str] = ()) -> Change:
    """What differs between recorded outputs and new inputs, by the declared inputs.

    An unknown value may turn out to be anything and counts as different.

    Args:
        inputs: the declared inputs; those marked `replaces` force a replacement.
        old: the recorded outputs.
        new: the new inputs, with defaults.
        ignore: inputs that the resource compares itself.
    """
    changed: dict[str, Edit] = {}
    replaced: list[str] = []
    for name, declared in inputs.items():
        if name in ignore:
            continue
        edits = dict(_edits(old.get(name), new.get(name), name))
        changed.update(edits)
        if edits and declared.replaces:
            replaced.append(name)
    return Change(changed=changed, replaced=tuple(replaced))


def _edits(old: Any, new: Any, path: str) -> Iterator[tuple[str, Edit]]:  # noqa: ANN401 - any property value
    if isinstance(new, Unknown):
        yield path, Edit.UPDATE
    elif old is None and new is None:
        return
    elif old is None:
        yield path, Edit.ADD
    elif new is None:
        yield path, Edit.DELETE
    elif isinstance(old, dict) and isinstance(new, dict):
        for key in [*old, *(key for key in new if key not in old)]:
            yield from _edits(old.get(key), new.get(key), child(path, key))
    elif isinstance(old, list) and isinstance(new, list):
        for index in range(max(len(old), len(new))):
            before = old[index] if index < len(old) else None
            after = new[index] if index < len(new) else None
            yield from _edits(before, after, f"{path}[{index}]")
    elif old != new or isinstance(old, bool) != isinstance(new, bool):
        yield path, Edit.UPDATE
