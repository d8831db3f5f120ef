"""What the engine tells about a stack: frozen results and events, free of Pulumi's own classes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Literal


@dataclass(frozen=True, slots=True)
class ResourceChange:
    """One resource of an update and what was done with it.

    Attributes:
        urn: the resource's URN.
        type: its type token, for example `launch:local:Router`.
        name: its logical name.
        op: the engine's operation: `same`, `create`, `update`, `delete`, `replace`, `create-replacement`, ...
    """

    urn: str
    type: str
    name: str
    op: str


@dataclass(frozen=True, slots=True)
class Update:
    """A finished (or, from a preview, a planned) update of one stack.

    Attributes:
        stack: the stack's name.
        message: the message it was recorded with.
        changes: how many resources underwent each operation, `{"create": 2, "same": 1}`.
        seconds: wall time of the whole run of the engine.
        resources: the steps, in the order in which the engine began them.
    """

    stack: str
    message: str
    changes: Mapping[str, int]
    seconds: float
    resources: tuple[ResourceChange, ...]

    @property
    def changed(self) -> bool:
        """Whether anything is different from before."""
        return any(count for op, count in self.changes.items() if op not in {"same", "read", "refresh"})


@dataclass(frozen=True, slots=True)
class HistoryEntry:
    """One line of a stack's history, as `pulumi stack history` shows it.

    Attributes:
        version: the number of the update, counted from 1.
        message: what it was recorded with.
        result: `succeeded`, `failed` or `in-progress`.
        kind: `update`, `destroy`, `refresh`, ...
        started: when it began (UTC).
        ended: when it ended (UTC), None while it runs.
        changes: how many resources underwent each operation.
    """

    version: int
    message: str
    result: str
    kind: str
    started: datetime
    ended: datetime | None
    changes: Mapping[str, int]

    @classmethod
    def parse(cls, entry: Mapping[str, Any], number: int) -> HistoryEntry:
        """Reads an entry of `pulumi stack history --json`, or of a directory backend's own record.

        Args:
            entry: the entry; the record has its times in seconds since the epoch.
            number: its version where the backend counts none.
        """
        ended = entry.get("endTime")
        return cls(
            version=int(entry.get("version") or number),
            message=str(entry.get("message") or ""),
            result=str(entry.get("result") or ""),
            kind=str(entry.get("kind") or ""),
            started=_time(entry["startTime"]),
            ended=_time(ended) if ended else None,
            changes={str(op): int(count) for op, count in (entry.get("resourceChanges") or {}).items()},
        )


@dataclass(frozen=True, slots=True)
class ResourceEvent:
    """Something happened to a resource while an update runs.

    Attributes:
        kind: the operation `started`, is `done` or has `failed`; or the engine or the program said something
            (`message`).
        urn: the resource, empty for a message that belongs to none.
        type: its type token.
        name: its logical name.
        op: the operation, empty for a message.
        severity: of a message: `info`, `info#err`, `warning` or `error`.
        text: the message, with secrets masked by the engine.
    """

    kind: Literal["started", "done", "failed", "message"]
    urn: str
    type: str
    name: str
    op: str = ""
    severity: str = ""
    text: str = ""


@dataclass(frozen=True, slots=True)
class ConfigValue:
    """A value of `Pulumi.ENV.yaml`.

    Attributes:
        value: the parsed value: text, number, list or mapping.
        secret: whether it is (or holds) a secret, which must then reach no log and no plain file.
    """

    value: Any
    secret: bool

    def __repr__(self) -> str:
        return f"ConfigValue({'[secret]' if self.secret else repr(self.value)})"


@dataclass(frozen=True, slots=True)
class StackSettings:
    """How the secrets of the environment's stacks are encrypted; the keys of `Pulumi.ENV.yaml` that say so.

    Attributes:
        secretsprovider: for example `passphrase` or `awskms://alias/shop`; None is the backend's default.
        encryptedkey: the data key, encrypted by a cloud's key service.
        encryptionsalt: the salt that goes with a passphrase.
    """

    secretsprovider: str | None = None
    encryptedkey: str | None = None
    encryptionsalt: str | None = None


def _time(found: str | int) -> datetime:
    if isinstance(found, int):
        return datetime.fromtimestamp(found, UTC)
    return datetime.strptime(found, "%Y-%m-%dT%H:%M:%S.%fZ").replace(tzinfo=UTC)
