"""Weights and flags on a real control plane: what changes, how often, and back."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest

from components.kubernetes import flag_source
from components.kubernetes.flag_source import FlagsUnavailable
from components.kubernetes.platform import KubernetesPlatform
from components.kubernetes.settings import KubernetesSettings, MatchSettings, RouterSettings
from components.platform import BackendSpec, FlagsSpec, SplitSpec
from phases.errors import UpdateFailed
from stacks import going_back, traffic
from stacks.checkpoint import Checkpoint
from stacks.engine import Engine, Grace
from stacks.marker import Marker
from tests.cluster.cluster import Cluster
from tests.cluster.rest import APPLY, JSON_PATCH, Refused

pytestmark = pytest.mark.integration

MARKER = Marker("launch", "traffic", "step")
ON = {"state": "ENABLED", "variants": {"on": True, "off": False}, "defaultVariant": "on"}
OFF = {**ON, "defaultVariant": "off"}
_LIMIT = 120.0


@dataclass
class Traffic:
    """The traffic stack of one environment in one namespace."""

    cluster: Cluster
    engine: Engine
    settings: KubernetesSettings

    @property
    def namespace(self) -> str:
        return self.settings.namespace

    def program(self, flag: Mapping[str, Any] = OFF, **weights: int) -> Callable[[], None]:
        backends = tuple(
            BackendSpec(slot, f"http://shop-{slot}.{self.namespace}.svc:80", weight) for slot, weight in weights.items()
        )
        return traffic.program(
            KubernetesPlatform(self.settings),
            split=SplitSpec("shop", backends, stable="blue"),
            flags=FlagsSpec("shop", {"checkout": flag}),
            variants={"checkout": str(flag["defaultVariant"])},
            marker=MARKER,
        )

    def go(self, flag: Mapping[str, Any] = OFF, **weights: int) -> Mapping[str, int]:
        update = self.engine.stack("dev-traffic").update(
            self.program(flag, **weights), message="traffic", deadline=_LIMIT
        )
        return update.changes

    def checkpoint(self) -> Checkpoint:
        found = going_back.read(self.engine.stack("dev-traffic"))
        assert found is not None
        return found

    def back(self, before: Checkpoint | None) -> None:
        going_back.restore(self.engine.stack("dev-traffic"), before, marker=MARKER, message="rollback", deadline=_LIMIT)

    def outputs(self) -> dict[str, Any]:
        return self.engine.stack("dev-traffic").outputs()

    def path(self, plural: str, name: str = "") -> str:
        prefix = {
            "configmaps": "/api/v1",
            "ingresses": "/apis/networking.k8s.io/v1",
        }.get(plural, "/apis/gateway.networking.k8s.io/v1")
        return f"{prefix}/namespaces/{self.namespace}/{plural}" + (f"/{name}" if name else "")

    def live(self, plural: str, name: str) -> Any:  # noqa: ANN401
        try:
            return self.cluster.rest.get(self.path(plural, name))
        except Refused as refused:
            if refused.status == 404:
                return None
            raise

    def weights(self, rule: int = 0, plural: str = "httproutes") -> dict[str, int]:
        refs = self.live(plural, "shop")["spec"]["rules"][rule]["backendRefs"]
        return {ref["name"].removeprefix("shop-"): ref["weight"] for ref in refs}

    def events(self, plural: str, run: Callable[[], object]) -> list[dict[str, Any]]:
        """What an API watch tells while `run` runs."""
        version = self.cluster.rest.get(self.path(plural))["metadata"]["resourceVersion"]
        run()
        text = self.cluster.rest.text(f"{self.path(plural)}?watch=true&resourceVersion={version}&timeoutSeconds=1")
        return [json.loads(line) for line in text.splitlines() if line]


@pytest.fixture
def shop(cluster: Cluster, namespace: str, tmp_path: Path, kube_environ: Mapping[str, str]) -> Callable[..., Traffic]:
    """A shop's traffic behind some router."""

    def make(kind: Any = "gateway", **router: Any) -> Traffic:  # noqa: ANN401
        root = tmp_path / "project"
        root.mkdir()
        engine = Engine(project="shop", root=root, environ=kube_environ, grace=Grace(cancel=5.0, terminate=1.0))
        given: dict[str, Any] = {} if kind in {"nginx", "traefik"} else {"gateway": "public"}
        settings = KubernetesSettings(
            kubeconfig=str(cluster.kubeconfig),
            namespace=namespace,
            router=RouterSettings(kind, hostnames=("shop.example",), **given, **router),
        )
        return Traffic(cluster, engine, settings)

    return make


