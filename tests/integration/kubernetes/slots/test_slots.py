"""Slots on a real control plane: they start, fail, go and come back without touching each other."""

from __future__ import annotations

import base64
import json
from dataclasses import replace
from pathlib import Path

import pytest

from components.kubernetes.settings import AutoscalingSettings, SlotSettings
from components.platform import ReadinessSpec, SlotSpec
from phases.errors import UpdateFailed
from stacks import deploy
from tests.integration.kubernetes.slots.shops import CRASHES, DIGEST, NEXT_DIGEST, Shop

pytestmark = pytest.mark.integration


def test_a_slot_starts_with_all_that_belongs_to_it_and_the_second_time_nothing_changes(shop: Shop) -> None:
    blue = shop.spec("blue")
    changes = shop.update(new=blue)
    assert changes["create"] >= 6
    outputs = deploy.recorded_slots(shop.checkpoint())["blue"]
    assert outputs["url"] == f"http://shop-blue.{shop.settings.namespace}.svc:80"

    deployment = shop.live("apps/v1/deployments/shop-blue")
    assert deployment["status"]["availableReplicas"] == 2
    (container,) = deployment["spec"]["template"]["spec"]["containers"]
    assert container["image"] == f"registry.example/shop@{DIGEST}"
    assert shop.live("policy/v1/poddisruptionbudgets/shop-blue")["spec"]["minAvailable"] == "50%"
    assert shop.live("services/shop-blue")["spec"]["ports"][0]["targetPort"] == "http"
    assert shop.configuration("blue") == {"COLOUR": "blue", "PASSWORD": "hunter2"}

    pods = shop.pods(slot="blue")
    assert set(shop.update(SlotSpec.from_json(blue.to_json()))) == {"same"}
    assert shop.pods(slot="blue").keys() == pods.keys()


def test_no_secret_of_a_release_is_in_any_file(shop: Shop, root: Path) -> None:
    shop.update(new=shop.spec("blue"))
    assert shop.configuration("blue")["PASSWORD"] == "hunter2"
    files = [path for path in root.rglob("*") if path.is_file()]
    assert any(b"shop-blue" in path.read_bytes() for path in files), "the state is among them"
    for secret in (b"hunter2", base64.b64encode(b"hunter2")):
        assert not [path for path in files if secret in path.read_bytes()]


def test_another_kubeconfig_for_the_cluster_replaces_nothing(shop: Shop, root: Path) -> None:
    blue = shop.spec("blue")
    shop.update(new=blue)
    pods = shop.pods(slot="blue")
    config = json.loads(shop.cluster.kubeconfig.read_text(encoding="utf-8"))
    config["clusters"][0]["cluster"]["disable-compression"] = True  # what the plugin would take for another cluster
    moved = root / "kubeconfig"
    moved.write_text(json.dumps(config), encoding="utf-8")
    changes = replace(shop, settings=replace(shop.settings, kubeconfig=str(moved))).update(blue)
    assert set(changes) <= {"same", "update"}
    assert changes["update"] == 1, "the provider alone"
    assert shop.pods(slot="blue").keys() == pods.keys()


def test_a_release_that_crashes_fails_with_its_reason_and_takes_nothing_from_the_other(shop: Shop) -> None:
    blue = shop.spec("blue")
    shop.update(new=blue)
    before, pods = shop.checkpoint(), shop.pods(slot="blue")
    generation = shop.live("apps/v1/deployments/shop-blue")["metadata"]["generation"]

    bad = shop.spec("green", repository=CRASHES, digest=NEXT_DIGEST, readiness=ReadinessSpec(timeout=5.0))
    with pytest.raises(UpdateFailed) as failure:
        shop.update(blue, new=bad)
    assert "CrashLoopBackOff" in str(failure.value)
    assert "hunter2" not in str(failure.value)

    def untouched() -> None:
        assert shop.pods(slot="blue").keys() == pods.keys()
        deployment = shop.live("apps/v1/deployments/shop-blue")
        assert deployment["metadata"]["generation"] == generation
        assert deployment["status"]["availableReplicas"] == 2

    untouched()
    shop.restore(before)
    untouched()
    assert shop.live("apps/v1/deployments/shop-green") is None
    assert shop.live("services/shop-green") is None


