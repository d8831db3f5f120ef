"""The control plane of the tests is a real one, its pods behave as told, and nothing of it is left behind."""

from __future__ import annotations

import contextlib
import http.server
import os
import shutil
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest

from tests.cluster.access import grant
from tests.cluster.cluster import Cluster
from tests.cluster.objects import condition, deployment, http_route, job
from tests.cluster.processes import is_running
from tests.cluster.rest import Refused
from tests.cluster.stages import ANNOTATION

pytestmark = pytest.mark.integration

WaitFor = Callable[[Callable[[], object]], None]

_ROOT = Path(__file__).resolve().parents[3]


@pytest.fixture
def run(cluster: Cluster, namespace: str) -> Callable[[dict[str, Any]], str]:
    """Creates a Deployment or Job in the namespace and returns its path."""

    def create(body: dict[str, Any]) -> str:
        collection = f"/apis/{body['apiVersion']}/namespaces/{namespace}/{body['kind'].lower()}s"
        cluster.rest.post(collection, body)
        return f"{collection}/{body['metadata']['name']}"

    return create


@pytest.fixture
def pods(cluster: Cluster, namespace: str) -> Callable[[], list[dict[str, Any]]]:
    """What pods there are in the namespace."""
    return lambda: list(cluster.rest.get(f"/api/v1/namespaces/{namespace}/pods")["items"])


def test_it_is_kubernetes_and_says_which(cluster: Cluster) -> None:
    from kubernetes.client import VersionApi

    version = VersionApi(cluster.client()).get_code()
    assert (version.major, version.minor) == ("1", "36")
    assert version.git_version == "v1.36.3"


def test_a_deployment_gets_available(cluster: Cluster, run: Callable[[dict[str, Any]], str], wait_for: WaitFor) -> None:
    path = run(deployment("shop", replicas=2))
    wait_for(lambda: condition(cluster.rest.get(path), "Available") == "True")
    assert cluster.rest.get(path)["status"]["readyReplicas"] == 2


def test_ready_pods_are_endpoints_of_their_service(
    cluster: Cluster, namespace: str, run: Callable[[dict[str, Any]], str], wait_for: WaitFor
) -> None:
    spec = {"selector": {"app": "shop"}, "ports": [{"port": 8080}]}
    cluster.rest.post(f"/api/v1/namespaces/{namespace}/services", {"metadata": {"name": "shop"}, "spec": spec})
    run(deployment("shop", replicas=2))
    run(deployment("other", replicas=1, behave="hang"))

    def ready() -> int:
        slices = cluster.rest.get(f"/apis/discovery.k8s.io/v1/namespaces/{namespace}/endpointslices")["items"]
        endpoints = [endpoint for each in slices for endpoint in each.get("endpoints") or ()]
        return sum(endpoint["conditions"]["ready"] for endpoint in endpoints)

    wait_for(lambda: ready() == 2)


def test_a_pod_that_crashes_does_so_again_and_again(
    run: Callable[[dict[str, Any]], str], pods: Callable[[], list[dict[str, Any]]], wait_for: WaitFor
) -> None:
    run(deployment("shop", replicas=1, behave="crash"))

    def status() -> dict[str, Any]:
        return next((each for pod in pods() for each in pod["status"].get("containerStatuses", [])), {})

    wait_for(lambda: status().get("restartCount", 0) >= 3)
    assert status()["state"]["waiting"]["reason"] == "CrashLoopBackOff"
    assert status()["lastState"]["terminated"]["exitCode"] == 1
    assert not status()["ready"]


def test_a_pod_without_an_image_waits_for_it(
    cluster: Cluster,
    run: Callable[[dict[str, Any]], str],
    pods: Callable[[], list[dict[str, Any]]],
    wait_for: WaitFor,
) -> None:
    body = deployment("shop", replicas=1)
    template = body["spec"]["template"]
    del template["metadata"]["annotations"]
    template["spec"]["containers"][0]["image"] = "registry.example/behave-image-pull/shop:1"
    path = run(body)

    def reasons() -> list[str]:
        found = [each for pod in pods() for each in pod["status"].get("containerStatuses", [])]
        return [each["state"].get("waiting", {}).get("reason", "") for each in found]

    wait_for(lambda: reasons() == ["ImagePullBackOff"])
    assert condition(cluster.rest.get(path), "Available") == "False"


def test_a_pod_changes_its_ways_with_its_annotation(
    cluster: Cluster,
    namespace: str,
    run: Callable[[dict[str, Any]], str],
    pods: Callable[[], list[dict[str, Any]]],
    wait_for: WaitFor,
) -> None:
    run(deployment("shop", replicas=1, behave="hang"))

    def running() -> bool:
        return any(pod["status"]["phase"] == "Running" for pod in pods())

    def ready() -> bool:
        return [condition(pod, "Ready") for pod in pods()] == ["True"]

    def behave(how: str) -> None:
        path = f"/api/v1/namespaces/{namespace}/pods/{pods()[0]['metadata']['name']}"
        cluster.rest.patch(path, {"metadata": {"annotations": {ANNOTATION: how}}})

    wait_for(running)
    assert not ready()
    behave("ready")
    wait_for(ready)
    behave("crash")
    wait_for(lambda: not ready())


def test_a_job_completes_and_its_pod_has_a_log(
    cluster: Cluster,
    namespace: str,
    run: Callable[[dict[str, Any]], str],
    pods: Callable[[], list[dict[str, Any]]],
    wait_for: WaitFor,
) -> None:
    cluster.serve_logs(namespace, "first\nsecond\nthird")
    path = run(job("migrate"))
    wait_for(lambda: condition(cluster.rest.get(path), "Complete") == "True")
    log = f"/api/v1/namespaces/{namespace}/pods/{pods()[0]['metadata']['name']}/log"
    assert cluster.rest.text(log) == "first\nsecond\nthird\n"
    assert cluster.rest.text(f"{log}?tailLines=1") == "third\n"


