"""What somebody deployed without launch becomes its first slot: launches start from it and go back to it."""

from __future__ import annotations

import urllib.request
from collections.abc import Callable
from typing import Any

import pytest

from tests.cluster.waiting import wait_until
from tests.integration.kubernetes.launches.conftest import ClusterProject

pytestmark = [pytest.mark.integration, pytest.mark.timeout(600)]

LABELS = {"app": "old-shop"}
ADOPT = "    adopt: { deployment: old-shop, service: old-shop }\n"


def digest_of(tag: str, images: str) -> str:
    """What the registry says that a tag of the shop is."""
    asked = urllib.request.Request(f"http://{images}/v2/shop/manifests/{tag}", method="HEAD")
    asked.add_header("Accept", "application/vnd.oci.image.index.v1+json, application/vnd.oci.image.manifest.v1+json")
    with urllib.request.urlopen(asked, timeout=10) as answer:  # noqa: S310 - our own
        return str(answer.headers["Docker-Content-Digest"])


@pytest.fixture
def shop(make_shop: Callable[..., ClusterProject], images: str) -> ClusterProject:
    """A shop that runs, in an environment that launch has never seen."""
    made = make_shop()
    image = f"{images}/shop@{digest_of('1.0', images)}"
    container = {"name": "web", "image": image, "ports": [{"name": "http", "containerPort": 8080}]}
    template = {"metadata": {"labels": LABELS}, "spec": {"containers": [container]}}
    deployment = {"replicas": 2, "selector": {"matchLabels": LABELS}, "template": template}
    service = {"selector": LABELS, "ports": [{"port": 8000, "targetPort": "http"}]}
    at = f"namespaces/{made.namespace}"
    made.cluster.rest.post(f"/apis/apps/v1/{at}/deployments", {"metadata": {"name": "old-shop"}, "spec": deployment})
    made.cluster.rest.post(f"/api/v1/{at}/services", {"metadata": {"name": "old-shop"}, "spec": service})
    wait_until(lambda: made.items("apis/apps/v1", "deployments")[0].get("status", {}).get("availableReplicas") == 2)
    settings = made.root / "Pulumi.dev.yaml"
    settings.write_text(settings.read_text(encoding="utf-8") + ADOPT, encoding="utf-8")
    return made


def old(shop: ClusterProject) -> dict[str, Any]:
    """What would differ if somebody had touched what ran before launch."""
    (deployment,) = (
        item for item in shop.items("apis/apps/v1", "deployments") if item["metadata"]["name"] == "old-shop"
    )
    pods = (pod for pod in shop.items("api/v1", "pods") if pod["metadata"]["labels"].get("app") == "old-shop")
    return {
        "pods": sorted(pod["metadata"]["uid"] for pod in pods),
        "generation": deployment["metadata"]["generation"],
        "spec": deployment["spec"],
    }


def test_it_is_adopted_and_launched_from_without_a_restart(shop: ClusterProject) -> None:
    before = old(shop)
    asked = shop.launch("check", "dev", "--image", "shop:2.0")
    assert "launch adopt dev" in f"{asked.stdout}{asked.stderr}"

    shop.launch("adopt", "dev", check=0)
    assert shop.weights() == {"old-shop": 100}
    assert old(shop) == before
    shop.launch("adopt", "dev", check=0)

    shop.launch("up", "dev", "--image", "shop:2.0", check=0)
    assert shop.weights() == {"shop-green": 100}
    assert old(shop) == before, "what launch did not make, it does not take away"

    shop.launch("rollback", "dev", check=0)
    assert shop.weights() == {"old-shop": 100}, "adopting was a launch, and one can go back to it"
    assert old(shop) == before
    shop.launch("rollback", "dev", check=0)
    assert shop.weights() == {"shop-green": 100}


def test_a_bad_release_beside_it_never_touches_it(shop: ClusterProject) -> None:
    before = old(shop)
    shop.launch("adopt", "dev", check=0)
    command = shop.start("up", "dev", "--image", "shop:2.0")
    command.until_event("bake.started", phase="traffic")
    shop.prometheus.slot("green").change(error_share=0.3)
    result = command.result()
    assert (result.code, result.ended["state"]) == (1, "ROLLED_BACK"), result
    assert shop.weights() == {"old-shop": 100}
    assert old(shop) == before
