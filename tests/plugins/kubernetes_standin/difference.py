"""What differs between the recorded live state and new inputs, property by property.

As in the real plugin the live state is first cut to the shape of the old inputs, so that what the cluster fills in
shows no difference. Both sides then have the rules of a JSON merge patch
(https://www.rfc-editor.org/rfc/rfc7386), and lists are compared position by position.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Any

from .immutable import replaces
from .values import UNKNOWN, Object

Path = tuple[str | int, ...]


class Change(Enum):
    """What becomes of a property."""

    ADD = "add"
    DELETE = "delete"
    UPDATE = "update"


@dataclass(frozen=True)
class Difference:
    """One property that differs.

    Attributes:
        path: keys and positions from the top of the object.
        change: what becomes of it.
        replaces: whether the object has to be replaced for it.
    """

    path: Path
    change: Change
    replaces: bool = False

    @property
    def text(self) -> str:
        """The path as Pulumi writes it."""
        return path_text(self.path)


def path_text(path: Iterable[str | int]) -> str:
    """Write a path as Pulumi does: `spec.rules[0].name`, `metadata.labels["app.kubernetes.io/name"]`."""
    text = ""
    for step in path:
        if isinstance(step, int):
            text += f"[{step}]"
        elif any(character in '."[]' for character in step):
            escaped = step.replace('"', '\\"')
            text += f'["{escaped}"]'
        else:
            text += f".{step}" if text else step
    return text


def pruned(live: Any, shape: Any) -> Any:  # noqa: ANN401
    """Return of the live state what the inputs speak of: their keys, and the positions of lists they have in common.

    Where one is a map or list and the other is not, the live value is taken whole. What the live state has at the end
    of a list beyond the inputs' own is not seen, as in the real plugin.
    """
    if isinstance(live, dict) and isinstance(shape, dict):
        return {name: pruned(value, shape[name]) for name, value in live.items() if name in shape}
    if isinstance(live, list) and isinstance(shape, list):
        return [pruned(value, wanted) for value, wanted in zip(live, shape, strict=False)]
    return live


def differences(old: Object, new: Object, immutable: Sequence[str], *, built_in: bool = False) -> list[Difference]:
    """Return what differs.

    Args:
        old: the live state, pruned.
        new: the new inputs.
        immutable: paths whose change replaces the object; see `immutable`.
        built_in: whether the API server drops empty maps, lists and strings, so that adding one is no change.
    """
    found: list[Difference] = []
    _compare((), old, new, found, built_in=built_in)
    return [
        Difference(one.path, one.change, replaces=replaces(one.path, _value_at(new, one.path), immutable))
        for one in found
    ]


def _value_at(obj: Any, path: Path) -> Any:  # noqa: ANN401
    for step in path:
        try:
            obj = obj[step]
        except (KeyError, IndexError, TypeError):
            return None
    return obj


def _compare(path: Path, old: Any, new: Any, found: list[Difference], *, built_in: bool) -> None:  # noqa: ANN401
    if isinstance(old, dict) and isinstance(new, dict):
        for name, value in new.items():
            if name in old:
                _compare((*path, name), old[name], value, found, built_in=built_in)
            elif value is not None and not (built_in and value in ({}, [], "")):
                found.append(Difference((*path, name), Change.ADD))
        found += [Difference((*path, name), Change.DELETE) for name in old if name not in new]
    elif isinstance(old, list) and isinstance(new, list):
        for index, (before, after) in enumerate(zip(old, new, strict=False)):
            _compare((*path, index), before, after, found, built_in=built_in)
        found += [Difference((*path, index), Change.ADD) for index in range(len(old), len(new))]
        found += [Difference((*path, index), Change.DELETE) for index in range(len(new), len(old))]
    elif new is None:
        found.append(Difference(path, Change.DELETE))
    elif new is UNKNOWN or not _same(old, new):
        found.append(Difference(path, Change.UPDATE))


def _same(old: Any, new: Any) -> bool:  # noqa: ANN401
    if isinstance(old, bool) or isinstance(new, bool):
        return old is new
    return bool(old == new)


def not_ignored(found: Iterable[Difference], ignored: Iterable[str]) -> list[Difference]:
    """Return the differences that `ignoreChanges` does not cover."""
    paths = [parsed(path) for path in ignored]
    return [one for one in found if not any(_covers(path, one.path) for path in paths)]


def _covers(pattern: Path, path: Path) -> bool:
    return len(pattern) <= len(path) and all(want in ("*", have) for want, have in zip(pattern, path, strict=False))


def parsed(text: str) -> Path:
    """Return the steps of a property path as Pulumi writes it.

    Raises:
        ValueError: it is none.
    """
    steps: list[str | int] = []
    rest = text
    while rest:
        if rest.startswith('["'):
            end = rest.find('"]', 2)
            if end < 0:
                raise ValueError(f"failed to parse ignore path: missing closing quote in {text!r}")
            steps.append(rest[2:end].replace('\\"', '"'))
            rest = rest[end + 2 :]
        elif rest.startswith("["):
            index, bracket, rest = rest[1:].partition("]")
            if not bracket:
                raise ValueError(f"failed to parse ignore path: missing closing bracket in {text!r}")
            steps.append(int(index) if index.isdigit() else index)
        else:
            rest = rest.removeprefix(".")
            end = min((at for at in (rest.find("."), rest.find("[")) if at >= 0), default=len(rest))
            if end == 0:
                raise ValueError(f"failed to parse ignore path: empty property name in {text!r}")
            steps.append(rest[:end])
            rest = rest[end:]
    return tuple(steps)