@pytest.mark.parametrize(("kind", "plural"), [("gateway", "httproutes"), ("grpc", "grpcroutes")])
def test_a_step_is_one_change_of_one_route_and_the_way_back_is_too(
    shop: Callable[..., Traffic], kind: str, plural: str
) -> None:
    routed = shop(kind)
    routed.go(blue=100)
    first = routed.checkpoint()
    routed.go(blue=99, green=1)
    before = routed.checkpoint()

    events = routed.events(plural, lambda: routed.go(green=10, blue=90))
    assert [event["type"] for event in events] == ["MODIFIED"]
    assert routed.weights(plural=plural) == {"blue": 90, "green": 10}

    events = routed.events(plural, lambda: routed.back(before))
    assert [event["type"] for event in events] == ["MODIFIED"]
    assert routed.weights(plural=plural) == {"blue": 99, "green": 1}

    events = routed.events(plural, lambda: routed.back(first))
    assert [event["type"] for event in events] == ["MODIFIED"]
    assert routed.weights(plural=plural) == {"blue": 100}
    routed.back(None)
    assert routed.live(plural, "shop") is None


def test_nobody_is_let_in_where_all_weights_are_nought(shop: Callable[..., Traffic]) -> None:
    routed = shop()
    routed.go(blue=0)
    assert routed.weights() == {"blue": 0}
    assert routed.outputs()["url"] == "http://shop.example"
    assert routed.outputs().get("admin") is None


def test_what_another_manager_has_changed_is_taken_back_with_the_next_step(shop: Callable[..., Traffic]) -> None:
    routed = shop()
    routed.go(blue=90, green=10)
    before = routed.checkpoint()
    theirs = routed.live("httproutes", "shop")
    rules = theirs["spec"]["rules"]
    rules[0]["backendRefs"][1]["weight"] = 50

    def edit() -> None:
        body = {
            "apiVersion": theirs["apiVersion"],
            "kind": "HTTPRoute",
            "metadata": {"name": "shop"},
            "spec": {"rules": rules},
        }
        routed.cluster.rest.patch(f"{routed.path('httproutes', 'shop')}?fieldManager=argo&force=true", body, APPLY)

    edit()
    assert routed.weights() == {"blue": 90, "green": 50}
    routed.go(blue=80, green=20)
    assert routed.weights() == {"blue": 80, "green": 20}

    edit()
    routed.back(before)
    assert routed.weights() == {"blue": 90, "green": 10}


def test_what_another_manager_has_changed_stops_the_step_where_that_is_wanted(shop: Callable[..., Traffic]) -> None:
    routed = shop()
    routed.settings = replace(routed.settings, force_conflicts=False)
    routed.go(blue=90, green=10)
    patch = [{"op": "replace", "path": "/spec/rules/0/backendRefs/1/weight", "value": 50}]
    routed.cluster.rest.patch(f"{routed.path('httproutes', 'shop')}?fieldManager=argo", patch, JSON_PATCH)
    with pytest.raises(UpdateFailed):
        routed.go(blue=80, green=20)
    assert routed.weights() == {"blue": 90, "green": 50}


def test_only_the_users_of_a_test_are_split_and_going_back_takes_them_along(shop: Callable[..., Traffic]) -> None:
    routed = shop(match=MatchSettings(cookie="group", value="b.1"))
    routed.go(blue=100, green=0)
    before = routed.checkpoint()
    routed.go(blue=50, green=50)
    assert (routed.weights(rule=0), routed.weights(rule=1)) == ({"blue": 50, "green": 50}, {"blue": 100, "green": 0})
    (header,) = routed.live("httproutes", "shop")["spec"]["rules"][0]["matches"][0]["headers"]
    assert header == {"type": "RegularExpression", "name": "Cookie", "value": r"^(?:.*;\s*)?group=b\.1(?:;.*)?$"}

    events = routed.events("httproutes", lambda: routed.back(before))
    assert len(events) == 1
    assert routed.weights(rule=0) == {"blue": 100, "green": 0}


