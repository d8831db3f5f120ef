"""What a gate is, and all it may know of the launch it guards."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Any, ClassVar, Protocol

from phases.clock import Clock, SystemClock
from phases.flags import FlagSpec
from phases.kinds import PhaseKind
from phases.model import Settings
from phases.verdict import GateResult


class Moment(StrEnum):
    """When a gate is asked."""

    ENTRY = "entry"
    """Before the phase changes anything (VALIDATING)."""
    EXIT = "exit"
    """After the phase's updates (EXECUTING, before VERIFIED)."""
    ROLLBACK = "rollback"
    """After the phase was undone: is what was put back as good as it was?"""


@dataclass(frozen=True, slots=True)
class Release:
    """What is launched, pinned when the launch started."""

    image: str
    """As it was asked for: `name:tag` or `name@sha256:...`."""
    digest: str
    """`sha256:...`"""
    revision: str | None = None
    """The schema revision it needs; None where it has no migrations."""
    flags: tuple[str, ...] = ()
    """Keys of the flags that it switches on."""

    @property
    def name(self) -> str:
        """Return the image's name without tag or digest."""
        host, slash, last = self.image.split("@")[0].rpartition("/")  # a registry's port is no tag
        return host + slash + last.split(":")[0]


@dataclass(frozen=True, slots=True)
class PendingStatement:
    """One SQL statement that the release's migration would run."""

    revision: str
    sql: str


@dataclass(frozen=True, slots=True)
class StairwayOutcome:
    """Up, down and up again on a scratch copy of the real database."""

    ok: bool
    error: str | None = None
    """What went wrong, and at which revision in which direction."""
    irreversible: tuple[str, ...] = ()
    """Revisions that have no way down."""


class SchemaDatabase(Protocol):
    """The database as the schema gates need it; a platform supplies it."""

    @property
    def dialect(self) -> str:
        """Return `sqlite` or `postgres`."""
        ...

    @property
    def snapshot(self) -> bool:
        """Return whether a restorable copy is kept for migrations without a way down."""
        ...

    def pending(self) -> Sequence[PendingStatement]:
        """Return the SQL between the database's revision and the release's."""
        ...

    def stairway(self) -> StairwayOutcome:
        """Go up, down and up again on a scratch copy of the real database."""
        ...


class ImageRegistry(Protocol):
    """A registry of images, as the digest gate needs it."""

    def digest(self, image: str) -> str:
        """Return the digest that `image` has now.

        Raises:
            LookupError: there is no such image; the message names those there are.
        """
        ...


class RolloutProblem(Protocol):
    """What keeps a slot's instances from running."""

    @property
    def kind(self) -> str:
        """Return one word: `crash_loop`, `image_pull`, `configuration`, `quota`, `unschedulable`, `progress`, ..."""
        ...

    @property
    def message(self) -> str:
        """Return whom it is about and what the platform says of it."""
        ...

    @property
    def lasting(self) -> bool:
        """Return whether it is of no use to wait."""
        ...


class RolloutView(Protocol):
    """How the instances of a slot are."""

    @property
    def wanted(self) -> int:
        """Return how many there shall be."""
        ...

    @property
    def available(self) -> int:
        """Return how many of this release serve."""
        ...

    @property
    def complete(self) -> bool:
        """Return whether the platform calls the rollout done, and none but this release's instances are left."""
        ...

    @property
    def restarts(self) -> int:
        """Return how often instances were started anew because they had ended."""
        ...

    @property
    def problems(self) -> Sequence[RolloutProblem]:
        """Return what is wrong, the worst first."""
        ...

    @property
    def events(self) -> Sequence[str]:
        """Return the platform's latest warnings about the slot, oldest first."""
        ...


class Rollout(Protocol):
    """What looks after the instances of slots; a platform supplies it."""

    def look(self, slot: str) -> RolloutView:
        """Return how the instances of a slot are now.

        Raises:
            LookupError: there is no such slot.
            Exception: it could not be asked.
        """
        ...


@dataclass(frozen=True, slots=True)
class FlagView:
    """The flags as the launch knows them."""

    specs: tuple[FlagSpec, ...] = ()
    """Every flag that is defined."""
    variants: Mapping[str, str] = field(default_factory=dict)
    """The variant each flag should have at this moment of the launch."""
    source: str | None = None
    """Where they are evaluated: path of flagd's file."""


@dataclass(frozen=True, slots=True)
class GateContext:
    """All a gate may know. Built anew for each check; what a platform does not have is None."""

    environment: str
    phase: str
    kind: PhaseKind
    moment: Moment
    release: Release
    root: Path
    """The project's directory; relative paths of settings start here."""
    clock: Clock = field(default_factory=SystemClock)
    deadline: float = float("inf")
    """In `clock.monotonic()` seconds: a gate answers before this."""
    stop: threading.Event = field(default_factory=threading.Event)
    """Set when the answer is no longer wanted: a gate returns soon after."""
    slot: str | None = None
    """Name of the new slot."""
    slot_url: str | None = None
    """Where the new slot answers, past the router."""
    router_url: str | None = None
    """Where users come in."""
    deployed_digest: str | None = None
    """Digest of what really runs in the new slot, once it is deployed."""
    registries: Mapping[str, ImageRegistry] = field(default_factory=dict)
    """Registries by the name that settings use; "" is the environment's own."""
    rollout: Rollout | None = None
    """What looks after the slots' instances."""
    reach: Callable[[str], AbstractContextManager[str]] = nullcontext
    """Makes an address of a slot one that answers from here, for as long as the context lasts."""
    database: SchemaDatabase | None = None
    flags: FlagView = FlagView()
    document: Callable[[], Mapping[str, Any]] = dict
    """The whole launch as one JSON-able document, for policies."""
    undo_problems: Callable[[], Sequence[str]] = tuple
    """What could not be put back if this launch were undone, one sentence each."""
    secrets: tuple[str, ...] = ()
    """Values that must not appear in evidence."""


class Gate(Settings):
    """A gate's settings and its check. Subclasses are listed in `registry.py`."""

    type: ClassVar[str]
    """The name that the configuration uses."""

    @classmethod
    def moments(cls, kind: PhaseKind) -> frozenset[Moment]:
        """Return when the gate is asked in a phase of that kind, unless the configuration says otherwise."""
        del kind
        return frozenset({Moment.ENTRY})

    def problems(self, root: Path) -> tuple[str, ...]:
        """Return what is wrong with the settings beyond their form, one sentence each; asked before a launch starts.

        Args:
            root: the project's directory.
        """
        del root
        return ()

    def check(self, context: GateContext) -> GateResult:
        """Return the verdict. Never raises for what it was asked to find out."""
        raise NotImplementedError
