"""The outputs a resource offers to those that depend on it, found by value."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from enum import IntEnum
from typing import Any, Final

from stacks.checkpoint import Resource
from stacks.replay_values import Path, Signature, is_secret, is_unknown, plain, reveal, signature

SHORTEST_TEXT: Final = 4
"""Shorter outputs are not looked for within strings: they would be found by accident."""
WORD: Final = re.compile(r"[A-Za-z0-9_]+")
"""An output within a string is found only where no word is cut by it."""


@dataclass(frozen=True, slots=True)
class Source:
    """One output of a resource; `path` None is its id."""

    urn: str
    path: Path | None


class Origin(IntEnum):
    """Where a resource has an output from; the lower, the likelier that others got the value there."""

    MADE = 0
    """Its provider made it."""
    PASSED = 1
    """It repeats an input that came from another resource."""
    GIVEN = 2
    """It repeats an input that came from nowhere else. Such a value stays what it is whatever happens to the resource:
    it explains where a value came from, and needs no connection."""


@dataclass(frozen=True, slots=True)
class Offer:
    """One output: where it is, where it came from, whether it is a secret."""

    source: Source
    origin: Origin
    secret: bool

    @property
    def name(self) -> str | int:
        """Under which name it stands."""
        return self.source.path[-1] if self.source.path else "id"


@dataclass(frozen=True, slots=True)
class Index:
    """The outputs of one or more resources by value; it grows with `add`."""

    _whole: dict[str, list[Offer]] = field(default_factory=dict, repr=False)
    _texts: dict[str, dict[str, list[Offer]]] = field(default_factory=dict, repr=False)
    """Those that may stand within a string, by their first word and by what they look like there: many resources have
    the same namespace, and it is looked for once."""

    def equal(self, value: Any) -> list[Offer]:  # noqa: ANN401 - any property value
        """The outputs that are equal to a value."""
        return self._whole.get(canonical(value), [])

    def within(self, text: str) -> list[tuple[str, list[Offer]]]:
        """What may stand within a string between ends of words, with the outputs that look like that."""
        words = dict.fromkeys(["", *WORD.findall(text)])
        return [found for word in words for found in self._texts.get(word, {}).items() if found[0] in text]

    def offer(self, value: Any, offer: Offer) -> None:  # noqa: ANN401
        """Enters one output."""
        if not wirable(value):
            return
        self._whole.setdefault(canonical(value), []).append(offer)
        text = _text(value)
        if text:
            first = WORD.search(text)
            self._texts.setdefault(first[0] if first else "", {}).setdefault(text, []).append(offer)

    def add(self, other: Index) -> None:
        """Enters all of another index."""
        for key, offers in other._whole.items():
            self._whole.setdefault(key, []).extend(offers)
        for word, texts in other._texts.items():
            mine = self._texts.setdefault(word, {})
            for text, offers in texts.items():
                mine.setdefault(text, []).extend(offers)


def index(resource: Resource, wired: Mapping[str, tuple[Path, ...]]) -> Index:
    """What a resource offers.

    Args:
        resource: with its recorded outputs.
        wired: by input property the places in it that came from other resources.
    """
    found = Index()
    found.offer(resource.id, Offer(Source(resource.urn, None), Origin.MADE, secret=False))
    for path, value, hidden in _places(resource.outputs):
        found.offer(value, Offer(Source(resource.urn, path), _origin(resource, path, value, wired), hidden))
    return found


def _origin(resource: Resource, path: Path, value: Any, wired: Mapping[str, tuple[Path, ...]]) -> Origin:  # noqa: ANN401
    given = dig(resource.inputs, path)
    if given is MISSING or canonical(given) != canonical(value):
        return Origin.MADE
    below = path[1:]
    passed = any(_related(place, below) for place in wired.get(str(path[0]), ()))
    return Origin.PASSED if passed else Origin.GIVEN


def _related(one: Path, other: Path) -> bool:
    """True where one path leads to, or through, the other."""
    shared = min(len(one), len(other))
    return one[:shared] == other[:shared]


def wirable(value: Any) -> bool:  # noqa: ANN401
    """False for values too common to mean anything, and for those that are not data."""
    if value is None or isinstance(value, bool) or is_unknown(value):
        return False
    if isinstance(value, Mapping) and signature(value) is not None:
        return False
    return bool(value) or (isinstance(value, int | float) and value != 0)


def _text(value: Any) -> str | None:  # noqa: ANN401
    """How a value would look within a string; None where it is too short to be told apart."""
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    text = str(value) if isinstance(value, str | int | float) else ""
    return text if len(text) >= SHORTEST_TEXT else None


def canonical(value: Any) -> str:  # noqa: ANN401
    """Equal for equal values: secrets revealed, 1 and 1.0 the same."""
    return _encode(_normal(plain(value)))


_encode: Final = json.JSONEncoder(sort_keys=True).encode


def _normal(value: Any) -> Any:  # noqa: ANN401
    if type(value) is str:
        return value
    if isinstance(value, Mapping):
        return {key: _normal(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_normal(item) for item in value]
    if isinstance(value, int) and not isinstance(value, bool):
        return float(value)
    return value


def _places(outputs: Mapping[str, Any]) -> Iterator[tuple[Path, Any, bool]]:
    """Every place in the outputs: its value revealed, and whether that is a secret."""

    def below(value: Any, path: Path, hidden: bool) -> Iterator[tuple[Path, Any, bool]]:  # noqa: ANN401
        bare = reveal(value)
        hidden = hidden or is_secret(value)
        yield path, bare, hidden
        if isinstance(bare, Mapping) and signature(bare) is None:
            for key, item in bare.items():
                yield from below(item, (*path, key), hidden)
        elif isinstance(bare, list | tuple):
            for position, item in enumerate(bare):
                yield from below(item, (*path, position), hidden)

    for key, value in outputs.items():
        yield from below(value, (key,), False)


MISSING: Final = object()
"""What `dig` answers where there is nothing."""


def dig(value: Any, path: Path) -> Any:  # noqa: ANN401
    """What stands at a path, or `MISSING`; secrets on the way are opened, the last one is kept."""
    for part in path:
        bare = reveal(value)
        if isinstance(part, int):
            there = isinstance(bare, list | tuple) and 0 <= part < len(bare)
        else:
            there = isinstance(bare, Mapping) and part in bare and signature(bare) in {None, Signature.RESOURCE}
        if not there:
            return MISSING
        value = bare[part]
    return value
