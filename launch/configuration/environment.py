"""The settings of an environment: the `launch:` keys of `Pulumi.ENV.yaml`."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Literal

from pydantic import (
    AfterValidator,
    BeforeValidator,
    Field,
    PlainSerializer,
    StringConstraints,
    ValidationInfo,
    field_validator,
    model_validator,
)

from components.kubernetes import settings as kubernetes_platform
from launch.configuration.kubernetes import KubernetesSettings
from launch.configuration.metrics import MetricsSettings
from launch.configuration.names import FORM, is_image
from phases.durations import Duration
from phases.flags import FlagSpec
from phases.model import Settings
from phases.spec import TrafficStep
from phases.thresholds import OnInconclusive, Thresholds

NAMESPACE = "launch"
"""The namespace of our keys in Pulumi's configuration."""

Platform = Literal["local", "kubernetes"]
"""The platforms there are; each has a folder in `components/`."""


def _absolute(path: Path, info: ValidationInfo) -> Path:
    root = (info.context or {}).get("root")
    return path if root is None or path.is_absolute() else Path(root) / path


def _text(value: object) -> object:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int):
        return str(value)
    if isinstance(value, float):
        # 1.10 has already become 1.1, and nobody knows which of the two the service expects.
        raise ValueError(f'a number with a point must be quoted, so that it stays as it is written: "{value}"')  # noqa: TRY004
    return value


def _database_url(url: str, info: ValidationInfo) -> str:
    scheme, separator, rest = url.partition("://")
    if not separator or scheme.split("+")[0] not in ("sqlite", "postgresql", "postgres"):
        raise ValueError("it must be the URL of a database: sqlite:///FILE or postgresql://USER:PASSWORD@HOST/NAME")
    root = (info.context or {}).get("root")
    file = rest.removeprefix("/")
    if (
        root is None
        or not scheme.startswith("sqlite")
        or not rest.startswith("/")
        or file.startswith(("/", ":", "file:"))
    ):
        return url
    return f"{scheme}:///{(Path(root) / file).as_posix()}" if file else url


ServiceName = Annotated[
    str,
    StringConstraints(pattern=r"^[a-z][a-z0-9-]{0,39}$"),
    Field(json_schema_extra={"patternErrorMessage": "a name of lower-case letters, digits and -, at most 40"}),
]

ProjectPath = Annotated[Path, AfterValidator(_absolute), PlainSerializer(str, return_type=str)]
"""A path; a relative one starts at the project's directory."""

Text = Annotated[str, BeforeValidator(_text, json_schema_input_type=str | int | bool)]
"""Text; whole numbers and truth values become what was written."""


class Readiness(Settings):
    """How a slot says that it can serve."""

    path: str = Field(
        default="/health", pattern="^/", json_schema_extra={"patternErrorMessage": "a path that starts with /"}
    )
    """What is asked of a new slot until it answers."""
    status: int = Field(default=200, ge=100, le=599)
    """The HTTP status that means ready."""
    timeout: Duration = Field(default=30.0, gt=0)
    """After this a slot that is not ready counts as failed."""
    interval: Duration = Field(default=0.2, gt=0)
    """How often it is asked."""


class ServiceSettings(Settings):
    """The service and how it is started."""

    name: str = Field(
        default="",
        pattern=r"^([a-z][a-z0-9-]{0,39})?$",
        json_schema_extra={"patternErrorMessage": "a name of lower-case letters, digits and -, at most 40"},
    )
    """Its name in stacks and outputs; without one, the project's."""
    environment: Mapping[str, Text] = Field(default_factory=dict, repr=False)
    """Environment variables of its processes; the values may be secret."""
    command: tuple[str, ...] | None = None
    """The program and its arguments, `${PORT}` and `${ARTIFACT}` filled in; without one, what the artifact says."""
    readiness: Readiness = Readiness()
    """How a new slot says that it can serve."""
    health: str = Field(
        default="/health", pattern="^/", json_schema_extra={"patternErrorMessage": "a path that starts with /"}
    )
    """The path that the breaker's health checks ask."""

    @field_validator("command")
    @classmethod
    def _has_a_program(cls, command: tuple[str, ...] | None) -> tuple[str, ...] | None:
        if command is not None and not (command and command[0]):
            raise ValueError("it must begin with a program: [program, argument, ...]")
        return command


