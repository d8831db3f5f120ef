"""The Kubernetes platform: every component as objects of one namespace."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from dataclasses import replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from components.kubernetes import names, sdk
from components.kubernetes.settings import KubernetesSettings, SlotSettings
from components.platform import FlagsSpec, Placed, SchemaSpec, SlotSpec, SplitSpec

if TYPE_CHECKING:
    from kubernetes.client import ApiClient

    from components.kubernetes.port_forward import PortForwards
    from components.kubernetes.rollout import KubernetesRollout


class KubernetesPlatform:
    """Everything in one namespace of one cluster.

    The modules of the components are imported when one is used: their SDK takes half a second.

    Args:
        settings: the cluster and how things are run there.
        directory: the environment's private directory on this machine; Alembic keeps its copies there.
    """

    def __init__(self, settings: KubernetesSettings, directory: Path = Path(".launch/kubernetes")) -> None:
        self.settings = settings
        self._directory = directory
        self._forwards: dict[str, PortForwards] = {}

    def environment(self, service: str) -> Mapping[str, str]:  # noqa: ARG002
        """Return where the service finds its flags: in the ConfigMap that its pods mount."""
        mount = self.settings.slot.flags_mount
        if mount is None or self.settings.flags == "operator":
            return {}
        return {"FLAGD_FILE": f"{mount}/{names.FLAGS_KEY}"}

    def slot_options(self) -> Mapping[str, Any]:
        """Return what a new slot is to be like; the launch records it with the slot (`SlotSpec.options`)."""
        slot = self.settings.slot
        if self.settings.flags == "operator":  # which brings flags to pods itself
            slot = replace(slot, flags_mount=None)
        return slot.to_options()

    def service(self, spec: SlotSpec) -> Placed:
        """Register a slot: a Deployment and its Service, with what belongs to them."""
        sdk.load()
        from components.kubernetes import adopted_slot, service

        if spec.adopted:
            return adopted_slot.place(self.settings, spec)
        return service.place(self.settings, spec, SlotSettings.from_options(spec.options))

    def traffic_split(self, spec: SplitSpec, *, after: Placed | None) -> Placed:
        """Register the route with the weights of the slots."""
        sdk.load()
        from components.kubernetes import traffic_split

        return traffic_split.place(self.settings, spec, after=after)

    def migration(self, spec: SchemaSpec) -> Placed:
        """Register the schema, moved by Alembic from here or by a Job in the cluster."""
        sdk.load()
        from components.kubernetes import migration

        return migration.place(self.settings, spec, directory=self._directory)

    def feature_flags(self, spec: FlagsSpec) -> Placed:
        """Register the flags: a ConfigMap, or the OpenFeature Operator's FeatureFlag."""
        sdk.load()
        from components.kubernetes import feature_flags

        return feature_flags.place(self.settings, spec)

    @cached_property
    def _client(self) -> ApiClient:
        from components.kubernetes.client import api

        return api(self.settings)

    def problems(self) -> Iterator[str]:
        """Return what the cluster does not let this user do, with the Role that would."""
        from components.kubernetes import permissions
        from components.kubernetes.client import ClusterUnavailable

        try:
            found = permissions.problem(self.settings, permissions.AccessReviewer(self._client))
        except ClusterUnavailable as error:
            found = str(error)
        if found is not None:
            yield found

    def reach(self, service: str) -> PortForwards:
        """Return what forwards ports to the pods of a service; from inside a cluster nothing is forwarded."""
        from components.kubernetes.port_forward import PortForwards

        if service not in self._forwards:
            inside = "KUBERNETES_SERVICE_HOST" in os.environ and self.settings.kubeconfig is None
            self._forwards[service] = PortForwards(self._client, self.settings, service, inside=inside)
        return self._forwards[service]

    def rollout(self, service: str, url: str | None) -> KubernetesRollout:
        """Return who looks after the pods of a service."""
        from components.kubernetes.rollout import KubernetesRollout

        adopt = self.settings.adopt
        if adopt is not None and url is not None and (urlsplit(url).hostname or "").startswith(f"{adopt.service}."):
            return KubernetesRollout(self._client, self.settings, service, deployment=adopt.deployment)
        return KubernetesRollout(self._client, self.settings, service)

    def flag_file(self, source: str) -> str:
        """Return a private copy of the flags that are in the cluster now."""
        from components.kubernetes import flag_source

        return flag_source.local(self.settings, source, self._directory / "flags")

    def adopted(self, service: str, slot: str) -> SlotSpec | None:
        """Return the Deployment and Service that the settings name, as a slot."""
        if self.settings.adopt is None:
            return None
        from components.kubernetes import adoption

        running = adoption.look(self._client, self.settings)
        return adoption.describe(self.settings, running, service=service, slot=slot)
