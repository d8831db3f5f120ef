"""Adopting what runs: it is described as it is, and registered so that nothing of it changes."""

from __future__ import annotations

import copy
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from components.kubernetes import adoption
from components.kubernetes.adoption import CannotAdopt, Running
from components.kubernetes.platform import KubernetesPlatform
from components.kubernetes.settings import AdoptSettings, KubernetesSettings
from components.platform import SlotSpec

from .conftest import DIGEST, OTHER_DIGEST, RunProgram

SETTINGS = KubernetesSettings(namespace="shops", adopt=AdoptSettings("shop-web", "shop-svc"))

DEPLOYMENT: dict[str, Any] = {
    "apiVersion": "apps/v1",
    "kind": "Deployment",
    "metadata": {
        "name": "shop-web",
        "namespace": "shops",
        "uid": "1",
        "resourceVersion": "7",
        "generation": 3,
        "creationTimestamp": "2026-01-01T00:00:00Z",
        "managedFields": [{"manager": "kubectl"}],
        "labels": {"app": "shop"},
        "annotations": {
            "deployment.kubernetes.io/revision": "3",
            "kubectl.kubernetes.io/last-applied-configuration": "{}",
            "team": "shop",
        },
    },
    "spec": {
        "replicas": 3,
        "selector": {"matchLabels": {"app": "shop"}},
        "template": {
            "metadata": {"labels": {"app": "shop"}},
            "spec": {
                "containers": [
                    {"name": "proxy", "image": "envoy:1", "ports": [{"containerPort": 9901}]},
                    {
                        "name": "web",
                        "image": "registry.example/shop:0.9",
                        "ports": [{"name": "web", "containerPort": 80}],
                    },
                ]
            },
        },
    },
    "status": {"readyReplicas": 3},
}
SERVICE: dict[str, Any] = {
    "apiVersion": "v1",
    "kind": "Service",
    "metadata": {"name": "shop-svc", "namespace": "shops", "uid": "2", "resourceVersion": "8"},
    "spec": {"clusterIP": "10.0.0.7", "selector": {"app": "shop"}, "ports": [{"port": 8000, "targetPort": "web"}]},
    "status": {"loadBalancer": {}},
}


def a_pod(digest: str = DIGEST, owner: str = "shop-web-5d4f") -> dict[str, Any]:
    return {
        "metadata": {"name": "one", "ownerReferences": [{"controller": True, "kind": "ReplicaSet", "name": owner}]},
        "status": {
            "containerStatuses": [
                {"name": "proxy", "imageID": f"envoy@{OTHER_DIGEST}"},
                {"name": "web", "imageID": f"docker-pullable://registry.example/shop@{digest}"},
            ]
        },
    }


def running(change: Callable[[dict[str, Any], dict[str, Any]], object] = lambda *_: None, *pods: Any) -> Running:  # noqa: ANN401
    deployment, service = copy.deepcopy(DEPLOYMENT), copy.deepcopy(SERVICE)
    change(deployment, service)
    return Running(deployment, service, pods or (a_pod(), a_pod()))


def described(found: Running, settings: KubernetesSettings = SETTINGS) -> SlotSpec:
    return adoption.describe(settings, found, service="shop", slot="blue")


def test_what_runs_is_a_release_with_the_digest_that_its_pods_have() -> None:
    spec = described(running())
    assert (spec.service, spec.slot, spec.image) == ("shop", "blue", "registry.example/shop:0.9")
    assert spec.digest == DIGEST


def test_an_image_by_digest_tells_its_own() -> None:
    def pin(deployment: dict[str, Any], _: object) -> None:
        deployment["spec"]["template"]["spec"]["containers"][1]["image"] = f"shop@{OTHER_DIGEST}"

    assert described(running(pin)).digest == OTHER_DIGEST


def test_pods_of_two_digests_have_none() -> None:
    assert described(running(lambda *_: None, a_pod(DIGEST), a_pod(OTHER_DIGEST))).digest == ""


