"""Plain data that remembers where each of its values was written."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias

from launch.configuration.problems import Mark

Key: TypeAlias = str | int
Keys: TypeAlias = tuple[Key, ...]

_SIMPLE = re.compile(r"[\w:-]+")


def joined(where: str, key: Key) -> str:
    """Return the key path one step further in, as messages show it."""
    if isinstance(key, int):
        return f"{where}[{key}]"
    name = key if _SIMPLE.fullmatch(key) else f'"{key}"'
    return f"{where}.{name}" if where else name


@dataclass(frozen=True, slots=True)
class Located:
    """A tree of mappings, lists and scalars with a mark for every node.

    Attributes:
        data: the tree; never changed in place.
        marks: the place of each node by its path; the root's is always there.
        plain: paths of the scalars written without quotes.
    """

    data: Any
    marks: Mapping[Keys, Mark]
    plain: frozenset[Keys] = frozenset()

    def mark(self, keys: Keys) -> Mark:
        """Return the place of a node; of one that is not there, the line of what would hold it."""
        for length in range(len(keys), -1, -1):
            if (mark := self.marks.get(keys[:length])) is not None:
                where = mark.where
                for key in keys[length:]:
                    where = joined(where, key)
                return Mark(mark.file, mark.line, where)
        raise KeyError(keys)

    def get(self, keys: Keys) -> Any:  # noqa: ANN401
        """Return the value at a path, None where there is none."""
        value = self.data
        for key in keys:
            if isinstance(value, Mapping):
                value = value.get(key)
            elif isinstance(value, list) and isinstance(key, int) and 0 <= key < len(value):
                value = value[key]
            else:
                return None
        return value

    def sub(self, keys: Keys) -> Located:
        """Return the tree below a path."""
        size = len(keys)
        marks = {path[size:]: mark for path, mark in self.marks.items() if path[:size] == keys}
        marks.setdefault((), self.mark(keys))
        return Located(self.get(keys), marks, frozenset(path[size:] for path in self.plain if path[:size] == keys))

    def put(self, keys: Keys, value: Located) -> Located:
        """Return the tree with `value`, and its places, at a path; mappings on the way are made where they miss."""
        size = len(keys)
        marks = {path: mark for path, mark in self.marks.items() if path[:size] != keys}
        plain = {path for path in self.plain if path[:size] != keys}
        marks |= {keys + path: mark for path, mark in value.marks.items()}
        plain |= {keys + path for path in value.plain}
        return Located(_replaced(self.data, keys, value.data), marks, frozenset(plain))


def _replaced(tree: Any, keys: Keys, value: Any) -> Any:  # noqa: ANN401
    if not keys:
        return value
    first, rest = keys[0], keys[1:]
    if isinstance(first, int):
        items = list(tree) if isinstance(tree, list) else []
        if first == len(items):
            items.append(None)
        items[first] = _replaced(items[first], rest, value)
        return items
    entries = dict(tree) if isinstance(tree, Mapping) else {}
    entries[first] = _replaced(entries.get(first), rest, value)
    return entries