class CompanionSettings(ServiceSettings):
    """Another service of the same release train: its slots are started with the service's, its users move with it."""

    image: Text = Field(min_length=1)
    """What is launched of it, `name:tag` or `name@sha256:...`."""
    hostnames: tuple[str, ...] = ()
    """On Kubernetes, the hosts whose users are this service's; without any, those of the router."""
    path: str = Field(
        default="", pattern="^(/.*)?$", json_schema_extra={"patternErrorMessage": "a path that starts with /"}
    )
    """On Kubernetes, the prefix of the paths that are this service's; without one, that of the router."""

    @field_validator("image")
    @classmethod
    def _is_an_image(cls, image: str) -> str:
        if not is_image(image):
            raise ValueError(f"an image is written {FORM}")
        return image

    @field_validator("name")
    @classmethod
    def _is_named_by_its_key(cls, name: str) -> str:
        if name:
            raise ValueError("its key in `launch:services` is its name; leave this away")
        return name


class DatabaseSettings(Settings):
    """The database whose schema a migration phase moves."""

    url: Annotated[str, AfterValidator(_database_url)] = Field(repr=False)
    """SQLAlchemy's URL of it, `sqlite:///FILE` or `postgresql://...`; may be secret."""
    schema_name: str | None = Field(default=None, alias="schema", min_length=1)
    """The Postgres schema that holds the tables."""
    snapshot: bool = False
    """Keep a restorable copy before each migration, for those that have no way down."""
    scripts: ProjectPath | None = None
    """Alembic's script directory; without one, the `migrations` of the artifact."""


class RegistrySettings(Settings):
    """Where images come from."""

    kind: Literal["local", "oci"] = "local"
    """`local` is a directory of artifacts, `oci` any registry of container images; each platform has its default."""
    path: ProjectPath = Field(default=Path(".launch/registry"), validate_default=True)
    """The directory of a local registry."""
    prefix: str = Field(
        default="",
        pattern=r"^([^\s/]+(/[^\s/]+)*)?$",
        json_schema_extra={"patternErrorMessage": "a host and a path without a scheme, such as ghcr.io/team"},
    )
    """What is put before images that name no registry, such as `ghcr.io/team`; of `oci` alone."""
    insecure: bool = False
    """Speak HTTP instead of HTTPS; a registry on this machine is always spoken to like that. Of `oci` alone."""
    aliases: tuple[str, ...] = ()
    """Names by which gates may call this registry, for example `ecr`."""

    @property
    def names(self) -> tuple[str, ...]:
        """Return everything the registry is called; the empty name is that of a gate which names none."""
        return ("", self.kind, *self.aliases)


class Sticky(Settings):
    """What keeps a user on the slot that answered first."""

    cookie: str | None = Field(default=None, min_length=1)
    """The name of the cookie that the router sets."""
    header: str | None = Field(default=None, min_length=1)
    """The name of the request header that tells users apart."""

    @model_validator(mode="after")
    def _one_of_them(self) -> Sticky:
        if (self.cookie is None) == (self.header is None):
            raise ValueError("it must have exactly one of cookie and header")
        return self


class RouterSettings(Settings):
    """Where users come in."""

    host: str = "127.0.0.1"
    """The address it listens on."""
    port: int = Field(default=0, ge=0, le=65535)
    """The port it listens on; 0 takes a free one and keeps it."""
    sticky: Sticky | None = None
    """What keeps a user on one slot; without it, each request is dealt by weight."""


class PhaseOverrides(Settings):
    """What differs in one phase in this environment. Each key replaces that of the phase in `launch.yaml`."""

    timeout_ms: int | None = Field(default=None, gt=0)
    """Milliseconds after which the phase is cancelled and rolled back."""
    thresholds: Thresholds | None = None
    """Limits; those that are set go before every other."""
    on_inconclusive: OnInconclusive | None = None
    """What to do when a gate cannot tell."""
    steps: tuple[TrafficStep, ...] | None = None
    """Weights and bakes of a traffic phase."""
    window: Duration | None = None
    """How long a `post_launch` phase watches."""
    synthetic: str | None = None
    """File with the synthetic transactions."""
    synthetic_runs: int | None = Field(default=None, ge=1)
    """How often each synthetic transaction runs."""


