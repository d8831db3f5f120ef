"""Which slot a request goes to. Pure: no clock, no network, and no randomness but a starting point.

Requests of nobody in particular follow a Kronecker (Weyl) sequence, u(n+1) = frac(u(n) + 1/phi): of all additive
sequences the golden ratio's is the most even, so any n requests in a row are split close to the weights (error
of order log n / n, against 1/sqrt(n) for random choice), and, unlike round robin, so is every second or every
tenth of them - a page that always makes two requests does not send each kind to a slot of its own. H. Weyl,
"Ueber die Gleichverteilung von Zahlen mod. Eins", 1916; L. Kuipers and H. Niederreiter, "Uniform Distribution of
Sequences", 1974.

Recognised users follow weighted rendezvous hashing: the slot with the highest weight / -ln(hash) wins. When
weights move, users move only from slots that lose to slots that gain, and no more than needed. D. Thaler and
C. Ravishankar, 1998; weights after C. Schindelhauer and G. Schomaker, "Weighted Distributed Hash Tables", 2005.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Sequence
from dataclasses import dataclass

_STEP = (math.sqrt(5) - 1) / 2


@dataclass(frozen=True, slots=True)
class Share:
    """A slot's name and weight."""

    slot: str
    weight: int


class Split:
    """Picks among slots by weight; slots without weight are never picked."""

    __slots__ = ("_bounds", "_last", "_point", "_shares", "_slots")

    def __init__(self, shares: Sequence[Share], *, start: float = 0.0) -> None:
        """Begin at `start`, from 0 to below 1: a caller that is restarted often should not always begin alike."""
        self._shares = [share for share in shares if share.weight > 0]
        self._slots = frozenset(share.slot for share in self._shares)
        total = sum(share.weight for share in self._shares)
        self._bounds: list[tuple[float, str]] = []
        below = 0
        for share in self._shares:
            below += share.weight
            self._bounds.append((below / total, share.slot))
        self._last = self._shares[-1].slot if self._shares else None
        self._point = start

    @property
    def point(self) -> float:
        """Where the sequence is: a split that replaces this one goes on from here."""
        return self._point

    def next(self) -> str | None:
        """The slot for a request of nobody in particular; None if no slot has weight."""
        point = self._point + _STEP
        if point >= 1.0:
            point -= 1.0
        self._point = point
        for bound, slot in self._bounds:
            if point < bound:
                return slot
        return self._last

    def of_value(self, value: bytes) -> str | None:
        """The slot of the user whom this value names; None if no slot has weight."""
        best, winner = -1.0, None
        for share in self._shares:
            score = share.weight / -math.log(_unit(share.slot, value))
            if score > best:
                best, winner = score, share.slot
        return winner

    def has(self, slot: str) -> bool:
        """Whether the slot has weight, so that its users may stay."""
        return slot in self._slots


def _unit(slot: str, value: bytes) -> float:
    """A number strictly between 0 and 1 that only the slot and the value decide."""
    digest = hashlib.blake2b(value, digest_size=8, key=slot.encode()[:64]).digest()
    return (int.from_bytes(digest, "big") + 1) / (2**64 + 2)
