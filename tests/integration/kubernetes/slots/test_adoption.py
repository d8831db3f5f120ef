"""What already runs becomes the first slot, and nobody who uses it notices."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, Literal

import pytest

from components.kubernetes import adoption
from components.kubernetes.adoption import CannotAdopt
from components.kubernetes.client import api
from components.kubernetes.settings import AdoptSettings
from components.platform import SlotSpec
from tests.cluster.waiting import wait_until
from tests.integration.kubernetes.slots.shops import NEXT_DIGEST, Shop

pytestmark = pytest.mark.integration

LABELS = {"app": "shop"}
DEPLOYMENT: dict[str, Any] = {
    "apiVersion": "apps/v1",
    "kind": "Deployment",
    "metadata": {"name": "old-shop", "labels": LABELS, "annotations": {"team": "shop"}},
    "spec": {
        "replicas": 3,
        "selector": {"matchLabels": LABELS},
        "template": {
            "metadata": {"labels": LABELS},
            "spec": {
                "containers": [
                    {
                        "name": "web",
                        "image": "registry.example/shop:0.9",
                        "ports": [{"name": "web", "containerPort": 8080}],
                        "env": [{"name": "COLOUR", "value": "old"}],
                    }
                ]
            },
        },
    },
}
SERVICE: dict[str, Any] = {
    "apiVersion": "v1",
    "kind": "Service",
    "metadata": {"name": "old-shop"},
    "spec": {"selector": LABELS, "ports": [{"port": 8000, "targetPort": "web"}]},
}


@pytest.fixture
def running(shop: Shop) -> Shop:
    """A shop that somebody has deployed without launch."""
    rest, namespace = shop.cluster.rest, shop.settings.namespace
    rest.post(f"/apis/apps/v1/namespaces/{namespace}/deployments", DEPLOYMENT)
    rest.post(f"/api/v1/namespaces/{namespace}/services", SERVICE)
    shop.wait_until_available("old-shop", 3)
    wait_until(lambda: len(unmoved(shop)["endpoints"]) == 3)
    return adopting(shop, "keep")


def adopting(shop: Shop, retire: Literal["keep", "delete"]) -> Shop:
    adopt = AdoptSettings("old-shop", "old-shop", retire=retire)
    return replace(shop, settings=replace(shop.settings, adopt=adopt))


def described(shop: Shop) -> SlotSpec:
    found = adoption.look(api(shop.settings), shop.settings)
    return adoption.describe(shop.settings, found, service="shop", slot="blue")


def unmoved(shop: Shop) -> dict[str, Any]:
    """Everything that would differ if somebody had touched what runs."""
    deployment, service = shop.live("apps/v1/deployments/old-shop"), shop.live("services/old-shop")
    slices = shop.live("discovery.k8s.io/v1/endpointslices")["items"]
    return {
        "endpoints": sorted(
            (tuple(endpoint["addresses"]), endpoint["conditions"]["ready"])
            for found in slices
            if found["metadata"]["labels"]["kubernetes.io/service-name"] == "old-shop"
            for endpoint in found["endpoints"]
        ),
        "pods": sorted(shop.pods(app="shop")),
        "generation": deployment["metadata"]["generation"],
        "spec": deployment["spec"],
        "uid": deployment["metadata"]["uid"],
        "service": {key: service["metadata"][key] for key in ("uid", "resourceVersion")},
        "address": service["spec"]["clusterIP"],
        "managers": {field["manager"] for field in deployment["metadata"]["managedFields"]},
    }


def test_what_runs_is_adopted_without_a_restart_and_stays_as_it_is(running: Shop) -> None:
    before = unmoved(running)
    blue = described(running)
    assert running.update(blue)["import"] == 2
    assert unmoved(running) == before
    assert set(running.update(SlotSpec.from_json(blue.to_json()))) == {"same"}
    assert unmoved(running) == before
    assert running.slots()["blue"]["url"] == f"http://old-shop.{running.settings.namespace}.svc:8000"


def test_a_launch_beside_it_that_goes_back_leaves_it_alone(running: Shop) -> None:
    before = unmoved(running)
    blue = described(running)
    running.update(blue)
    adopted = running.checkpoint()
    running.update(blue, new=running.spec("green", digest=NEXT_DIGEST))
    assert unmoved(running) == before
    running.restore(adopted)
    assert unmoved(running) == before
    assert running.live("apps/v1/deployments/shop-green") is None


def test_retired_it_runs_on_and_going_back_takes_it_over_again(running: Shop) -> None:
    before = unmoved(running)
    blue, green = described(running), running.spec("green", digest=NEXT_DIGEST)
    running.update(blue)
    adopted = running.checkpoint()
    running.update(blue, new=green)
    running.update(green)
    assert set(running.slots()) == {"green"}
    assert unmoved(running) == before

    running.restore(adopted)
    assert set(running.slots()) == {"blue"}
    assert unmoved(running) == before
    assert running.live("apps/v1/deployments/shop-green") is None


def test_whoever_scales_it_meanwhile_is_left_alone(running: Shop) -> None:
    blue, green = described(running), running.spec("green", digest=NEXT_DIGEST)
    path = f"/apis/apps/v1/namespaces/{running.settings.namespace}/deployments/old-shop"
    running.cluster.rest.patch(f"{path}/scale", {"spec": {"replicas": 4}})  # between the look and the adoption
    running.update(blue)
    adopted = running.checkpoint()
    running.cluster.rest.patch(f"{path}/scale", {"spec": {"replicas": 5}})
    running.update(blue, new=green)
    running.update(green)
    running.restore(adopted)
    assert running.live("apps/v1/deployments/old-shop")["spec"]["replicas"] == 5
    assert set(running.update(blue)) == {"same"}


def test_retired_it_is_deleted_only_where_that_is_asked_for(running: Shop) -> None:
    deleting = adopting(running, "delete")
    blue, green = described(deleting), deleting.spec("green", digest=NEXT_DIGEST)
    deleting.update(blue)
    deleting.update(blue, new=green)
    deleting.update(green)
    assert deleting.live("apps/v1/deployments/old-shop") is None
    assert deleting.live("services/old-shop") is None


def test_what_is_not_there_cannot_be_adopted(shop: Shop) -> None:
    with pytest.raises(CannotAdopt, match=r"the namespace .* has not both"):
        described(adopting(shop, "keep"))