def test_an_image_that_cannot_be_pulled_says_so(shop: Shop) -> None:
    bad = shop.spec("blue", repository="registry.example/behave-image-pull/shop", readiness=ReadinessSpec(timeout=4.0))
    with pytest.raises(UpdateFailed, match=r"ImagePullBackOff|not found"):
        shop.update(new=bad)


def test_the_configuration_of_a_retired_release_is_back_with_it(shop: Shop) -> None:
    blue = shop.spec("blue")
    shop.update(new=blue)
    before = shop.checkpoint()
    green = shop.spec("green", digest=NEXT_DIGEST, environment={"COLOUR": "changed", "PASSWORD": "other"})
    shop.update(blue, new=green)
    shop.update(green)
    assert shop.live("apps/v1/deployments/shop-blue") is None
    assert shop.configuration("green") == {"COLOUR": "changed", "PASSWORD": "other"}

    shop.restore(before)
    assert shop.configuration("blue") == {"COLOUR": "blue", "PASSWORD": "hunter2"}
    assert shop.live("apps/v1/deployments/shop-green") is None
    names = {found["metadata"]["name"] for found in shop.live("configmaps")["items"]} - {"kube-root-ca.crt"}
    assert len(names) == 1


def test_configuration_changed_in_place_rolls_pods_and_is_back_after_a_replay(shop: Shop) -> None:
    shop.update(new=shop.spec("blue"))
    before, pods = shop.checkpoint(), shop.pods(slot="blue")
    shop.update(new=shop.spec("blue", environment={"COLOUR": "changed", "PASSWORD": "other"}))
    assert shop.configuration("blue") == {"COLOUR": "changed", "PASSWORD": "other"}
    assert not shop.pods(slot="blue").keys() & pods.keys()

    shop.restore(before)
    assert shop.configuration("blue") == {"COLOUR": "blue", "PASSWORD": "hunter2"}
    assert shop.live("apps/v1/deployments/shop-blue")["status"]["availableReplicas"] == 2


def test_an_autoscaled_slot_keeps_the_number_of_pods_that_its_autoscaler_chose(shop: Shop) -> None:
    scaled = replace(shop.settings, slot=SlotSettings(autoscaling=AutoscalingSettings(2, 5)))
    shop = replace(shop, settings=scaled)
    shop.update(new=shop.spec("blue"))
    found = shop.live("autoscaling/v2/horizontalpodautoscalers/shop-blue")["spec"]
    assert found["scaleTargetRef"]["name"] == "shop-blue"
    assert (found["minReplicas"], found["maxReplicas"]) == (2, 5)

    path = f"/apis/apps/v1/namespaces/{shop.settings.namespace}/deployments/shop-blue"
    shop.cluster.rest.patch(f"{path}/scale", {"spec": {"replicas": 4}})  # as the autoscaler does
    shop.update(new=shop.spec("blue", environment={"COLOUR": "changed"}, secret_keys=()))
    assert shop.live("apps/v1/deployments/shop-blue")["spec"]["replicas"] == 4


def test_a_first_slot_that_failed_leaves_nothing(shop: Shop) -> None:
    with pytest.raises(UpdateFailed):
        shop.update(new=shop.spec("blue", repository=CRASHES, readiness=ReadinessSpec(timeout=3.0)))
    shop.restore(None)
    assert shop.live("apps/v1/deployments/shop-blue") is None
    assert shop.live("services/shop-blue") is None
    assert not shop.live("secrets")["items"]


def test_what_a_killed_launch_left_without_a_record_is_found_by_the_next_try(shop: Shop) -> None:
    blue = shop.spec("blue")
    shop.update(new=blue)
    pods = shop.pods(slot="blue")
    # The state forgets everything, as if the process had died before it could be written.
    lost = replace(shop, stack=shop.stack._engine.stack("dev-other"))
    assert lost.update(new=blue)["create"] >= 6
    assert lost.pods(slot="blue").keys() == pods.keys()
