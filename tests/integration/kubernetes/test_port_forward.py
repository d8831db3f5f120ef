"""Gates reach a slot inside the cluster from here: through the API server, to a pod that is ready."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from components.kubernetes.client import api
from components.kubernetes.port_forward import PortForwards
from components.kubernetes.settings import KubernetesSettings
from phases.http import Probe, probe
from tests.cluster.cluster import Cluster
from tests.cluster.objects import condition, deployment

pytestmark = pytest.mark.integration

WaitFor = Callable[[Callable[[], object]], None]
LARGE = 3_000_000


class Pod(BaseHTTPRequestHandler):
    """What answers in the pods: kwok passes forwarded connections on to it."""

    def do_GET(self) -> None:
        self._answer(b"x" * LARGE if self.path == "/large" else b"I am green")

    def do_POST(self) -> None:
        size = int(self.headers["Content-Length"])
        self._answer(str(len(self.rfile.read(size))).encode())

    def _answer(self, body: bytes) -> None:
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))  # kwok does not pass on that a pod ended the connection
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002
        pass


@pytest.fixture
def pod_port() -> Iterator[int]:
    with ThreadingHTTPServer(("127.0.0.1", 0), Pod) as server:
        server.daemon_threads = True
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield server.server_port
        server.shutdown()
        thread.join()


def slot(name: str, behave: str = "ready") -> dict[str, Any]:
    body = deployment(name, replicas=2, behave=behave)
    container = body["spec"]["template"]["spec"]["containers"][0]
    container["ports"] = [{"name": "http", "containerPort": 8080}]
    return body


@pytest.fixture
def place(cluster: Cluster, namespace: str, wait_for: WaitFor) -> Callable[..., str]:
    """Make a Deployment and its Service; return its URL in the cluster."""

    def make(name: str, behave: str = "ready") -> str:
        path = f"/apis/apps/v1/namespaces/{namespace}/deployments"
        cluster.rest.post(path, slot(name, behave))
        spec = {"selector": {"app": name}, "ports": [{"name": "http", "port": 80, "targetPort": "http"}]}
        cluster.rest.post(f"/api/v1/namespaces/{namespace}/services", {"metadata": {"name": name}, "spec": spec})
        if behave == "ready":
            wait_for(lambda: condition(cluster.rest.get(f"{path}/{name}"), "Available") == "True")
        return f"http://{name}.{namespace}.svc:80"

    return make


@pytest.fixture
def forwards(cluster: Cluster, namespace: str) -> Iterator[PortForwards]:
    settings = KubernetesSettings(kubeconfig=str(cluster.kubeconfig), namespace=namespace)
    made = PortForwards(api(settings), settings, "shop")
    yield made
    made.close()


def test_a_slot_answers_from_here(
    cluster: Cluster, namespace: str, place: Callable[..., str], forwards: PortForwards, pod_port: int
) -> None:
    cluster.forward_ports(namespace, pod_port, pod_port=8080)
    url = place("shop-green")
    with forwards(url) as here:
        answer = probe(f"{here}/health", timeout=30)
        assert (answer.status, answer.text) == (200, "I am green")
        assert len(probe(f"{here}/large", timeout=60).body) == LARGE
        assert probe(f"{here}/", method="POST", body=b"y" * LARGE, timeout=60).text == str(LARGE)
    with forwards(url) as again:
        assert again == here


def test_many_ask_at_once(
    cluster: Cluster, namespace: str, place: Callable[..., str], forwards: PortForwards, pod_port: int
) -> None:
    cluster.forward_ports(namespace, pod_port, pod_port=8080)
    here = forwards.url(place("shop-green"))
    answers: list[Probe] = []
    threads = [threading.Thread(target=lambda: answers.append(probe(here, timeout=60))) for _ in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [answer.text for answer in answers] == ["I am green"] * 12


def test_a_pod_that_goes_is_replaced_by_the_next(
    cluster: Cluster,
    namespace: str,
    place: Callable[..., str],
    forwards: PortForwards,
    pod_port: int,
    wait_for: WaitFor,
) -> None:
    cluster.forward_ports(namespace, pod_port, pod_port=8080)
    here = forwards.url(place("shop-green"))
    assert probe(here, timeout=30).status == 200
    cluster.rest.delete(f"/api/v1/namespaces/{namespace}/pods")
    wait_for(lambda: probe(here, timeout=30).status == 200)


def test_a_slot_without_a_ready_pod_does_not_answer(
    place: Callable[..., str], forwards: PortForwards, wait_for: WaitFor
) -> None:
    url = place("shop-green", "crash")
    answer = probe(forwards.url(url), timeout=30)
    assert answer.status is None
    wait_for(lambda: forwards.reason(url))
    assert forwards.reason(url) == "no pod of the Service shop-green is ready"


def test_a_pod_that_refuses_is_said_to(
    cluster: Cluster, namespace: str, place: Callable[..., str], forwards: PortForwards, wait_for: WaitFor
) -> None:
    with ThreadingHTTPServer(("127.0.0.1", 0), Pod) as server:
        nobody = server.server_port
    cluster.forward_ports(namespace, nobody, pod_port=8080)
    url = place("shop-green")
    assert probe(forwards.url(url), timeout=30).status is None
    wait_for(lambda: forwards.reason(url))
    assert "refused" in str(forwards.reason(url))


def test_a_service_that_is_not_there_is_named(namespace: str, forwards: PortForwards, wait_for: WaitFor) -> None:
    url = f"http://shop-blue.{namespace}.svc:80"
    assert probe(forwards.url(url), timeout=30).status is None
    wait_for(lambda: forwards.reason(url))
    assert forwards.reason(url) == "the Service shop-blue cannot be read: 404 Not Found"


def test_an_api_server_that_hangs_holds_nobody(
    cluster: Cluster, namespace: str, place: Callable[..., str], wait_for: WaitFor
) -> None:
    url = place("shop-green")
    settings = KubernetesSettings(kubeconfig=str(cluster.kubeconfig), namespace=namespace, request_timeout=0.5)
    forwards = PortForwards(api(settings), settings, "shop")
    with cluster.frozen():
        assert probe(forwards.url(url), timeout=60).status is None
        wait_for(lambda: forwards.reason(url))
    forwards.close()
