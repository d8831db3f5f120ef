"""The settings of the Kubernetes platform: `launch:kubernetes` in `Pulumi.ENV.yaml`."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, Field, PlainSerializer, StringConstraints, ValidationInfo, model_validator

from components.kubernetes import settings as platform
from phases.durations import Duration
from phases.model import Settings

_NAME = "a name of lower-case letters, digits, - and ., as Kubernetes has them"
_QUANTITY = "a quantity such as 100m, 1.5, 256Mi or 2Gi"


def _file(path: str, info: ValidationInfo) -> str:
    root = (info.context or {}).get("root")
    if root is None or path.startswith("~") or Path(path).is_absolute():
        return path  # `~` is recorded as it is, so that it means the home of whoever goes on or goes back
    return str(Path(root) / path)


Name = Annotated[
    str,
    StringConstraints(pattern=r"^[a-z0-9]([-a-z0-9.]{0,251}[a-z0-9])?$"),
    Field(json_schema_extra={"patternErrorMessage": _NAME}),
]
Quantity = Annotated[
    str,
    StringConstraints(pattern=r"^[0-9]+(\.[0-9]+)?([munkMGTPE]|[KMGTPE]i|e[0-9]+)?$"),
    Field(json_schema_extra={"patternErrorMessage": _QUANTITY}),
]
Percent = Annotated[
    str,
    StringConstraints(pattern=r"^(100|[1-9]?[0-9])%$"),
    Field(json_schema_extra={"patternErrorMessage": "a number of pods or a percentage such as 50%"}),
]
KubeconfigPath = Annotated[str, AfterValidator(_file), PlainSerializer(str, return_type=str)]
"""A path; a relative one starts at the project's directory, and `~` is the user's home."""


def _built(kind: type, settings: Settings, **given: Any) -> Any:  # noqa: ANN401
    """Return the platform's own dataclass with the same fields, without what makes it from what a person wrote."""
    fields = {name: getattr(settings, name) for name in type(settings).model_fields}
    return kind(**{**fields, **given})


class ResourceSettings(Settings):
    """What a container asks for and may use."""

    requests: Mapping[str, Quantity] = Field(default_factory=lambda: {"cpu": "100m", "memory": "128Mi"})
    """What the scheduler sets aside for each pod."""
    limits: Mapping[str, Quantity] = Field(default_factory=lambda: {"memory": "512Mi"})
    """What a pod may use at most. A limit on `cpu` slows a pod down though the node is idle, so there is none."""

    def to_platform(self) -> platform.ResourceSettings:
        """Return it for the platform."""
        return platform.ResourceSettings(dict(self.requests), dict(self.limits))


class AutoscalingSettings(Settings):
    """A HorizontalPodAutoscaler for each slot, which then decides how many pods there are."""

    minimum: int = Field(default=2, ge=1)
    """Fewest pods of a slot."""
    maximum: int = Field(default=10, ge=1)
    """Most pods of a slot."""
    cpu: int | None = Field(default=70, ge=1, le=1000)
    """Percent of the requested CPU to keep to."""
    memory: int | None = Field(default=None, ge=1, le=1000)
    """Percent of the requested memory to keep to."""

    @model_validator(mode="after")
    def _makes_sense(self) -> AutoscalingSettings:
        if self.minimum > self.maximum:
            raise ValueError(f"minimum {self.minimum} is more than maximum {self.maximum}")
        if self.cpu is None and self.memory is None:
            raise ValueError("it must keep to at least one of cpu and memory")
        return self


class SpreadSettings(Settings):
    """How the pods of a slot are spread."""

    key: str = "kubernetes.io/hostname"
    """The label of nodes to spread over."""
    max_skew: int = Field(default=1, ge=1)
    """By how many pods two nodes, or zones, may differ."""
    required: bool = False
    """Let a pod that would not fit so wait, instead of placing it as well as can be."""


