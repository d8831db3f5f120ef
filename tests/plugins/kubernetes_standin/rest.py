"""Where the objects of a kind live in the API: `/apis/apps/v1/namespaces/shop/deployments/web`.

Kinds that products usually create are in a table; any other kind is looked up once in its group's own list.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from urllib.parse import quote

from .objects import Kind
from .values import Object


class NoSuchKind(Exception):
    """The API server has no such kind: its CustomResourceDefinition is not there (yet)."""

    def __init__(self, kind: Kind) -> None:
        super().__init__(f'no matches for kind "{kind.name}" in version "{kind.api_version}"')
        self.kind = kind


@dataclass(frozen=True)
class Resource:
    """How the API calls a kind.

    Attributes:
        api_version: of the kind.
        plural: its name in URLs.
        namespaced: whether its objects live in namespaces.
    """

    api_version: str
    plural: str
    namespaced: bool

    def path(self, namespace: str = "", name: str = "") -> str:
        """Return the URL's path of one object, or of all of a namespace, or of all."""
        root = "/apis" if "/" in self.api_version else "/api"
        path = f"{root}/{self.api_version}"
        if self.namespaced and namespace:
            path += f"/namespaces/{quote(namespace, safe='')}"
        path += f"/{self.plural}"
        return f"{path}/{quote(name, safe='')}" if name else path


_NAMESPACED = {
    "v1": "ConfigMap Endpoints Event LimitRange PersistentVolumeClaim Pod PodTemplate ReplicationController "
    "ResourceQuota Secret Service ServiceAccount",
    "apps/v1": "ControllerRevision DaemonSet Deployment ReplicaSet StatefulSet",
    "autoscaling/v1": "HorizontalPodAutoscaler",
    "autoscaling/v2": "HorizontalPodAutoscaler",
    "batch/v1": "CronJob Job",
    "coordination.k8s.io/v1": "Lease",
    "discovery.k8s.io/v1": "EndpointSlice",
    "networking.k8s.io/v1": "Ingress NetworkPolicy",
    "policy/v1": "PodDisruptionBudget",
    "rbac.authorization.k8s.io/v1": "Role RoleBinding",
}
_CLUSTER_WIDE = {
    "v1": "Namespace Node PersistentVolume",
    "apiextensions.k8s.io/v1": "CustomResourceDefinition",
    "networking.k8s.io/v1": "IngressClass",
    "rbac.authorization.k8s.io/v1": "ClusterRole ClusterRoleBinding",
    "scheduling.k8s.io/v1": "PriorityClass",
    "storage.k8s.io/v1": "StorageClass",
}


def plural(kind: str) -> str:
    """Return the plural of a built-in kind, as Kubernetes forms it."""
    low = kind.lower()
    if low == "endpoints":
        return low
    if low.endswith(("s", "x", "ch", "sh")):
        return f"{low}es"
    if low.endswith("y"):
        return f"{low[:-1]}ies"
    return f"{low}s"


_BUILT_IN = {
    Kind(version, kind): Resource(version, plural(kind), namespaced)
    for table, namespaced in ((_NAMESPACED, True), (_CLUSTER_WIDE, False))
    for version, kinds in table.items()
    for kind in kinds.split()
}


def group_path(api_version: str) -> str:
    """Return the path of the list of what a group has in one version."""
    return f"/apis/{api_version}" if "/" in api_version else f"/api/{api_version}"


class Mapper:
    """Knows, or finds out, where the objects of each kind live.

    Args:
        ask: reads a path of the API and returns what is there, or None where there is nothing.
    """

    def __init__(self, ask: Callable[[str], Object | None]) -> None:
        self._ask = ask
        self._known = dict(_BUILT_IN)

    def resource(self, kind: Kind) -> Resource:
        """Return where the objects of a kind live.

        Raises:
            NoSuchKind: the API server does not have the kind.
        """
        if kind not in self._known:
            for entry in (self._ask(group_path(kind.api_version)) or {}).get("resources") or []:
                if "/" not in entry["name"]:  # others are subresources
                    found = Resource(kind.api_version, entry["name"], bool(entry["namespaced"]))
                    self._known[Kind(kind.api_version, entry["kind"])] = found
        if kind not in self._known:
            raise NoSuchKind(kind)
        return self._known[kind]
