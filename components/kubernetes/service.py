"""`Service`: one release in one slot, as a Deployment and a Service of its own.

Two slots share nothing: a new version that cannot start takes no pod, no address and no configuration from the old.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, cast

import pulumi
from pulumi_kubernetes.apps.v1 import Deployment
from pulumi_kubernetes.autoscaling.v2 import HorizontalPodAutoscaler
from pulumi_kubernetes.core.v1 import ConfigMap, Secret
from pulumi_kubernetes.core.v1 import Service as ClusterService
from pulumi_kubernetes.policy.v1 import PodDisruptionBudget

from components.kubernetes import names, objects
from components.kubernetes.provider import provider
from components.kubernetes.release_config import ReleaseConfig, release_config
from components.kubernetes.settings import KubernetesSettings, SlotSettings
from components.platform import Placed, SlotSpec

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(frozen=True, slots=True)
class ServiceArgs:
    """What runs in a slot.

    Attributes:
        spec: the release; its `artifact` is `registry/name@sha256:...`.
        slot: how it is run.
        namespace: where.
    """

    spec: SlotSpec
    slot: SlotSettings = field(default_factory=SlotSettings)
    namespace: str = "default"


class Service(pulumi.ComponentResource):
    """A Deployment of one release, with all that belongs to it and to nothing else.

    Attributes:
        deployment: its pods.
        service: its address in the cluster.
        config_map: the release's plain environment variables, if it has any.
        secret: the release's secret environment variables, if it has any.
        disruption_budget: what keeps enough of its pods when nodes are drained.
        autoscaler: what changes the number of its pods.
        url: where the slot answers inside the cluster.
        log: how its output is read.
        digest: what it runs.
    """

    deployment: Deployment
    service: ClusterService
    config_map: ConfigMap | None
    secret: Secret | None
    disruption_budget: PodDisruptionBudget | None
    autoscaler: HorizontalPodAutoscaler | None
    url: pulumi.Output[str]
    log: pulumi.Output[str]
    digest: pulumi.Output[str]

    def __init__(self, name: str, args: ServiceArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("launch:kubernetes:Service", name, None, opts)
        self._args = args
        spec, slot = args.spec, args.slot
        plain, secret = _divided(spec)
        config = release_config(spec.name, plain, secret)
        self.config_map = self._config_map(config)
        self.secret = self._secret(config)
        self.service = ClusterService(
            name,
            metadata=self._metadata(annotations=names.SKIP_AWAIT),
            spec=cast("Any", objects.service(spec, slot)),
            opts=self._child(),
        )
        self.disruption_budget = self._disruption_budget(name)
        self.deployment = Deployment(
            name,
            metadata=self._metadata(
                annotations={
                    "launch.dev/image": spec.image,
                    "launch.dev/digest": spec.digest,
                    "pulumi.com/timeoutSeconds": str(objects.waiting(spec)),
                }
            ),
            spec=cast("Any", objects.deployment(spec, slot, config)),
            # A pod that finds no ConfigMap waits for longer than the one that is about to be made takes.
            opts=self._child(self.config_map, self.secret),
        )
        self.autoscaler = self._autoscaler(name)
        self.url = pulumi.Output.from_input(names.slot_url(spec.name, args.namespace, slot.service_port))
        self.log = pulumi.Output.from_input(f"kubectl -n {args.namespace} logs deployment/{spec.name}")
        self.digest = pulumi.Output.from_input(spec.digest)
        self.register_outputs({"url": self.url, "log": self.log, "digest": self.digest})

    def _child(self, *after: pulumi.Resource | None) -> pulumi.ResourceOptions:
        return pulumi.ResourceOptions(parent=self, depends_on=[one for one in after if one is not None])

    def _metadata(self, name: str | None = None, annotations: Mapping[str, str] | None = None) -> Any:  # noqa: ANN401
        args = self._args
        return objects.metadata(args.spec, args.slot, args.namespace, name=name, annotations=annotations)

    def _config_map(self, config: ReleaseConfig) -> ConfigMap | None:
        if config.config_map is None:
            return None
        return ConfigMap(
            config.config_map,
            metadata=self._metadata(config.config_map),
            data=config.data,
            immutable=True,
            opts=self._child(),
        )

    def _secret(self, config: ReleaseConfig) -> Secret | None:
        if config.secret is None:
            return None
        return Secret(
            config.secret,
            metadata=self._metadata(config.secret),
            type="Opaque",
            data={key: pulumi.Output.secret(value) for key, value in config.secret_data.items()},
            immutable=True,
            opts=self._child(),
        )

    def _disruption_budget(self, name: str) -> PodDisruptionBudget | None:
        wanted = objects.disruption_budget(self._args.spec, self._args.slot)
        if wanted is None:
            return None
        return PodDisruptionBudget(name, metadata=self._metadata(), spec=cast("Any", wanted), opts=self._child())

    def _autoscaler(self, name: str) -> HorizontalPodAutoscaler | None:
        wanted = objects.autoscaler(self._args.spec, self._args.slot)
        if wanted is None:
            return None
        return HorizontalPodAutoscaler(
            name, metadata=self._metadata(), spec=cast("Any", wanted), opts=self._child(self.deployment)
        )


def _divided(spec: SlotSpec) -> tuple[dict[str, str], dict[str, str]]:
    secret = {key: value for key, value in spec.environment.items() if key in spec.secret_keys}
    plain = {key: value for key, value in spec.environment.items() if key not in spec.secret_keys}
    return plain, secret


def place(settings: KubernetesSettings, spec: SlotSpec, slot: SlotSettings) -> Placed:
    """Register a slot of the running program.

    Args:
        settings: the cluster.
        spec: the release.
        slot: how it is run, as it was recorded with the slot.

    Raises:
        ValueError: it cannot be run so; see `objects.deployment`.
    """
    made = Service(
        spec.name,
        ServiceArgs(spec, slot, settings.namespace),
        pulumi.ResourceOptions(provider=provider(settings)),
    )
    return Placed(made, {"url": made.url, "log": made.log, "digest": made.digest})