class EnvironmentSettings(Settings):
    """An environment."""

    platform: Platform = "local"
    """Where the service runs."""
    service: ServiceSettings = ServiceSettings()
    """The service."""
    services: Mapping[ServiceName, CompanionSettings] = Field(default_factory=dict)
    """Services that are launched together with it, in the same updates, by their names."""
    services_per_stack: int = Field(default=10, ge=1)
    """How many services a deploy stack may hold; more of them are spread over several, one deployed after the other."""
    database: DatabaseSettings | None = None
    """The database that belongs to it."""
    tier: str | None = None
    """The set of limits, of `launch.tiers`, that the service is in."""
    rollback_threshold: Thresholds | None = None
    """Limits that differ in this environment."""
    flags: tuple[FlagSpec, ...] = ()
    """Flags of this environment; one that `launch.yaml` has too is replaced."""
    registry: RegistrySettings = Field(default_factory=RegistrySettings, validate_default=True)
    """Where images come from."""
    metrics: MetricsSettings | None = None
    """Where the breaker reads what users meet; without it, at the router of the local platform."""
    kubernetes: KubernetesSettings | None = None
    """The cluster; of the platform `kubernetes` alone."""
    router: RouterSettings = RouterSettings()
    """Where users come in."""
    keep_previous: bool | None = None
    """Keep the old slot running after the launch; goes before `launch.keep_previous`."""
    synthetic: str | None = None
    """File with the synthetic transactions, for health phases that name none."""
    on_interrupt: Literal["rollback", "pause"] = "rollback"
    """What Ctrl-C, SIGTERM and a closed terminal do to a running launch."""
    variables: Mapping[str, Text] = Field(default_factory=dict, repr=False)
    """Variables of `launch.yaml` that neither the command line nor the process's environment sets."""
    history: int = Field(default=5, ge=0)
    """How many earlier launches `rollback --to` can go back to."""
    phases: Mapping[str, PhaseOverrides] = Field(default_factory=dict)
    """What differs in single phases, by their id."""

    @model_validator(mode="after")
    def _services_have_names_of_their_own(self) -> EnvironmentSettings:
        if self.service.name in self.services:
            raise ValueError(f"{self.service.name} is the service itself; under services come those launched with it")
        return self

    @field_validator("registry")
    @classmethod
    def _has_a_kind(cls, registry: RegistrySettings, info: ValidationInfo) -> RegistrySettings:
        """Fill in the platform's own kind of registry where none is written."""
        if info.data.get("platform") == "local" or "kind" in registry.model_fields_set:
            return registry
        return registry.model_copy(update={"kind": "oci"})

    @model_validator(mode="after")
    def _fits_its_platform(self) -> EnvironmentSettings:
        if self.kubernetes is not None and self.platform != "kubernetes":
            raise ValueError("launch:kubernetes says where a cluster is; write launch:platform: kubernetes to use it")
        if self.registry.kind == "local" and (self.registry.prefix or self.registry.insecure):
            raise ValueError("registry.prefix and insecure are of a registry of container images; write kind: oci")
        if self.platform == "kubernetes" and self.registry.kind == "local":
            raise ValueError("a cluster pulls no images from a directory; write launch:registry: {kind: oci}")
        return self

    @model_validator(mode="after")
    def _users_can_be_split_so(self) -> EnvironmentSettings:
        cluster, sticky = self.of_platform, self.router.sticky
        if cluster is None:
            return self
        from components.kubernetes import routers

        cookie, header = (sticky.cookie, sticky.header) if sticky is not None else (None, None)
        if found := routers.problems(cluster.router, cookie=cookie, header=header):
            raise ValueError("; ".join(found))
        unclear = [name for name, service in self.services.items() if not (service.hostnames or service.path)]
        if unclear:
            raise ValueError(
                f"services.{unclear[0]} has neither hostnames nor a path of its own, so the router could not tell its "
                "users from the service's; write one of them"
            )
        return self

    @property
    def of_platform(self) -> kubernetes_platform.KubernetesSettings | None:
        """Return what the platform itself is told, of one that has settings."""
        if self.platform != "kubernetes":
            return None
        return (self.kubernetes or KubernetesSettings()).to_platform()

    @property
    def router_kind(self) -> str:
        """Return what splits the users, as `launch:metrics` knows it."""
        cluster = self.of_platform
        return "local" if cluster is None else cluster.router.kind

    @property
    def moves_schema_by_image(self) -> bool:
        """Return whether the release's own image moves the schema, so that no scripts are needed here."""
        cluster = self.of_platform
        return cluster is not None and cluster.migration.kind == "job"
