"""Which parts of a recorded value are outputs of other resources."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from stacks.replay_offers import SHORTEST_TEXT, Index, Offer, Origin, wirable
from stacks.replay_values import Path, is_secret, reveal, signature

_SMALLEST_NUMBER: Final = 1000
"""Smaller numbers are counts more often than ports or ids: alone they prove no connection."""

Pieces = tuple[str | Offer, ...]
"""An output alone, or texts and outputs that make a string."""


@dataclass(frozen=True, slots=True)
class Match:
    """A value, or a string in it, that was found among the outputs.

    Attributes:
        path: where it stands.
        pieces: what it is made of.
        origins: URNs of the resources that have an output of this value: the one chosen, and any other it might have
            come from.
    """

    path: Path
    pieces: Pieces
    origins: frozenset[str]

    @property
    def constant(self) -> bool:
        """True where it stays what it is, whatever happens to the resource it came from."""
        return all(isinstance(piece, str) or piece.origin is Origin.GIVEN for piece in self.pieces)


@dataclass(frozen=True, slots=True)
class Matcher:
    """Looks values up among the outputs of some resources.

    Attributes:
        known: what those resources offer.
        scoped: True where the state says that the value came from them; otherwise only values that are hardly equal
            by accident count.
    """

    known: Index = field(repr=False)
    scoped: bool

    def matches(self, value: Any, key: str) -> Iterator[Match]:  # noqa: ANN401 - any property value
        """What of a value is an output, from the outside in: the largest part that equals one is one match.

        Args:
            value: the recorded value.
            key: the name it stands under.
        """
        yield from self._below(value, key, (), hidden=False)

    def _below(self, value: Any, key: str, path: Path, *, hidden: bool) -> Iterator[Match]:  # noqa: ANN401
        bare = reveal(value)
        hidden = hidden or is_secret(value)
        match = self._match(bare, key, path, hidden=hidden) if wirable(bare) else None
        if match:
            yield match
        elif isinstance(bare, Mapping) and signature(bare) is None:
            for name, item in bare.items():
                yield from self._below(item, name, (*path, name), hidden=hidden)
        elif isinstance(bare, list | tuple):
            for position, item in enumerate(bare):
                yield from self._below(item, key, (*path, position), hidden=hidden)

    def _match(self, value: Any, key: str, path: Path, *, hidden: bool) -> Match | None:  # noqa: ANN401
        # What is no secret hardly came from one: Pulumi keeps track. Some providers do not, so it may have.
        found = None if hidden else self._among(value, key, path, secrets=False)
        return found or self._among(value, key, path, secrets=True)

    def _among(self, value: Any, key: str, path: Path, *, secrets: bool) -> Match | None:  # noqa: ANN401
        offers = [offer for offer in self.known.equal(value) if secrets or not offer.secret]
        if not self._telling(value, path):
            # A short value proves nothing by itself, but under the same name it does.
            offers = [offer for offer in offers if offer.name == key]
        if offers:
            best = min(offers, key=lambda offer: _rank(offer, key))
            return Match(path, (best,), frozenset(offer.source.urn for offer in offers))
        return self._embedded(value, key, path, secrets=secrets) if isinstance(value, str) else None

    def _embedded(self, text: str, key: str, path: Path, *, secrets: bool) -> Match | None:
        """The string around the outputs in it: the longest first, each only between characters that end a word."""
        found: list[tuple[str, Offer, list[Offer]]] = []
        for part, all_offers in self.known.within(text):
            offers = all_offers if secrets else [offer for offer in all_offers if not offer.secret]
            if offers:
                found.append((part, min(offers, key=lambda offer: _rank(offer, key)), offers))
        found.sort(key=lambda one: (-len(one[0]), _rank(one[1], key)))
        pieces: list[str | Offer] = [text]
        origins: set[str] = set()
        for part, best, offers in found:
            pattern = re.compile(rf"(?<![A-Za-z0-9_]){re.escape(part)}(?![A-Za-z0-9_])")
            if pattern.search(text):
                origins.update(offer.source.urn for offer in offers)
                pieces = [new for piece in pieces for new in _split(piece, pattern, best)]
        return Match(path, tuple(pieces), frozenset(origins)) if origins else None

    def _telling(self, value: Any, path: Path) -> bool:  # noqa: ANN401
        """True where equality alone shows a connection."""
        if self.scoped and not path:
            return True
        if isinstance(value, int | float):
            return abs(value) >= _SMALLEST_NUMBER
        return self.scoped or not isinstance(value, str) or len(value) >= SHORTEST_TEXT


def _split(piece: str | Offer, pattern: re.Pattern[str], offer: Offer) -> Iterator[str | Offer]:
    if isinstance(piece, Offer):
        yield piece
        return
    end = 0
    for found in pattern.finditer(piece):
        if found.start() > end:
            yield piece[end : found.start()]
        yield offer
        end = found.end()
    if end < len(piece):
        yield piece[end:]


def _rank(offer: Offer, key: str) -> tuple[bool, bool, bool, bool]:
    """The lower, the likelier that a value came from there.

    Whoever made a value goes before those it was passed on to, the same name before another, what may change before
    what may not, and the id before anything else.
    """
    return (
        offer.origin is Origin.PASSED,
        offer.name != key,
        offer.origin is Origin.GIVEN,
        offer.source.path is not None,
    )
