"""What every router makes of a launch: who gets which users, and what an update of the weights touches."""

from __future__ import annotations

import copy
import dataclasses
import itertools
import re
from collections.abc import Iterator, Mapping
from typing import Any

import pytest

from components.kubernetes.routers import ROUTERS, problems, router
from components.kubernetes.routers.base import Backend, Manifest, Route, UnsupportedRoute, cookie_pattern
from components.kubernetes.settings import MatchSettings, RouterKind, RouterSettings

KINDS: tuple[RouterKind, ...] = ("gateway", "grpc", "istio", "nginx", "traefik")
HEADER = MatchSettings(header="X-Group", value="beta")
COOKIE = MatchSettings(cookie="group")
TESTS = [(kind, match) for kind in KINDS for match in (HEADER, COOKIE) if not (kind == "grpc" and match.cookie)]


def settings(kind: RouterKind, **given: Any) -> RouterSettings:  # noqa: ANN401
    gateway = {"gateway": "public", "gateway_namespace": "infra"} if kind in {"gateway", "grpc", "istio"} else {}
    return RouterSettings(kind, **{"hostnames": ("shop.example",), **gateway, **given})


def route(kind: RouterKind, weights: Mapping[str, int], *, stable: str | None = None, **given: Any) -> Route:  # noqa: ANN401
    backends = tuple(Backend(f"shop-{slot}", "prod", 80, weight) for slot, weight in sorted(weights.items()))
    cookie = given.pop("cookie", None)
    return Route(
        "shop", "prod", backends, settings(kind, **given), stable=f"shop-{stable}" if stable else None, cookie=cookie
    )


def manifests(kind: RouterKind, weights: Mapping[str, int], **given: Any) -> tuple[Manifest, ...]:  # noqa: ANN401
    return ROUTERS[kind].manifests(route(kind, weights, **given))


def differences(before: Any, after: Any, path: str = "") -> Iterator[str]:  # noqa: ANN401
    """Paths at which two objects differ."""
    if isinstance(before, Mapping) and isinstance(after, Mapping):
        for key in [*before, *(key for key in after if key not in before)]:
            yield from differences(before.get(key), after.get(key), f"{path}.{key}")
    elif isinstance(before, list) and isinstance(after, list) and len(before) == len(after):
        for index, (one, other) in enumerate(zip(before, after, strict=True)):
            yield from differences(one, other, f"{path}[{index}]")
    elif before != after:
        yield path


def changed(before: tuple[Manifest, ...], after: tuple[Manifest, ...]) -> dict[str, list[str]]:
    """By changed object, the paths that differ."""
    assert [(each.kind, each.name) for each in before] == [(each.kind, each.name) for each in after]
    found = {}
    for one, other in zip(before, after, strict=True):
        if paths := list(differences(dataclasses.asdict(one), dataclasses.asdict(other))):
            found[f"{one.kind} {one.name}"] = paths
    return found


def users(kind: RouterKind, made: tuple[Manifest, ...], *, test: bool = False) -> dict[str, int]:
    """Percent of users by Service, read from the objects as the router's own documentation reads them."""
    by_name = {(each.kind, each.name): each for each in made}
    if kind in {"gateway", "grpc"}:
        (manifest,) = made
        rules = manifest.spec["rules"]
        rule = rules[0] if test or len(rules) == 1 else rules[1]
        return {ref["name"]: ref["weight"] for ref in rule["backendRefs"]}
    if kind == "istio":
        (manifest,) = made
        http = manifest.spec["http"]
        rule = http[0] if test or len(http) == 1 else http[1]
        if "directResponse" in rule:
            return {}
        return {each["destination"]["host"].split(".")[0]: each["weight"] for each in rule["route"]}
    if kind == "traefik":
        entries = by_name["IngressRoute", "shop"].spec["routes"]
        entry = entries[0] if test or len(entries) == 1 else entries[1]
        service = by_name["TraefikService", entry["services"][0]["name"]]
        return {each["name"]: each["weight"] for each in service.spec["weighted"]["services"]}
    return nginx_users(made, test=test)


def nginx_users(made: tuple[Manifest, ...], *, test: bool) -> dict[str, int]:
    def served(manifest: Manifest) -> str:
        name: str = manifest.spec["rules"][0]["http"]["paths"][0]["backend"]["service"]["name"]
        return name

    prefix = "nginx.ingress.kubernetes.io/canary"
    if len(made) == 1:
        return {served(made[0]): 100}
    notes = made[1].annotations
    weight = int(notes[f"{prefix}-weight"])
    if test and (f"{prefix}-by-header" in notes or f"{prefix}-by-cookie" in notes):
        weight = 100
    return {served(made[0]): 100 - weight, served(made[1]): weight}


def served(found: dict[str, int]) -> dict[str, int]:
    return {name: weight for name, weight in found.items() if weight}