def test_it_is_imported_as_it_is_and_left_as_it_is(run_program: RunProgram) -> None:
    spec = SlotSpec.from_json(described(running()).to_json())
    registered = run_program(lambda: {"blue": KubernetesPlatform(SETTINGS).service(spec)})
    assert registered.outputs["blue"] == {
        "url": "http://shop-svc.shops.svc:8000",
        "log": "kubectl -n shops logs deployment/shop-web",
        "digest": DIGEST,
    }
    deployment = registered.request("Deployment", "shop-blue")
    assert "launch:kubernetes:AdoptedSlot::shop-blue" in deployment.parent
    assert deployment.importId == "shops/shop-web"
    assert list(deployment.ignoreChanges) == ["metadata", "spec"]
    assert deployment.retainOnDelete is True
    inputs = registered.inputs("Deployment", "shop-blue")
    assert inputs["spec"] == DEPLOYMENT["spec"]
    assert inputs["metadata"] == {
        "name": "shop-web",
        "namespace": "shops",
        "labels": {"app": "shop"},
        "annotations": {"team": "shop"},
    }
    assert registered.request("Service", "shop-blue").importId == "shops/shop-svc"
    assert registered.inputs("Service", "shop-blue")["spec"] == SERVICE["spec"]


def test_what_was_there_before_is_deleted_only_if_that_is_asked_for(run_program: RunProgram) -> None:
    settings = replace(SETTINGS, adopt=AdoptSettings("shop-web", "shop-svc", retire="delete"))
    spec = described(running(), settings)
    registered = run_program(lambda: {"blue": KubernetesPlatform(settings).service(spec)})
    assert registered.request("Deployment", "shop-blue").retainOnDelete is False


def test_a_service_that_leads_elsewhere_is_refused() -> None:
    def elsewhere(_: object, service: dict[str, Any]) -> None:
        service["spec"]["selector"] = {"app": "other"}

    with pytest.raises(CannotAdopt, match="name the Service that leads to them"):
        described(running(elsewhere))


def test_a_service_with_pods_of_another_deployment_is_refused() -> None:
    with pytest.raises(CannotAdopt, match="also leads to pods of shop-web-canary-77"):
        described(running(lambda *_: None, a_pod(), a_pod(owner="shop-web-canary-77")))


def test_a_service_that_would_lead_users_to_new_slots_at_once_is_refused() -> None:
    def by_name(deployment: dict[str, Any], service: dict[str, Any]) -> None:
        labels = {"app.kubernetes.io/name": "shop"}
        service["spec"]["selector"] = labels
        deployment["spec"]["selector"]["matchLabels"] = labels
        deployment["spec"]["template"]["metadata"]["labels"] = labels

    with pytest.raises(CannotAdopt, match="which the pods of new slots have too"):
        described(running(by_name))


def test_the_container_is_the_one_that_users_reach_unless_it_is_named() -> None:
    settings = replace(SETTINGS, adopt=AdoptSettings("shop-web", "shop-svc", container="proxy"))
    assert described(running(), settings).image == "envoy:1"
    unknown = replace(SETTINGS, adopt=AdoptSettings("shop-web", "shop-svc", container="sidecar"))
    with pytest.raises(CannotAdopt, match="it has proxy, web"):
        described(running(), unknown)


def test_containers_that_nothing_tells_apart_have_to_be_named() -> None:
    def by_number(_: object, service: dict[str, Any]) -> None:
        service["spec"]["ports"][0]["targetPort"] = 1234

    with pytest.raises(CannotAdopt, match=r"launch:kubernetes\.adopt\.container"):
        described(running(by_number))


def test_nothing_is_adopted_that_nobody_named() -> None:
    with pytest.raises(CannotAdopt, match="names nothing"):
        described(running(), replace(SETTINGS, adopt=None))