class SecuritySettings(Settings):
    """What the processes of a slot may do; by default what the pod security standard "restricted" allows."""

    non_root: bool = True
    """Refuse images that run as root."""
    user: int | None = Field(default=None, ge=0)
    """The numeric user to run as; without one, the image's."""
    group: int | None = Field(default=None, ge=0)
    """The numeric group to run as; without one, the image's."""
    fs_group: int | None = Field(default=None, ge=0)
    """The group that owns the volumes."""
    read_only: bool = False
    """Make the root file system read-only; `/tmp` stays writable."""
    seccomp: Literal["RuntimeDefault", "Unconfined"] | None = "RuntimeDefault"
    """The seccomp profile."""
    drop: tuple[str, ...] = ("ALL",)
    """Linux capabilities that are taken away."""
    add: tuple[str, ...] = ()
    """Linux capabilities that are given."""


class MatchSettings(Settings):
    """The users of an A/B test: only those are split, all others stay on the old version."""

    header: str | None = Field(default=None, min_length=1)
    """The request header they have."""
    cookie: str | None = Field(default=None, min_length=1)
    """The cookie they have."""
    value: str = Field(default="always", min_length=1)
    """Its value."""
    regex: bool = False
    """Whether the value is a regular expression."""

    @model_validator(mode="after")
    def _one_of_them(self) -> MatchSettings:
        if (self.header is None) == (self.cookie is None):
            raise ValueError("it must have exactly one of header and cookie")
        return self


class KubernetesRouterSettings(Settings):
    """What splits the users, and where they come in."""

    kind: platform.RouterKind = "gateway"
    """`gateway` (HTTPRoute), `grpc` (GRPCRoute), `nginx` (canary Ingress), `istio` (VirtualService) or `traefik`."""
    gateway: str | None = None
    """The Gateway that routes attach to (`gateway`, `grpc`, `istio`)."""
    gateway_namespace: Name | None = None
    """The Gateway's namespace; without one, that of the platform."""
    section: str | None = None
    """The Gateway's listener; without one, all."""
    hostnames: tuple[str, ...] = ()
    """The hosts that are routed; without any, all."""
    path: str = Field(default="/", pattern="^/", json_schema_extra={"patternErrorMessage": "a path that starts with /"})
    """Prefix of the paths that are routed."""
    url: str | None = Field(
        default=None, pattern="^https?://", json_schema_extra={"patternErrorMessage": "a URL, http:// or https://"}
    )
    """Where users come in, for gates and synthetic users; without it the Gateway is asked, or a port forwarded."""
    match: MatchSettings | None = None
    """Only these users are split (A/B); without it, all by weight."""
    grpc_service: str | None = None
    """The gRPC service that is routed; without one, all."""
    grpc_method: str | None = None
    """The gRPC method that is routed; without one, all."""
    ingress_class: str | None = None
    """The class of the Ingresses (`nginx`)."""
    entry_points: tuple[str, ...] = ("web",)
    """The entry points of the IngressRoute (`traefik`)."""
    tls_secret: Name | None = None
    """The Secret with the certificate, where the router itself ends TLS (`nginx`, `traefik`)."""
    annotations: Mapping[str, str] = Field(default_factory=dict)
    """Annotations of the route."""
    adopt: Name | None = None
    """A route that exists and is taken over; without one, the route is made and named after the service."""

    def to_platform(self) -> platform.RouterSettings:
        """Return it for the platform."""
        match = None if self.match is None else _built(platform.MatchSettings, self.match)
        made: platform.RouterSettings = _built(
            platform.RouterSettings, self, match=match, annotations=dict(self.annotations)
        )
        return made


