"""The ledger: the stack `ENV` holds the launch record and is the launch lock. There is no other database.

Its outputs are `launch`, the record, and `vault`, one secret: the configuration as the launch pinned it, the
checkpoint of every phase stack before the running launch, and those of earlier launches. All of it is recorded in
the same update that takes the lock, and so before anything is changed: whatever kills the process afterwards, the
way back is there. (A phase stack's own outputs would not do: the engine records them when a program ends, and an
update that is killed half way never gets there. See docs/decisions/0001.)
"""

from __future__ import annotations

import json
import re
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from phases.errors import EngineError, EnvironmentBusy, UpdateConflict, UpdateFailed
from stacks import parachute
from stacks.checkpoint import Checkpoint
from stacks.engine import StackHandle
from stacks.parachute import Parachute

_OWNING = ("RUNNING", "PAUSED")
_WAIT_FOR_NAME_SECONDS = 4.0


@dataclass(frozen=True, slots=True)
class Archived:
    """What the environment's stacks were after an earlier launch."""

    launch: str
    image: str
    stacks: Mapping[str, str] = field(repr=False)
    """By phase id, the encoded checkpoint."""

    def checkpoint(self, phase: str) -> Checkpoint | None:
        """Return the checkpoint of a phase's stack."""
        text = self.stacks.get(phase)
        return parachute.decode(text).checkpoint if text else None


@dataclass(frozen=True, slots=True)
class Vault:
    """What only the launch itself may read; kept as one secret."""

    pinned: Mapping[str, Any] = field(default_factory=dict, repr=False)
    """The configuration of the launch, so that a changed file does not change a running plan."""
    before: Mapping[str, str] = field(default_factory=dict, repr=False)
    """By phase id, the encoded parachute."""
    archive: tuple[Archived, ...] = field(default=(), repr=False)
    """Earlier launches, the newest first."""

    def to_json(self) -> str:
        """Return everything as JSON with secrets in plain text: only ever pass it on as a secret."""
        archive = [{"launch": a.launch, "image": a.image, "stacks": dict(a.stacks)} for a in self.archive]
        return json.dumps({"pinned": dict(self.pinned), "before": dict(self.before), "archive": archive})

    @classmethod
    def from_json(cls, text: str) -> Vault:
        """Return the inverse of `to_json`."""
        raw = json.loads(text)
        return cls(raw["pinned"], raw["before"], tuple(Archived(**item) for item in raw["archive"]))

    def parachute(self, phase: str, launch: str) -> Checkpoint | None:
        """Return what the phase's stack was before that launch; None where there was nothing.

        Raises:
            EngineError: the vault does not know; going on would destroy what it should put back.
        """
        text = self.before.get(phase)
        if text is None:
            raise EngineError(f"the ledger holds no checkpoint of phase {phase!r} from before launch {launch}")
        return parachute.decode(text).checkpoint


def pack(launch: str, checkpoint: Checkpoint | None) -> str:
    """Return a checkpoint as the vault keeps it."""
    return parachute.encode(Parachute(launch, checkpoint))


@dataclass(frozen=True, slots=True)
class Entry:
    """What the ledger holds."""

    record: Mapping[str, Any] | None = None
    vault: Vault = Vault()


class Ledger:
    """The record of an environment.

    Args:
        handle: the stack `ENV`.
    """

    def __init__(self, handle: StackHandle) -> None:
        self._handle = handle

    def read(self) -> Entry:
        """Return what is recorded; an empty entry where nothing was ever launched."""
        outputs = self._handle.outputs(secrets=True)
        record = outputs.get("launch")
        vault = outputs.get("vault")
        return Entry(record if isinstance(record, dict) else None, Vault.from_json(vault) if vault else Vault())

    def begin(
        self,
        record: Mapping[str, Any],
        vault: Vault,
        *,
        seen: str | None,
        message: str,
        may_take: Callable[[Mapping[str, Any]], bool] = lambda _: False,
    ) -> None:
        """Take the environment: record the launch, unless another one owns it.

        The recorded state is read while the update holds the stack's lock.

        Args:
            record: the new launch's record.
            vault: its secrets; the checkpoints in it were taken when `seen` was the last launch.
            seen: id of the launch that was recorded when the checkpoints were taken.
            message: of the update.
            may_take: says whether a recorded launch that owns the environment may be taken over.

        Raises:
            EnvironmentBusy: another launch owns the environment, or was quicker.
        """

        def check() -> None:
            current = self._handle.outputs().get("launch")
            if not isinstance(current, dict):
                return
            if current.get("state") in _OWNING and not may_take(current):
                raise EnvironmentBusy(describe(current), launch=current.get("id"))
            if current.get("id") != seen:
                raise EnvironmentBusy(
                    f"launch {current.get('id')} of {current.get('environment')} came in between and is "
                    f"{current.get('state')}; start again",
                    launch=current.get("id"),
                )

        try:
            self._write(record, vault, message=message, first=check)
        except UpdateConflict as conflict:
            raise self._named(conflict) from conflict
        except UpdateFailed as failure:
            if isinstance(failure.__cause__, EnvironmentBusy):
                raise failure.__cause__ from None
            raise

    def write(self, record: Mapping[str, Any], vault: Vault, *, message: str) -> None:
        """Record a new state of the launch that owns the environment."""
        self._write(record, vault, message=message)

    def _write(
        self, record: Mapping[str, Any], vault: Vault, *, message: str, first: Callable[[], None] | None = None
    ) -> None:
        secret = vault.to_json()  # what cannot be written must fail before the engine starts

        def program() -> None:
            import pulumi

            if first is not None:
                first()
            pulumi.export("launch", dict(record))
            pulumi.export("vault", pulumi.Output.secret(secret))

        self._handle.update(program, message=message)

    def _named(self, conflict: UpdateConflict) -> EnvironmentBusy:
        """Say whose lock it is: the other one is just recording itself."""
        waiting = threading.Event()
        until = time.monotonic() + _WAIT_FOR_NAME_SECONDS
        while True:
            current = self._handle.outputs().get("launch")
            if isinstance(current, dict) and current.get("state") in _OWNING:
                return EnvironmentBusy(describe(current), launch=current.get("id"))
            if time.monotonic() >= until:
                return EnvironmentBusy(f"{conflict} If no launch is running, `launch resume` clears the lock.")
            waiting.wait(0.3)


def describe(record: Mapping[str, Any]) -> str:
    """Return the sentence that names the launch which owns an environment."""
    release = record.get("release") or {}
    since = re.sub(r"\.\d+", "", str(record.get("started", "")))
    return (
        f"launch {record.get('id')} of {release.get('image')} is {record.get('state')} in {record.get('environment')}: "
        f"started by {record.get('by')} (pid {record.get('pid')}) at {since}"
    )