@pytest.mark.parametrize("kind", KINDS)
def test_users_are_split_as_the_weights_say(kind: RouterKind) -> None:
    made = manifests(kind, {"blue": 90, "green": 10}, stable="blue")
    assert users(kind, made) == {"shop-blue": 90, "shop-green": 10}


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(("stable", "new"), [("blue", "green"), ("green", "blue")])
def test_a_step_forward_and_the_way_back_change_one_object_and_only_its_weights(
    kind: RouterKind, stable: str, new: str
) -> None:
    before = manifests(kind, {stable: 99, new: 1}, stable=stable)
    forward = manifests(kind, {stable: 90, new: 10}, stable=stable)
    back = manifests(kind, {stable: 100, new: 0}, stable=stable)
    for after in (forward, back):
        ((_, paths),) = changed(before, after).items()
        assert all("weight" in path for path in paths)


@pytest.mark.parametrize("kind", KINDS)
def test_a_first_launch_has_one_slot_that_gets_everybody(kind: RouterKind) -> None:
    assert served(users(kind, manifests(kind, {"blue": 100}))) == {"shop-blue": 100}


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("weights", [{"blue": 0}, {"blue": 0, "green": 0}], ids=["one", "two"])
def test_where_all_weights_are_nought_no_slot_is_reached(kind: RouterKind, weights: dict[str, int]) -> None:
    found = served(users(kind, manifests(kind, weights)))
    assert found in ({}, {"shop-nobody": 100})  # nginx has no weights for its first Ingress


@pytest.mark.parametrize(("stable", "new"), [("blue", "green"), ("green", "blue")])
@pytest.mark.parametrize(("kind", "match"), TESTS, ids=[f"{kind}-{m.header or m.cookie}" for kind, m in TESTS])
def test_only_the_users_of_an_ab_test_get_the_new_slot(
    kind: RouterKind, stable: str, new: str, match: MatchSettings
) -> None:
    assert problems(settings(kind, match=match)) == ()
    weights = {stable: 40, new: 60}
    made = manifests(kind, weights, stable=stable, match=match)
    assert served(users(kind, made)) == {f"shop-{stable}": 100}
    inside = served(users(kind, made, test=True))
    assert inside == ({f"shop-{new}": 100} if kind == "nginx" else {f"shop-{stable}": 40, f"shop-{new}": 60})


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("percent", [0, 100])
def test_at_the_ends_the_users_of_a_test_are_as_all_others(kind: RouterKind, percent: int) -> None:
    made = manifests(kind, {"blue": 100 - percent, "green": percent}, stable="blue", match=HEADER)
    everybody = {"shop-green" if percent else "shop-blue": 100}
    assert served(users(kind, made)) == served(users(kind, made, test=True)) == everybody


@pytest.mark.parametrize("kind", KINDS)
def test_going_back_takes_the_users_of_a_test_along_in_one_update(kind: RouterKind) -> None:
    before = manifests(kind, {"blue": 50, "green": 50}, stable="blue", match=HEADER)
    back = manifests(kind, {"blue": 100, "green": 0}, stable="blue", match=HEADER)
    assert len(changed(before, back)) == 1
    assert served(users(kind, back, test=True)) == {"shop-blue": 100}


@pytest.mark.parametrize("kind", KINDS)
def test_what_was_made_is_not_changed_by_what_is_made_later(kind: RouterKind) -> None:
    first = manifests(kind, {"blue": 100})
    kept = copy.deepcopy(first)
    manifests(kind, {"blue": 0, "green": 100}, stable="blue", match=HEADER)
    assert first == kept


def test_nginx_never_serves_a_slot_between_two_objects_that_neither_state_serves() -> None:
    """Two Ingresses never change at once; the first changes first, whichever way it goes."""
    states = [
        manifests("nginx", {"blue": 100, "green": 0}, stable="blue"),
        manifests("nginx", {"blue": 50, "green": 50}, stable="blue"),
        manifests("nginx", {"blue": 0, "green": 100}, stable="blue"),
        manifests("nginx", {"blue": 0, "green": 100}, stable="green"),
        manifests("nginx", {"blue": 1, "green": 99}, stable="green"),
    ]
    ways = [*itertools.pairwise(states), (states[2], states[0]), (states[1], states[0])]
    for before, after in ways:
        between = (after[0], before[1])
        allowed = set(served(nginx_users(before, test=False))) | set(served(nginx_users(after, test=False)))
        assert set(served(nginx_users(between, test=False))) <= allowed


def test_the_canary_of_nginx_follows_its_ingress_and_waits_for_no_address() -> None:
    first, canary = manifests("nginx", {"blue": 90, "green": 10}, stable="blue", tls_secret="cert", ingress_class="n")
    assert (first.name, canary.name) == ("shop", "shop-canary")
    assert first.annotations == {"pulumi.com/skipAwait": "true"}
    assert canary.annotations["nginx.ingress.kubernetes.io/canary"] == "true"
    assert canary.spec["tls"] == [{"hosts": ["shop.example"], "secretName": "cert"}]
    assert canary.spec["ingressClassName"] == "n"


