"""What a traffic split registers, and what it answers."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Any

import pytest

from components.kubernetes import feature_flags, traffic_split
from components.kubernetes.routers.base import UnsupportedRoute
from components.kubernetes.settings import KubernetesSettings, RouterSettings
from components.platform import BackendSpec, FlagsSpec, SplitSpec
from tests.components.kubernetes.conftest import RunProgram

GATEWAY = RouterSettings(gateway="public", hostnames=("*.example", "shop.example"), annotations={"team": "shop"})


def split(**weights: int) -> SplitSpec:
    backends = tuple(BackendSpec(slot, f"http://shop-{slot}.prod.svc:80", weight) for slot, weight in weights.items())
    return SplitSpec("shop", backends, stable="blue")


def settings(router: RouterSettings = GATEWAY, **given: Any) -> KubernetesSettings:  # noqa: ANN401
    return KubernetesSettings(namespace="prod", router=router, **given)


def test_a_split_is_one_route_that_is_ours_whoever_edits_it(run_program: RunProgram) -> None:
    found = run_program(lambda: {"route": traffic_split.place(settings(), split(green=10, blue=90), after=None)})

    assert found.outputs["route"] == {"url": "http://shop.example", "admin": None}
    assert found.names("HTTPRoute") == ["shop"]
    made = found.inputs("HTTPRoute", "shop")
    assert made["metadata"] == {
        "name": "shop",
        "namespace": "prod",
        "labels": {"app.kubernetes.io/name": "shop", "app.kubernetes.io/managed-by": "launch"},
        "annotations": {"team": "shop", "pulumi.com/patchForce": "true"},
    }
    refs = made["spec"]["rules"][0]["backendRefs"]
    assert [(ref["name"], ref["port"], ref["weight"]) for ref in refs] == [
        ("shop-blue", 80, 90),
        ("shop-green", 80, 10),
    ]
    request = found.request("HTTPRoute", "shop")
    assert "TrafficSplit" in request.parent
    assert "kubernetes" in request.provider


def test_edits_of_others_stop_the_update_where_they_are_to_be_respected(run_program: RunProgram) -> None:
    place = settings(force_conflicts=False)
    found = run_program(lambda: {"route": traffic_split.place(place, split(blue=100), after=None)})
    assert "pulumi.com/patchForce" not in found.inputs("HTTPRoute", "shop")["metadata"]["annotations"]


def test_the_route_moves_after_the_flags(run_program: RunProgram) -> None:
    def program() -> dict[str, Any]:
        flags = feature_flags.place(settings(), FlagsSpec("shop", {}))
        return {"flags": flags, "route": traffic_split.place(settings(), split(blue=100), after=flags)}

    found = run_program(program)
    # Of the route itself, not only of the component: a replayed checkpoint knows nothing else.
    assert any("ConfigMap::shop-flags" in urn for urn in found.request("HTTPRoute", "shop").dependencies)


def test_the_canary_is_registered_after_its_ingress(run_program: RunProgram) -> None:
    router = RouterSettings("nginx", hostnames=("shop.example",), tls_secret="cert", path="/shop/")
    found = run_program(lambda: {"route": traffic_split.place(settings(router), split(blue=90, green=10), after=None)})
    assert found.names("Ingress") == ["shop", "shop-canary"]
    assert found.outputs["route"]["url"] == "https://shop.example/shop"
    (before,) = [urn for urn in found.request("Ingress", "shop-canary").dependencies if "Ingress" in urn]
    assert before.endswith("::shop")


def test_a_route_that_exists_is_taken_over_under_its_own_name(run_program: RunProgram) -> None:
    router = RouterSettings(gateway="public", adopt="legacy", url="https://shop.example/")
    found = run_program(lambda: {"route": traffic_split.place(settings(router), split(blue=100), after=None)})
    assert found.inputs("HTTPRoute", "legacy")["metadata"]["name"] == "legacy"
    assert found.request("HTTPRoute", "legacy").retainOnDelete, "whoever made it has other plans for it than we"
    assert found.outputs["route"]["url"] == "https://shop.example"


def test_a_route_of_ours_goes_with_us(run_program: RunProgram) -> None:
    router = RouterSettings(gateway="public")
    found = run_program(lambda: {"route": traffic_split.place(settings(router), split(blue=100), after=None)})
    assert not found.request("HTTPRoute", "shop").retainOnDelete


def test_one_of_several_services_has_hosts_and_a_route_of_its_own(run_program: RunProgram) -> None:
    router = RouterSettings(gateway="public", hostnames=("shop.example",), adopt="legacy", url="https://shop.example/")
    cart = replace(split(blue=100), service="cart", hostnames=("cart.example",), own=False)
    found = run_program(lambda: {"route": traffic_split.place(settings(router), cart, after=None)})
    assert found.inputs("HTTPRoute", "cart")["spec"]["hostnames"] == ["cart.example"]
    assert found.outputs["route"]["url"] == "http://cart.example"


def test_where_users_come_in_may_be_known_to_the_gateway_alone(run_program: RunProgram) -> None:
    router = RouterSettings(gateway="public")
    found = run_program(lambda: {"route": traffic_split.place(settings(router), split(blue=100), after=None)})
    assert found.outputs["route"]["url"] is None


@pytest.mark.parametrize("url", ["http://127.0.0.1:4000", "http://shop.example:80"])
def test_a_slot_that_is_no_service_of_a_cluster_is_refused(run_program: RunProgram, url: str) -> None:
    spec = SplitSpec("shop", (BackendSpec("blue", url, 100),))
    with pytest.raises(ValueError, match="no Service of a cluster"):
        run_program(lambda: {"route": traffic_split.place(settings(), spec, after=None)})


def test_what_the_router_cannot_do_stops_the_program_before_it_registers_anything(run_program: RunProgram) -> None:
    spec = SplitSpec("shop", (BackendSpec("blue", "http://shop-blue.prod.svc:80", 100),), header="X-User")
    with pytest.raises(UnsupportedRoute, match=re.escape("by the header 'X-User': use a cookie")):
        run_program(lambda: {"route": traffic_split.place(settings(), spec, after=None)})