class KubernetesMigrationSettings(Settings):
    """Who moves the schema."""

    kind: Literal["alembic", "job"] = "alembic"
    """`alembic` moves it from here, over the database's URL; `job` by a Job in the cluster."""
    image: str | None = None
    """The image of the Job; without one, the release's."""
    up: tuple[str, ...] = Field(default=("alembic", "upgrade", "${REVISION}"), min_length=1)
    """The Job's program and arguments on the way up."""
    down: tuple[str, ...] = Field(default=("alembic", "downgrade", "${REVISION}"), min_length=1)
    """The Job's program and arguments on the way down."""
    current: tuple[str, ...] = ("alembic", "current")
    """Prints the revision of the schema, or nothing for an empty one; without it the record of earlier Jobs counts."""
    starts_at: str | None = None
    """The revision before the first launch, `base` for an empty schema; needed without `current`."""
    revisions: tuple[str, ...] = ()
    """All revisions, oldest first, where no Alembic scripts tell what is up and what is down."""
    timeout: Duration = Field(default=600.0, gt=0)
    """How long a Job may take."""
    retries: int = Field(default=0, ge=0, le=10)
    """How often a pod that failed is tried again."""
    keep: Duration = Field(default=86400.0, ge=0)
    """How long a finished Job stays to be read."""
    log_lines: int = Field(default=50, ge=1, le=1000)
    """How many of a Job's last lines are kept."""
    resources: ResourceSettings = ResourceSettings()
    """What the Job's container asks for and may use."""
    service_account: Name | None = None
    """The Job's ServiceAccount."""
    environment: Mapping[str, str] = Field(default_factory=dict, repr=False)
    """Environment variables of the Job; the values may be secret."""
    secret: Name | None = None
    """An existing Secret whose keys become environment variables of the Job."""
    annotations: Mapping[str, str] = Field(default_factory=dict)
    """Annotations of the Job's pods, such as one that keeps a mesh's sidecar out."""

    def to_platform(self) -> platform.MigrationSettings:
        """Return it for the platform."""
        made: platform.MigrationSettings = _built(
            platform.MigrationSettings,
            self,
            keep=round(self.keep),
            annotations=dict(self.annotations),
            resources=self.resources.to_platform(),
            environment=dict(self.environment),
        )
        return made


class AdoptSettings(Settings):
    """What runs already and becomes the first slot, without a restart. Only the first launch looks at it."""

    deployment: Name
    """The Deployment."""
    service: Name
    """The Service whose pods are those of the Deployment."""
    container: str | None = None
    """The container that is the service; without one, that which the Service's port leads to."""
    retire: Literal["keep", "delete"] = "keep"
    """What becomes of both when a later version has replaced them: `keep` lets them run on, `delete` removes them."""