def test_a_gateway_route_is_attached_to_its_listener_and_hosts() -> None:
    (made,) = manifests("gateway", {"blue": 100}, section="https", path="/shop")
    assert made.api_version == "gateway.networking.k8s.io/v1"
    assert made.spec["parentRefs"] == [
        {
            "group": "gateway.networking.k8s.io",
            "kind": "Gateway",
            "name": "public",
            "namespace": "infra",
            "sectionName": "https",
        }
    ]
    assert made.spec["hostnames"] == ["shop.example"]
    assert made.spec["rules"][0]["matches"] == [{"path": {"type": "PathPrefix", "value": "/shop"}}]


def test_a_grpc_route_is_for_the_method_that_is_named() -> None:
    (made,) = manifests("grpc", {"blue": 1, "green": 99}, grpc_service="shop.Cart", match=HEADER, stable="blue")
    assert made.kind == "GRPCRoute"
    method = {"type": "Exact", "service": "shop.Cart"}
    header = {"type": "Exact", "name": "X-Group", "value": "beta"}
    assert made.spec["rules"][0]["matches"] == [{"method": method, "headers": [header]}]
    assert made.spec["rules"][1]["matches"] == [{"method": method}]
    (every,) = manifests("grpc", {"blue": 100})
    assert "matches" not in every.spec["rules"][0]


def test_a_virtual_service_without_a_gateway_is_for_the_mesh() -> None:
    (made,) = ROUTERS["istio"].manifests(route("istio", {"blue": 100}, gateway=None, hostnames=()))
    assert made.spec["hosts"] == ["shop"]
    assert "gateways" not in made.spec
    (public,) = manifests("istio", {"blue": 100})
    assert (public.spec["hosts"], public.spec["gateways"]) == (["shop.example"], ["infra/public"])


def test_traefik_keeps_users_on_their_slot_and_quotes_its_rules() -> None:
    split, entrance = manifests(
        "traefik", {"blue": 50, "green": 50}, cookie="slot", hostnames=("a.example", "b.example")
    )
    assert split.spec["weighted"]["sticky"] == {"cookie": {"name": "slot", "httpOnly": True}}
    assert entrance.spec["routes"][0]["match"] == "(Host(`a.example`) || Host(`b.example`)) && PathPrefix(`/`)"


@pytest.mark.parametrize(
    ("header", "matches"),
    [
        ("group=always", True),
        ("a=1; group=always; b=2", True),
        ("a=1;group=always", True),
        ("group=never", False),
        ("mygroup=always", False),
        ("group=always2", False),
        ("", False),
    ],
)
def test_a_cookie_is_found_in_its_header_and_no_other_is_taken_for_it(header: str, matches: bool) -> None:
    assert bool(re.fullmatch(cookie_pattern(COOKIE), header)) is matches


@pytest.mark.parametrize(
    ("given", "cookie", "header", "says"),
    [
        ({"kind": "gateway"}, None, None, "name one with `gateway`"),
        ({"kind": "gateway", "gateway": "g"}, "slot", None, "cannot keep a user on one slot by the cookie 'slot'"),
        ({"kind": "istio"}, "slot", None, "cannot keep a user on one slot"),
        ({"kind": "istio", "gateway": "g"}, None, None, "needs `hostnames`"),
        ({"kind": "grpc", "gateway": "g", "match": COOKIE}, None, None, "gRPC has no cookies"),
        ({"kind": "grpc", "gateway": "g", "path": "/shop"}, None, None, "not the path '/shop'"),
        ({"kind": "grpc", "gateway": "g", "grpc_method": "Get"}, None, None, "needs its `grpc_service`"),
        ({"kind": "nginx", "match": MatchSettings(cookie="g", value="b")}, None, None, "whose value is 'always'"),
        ({"kind": "traefik", "path": "/`"}, None, None, "cannot be quoted"),
        ({"kind": "nginx", "match": MatchSettings()}, None, None, "a header or a cookie, one of the two"),
        ({"kind": "nginx", "match": MatchSettings(header="a", cookie="b")}, None, None, "one of the two"),
        ({"kind": "traefik", "match": MatchSettings(header="a", value="(", regex=True)}, None, None, "no regular exp"),
        ({"kind": "nginx", "match": HEADER}, "slot", None, "contradict each other"),
        ({"kind": "nginx"}, None, "X-User", "by the header 'X-User': use a cookie"),
        ({"kind": "envoy"}, None, None, "there are gateway, grpc, istio, nginx, traefik"),
    ],
)
def test_what_a_router_cannot_do_is_said_before_anything_is_made(
    given: dict[str, Any], cookie: str | None, header: str | None, says: str
) -> None:
    with pytest.raises(UnsupportedRoute, match=re.escape(says)):
        router(RouterSettings(**given), cookie=cookie, header=header)


@pytest.mark.parametrize("kind", KINDS)
def test_the_registry_has_every_router_under_its_own_name(kind: RouterKind) -> None:
    assert router(settings(kind)).kind == kind
    assert set(ROUTERS) == set(KINDS)
