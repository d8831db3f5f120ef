"""The stand-in plugin finds where the objects of every kind live, without asking where it need not."""

from __future__ import annotations

import pytest

from tests.plugins.kubernetes_standin.objects import Kind, is_patch, kind_of, kind_of_type, parse_id
from tests.plugins.kubernetes_standin.rest import Mapper, NoSuchKind, plural
from tests.plugins.kubernetes_standin.values import Object


def _refuse(path: str) -> Object | None:
    raise AssertionError(path)


@pytest.mark.parametrize(
    ("api_version", "kind", "path"),
    [
        ("v1", "ConfigMap", "/api/v1/namespaces/shop/configmaps/it"),
        ("v1", "Namespace", "/api/v1/namespaces/it"),
        ("apps/v1", "Deployment", "/apis/apps/v1/namespaces/shop/deployments/it"),
        ("batch/v1", "Job", "/apis/batch/v1/namespaces/shop/jobs/it"),
        ("networking.k8s.io/v1", "Ingress", "/apis/networking.k8s.io/v1/namespaces/shop/ingresses/it"),
        ("networking.k8s.io/v1", "NetworkPolicy", "/apis/networking.k8s.io/v1/namespaces/shop/networkpolicies/it"),
        ("storage.k8s.io/v1", "StorageClass", "/apis/storage.k8s.io/v1/storageclasses/it"),
    ],
)
def test_built_in_kinds_are_known(api_version: str, kind: str, path: str) -> None:
    assert Mapper(_refuse).resource(Kind(api_version, kind)).path("shop", "it") == path


def test_another_kind_is_looked_up_once() -> None:
    asked = []

    def group(path: str) -> Object:
        asked.append(path)
        resources = [
            {"name": "httproutes/status", "kind": "HTTPRoute", "namespaced": True},
            {"name": "httproutes", "kind": "HTTPRoute", "namespaced": True},
            {"name": "gatewayclasses", "kind": "GatewayClass", "namespaced": False},
        ]
        return {"resources": resources}

    mapper = Mapper(group)
    route, gateway_class = (Kind("gateway.networking.k8s.io/v1", name) for name in ("HTTPRoute", "GatewayClass"))

    root = "/apis/gateway.networking.k8s.io/v1"
    assert mapper.resource(route).path("shop", "r") == f"{root}/namespaces/shop/httproutes/r"
    assert mapper.resource(gateway_class).path("shop", "g") == f"{root}/gatewayclasses/g"
    assert mapper.resource(route).path() == f"{root}/httproutes"
    assert asked == [root]


def test_a_kind_without_a_definition_is_asked_for_each_time_since_it_may_come() -> None:
    mapper, kind = Mapper(lambda _: None), Kind("example.com/v1", "Thing")
    with pytest.raises(NoSuchKind, match='no matches for kind "Thing"'):
        mapper.resource(kind)
    mapper._ask = lambda _: {"resources": [{"name": "things", "kind": "Thing", "namespaced": False}]}
    assert mapper.resource(kind).path(name="x") == "/apis/example.com/v1/things/x"


def test_types_ids_and_patches_are_told_apart() -> None:
    assert kind_of_type("kubernetes:core/v1:Service") == Kind("v1", "Service")
    assert kind_of_type("kubernetes:apps/v1:DeploymentPatch") == Kind("apps/v1", "DeploymentPatch")
    assert kind_of({"apiVersion": "apps/v1", "kind": "Deployment"}).group == "apps"
    assert (parse_id("shop/web"), parse_id("shop")) == (("shop", "web"), ("", "shop"))
    urn = "urn:pulumi:dev::shop::launch:x:Slot$kubernetes:core/v1:ServicePatch::web"
    assert is_patch(urn, {"kind": "Service"})
    assert not is_patch(urn.replace("ServicePatch", "Service"), {"kind": "Service"})
    with pytest.raises(ValueError, match="unrecognized resource type"):
        kind_of_type("aws:s3/bucket:Bucket")


def test_plurals() -> None:
    names = ("Endpoints", "Ingress", "NetworkPolicy", "Service", "StorageClass")
    assert [plural(name) for name in names] == [
        "endpoints",
        "ingresses",
        "networkpolicies",
        "services",
        "storageclasses",
    ]
