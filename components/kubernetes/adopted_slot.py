"""`AdoptedSlot`: a Deployment and a Service that were there before launch, as a slot."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pulumi
from pulumi_kubernetes.apps.v1 import Deployment
from pulumi_kubernetes.core.v1 import Service as ClusterService

from components.kubernetes import names
from components.kubernetes.provider import provider
from components.kubernetes.settings import KubernetesSettings
from components.platform import ADOPTED, Placed, SlotSpec

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(frozen=True, slots=True)
class AdoptedSlotArgs:
    """What was found.

    Attributes:
        deployment: `metadata` and `spec` of the Deployment.
        service: `metadata` and `spec` of the Service.
        namespace: where both are.
        port: the Service's port that users are routed to.
        digest: what the pods run; empty where nobody knows.
        keep: whether both outlive their slot.
    """

    deployment: Mapping[str, Any]
    service: Mapping[str, Any]
    namespace: str
    port: int
    digest: str = ""
    keep: bool = True


class AdoptedSlot(pulumi.ComponentResource):
    """What already ran, imported as it is and never changed.

    Attributes:
        deployment: its pods.
        service: its address in the cluster.
        url: where it answers inside the cluster.
        log: how its output is read.
        digest: what it runs.
    """

    deployment: Deployment
    service: ClusterService
    url: pulumi.Output[str]
    log: pulumi.Output[str]
    digest: pulumi.Output[str]

    def __init__(self, name: str, args: AdoptedSlotArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("launch:kubernetes:AdoptedSlot", name, None, opts)
        self.service = ClusterService(name, **args.service, opts=self._imported(args, args.service))
        self.deployment = Deployment(name, **args.deployment, opts=self._imported(args, args.deployment))
        service, deployment = args.service["metadata"]["name"], args.deployment["metadata"]["name"]
        self.url = pulumi.Output.from_input(names.slot_url(service, args.namespace, args.port))
        self.log = pulumi.Output.from_input(f"kubectl -n {args.namespace} logs deployment/{deployment}")
        self.digest = pulumi.Output.from_input(args.digest)
        self.register_outputs({"url": self.url, "log": self.log, "digest": self.digest})

    def _imported(self, args: AdoptedSlotArgs, live: Mapping[str, Any]) -> pulumi.ResourceOptions:
        return pulumi.ResourceOptions(
            parent=self,
            import_=f"{args.namespace}/{live['metadata']['name']}",
            # Whoever ran it before may scale it or relabel it meanwhile. That is theirs: it is not taken back, and it
            # keeps neither the import nor a later one, on the way back, from fitting.
            ignore_changes=["metadata", "spec"],
            retain_on_delete=args.keep,
        )


def place(settings: KubernetesSettings, spec: SlotSpec) -> Placed:
    """Register an adopted slot of the running program, from its recorded description."""
    found = spec.options[ADOPTED]
    made = AdoptedSlot(
        spec.name,
        AdoptedSlotArgs(
            deployment=found["deployment"],
            service=found["service"],
            namespace=settings.namespace,
            port=found["port"],
            digest=spec.digest,
            keep=found["retire"] == "keep",
        ),
        pulumi.ResourceOptions(provider=provider(settings)),
    )
    return Placed(made, {"url": made.url, "log": made.log, "digest": made.digest})
