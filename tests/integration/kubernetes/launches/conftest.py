"""Shop on a real control plane, launched by the real command: everything is real but what pods would answer.

kwok's pods run nothing. So a small server stands in for what all of them would say, reached through the API server's
own port forwarding, and a scripted Prometheus for what users would meet.
"""

from __future__ import annotations

import base64
import json
import shutil
import threading
from collections.abc import Callable, Iterator, Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from examples.shop.build import files
from tests.cluster import scripted_prometheus
from tests.cluster.cluster import Cluster
from tests.cluster.scripted_prometheus import ScriptedPrometheus
from tests.integration.kubernetes.conftest import plugin_environ
from tests.integration.launches.conftest import Project
from tests.registry.oci_registry_standin import registry
from tests.registry.pushing import Pusher

LAUNCH = """\
launch:
  rollback_threshold: { error_rate: 0.02, latency_p99_ms: 800, min_requests: 10, window: 5s, interval: 500ms }
  flags:
    - { key: new_checkout, owner: checkout, created: 2026-11-01, expires: 2030-12-31, cleanup: PR-1 }
  phases:
    - id: migration
      timeout_ms: 90000
      validators:
        - { type: schema_compatibility, config: { backward_compatible: true } }
    - id: deploy
      timeout_ms: 90000
      validators:
        - { type: image_digest, config: { registry: ecr, verify: true } }
        - { type: rollout_health }
    - id: health
      timeout_ms: 60000
      validators:
        - { type: http_status, config: { endpoint: /health, expected: 200, retries: 3 } }
      actions: { execute: run_synthetic_tests, rollback: disable_traffic }
    - id: traffic
      timeout_ms: 120000
      validators:
        - { type: feature_flag_evaluation, config: { provider: openfeature, flags: [new_checkout] } }
      steps:
        - { weight: 25, bake: 2s }
        - { weight: 100, bake: 1s }
    - id: post_launch
      timeout_ms: 60000
      window: 1s
"""

ENVIRONMENT = """\
config:
  launch:platform: kubernetes
  launch:service: { name: shop, environment: { COLOUR: "COLOUR-OF-THE-RELEASE" } }
  launch:database: { url: "sqlite:///.launch/dev/shop.db", scripts: migrations }
  launch:registry: { prefix: "REGISTRY", aliases: [ecr] }
  launch:metrics: { address: "PROMETHEUS", router: istio }
  launch:kubernetes:
    kubeconfig: "KUBECONFIG"
    namespace: NAMESPACE
    replicas: 2
    router: { kind: gateway, gateway: users, hostnames: [shop.example] }
"""

VERSIONS: Mapping[str, Mapping[str, str]] = {
    "1.0": {"dev.launch.revision": "0001"},
    "2.0": {"dev.launch.revision": "0002", "dev.launch.flags": "new_checkout"},
    "2.4": {"dev.launch.revision": "0003", "dev.launch.flags": "new_checkout"},
}
CRASHES = "behave-crash/shop:2.3"


class ClusterProject(Project):
    """A project whose environment is a namespace of the control plane.

    Attributes:
        cluster: where it runs.
        namespace: in which.
        prometheus: what users meet.
    """

    def __init__(self, root: Path, cluster: Cluster, namespace: str, prometheus: ScriptedPrometheus) -> None:
        super().__init__(root)
        self.environ = {**self.environ, **plugin_environ()}
        self.cluster, self.namespace, self.prometheus = cluster, namespace, prometheus

    def items(self, group: str, kind: str) -> list[dict[str, Any]]:
        """The objects of a kind, `apis/apps/v1` and `deployments`."""
        found = self.cluster.rest.get(f"/{group}/namespaces/{self.namespace}/{kind}")["items"]
        return sorted(found, key=lambda item: str(item["metadata"]["name"]))

    def weights(self) -> dict[str, int]:
        """Who gets how many users, from the route itself."""
        route = self.items("apis/gateway.networking.k8s.io/v1", "httproutes")
        refs = [ref for item in route for rule in item["spec"]["rules"] for ref in rule.get("backendRefs", ())]
        return {ref["name"]: ref["weight"] for ref in refs if ref["weight"]}

    def images(self) -> dict[str, str]:
        """What really runs, by Deployment."""
        return {
            item["metadata"]["name"]: item["spec"]["template"]["spec"]["containers"][0]["image"]
            for item in self.items("apis/apps/v1", "deployments")
        }

    def pods(self, slot: str) -> set[str]:
        """The identities of a slot's pods."""
        return {
            item["metadata"]["uid"]
            for item in self.items("api/v1", "pods")
            if item["metadata"]["labels"].get("launch.dev/slot") == slot and "deletionTimestamp" not in item["metadata"]
        }

    def given(self) -> dict[str, dict[str, str]]:
        """The configuration that each Deployment's pods really get: its ConfigMap and Secret together."""
        found = {}
        for item in self.items("apis/apps/v1", "deployments"):
            given: dict[str, str] = {}
            for source in item["spec"]["template"]["spec"]["containers"][0].get("envFrom", ()):
                if "configMapRef" in source:
                    given |= self._data("configmaps", source["configMapRef"]["name"])
                else:
                    data = self._data("secrets", source["secretRef"]["name"])
                    given |= {key: base64.b64decode(value).decode() for key, value in data.items()}
            found[item["metadata"]["name"]] = given
        return found

    def _data(self, kind: str, name: str) -> dict[str, str]:
        found: dict[str, str] = self.cluster.rest.get(f"/api/v1/namespaces/{self.namespace}/{kind}/{name}")["data"]
        return found

    def flags(self) -> dict[str, object]:
        """The flags' values, from the ConfigMap that pods mount."""
        for item in self.items("api/v1", "configmaps"):
            if item["metadata"]["name"] == "shop-flags":
                flags = json.loads(item["data"]["flags.flagd.json"])["flags"]
                return {key: flag["variants"][flag["defaultVariant"]] for key, flag in flags.items()}
        return {}

    def world(self) -> dict[str, Any]:
        """Everything a user or a later launch could notice, in a form that two moments can be compared in."""
        status = self.status()
        return {
            "traffic": sorted((slot["image"], slot["weight"]) for slot in status["traffic"]),
            "flags": {flag["key"]: flag["state"] for flag in status["flags"]},
            "schema": status["schema"]["revision"],
            "real schema": self.revision(),
            "real flags": self.flags(),
            "real weights": self.weights(),
            "running": self.images(),
            "configuration": self.given(),
            "locks": self.locks(),
            "engines": self.engines(),
        }

    def settle(self, images: Any) -> None:  # noqa: ANN401
        """End every command and every launch, and go back to those images."""
        for command in self._commands:
            command.close()
        self._commands.clear()
        self.prometheus.recover()
        self.users_are_well()
        self.launch("abort", "dev", check=0)
        if self.images() != images:
            self.launch("rollback", "dev", check=0)

    def users_are_well(self) -> None:
        """From now on a hundred requests a second reach each slot, and none fails."""
        for slot in ("blue", "green"):
            self.prometheus.slot(slot).change(rate=100, error_share=0.0, latency=0.02)

    def close(self) -> None:
        """Destroy the environment."""
        for command in self._commands:
            command.close()
        self.launch("down", "dev", "--yes", check=0)