def test_a_canary_of_nginx_is_changed_alone_while_weights_move(shop: Callable[..., Traffic]) -> None:
    routed = shop("nginx", ingress_class="nginx")
    routed.go(blue=100)
    first = routed.checkpoint()
    routed.go(blue=99, green=1)
    events = routed.events("ingresses", lambda: routed.go(blue=90, green=10))
    assert [(event["type"], event["object"]["metadata"]["name"]) for event in events] == [("MODIFIED", "shop-canary")]
    notes = routed.live("ingresses", "shop-canary")["metadata"]["annotations"]
    assert notes["nginx.ingress.kubernetes.io/canary-weight"] == "10"
    routed.back(first)
    assert routed.live("ingresses", "shop-canary") is None
    assert routed.live("ingresses", "shop") is not None


def test_flags_change_in_place_before_the_route_and_are_what_a_gate_reads(
    shop: Callable[..., Traffic], tmp_path: Path
) -> None:
    routed = shop()
    routed.go(blue=100)
    before = routed.checkpoint()
    source = routed.outputs()["flag_source"]
    assert source == f"kubernetes://{routed.namespace}/configmaps/shop-flags"

    events = routed.events("configmaps", lambda: routed.go(ON, blue=99, green=1))
    assert [event["type"] for event in events if event["object"]["metadata"]["name"] == "shop-flags"] == ["MODIFIED"]
    at = {
        plural: int(routed.live(plural, name)["metadata"]["resourceVersion"])
        for plural, name in (("configmaps", "shop-flags"), ("httproutes", "shop"))
    }
    assert at["configmaps"] < at["httproutes"]
    with flag_source.as_file(routed.settings, source) as path:
        assert evaluated(path) is True

    routed.back(before)
    path = Path(flag_source.local(routed.settings, source, tmp_path / "flags"))
    assert evaluated(path) is False
    routed.back(None)
    with (
        pytest.raises(FlagsUnavailable, match="it is not there"),
        flag_source.as_file(routed.settings, source),
    ):
        pass


def evaluated(path: Path) -> bool:
    """The flag as flagd's own resolver has it."""
    from phases.gates import flag_provider

    provider = flag_provider.create(flag_provider.DEFAULT, {}, source=str(path))
    with flag_provider.client(provider) as client:
        return client.get_boolean_value("checkout", default_value=False)


def test_flags_for_the_operator_are_read_from_its_own_object(shop: Callable[..., Traffic]) -> None:
    routed = shop()
    routed.settings = replace(routed.settings, flags="operator")
    install_feature_flags(routed.cluster)
    routed.go(ON, blue=100)
    source = routed.outputs()["flag_source"]
    assert source == f"kubernetes://{routed.namespace}/featureflags/shop-flags"
    with flag_source.as_file(routed.settings, source) as path:
        assert evaluated(path) is True


def install_feature_flags(cluster: Cluster) -> None:
    """The definition of the operator's resource, as loose as can be: only its name matters here."""
    name = "featureflags.core.openfeature.dev"
    schema = {"type": "object", "x-kubernetes-preserve-unknown-fields": True}
    body = {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {"name": name},
        "spec": {
            "group": "core.openfeature.dev",
            "names": {"kind": "FeatureFlag", "plural": "featureflags", "singular": "featureflag"},
            "scope": "Namespaced",
            "versions": [
                {"name": "v1beta1", "served": True, "storage": True, "schema": {"openAPIV3Schema": schema}},
            ],
        },
    }
    path = f"/apis/apiextensions.k8s.io/v1/customresourcedefinitions/{name}"
    cluster.rest.patch(f"{path}?fieldManager=tests&force=true", body, APPLY)
    from tests.cluster.waiting import wait_until

    def served() -> bool:
        found = cluster.rest.get(path).get("status", {}).get("conditions", [])
        return any(each["type"] == "Established" and each["status"] == "True" for each in found)

    wait_until(served)
