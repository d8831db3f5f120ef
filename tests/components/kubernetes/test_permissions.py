"""What launch has to be allowed to do, and the Role that allows just that."""

from __future__ import annotations

from typing import Any

import pytest
import yaml

from components.kubernetes import permissions
from components.kubernetes.client import ClusterUnavailable
from components.kubernetes.permissions import Need
from components.kubernetes.settings import (
    AutoscalingSettings,
    KubernetesSettings,
    MigrationSettings,
    RouterSettings,
    SlotSettings,
)

SETTINGS = KubernetesSettings(namespace="shops", router=RouterSettings(gateway="public", url="https://shop.example"))


class Granted:
    """An authorizer that allows what a Role in the form of YAML says."""

    def __init__(self, text: str = "") -> None:
        self.asked: list[Need] = []
        self._roles = list(yaml.safe_load_all(text)) if text else []

    def allowed(self, need: Need) -> bool:
        self.asked.append(need)
        return any(
            role["metadata"]["namespace"] == need.namespace
            and need.group in rule["apiGroups"]
            and need.resource in rule["resources"]
            and need.verb in rule["verbs"]
            for role in self._roles
            for rule in role["rules"]
        )


def roles(settings: KubernetesSettings) -> list[dict[str, Any]]:
    return list(yaml.safe_load_all(permissions.role(permissions.needs(settings))))


def resources(settings: KubernetesSettings) -> set[str]:
    return {need.resource for need in permissions.needs(settings)}


def test_the_role_allows_everything_that_is_needed() -> None:
    role = permissions.role(permissions.needs(SETTINGS))
    assert permissions.missing(SETTINGS, Granted(role)) == ()
    assert permissions.problem(SETTINGS, Granted(role)) is None


def test_the_role_allows_nothing_more() -> None:
    (role,) = roles(SETTINGS)
    assert (role["kind"], role["metadata"]) == ("Role", {"name": "launch", "namespace": "shops"})
    allowed = {
        Need("shops", group, resource, verb)
        for rule in role["rules"]
        for group in rule["apiGroups"]
        for resource in rule["resources"]
        for verb in rule["verbs"]
    }
    assert allowed == set(permissions.needs(SETTINGS))
    assert not any("*" in (need.group, need.resource, need.verb) for need in allowed)
    assert not {"nodes", "namespaces", "customresourcedefinitions", "roles"} & resources(SETTINGS)


def test_what_is_missing_is_said_with_the_role_to_grant() -> None:
    whole = permissions.role(permissions.needs(SETTINGS))
    granted = [need for need in permissions.needs(SETTINGS) if need.resource != "secrets"]
    problem = permissions.problem(SETTINGS, Granted(permissions.role(granted)))
    assert problem is not None
    assert "does not let this user do 6 of the things" in problem
    assert "  - create secrets in shops\n" in problem
    assert "patch httproutes" not in problem
    assert problem.endswith(whole)


def test_every_permission_is_asked_for_once() -> None:
    nobody = Granted()
    assert permissions.missing(SETTINGS, nobody) == permissions.needs(SETTINGS)
    assert sorted(nobody.asked) == list(permissions.needs(SETTINGS))


@pytest.mark.parametrize(
    ("kind", "resource"),
    [
        ("gateway", "httproutes"),
        ("grpc", "grpcroutes"),
        ("istio", "virtualservices"),
        ("nginx", "ingresses"),
        ("traefik", "traefikservices"),
    ],
)
def test_each_router_needs_its_own_routes_alone(kind: Any, resource: str) -> None:  # noqa: ANN401
    found = resources(KubernetesSettings(router=RouterSettings(kind=kind)))
    routes = {"httproutes", "grpcroutes", "virtualservices", "ingresses", "ingressroutes", "traefikservices"}
    assert resource in found & routes
    assert len(found & routes) == (2 if kind == "traefik" else 1)


def test_there_is_a_permission_for_every_router() -> None:
    from components.kubernetes.routers import ROUTERS

    assert set(permissions._ROUTES) == set(ROUTERS)


def test_a_gateway_that_has_to_be_asked_for_its_address_is_read_where_it_is() -> None:
    settings = KubernetesSettings(
        namespace="shops", router=RouterSettings(gateway="public", gateway_namespace="infrastructure")
    )
    first, second = roles(settings)
    assert first["metadata"]["namespace"] == "infrastructure"
    assert first["rules"] == [{"apiGroups": ["gateway.networking.k8s.io"], "resources": ["gateways"], "verbs": ["get"]}]
    assert second["metadata"]["namespace"] == "shops"


def test_what_is_not_used_is_not_asked_for() -> None:
    used = KubernetesSettings(
        slot=SlotSettings(autoscaling=AutoscalingSettings()), migration=MigrationSettings(kind="job"), flags="operator"
    )
    optional = {"horizontalpodautoscalers", "jobs", "featureflags"}
    assert optional <= resources(used)
    assert not optional & resources(SETTINGS)


class Reviews:
    """The authorization API of a cluster."""

    def __init__(self, answer: Any) -> None:  # noqa: ANN401
        self.answer = answer
        self.bodies: list[dict[str, Any]] = []

    def create_self_subject_access_review(self, body: dict[str, Any]) -> Any:  # noqa: ANN401
        self.bodies.append(body)
        if isinstance(self.answer, Exception):
            raise self.answer
        return self.answer


def reviewer(api: Reviews) -> permissions.AccessReviewer:
    made = permissions.AccessReviewer.__new__(permissions.AccessReviewer)
    made._api = api
    return made


def test_a_subresource_is_asked_for_as_one() -> None:
    from kubernetes.client import V1SubjectAccessReviewStatus

    api = Reviews(type("Review", (), {"status": V1SubjectAccessReviewStatus(allowed=True)})())
    assert reviewer(api).allowed(Need("shops", "", "pods/log", "get"))
    assert api.bodies == [
        {
            "spec": {
                "resourceAttributes": {
                    "namespace": "shops",
                    "group": "",
                    "resource": "pods",
                    "subresource": "log",
                    "verb": "get",
                }
            }
        }
    ]


def test_a_cluster_that_does_not_answer_is_no_refusal() -> None:
    from kubernetes.client import ApiException
    from urllib3.exceptions import ConnectTimeoutError

    for error in (ApiException(status=503, reason="Service Unavailable"), ConnectTimeoutError("slow"), OSError("no")):
        with pytest.raises(ClusterUnavailable, match="cluster does not"):
            reviewer(Reviews(error)).allowed(Need("shops", "", "pods", "get"))
