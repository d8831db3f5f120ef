"""What somebody does who takes part."""

from __future__ import annotations

from typing import ClassVar, Protocol

from bench.race.stage import Stage


class Contestant(Protocol):
    """Brings the new version to half of the users, and takes it off them once the metrics say that it is bad.

    Methods are called in the order in which they stand here, `bake` to `rest` once a breach.

    Attributes:
        name: in the figures.
        settle: seconds that it is given between the move of the users and the breach.
        patience: seconds that it may take from the breach on.
    """

    name: ClassVar[str]
    settle: ClassVar[float]
    patience: ClassVar[float]

    def open(self, stage: Stage) -> None:
        """Start what it runs, in the stage's namespace, and have the stage see the route."""
        ...

    def bake(self) -> None:
        """Begin to give the new version half of the users; the race waits until they are there."""
        ...

    def verdict(self, since: float) -> float | None:
        """Return when it knew that the version was bad, after `since`, by the system's clock; None if it never said."""
        ...

    def rest(self) -> None:
        """Make ready for the next `bake`."""
        ...

    def close(self) -> None:
        """End what it started; called whatever happened."""
        ...
