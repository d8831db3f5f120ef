"""What the Kubernetes platform is told about a cluster and about what is to run there.

Plain frozen data, so that the command line reads it without importing an SDK. What describes a *slot*
(`SlotSettings`) is recorded with the slot as its options and read back from there; the rest says where things are.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, Literal

RouterKind = Literal["gateway", "grpc", "nginx", "istio", "traefik"]
"""The routers there are; each has a file in `routers/`."""


@dataclass(frozen=True, slots=True)
class ResourceSettings:
    """What a container asks for and may use, in Kubernetes' quantities."""

    requests: Mapping[str, str] = field(default_factory=lambda: {"cpu": "100m", "memory": "128Mi"})
    limits: Mapping[str, str] = field(default_factory=lambda: {"memory": "512Mi"})


@dataclass(frozen=True, slots=True)
class AutoscalingSettings:
    """A HorizontalPodAutoscaler for each slot."""

    minimum: int = 2
    maximum: int = 10
    cpu: int | None = 70
    """Percent of the requested CPU to keep to."""
    memory: int | None = None
    """Percent of the requested memory to keep to."""


@dataclass(frozen=True, slots=True)
class SpreadSettings:
    """How the pods of a slot are spread over nodes or zones."""

    key: str = "kubernetes.io/hostname"
    max_skew: int = 1
    required: bool = False
    """Whether a pod that cannot be placed so waits, instead of being placed as well as can be."""


@dataclass(frozen=True, slots=True)
class SecuritySettings:
    """What the processes of a slot may do. The defaults are those of the "restricted" pod security standard."""

    non_root: bool = True
    user: int | None = None
    group: int | None = None
    fs_group: int | None = None
    read_only: bool = False
    """Whether the root file system is read-only; `/tmp` stays writable."""
    seccomp: str | None = "RuntimeDefault"
    drop: tuple[str, ...] = ("ALL",)
    add: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class SlotSettings:
    """What every new slot is like; recorded with it."""

    replicas: int = 2
    port: int = 8080
    port_name: str = "http"
    """The name of the container's and the Service's port."""
    service_port: int = 80
    app_protocol: str | None = None
    """For example `kubernetes.io/h2c`, which gateways want for gRPC in plain text."""
    resources: ResourceSettings = ResourceSettings()
    autoscaling: AutoscalingSettings | None = None
    min_available: int | str | None = "50%"
    """Of the PodDisruptionBudget; None: there is none."""
    max_surge: int | str = "25%"
    progress_deadline: int | None = None
    """Seconds; None: as long as the readiness timeout."""
    termination_grace: int = 30
    """Seconds that a pod has to end."""
    drain: int = 5
    """Seconds that a pod goes on serving after it was told to end, while routers forget it."""
    liveness: str | None = None
    """Path whose failure has a pod restarted; None: it is enough that the port accepts connections."""
    spread: tuple[SpreadSettings, ...] = (SpreadSettings(), SpreadSettings("topology.kubernetes.io/zone"))
    security: SecuritySettings = SecuritySettings()
    service_account: str | None = None
    mount_token: bool = False
    """Whether pods get the ServiceAccount's token."""
    image_pull_secrets: tuple[str, ...] = ()
    labels: Mapping[str, str] = field(default_factory=dict)
    annotations: Mapping[str, str] = field(default_factory=dict)
    node_selector: Mapping[str, str] = field(default_factory=dict)
    tolerations: tuple[Mapping[str, Any], ...] = ()
    priority_class: str | None = None
    flags_mount: str | None = "/etc/launch/flags"
    """Where the ConfigMap with the flags is mounted; None: nowhere."""

    def to_options(self) -> dict[str, Any]:
        """Return everything as plain JSON values, to be recorded as `SlotSpec.options`."""
        found: dict[str, Any] = json.loads(json.dumps(asdict(self)))
        return found

    @classmethod
    def from_options(cls, options: Mapping[str, Any]) -> SlotSettings:
        """Return the inverse of `to_options`; what an older record lacks has its default."""
        raw = dict(options)
        found: dict[str, Any] = {}
        for name, kind in _NESTED.items():
            if raw.get(name) is not None:
                found[name] = kind(**{key: _tupled(value) for key, value in raw.pop(name).items()})
        if "spread" in raw:
            found["spread"] = tuple(SpreadSettings(**entry) for entry in raw.pop("spread"))
        return cls(**{key: _tupled(value) for key, value in raw.items()}, **found)


_NESTED: Mapping[str, type] = {
    "resources": ResourceSettings,
    "autoscaling": AutoscalingSettings,
    "security": SecuritySettings,
}