class _Answers(BaseHTTPRequestHandler):
    """Stands in for what a pod of shop answers."""

    def do_GET(self) -> None:
        body = b'{"status": "ok"}'
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.fixture(scope="module")
def pods_answer() -> Iterator[int]:
    """The port of the server that stands in for what pods answer."""
    with ThreadingHTTPServer(("127.0.0.1", 0), _Answers) as server:
        server.daemon_threads = True
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield server.server_port
        server.shutdown()
        thread.join()


@pytest.fixture(scope="module")
def images() -> Iterator[str]:
    """A registry with the versions of shop; answers its host."""
    with registry() as standin:
        for version, labels in VERSIONS.items():
            Pusher(standin.host, "shop").image(version, labels={**labels, "version": version})
        name, _, tag = CRASHES.rpartition(":")
        Pusher(standin.host, name).image(tag, labels={"dev.launch.revision": "0002"})
        yield standin.host


@pytest.fixture(scope="module")
def make_shop(
    cluster: Cluster, images: str, pods_answer: int, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Callable[..., ClusterProject]]:
    """Projects with a namespace each; what is launched in them is destroyed in the end."""
    with scripted_prometheus.running() as prometheus:
        prometheus.latency_unit = "ms"  # as Istio counts
        made: list[ClusterProject] = []
        opened = []

        def make() -> ClusterProject:
            opened.append(cluster.namespace())
            namespace = opened[-1].__enter__()
            cluster.forward_ports(namespace, pods_answer)
            root = tmp_path_factory.mktemp("shop")
            (root / "Pulumi.yaml").write_text("name: shop\nruntime: python\n", encoding="utf-8")
            settings = (
                ENVIRONMENT.replace("REGISTRY", images)
                .replace("PROMETHEUS", prometheus.url)
                .replace("KUBECONFIG", str(cluster.kubeconfig))
                .replace("NAMESPACE", namespace)
            )
            (root / "Pulumi.dev.yaml").write_text(settings, encoding="utf-8")
            (root / "launch.yaml").write_text(LAUNCH, encoding="utf-8")
            for name, source in files("2.4").items():
                if name.startswith("migrations/"):
                    (root / name).parent.mkdir(parents=True, exist_ok=True)
                    shutil.copyfile(source, root / name)
            made.append(ClusterProject(root, cluster, namespace, prometheus))
            made[-1].users_are_well()
            return made[-1]

        yield make
        for project in made:
            project.close()
        for namespace in opened:
            namespace.__exit__(None, None, None)


@pytest.fixture(scope="module")
def shop(make_shop: Callable[..., ClusterProject]) -> ClusterProject:
    """A project in which shop:1.0 was launched; shared by the tests of a module, which leave it as they found it."""
    made = make_shop()
    made.launch("up", "dev", "--image", "shop:1.0", check=0)
    return made


@pytest.fixture
def before(shop: ClusterProject) -> Iterator[dict[str, Any]]:
    """The world before the test; where the test leaves another, it is put back."""
    shop.users_are_well()
    world = shop.world()
    yield world
    shop.settle(world["running"])