def test_a_job_fails(
    cluster: Cluster,
    run: Callable[[dict[str, Any]], str],
    pods: Callable[[], list[dict[str, Any]]],
    wait_for: WaitFor,
) -> None:
    body = job("migrate", behave="fail")
    body["spec"]["template"]["metadata"]["annotations"]["kwok.launch.dev/exit-code"] = "7"
    path = run(body)
    wait_for(lambda: condition(cluster.rest.get(path), "Failed") == "True")
    assert [pod["status"]["containerStatuses"][0]["state"]["terminated"]["exitCode"] for pod in pods()] == [7]


def test_a_forwarded_port_arrives(
    cluster: Cluster,
    namespace: str,
    run: Callable[[dict[str, Any]], str],
    pods: Callable[[], list[dict[str, Any]]],
    wait_for: WaitFor,
    greeter: int,
) -> None:
    from kubernetes.client import CoreV1Api
    from kubernetes.stream import portforward

    cluster.forward_ports(namespace, greeter, pod_port=8080)
    path = run(deployment("shop", replicas=1))
    wait_for(lambda: condition(cluster.rest.get(path), "Available") == "True")
    api = CoreV1Api(cluster.client())
    name = pods()[0]["metadata"]["name"]
    forward = portforward(api.connect_get_namespaced_pod_portforward, name, namespace, ports="8080")
    with contextlib.closing(forward), contextlib.closing(forward.socket(8080)) as connection:
        connection.settimeout(60)
        connection.sendall(b"GET / HTTP/1.0\r\n\r\n")
        answer = b""
        while not answer.endswith(b"hello from this machine"):  # the end of the connection does not come through
            part = connection.recv(4096)
            assert part, f"the forward ended after {answer!r}"
            answer += part


def test_a_watch_sees_a_routes_weight_change(cluster: Cluster, namespace: str) -> None:
    collection = f"/apis/gateway.networking.k8s.io/v1/namespaces/{namespace}/httproutes"
    cluster.rest.post(collection, http_route("shop", {"shop-blue": 100, "shop-green": 0}))
    events = cluster.rest.watch(collection)
    assert _weights(next(events)) == [100, 0]
    cluster.rest.patch(f"{collection}/shop", http_route("shop", {"shop-blue": 90, "shop-green": 10}))
    assert _weights(next(events)) == [90, 10]
    events.close()


def test_the_gateway_api_refuses_what_it_does_not_define(cluster: Cluster, namespace: str) -> None:
    collection = f"/apis/gateway.networking.k8s.io/v1/namespaces/{namespace}/httproutes"
    with pytest.raises(Refused, match="weight") as refused:
        cluster.rest.post(collection, http_route("shop", {"shop-blue": -1}))
    assert refused.value.status == 422


def test_another_user_may_do_nothing_until_a_role_is_bound(cluster: Cluster, namespace: str) -> None:
    from kubernetes import config
    from kubernetes.client import ApiException, CoreV1Api

    kubeconfig = cluster.kubeconfig_of("alice", ["developers"])
    api = CoreV1Api(config.new_client_from_config(str(kubeconfig)))  # type: ignore[no-untyped-call]
    with pytest.raises(ApiException, match="Forbidden"):
        api.list_namespaced_pod(namespace)
    readers = {
        "metadata": {"name": "readers"},
        "rules": [{"apiGroups": [""], "resources": ["pods"], "verbs": ["list"]}],
    }
    grant(cluster.rest, namespace, readers, kind="Group", name="developers")
    assert api.list_namespaced_pod(namespace).items == []


def test_a_frozen_api_server_answers_nothing_and_then_goes_on(cluster: Cluster, namespace: str) -> None:
    path = f"/api/v1/namespaces/{namespace}"
    with cluster.frozen(), pytest.raises(TimeoutError):
        cluster.rest.request("GET", path, timeout=0.5)
    assert cluster.rest.get(path)["status"]["phase"] == "Active"


@pytest.mark.parametrize("victim", ["the test run", "the guard"])
def test_nothing_stays_when_somebody_is_killed(cluster: Cluster, victim: str, wait_for: WaitFor) -> None:
    del cluster  # it is built, or this test does not run
    program = (
        "import time\n"
        "from tests.cluster.cluster import running\n"
        "with running() as cluster:\n"
        "    found = cluster.processes\n"
        "    print(found.directory, found.guard_pid, *found.pids.values(), flush=True)\n"
        "    time.sleep(600)\n"
    )
    with subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE, text=True, cwd=_ROOT) as parent:
        assert parent.stdout is not None
        directory, guard, *servers = parent.stdout.readline().split()
        pids = [int(guard), *map(int, servers)]
        assert len(pids) == 6
        assert all(map(psutil.pid_exists, pids))
        os.kill(parent.pid if victim == "the test run" else int(guard), signal.SIGKILL)
        wait_for(lambda: not any(map(is_running, pids)))
        if victim == "the test run":
            wait_for(lambda: not Path(directory).exists())
        parent.kill()
    shutil.rmtree(directory, ignore_errors=True)


@pytest.fixture
def greeter() -> Iterator[int]:
    """The port of a server that says hello."""

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.end_headers()
            self.wfile.write(b"hello from this machine")

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the name is http.server's
            """Says nothing."""

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    yield server.server_port
    server.shutdown()
    server.server_close()
    thread.join()


def _weights(event: dict[str, Any]) -> list[int]:
    return [backend["weight"] for backend in event["object"]["spec"]["rules"][0]["backendRefs"]]