def _tupled(value: Any) -> Any:  # noqa: ANN401
    return tuple(value) if isinstance(value, list) else value


@dataclass(frozen=True, slots=True)
class MatchSettings:
    """The users of an A/B test: those whose request has this header or cookie."""

    header: str | None = None
    cookie: str | None = None
    value: str = "always"
    regex: bool = False


@dataclass(frozen=True, slots=True)
class RouterSettings:
    """Where users come in, and what splits them."""

    kind: RouterKind = "gateway"
    gateway: str | None = None
    """The Gateway (Gateway API, Istio) that routes attach to."""
    gateway_namespace: str | None = None
    """Its namespace; None: the platform's."""
    section: str | None = None
    """Its listener; None: all."""
    hostnames: tuple[str, ...] = ()
    path: str = "/"
    """Prefix of the paths that are routed."""
    url: str | None = None
    """Where users come in, for gates and synthetic users; None: it is asked of the Gateway, or forwarded to."""
    match: MatchSettings | None = None
    """Only these users are split; None: all."""
    grpc_service: str | None = None
    grpc_method: str | None = None
    ingress_class: str | None = None
    """The class of the Ingresses (nginx)."""
    entry_points: tuple[str, ...] = ("web",)
    """The entry points of the IngressRoute (traefik)."""
    tls_secret: str | None = None
    """Secret with the certificate, where the router ends TLS itself (nginx, traefik)."""
    annotations: Mapping[str, str] = field(default_factory=dict)
    adopt: str | None = None
    """Name of a route that exists already and is taken over; None: the route is ours and named after the service."""


@dataclass(frozen=True, slots=True)
class MigrationSettings:
    """Who moves the schema."""

    kind: Literal["alembic", "job"] = "alembic"
    """From here, against the database's URL, or by a Job in the cluster."""
    image: str | None = None
    """The image of the Job; None: that of the release."""
    up: tuple[str, ...] = ("alembic", "upgrade", "${REVISION}")
    down: tuple[str, ...] = ("alembic", "downgrade", "${REVISION}")
    timeout: float = 600.0
    """Seconds that a Job may take."""
    retries: int = 0
    """How often a pod that failed is tried again."""
    keep: int = 86400
    """Seconds that a finished Job stays to be read."""
    resources: ResourceSettings = ResourceSettings()
    service_account: str | None = None
    environment: Mapping[str, str] = field(default_factory=dict)
    secret: str | None = None
    """An existing Secret whose keys become environment variables of the Job."""
    current: tuple[str, ...] = ("alembic", "current")
    """Prints the revision of the schema, alone on a line, or nothing for an empty one; without it the record of earlier
    Jobs counts."""
    starts_at: str | None = None
    """The revision that the schema has before the first launch, `base` for an empty one; needed without `current`."""
    revisions: tuple[str, ...] = ()
    """All revisions, oldest first, where no Alembic scripts tell what is up and what is down."""
    log_lines: int = 50
    """How many of a Job's last lines are kept."""
    annotations: Mapping[str, str] = field(default_factory=dict)
    """Annotations of the Job's pods, such as one that keeps a mesh's sidecar out."""


@dataclass(frozen=True, slots=True)
class AdoptSettings:
    """What runs already and becomes the first slot."""

    deployment: str
    service: str
    container: str | None = None
    """The container that is the service; None: the one that the Service's port leads to."""
    retire: Literal["keep", "delete"] = "keep"
    """What becomes of both when their slot is retired: let go of and left running, or deleted."""


@dataclass(frozen=True, slots=True)
class KubernetesSettings:
    """A cluster, a namespace in it, and how things are run there."""

    kubeconfig: str | None = None
    """Path of a kubeconfig; None: `KUBECONFIG`, `~/.kube/config`, or the pod's own ServiceAccount."""
    context: str | None = None
    """The kubeconfig's context; None: its current one."""
    namespace: str = "default"
    router: RouterSettings = RouterSettings()
    slot: SlotSettings = SlotSettings()
    migration: MigrationSettings = MigrationSettings()
    flags: Literal["configmap", "operator"] = "configmap"
    """flagd's JSON in a ConfigMap, or the OpenFeature Operator's FeatureFlag."""
    adopt: AdoptSettings | None = None
    force_conflicts: bool = True
    """Whether what another field manager has changed is taken back."""
    request_timeout: float = 10.0
    """Seconds that one call of the API may take."""
    slot_urls: Mapping[str, str] = field(default_factory=dict)
    """By slot, an address at which gates reach it; without one they use a port-forward."""
