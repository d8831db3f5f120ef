"""What every platform offers: the same four components, from the same descriptions.

A platform is a folder beside `local/` with a class that satisfies `Platform`, and one line in `platforms.py`.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from contextlib import AbstractContextManager
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    import pulumi


class PlatformError(Exception):
    """A platform cannot do what is asked of it; `str()` says what, why, and what would help."""


@dataclass(frozen=True, slots=True)
class ReadinessSpec:
    """When a slot is ready: GET `path` answers `status` within `timeout` seconds."""

    path: str = "/health"
    status: int = 200
    timeout: float = 15.0
    interval: float = 0.1


ADOPTED = "adopted"
"""The key of `SlotSpec.options` under which a platform keeps what it must know of a slot that was there before."""


@dataclass(frozen=True, slots=True)
class SlotSpec:
    """One release of one service in one slot; all that is needed to start it again elsewhere or later."""

    service: str
    slot: str
    image: str
    digest: str
    artifact: str
    """Where the image is: a path, or a reference that the platform pulls."""
    command: tuple[str, ...] = ()
    environment: Mapping[str, str] = field(default_factory=dict, repr=False)
    secret_keys: tuple[str, ...] = ()
    """Keys of `environment` whose values are secret."""
    readiness: ReadinessSpec | None = None
    options: Mapping[str, Any] = field(default_factory=dict)
    """What else the platform wants to know of a slot, as its own settings said when the slot was described."""

    @property
    def name(self) -> str:
        """Return the resource name."""
        return f"{self.service}-{self.slot}"

    @property
    def adopted(self) -> bool:
        """Return whether it ran before launch: then it is taken in as it is, and not made from its image."""
        return ADOPTED in self.options

    def to_json(self) -> str:
        """Return everything as JSON, secrets in plain text: only ever pass it on as a secret."""
        return json.dumps(asdict(self), sort_keys=True)

    @classmethod
    def from_json(cls, text: str) -> SlotSpec:
        """Return the inverse of `to_json`."""
        raw = json.loads(text)
        readiness = raw.pop("readiness")
        return cls(
            **{
                **raw,
                "command": tuple(raw["command"]),
                "secret_keys": tuple(raw["secret_keys"]),
                "readiness": None if readiness is None else ReadinessSpec(**readiness),
            }
        )


@dataclass(frozen=True, slots=True)
class BackendSpec:
    """A slot behind the router: its address and its percent of the users."""

    slot: str
    url: str
    weight: int


@dataclass(frozen=True, slots=True)
class SplitSpec:
    """Who gets how many users."""

    service: str
    backends: tuple[BackendSpec, ...]
    host: str = "127.0.0.1"
    port: int = 0
    cookie: str | None = None
    header: str | None = None
    stable: str | None = None
    """The slot that users were on before the launch, if any."""
    hostnames: tuple[str, ...] = ()
    """The hosts whose users these are, where routers tell services apart by them; without any, the router's own."""
    path: str = ""
    """Likewise the prefix of the paths."""
    own: bool = True
    """Whether it is the service that the environment's router settings are about."""


@dataclass(frozen=True, slots=True)
class SchemaSpec:
    """The revision a database's schema is to have."""

    service: str
    url: str = field(repr=False)
    scripts: str
    """Alembic's script directory; empty where the release's own image moves the schema."""
    revision: str
    snapshot: bool = False
    image: str = ""
    """The release, as the platform pulls it."""


@dataclass(frozen=True, slots=True)
class FlagsSpec:
    """The flags of a service, as flagd's JSON has them."""

    service: str
    flags: Mapping[str, Mapping[str, Any]]


@dataclass(frozen=True, slots=True)
class Placed:
    """What a component answers: outputs by name, and the component to depend on."""

    component: pulumi.Resource
    outputs: Mapping[str, pulumi.Output[Any]]


class Platform(Protocol):
    """Where a release runs.

    The components are registered in programs; the rest is asked by gates and commands, outside of any update.
    """

    def environment(self, service: str) -> Mapping[str, str]:
        """Return the environment variables that every slot of a service gets, such as where its flags are."""
        ...

    def slot_options(self) -> Mapping[str, Any]:
        """Return what the platform's settings say of a new slot, as JSON-able values; see `SlotSpec.options`."""
        ...

    def service(self, spec: SlotSpec) -> Placed:
        """Register a slot; outputs `url`, `log`, `digest`."""
        ...

    def traffic_split(self, spec: SplitSpec, *, after: Placed | None) -> Placed:
        """Register the router; outputs `url`, `admin`."""
        ...

    def migration(self, spec: SchemaSpec) -> Placed:
        """Register the schema; outputs `revision`, `previous`."""
        ...

    def feature_flags(self, spec: FlagsSpec) -> Placed:
        """Register the flags; outputs `path`, `digest`."""
        ...

    def problems(self) -> Iterable[str]:
        """Return what would keep a launch from working here, such as a permission that is missing, a sentence each."""
        ...

    def reach(self, service: str) -> Callable[[str], AbstractContextManager[str]]:
        """Return what makes the address of a service's slot one that answers from here, while its context lasts."""
        ...

    def rollout(self, service: str, url: str | None) -> Any:  # noqa: ANN401
        """Return who looks after the instances of a service (`phases.gates.base.Rollout`); None where nobody does.

        Args:
            service: whose instances.
            url: where the slot answers that is looked after; it tells an adopted one, which has names of its own.
        """
        ...

    def flag_file(self, source: str) -> str:
        """Return the file that holds, now, the flags at what the flags' output `path` says."""
        ...

    def adopted(self, service: str, slot: str) -> SlotSpec | None:
        """Return what already runs, as the slot that it becomes; None where the settings name nothing to adopt.

        Raises:
            PlatformError: it is not there, or is not what a slot is.
        """
        ...