class KubernetesSettings(Settings):
    """A cluster, a namespace in it, and how slots are run there."""

    kubeconfig: KubeconfigPath | None = None
    """The kubeconfig; without one `KUBECONFIG`, `~/.kube/config`, or the ServiceAccount of the pod this runs in."""
    context: str | None = None
    """The kubeconfig's context; without one, its current one."""
    namespace: Name = "default"
    """The one namespace that everything is in."""
    router: KubernetesRouterSettings = KubernetesRouterSettings()
    """What splits the users."""
    migration: KubernetesMigrationSettings = KubernetesMigrationSettings()
    """Who moves the schema: Alembic from here, or a Job in the cluster."""
    flags: Literal["configmap", "operator"] = "configmap"
    """Flags as flagd's JSON in a ConfigMap that pods mount, or as the OpenFeature Operator's FeatureFlag."""
    adopt: AdoptSettings | None = None
    """What runs already and becomes the first slot."""
    force_conflicts: bool = True
    """Take the route back where somebody else has changed its weights, instead of failing the update."""
    request_timeout: Duration = Field(default=10.0, gt=0)
    """How long one call of the API may take."""
    slot_urls: Mapping[str, str] = Field(default_factory=dict)
    """By slot (`blue`, `green`), an address at which gates reach it; without one they forward a port."""

    replicas: int = Field(default=2, ge=1)
    """Pods of a slot, unless it is autoscaled."""
    autoscaling: AutoscalingSettings | None = None
    """A HorizontalPodAutoscaler for each slot."""
    port: int = Field(default=8080, ge=1, le=65535)
    """The port that the container listens on; it is told by the variable `PORT`."""
    port_name: Annotated[str, StringConstraints(pattern=r"^[a-z0-9]([-a-z0-9]{0,13}[a-z0-9])?$")] = "http"
    """The name of that port."""
    service_port: int = Field(default=80, ge=1, le=65535)
    """The port of a slot's Service."""
    app_protocol: str | None = None
    """The Service's protocol, such as `kubernetes.io/h2c` for gRPC in plain text."""
    resources: ResourceSettings = ResourceSettings()
    """What a pod asks for and may use."""
    min_available: Annotated[int, Field(ge=0)] | Percent | None = "50%"
    """Pods that a drained node has to leave; a slot of one pod has no such limit, since it could never be moved."""
    max_surge: Annotated[int, Field(ge=1)] | Percent = "25%"
    """Pods above the number wanted while a slot is made anew."""
    progress_deadline: Duration | None = Field(default=None, gt=0)
    """After this a rollout without progress has failed; without one, the readiness timeout."""
    termination_grace: int = Field(default=30, ge=0)
    """Seconds that a pod has to end."""
    drain: int = Field(default=5, ge=0)
    """Seconds, of those, that a pod goes on serving while routers forget it; 0 where the cluster is older than 1.30."""
    liveness: str | None = Field(
        default=None, pattern="^/", json_schema_extra={"patternErrorMessage": "a path that starts with /"}
    )
    """The path whose failure has a pod restarted; without one it is enough that the port accepts connections."""
    spread: tuple[SpreadSettings, ...] = (SpreadSettings(), SpreadSettings(key="topology.kubernetes.io/zone"))
    """How pods are spread over nodes and zones."""
    security: SecuritySettings = SecuritySettings()
    """What the processes may do."""
    service_account: Name | None = None
    """The ServiceAccount of the pods."""
    mount_token: bool = False
    """Give pods the ServiceAccount's token."""
    image_pull_secrets: tuple[Name, ...] = ()
    """The Secrets that pull the images."""
    labels: Mapping[str, str] = Field(default_factory=dict)
    """Labels of everything a slot consists of."""
    annotations: Mapping[str, str] = Field(default_factory=dict)
    """Annotations of everything a slot consists of, pods too."""
    node_selector: Mapping[str, str] = Field(default_factory=dict)
    """Labels that nodes must have."""
    tolerations: tuple[Mapping[str, Any], ...] = ()
    """Taints that are tolerated, as Kubernetes writes them."""
    priority_class: Name | None = None
    """The PriorityClass of the pods."""
    flags_mount: str | None = Field(
        default="/etc/launch/flags",
        pattern="^/",
        json_schema_extra={"patternErrorMessage": "an absolute path"},
    )
    """Where the flags' ConfigMap is mounted; null: nowhere."""

    @model_validator(mode="after")
    def _ends_in_time(self) -> KubernetesSettings:
        if self.drain and self.drain >= self.termination_grace:
            raise ValueError(
                f"drain {self.drain} must be less than termination_grace {self.termination_grace}, so that the process"
                " itself has time to end"
            )
        return self

    def to_platform(self) -> platform.KubernetesSettings:
        """Return it for the platform."""
        return platform.KubernetesSettings(
            kubeconfig=self.kubeconfig,
            context=self.context,
            namespace=self.namespace,
            router=self.router.to_platform(),
            slot=self._slot(),
            migration=self.migration.to_platform(),
            flags=self.flags,
            adopt=None if self.adopt is None else _built(platform.AdoptSettings, self.adopt),
            force_conflicts=self.force_conflicts,
            request_timeout=self.request_timeout,
            slot_urls=dict(self.slot_urls),
        )

    def _slot(self) -> platform.SlotSettings:
        scaling = self.autoscaling
        return platform.SlotSettings(
            replicas=self.replicas,
            port=self.port,
            port_name=self.port_name,
            service_port=self.service_port,
            app_protocol=self.app_protocol,
            resources=self.resources.to_platform(),
            autoscaling=None if scaling is None else _built(platform.AutoscalingSettings, scaling),
            min_available=self.min_available,
            max_surge=self.max_surge,
            progress_deadline=None if self.progress_deadline is None else max(1, round(self.progress_deadline)),
            termination_grace=self.termination_grace,
            drain=self.drain,
            liveness=self.liveness,
            spread=tuple(_built(platform.SpreadSettings, spread) for spread in self.spread),
            security=_built(platform.SecuritySettings, self.security),
            service_account=self.service_account,
            mount_token=self.mount_token,
            image_pull_secrets=self.image_pull_secrets,
            labels=dict(self.labels),
            annotations=dict(self.annotations),
            node_selector=dict(self.node_selector),
            tolerations=tuple(dict(toleration) for toleration in self.tolerations),
            priority_class=self.priority_class,
            flags_mount=self.flags_mount,
        )
