"""Armed updates on a real control plane: the plugin is warm, and what was decided is one change of one route."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

from components.kubernetes.settings import KubernetesSettings, RouterSettings
from stacks.armed import ArmedLost
from stacks.arming import BACK, FORWARD, STAY, ArmedUpdate, Next, WayBack, arm
from stacks.engine import Engine, Grace
from stacks.marker import Marker
from tests.cluster.cluster import Cluster
from tests.cluster.rest import APPLY
from tests.integration.kubernetes.test_routes import OFF, ON, Traffic
from tests.integration.processes import started

pytestmark = pytest.mark.integration

LIMIT_S = 120.0
UNDO = Marker("launch", "traffic", "traffic.undo")


@pytest.fixture
def routed(cluster: Cluster, namespace: str, tmp_path: Path, kube_environ: Mapping[str, str]) -> Traffic:
    """A shop's traffic of which a launch has moved a tenth."""
    root = tmp_path / "project"
    root.mkdir()
    engine = Engine(project="shop", root=root, environ=kube_environ, grace=Grace(cancel=5.0, terminate=1.0))
    router = RouterSettings("gateway", hostnames=("shop.example",), gateway="public")
    return Traffic(cluster, engine, KubernetesSettings(str(cluster.kubeconfig), namespace=namespace, router=router))


@pytest.fixture
def ready(routed: Traffic) -> Callable[[], ArmedUpdate]:
    """Arm the traffic between half the users with the flag, and nobody without it."""
    routed.go(blue=100)
    before = routed.checkpoint()
    routed.go(blue=90, green=10)

    def make() -> ArmedUpdate:
        update = arm(
            routed.engine.stack("dev-traffic"),
            message="forward, or back",
            step=Next(routed.program(ON, blue=50, green=50)),
            back=WayBack(before, UNDO),
        )
        assert update is not None
        assert update.wait_ready(LIMIT_S)
        return update

    return make


def sent(update: ArmedUpdate) -> set[str]:
    """The types of what is registered before the verdict."""
    gate = update._program._gate
    assert gate is not None
    return {key.type for key in gate._sent}


def flag(routed: Traffic) -> bool:
    found = routed.outputs()["flags"]["checkout"]
    return bool(found == "on")


@pytest.mark.parametrize(
    ("outcome", "weights"),
    [(FORWARD, {"blue": 50, "green": 50}), (BACK, {"blue": 100}), (STAY, {"blue": 90, "green": 10})],
)
def test_the_verdict_is_one_change_of_the_route(
    routed: Traffic, ready: Callable[[], ArmedUpdate], outcome: str, weights: dict[str, int]
) -> None:
    update = ready()
    assert "pulumi:providers:kubernetes" in sent(update), "the plugin is warm"
    assert routed.weights() == {"blue": 90, "green": 10}
    seconds: list[float] = []

    def decide() -> None:
        update.fire(outcome)
        seconds.append(update.wait_applied(LIMIT_S).seconds)

    events = routed.events("httproutes", decide)
    assert [event["type"] for event in events] == ([] if outcome == STAY else ["MODIFIED"])
    assert routed.weights() == weights
    update.wait_end()
    assert flag(routed) == (outcome == FORWARD)
    program = {FORWARD: routed.program(ON, blue=50, green=50), BACK: routed.program(OFF, blue=100)}
    if outcome in program:
        assert not routed.engine.stack("dev-traffic").update(program[outcome], message="by hand").changed


def test_what_others_changed_meanwhile_is_taken_back_by_the_verdict(
    routed: Traffic, ready: Callable[[], ArmedUpdate]
) -> None:
    update = ready()
    rules: Any = routed.live("httproutes", "shop")["spec"]["rules"]
    rules[0]["backendRefs"][0]["weight"] = 7
    body = {
        "apiVersion": "gateway.networking.k8s.io/v1",
        "kind": "HTTPRoute",
        "metadata": {"name": "shop"},
        "spec": {"rules": rules},
    }
    path = f"{routed.path('httproutes', 'shop')}?fieldManager=argo&force=true"
    routed.cluster.rest.patch(path, body, APPLY)
    update.fire(BACK)
    update.wait_applied(LIMIT_S)
    assert routed.weights() == {"blue": 100}
    update.wait_end()


def test_where_the_plugin_dies_meanwhile_a_plain_update_goes_back(
    routed: Traffic, ready: Callable[[], ArmedUpdate]
) -> None:
    update = ready()
    for plugin in started("pulumi-resource-kubernetes"):
        plugin.kill()
    update.fire(BACK)
    with pytest.raises(ArmedLost):
        update.wait_applied(LIMIT_S)
    update.cancel()
    routed.go(blue=100)
    assert routed.weights() == {"blue": 100}
