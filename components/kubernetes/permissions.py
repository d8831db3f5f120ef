"""What launch has to be allowed to do, whether it is, and the least that would have to be granted.

All of it is of single namespaces. Each permission is asked of the API server by itself (SelfSubjectAccessReview, which
everybody who is known to the cluster may ask), since that is the only answer that any kind of authorizer stands by.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import groupby
from typing import TYPE_CHECKING, Any, Protocol

from components.kubernetes.client import ClusterUnavailable
from components.kubernetes.settings import KubernetesSettings

if TYPE_CHECKING:
    from kubernetes.client import ApiClient

_OWNED = ("create", "delete", "get", "list", "patch", "watch")
_READ = ("get", "list", "watch")
_AT_ONCE = 8
"""Reviews under way at the same time: there are some sixty, each a round trip."""

_ROUTES: Mapping[str, tuple[str, tuple[str, ...]]] = {
    "gateway": ("gateway.networking.k8s.io", ("httproutes",)),
    "grpc": ("gateway.networking.k8s.io", ("grpcroutes",)),
    "istio": ("networking.istio.io", ("virtualservices",)),
    "nginx": ("networking.k8s.io", ("ingresses",)),
    "traefik": ("traefik.io", ("ingressroutes", "traefikservices")),
}


@dataclass(frozen=True, slots=True, order=True)
class Need:
    """One verb on one kind of resource in one namespace."""

    namespace: str
    group: str
    """The API group; empty for the core."""
    resource: str
    """The plural, with its subresource after a slash if one is meant."""
    verb: str

    def __str__(self) -> str:
        where = f"{self.resource}.{self.group}" if self.group else self.resource
        return f"{self.verb} {where} in {self.namespace}"


class Reviewer(Protocol):
    """Who answers whether something is allowed."""

    def allowed(self, need: Need) -> bool:
        """Return whether it is.

        Raises:
            ClusterUnavailable: nobody answered.
        """
        ...


class AccessReviewer:
    """Asks the API server, as whoever the client is.

    Args:
        client: a client of the cluster, see `client.api`.
    """

    def __init__(self, client: ApiClient) -> None:
        from kubernetes.client import AuthorizationV1Api

        self._api: Any = AuthorizationV1Api(client)

    def allowed(self, need: Need) -> bool:
        """Return whether it is allowed."""
        from kubernetes.client import ApiException
        from urllib3.exceptions import HTTPError

        resource, _, subresource = need.resource.partition("/")
        attributes = {
            "namespace": need.namespace,
            "group": need.group,
            "resource": resource,
            "subresource": subresource,
            "verb": need.verb,
        }
        body = {"spec": {"resourceAttributes": attributes}}
        try:
            review = self._api.create_self_subject_access_review(body)
        except ApiException as error:
            raise ClusterUnavailable(
                f"the cluster does not say what is allowed: {error.status} {error.reason}"
            ) from error
        except (HTTPError, OSError) as error:
            raise ClusterUnavailable(f"the cluster does not answer: {error}") from error
        return bool(review.status.allowed)


def needs(settings: KubernetesSettings) -> tuple[Need, ...]:
    """Return everything that a launch with these settings does in the cluster, in order."""
    here = settings.namespace
    found = {
        *_needs(here, "apps", ("deployments",), _OWNED),
        *_needs(here, "", ("services", "configmaps", "secrets"), _OWNED),
        *_needs(here, "policy", ("poddisruptionbudgets",), _OWNED),
        *_needs(here, "apps", ("replicasets",), _READ),  # what a Deployment waits for, and why it waits
        *_needs(here, "", ("pods", "events"), _READ),
        *_needs(here, "", ("pods/log",), ("get",)),
        # A port is forwarded through a WebSocket: `get` to old API servers, `create` as well to new ones.
        *_needs(here, "", ("pods/portforward",), ("create", "get")),
        *_route_needs(settings),
    }
    if settings.slot.autoscaling is not None:
        found.update(_needs(here, "autoscaling", ("horizontalpodautoscalers",), _OWNED))
    if settings.migration.kind == "job":
        found.update(_needs(here, "batch", ("jobs",), _OWNED))
    if settings.flags == "operator":
        found.update(_needs(here, "core.openfeature.dev", ("featureflags",), _OWNED))
    return tuple(sorted(found))


def _route_needs(settings: KubernetesSettings) -> set[Need]:
    router = settings.router
    group, resources = _ROUTES[router.kind]
    found = _needs(settings.namespace, group, resources, _OWNED)
    if router.kind in ("gateway", "grpc") and router.gateway is not None and router.url is None:
        found |= _needs(router.gateway_namespace or settings.namespace, group, ("gateways",), ("get",))
    return found


def _needs(namespace: str, group: str, resources: Sequence[str], verbs: Sequence[str]) -> set[Need]:
    return {Need(namespace, group, resource, verb) for resource in resources for verb in verbs}


def missing(settings: KubernetesSettings, reviewer: Reviewer) -> tuple[Need, ...]:
    """Return what is needed and not allowed, in order.

    Raises:
        ClusterUnavailable: the cluster did not answer.
    """
    wanted = needs(settings)
    with ThreadPoolExecutor(_AT_ONCE, thread_name_prefix="access-review") as threads:
        answers = list(threads.map(reviewer.allowed, wanted))
    return tuple(need for need, allowed in zip(wanted, answers, strict=True) if not allowed)


def role(wanted: Sequence[Need], *, name: str = "launch") -> str:
    """Return the smallest Roles that allow what is wanted, as YAML for `kubectl apply -f -`; one a namespace."""
    import yaml

    return yaml.safe_dump_all(
        [
            {
                "apiVersion": "rbac.authorization.k8s.io/v1",
                "kind": "Role",
                "metadata": {"name": name, "namespace": namespace},
                "rules": _rules(list(group)),
            }
            for namespace, group in groupby(sorted(wanted), key=lambda need: need.namespace)
        ],
        sort_keys=False,
        explicit_start=True,
    )


def _rules(wanted: Sequence[Need]) -> list[dict[str, list[str]]]:
    verbs: dict[tuple[str, str], list[str]] = {}
    for need in wanted:
        verbs.setdefault((need.group, need.resource), []).append(need.verb)
    together: dict[tuple[str, tuple[str, ...]], list[str]] = {}
    for (group, resource), allowed in verbs.items():
        together.setdefault((group, tuple(allowed)), []).append(resource)
    return [
        {"apiGroups": [group], "resources": resources, "verbs": list(allowed)}
        for (group, allowed), resources in together.items()
    ]


def problem(settings: KubernetesSettings, reviewer: Reviewer) -> str | None:
    """Return what is not allowed and the Role that would allow all that is needed; None where nothing is missing.

    Raises:
        ClusterUnavailable: the cluster did not answer.
    """
    lacking = missing(settings, reviewer)
    if not lacking:
        return None
    listed = "\n".join(f"  - {need}" for need in lacking)
    whole = role(needs(settings))
    return (
        f"the cluster does not let this user do {len(lacking)} of the things that a launch does:\n{listed}\n"
        "What it needs is this Role, which somebody who may make it binds to the user with"
        " `kubectl create rolebinding launch --role launch --user NAME`:\n"
        f"{whole}"
    )
