"""A Kubernetes control plane for tests: etcd, API server, controllers, scheduler, and nodes played by kwok.

    with running() as cluster:
        with cluster.namespace() as name:
            cluster.rest.post(f"/apis/apps/v1/namespaces/{name}/deployments", {...})

Every object lives and every controller works as in production; pods run nothing and behave as tests.cluster.stages
says. `make cluster` builds the programs.
"""

from __future__ import annotations

import contextlib
import functools
import http.client
import json
import time
import uuid
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tests.cluster import control_plane, stages
from tests.cluster.built import CRDS
from tests.cluster.certificates import Authority, Pair
from tests.cluster.control_plane import HOST, Ports
from tests.cluster.processes import Processes, ServerDied, free_ports
from tests.cluster.rest import APPLY, Refused, Rest

if TYPE_CHECKING:
    from kubernetes.client import ApiClient

NODES = ("node-a", "node-b")
ADMIN = "admin"
CONTEXT = "launch-test"

_START_SECONDS = 120.0
_POLL_SECONDS = 0.05
_TRIES = 3


class Cluster:
    """A running control plane.

    Attributes:
        directory: everything that it keeps; removed at the end.
        url: of the API server.
        rest: the API as its administrator, without a client library.
        kubeconfig: file for the administrator; its only context is `launch-test`.
        processes: the servers.
    """

    def __init__(self, processes: Processes) -> None:
        self.processes = processes
        self.directory = processes.directory
        self._authority = Authority(self.directory / "keys")
        self._ports = Ports(*free_ports(6))
        self.url = f"https://{HOST}:{self._ports.api}"
        self._admin = self._authority.client(ADMIN, ["system:masters"])
        self.rest = Rest(self.url, str(self._authority.certificate), self._admin)
        self.kubeconfig = self._kubeconfig(ADMIN, self._admin)

    def client(self) -> ApiClient:
        """A client of the package `kubernetes`, as administrator."""
        from kubernetes import config

        client: ApiClient = config.new_client_from_config(str(self.kubeconfig), context=CONTEXT)  # type: ignore[no-untyped-call]
        return client

    def kubeconfig_of(self, user: str, groups: Sequence[str] = ()) -> Path:
        """A kubeconfig file for another user, who may do nothing until a role is bound to them."""
        return self._kubeconfig(user, self._authority.client(user, groups))

    @contextlib.contextmanager
    def namespace(self) -> Iterator[str]:
        """A fresh namespace in which pods can be created; deleted afterwards, without waiting for it."""
        name = f"test-{uuid.uuid4().hex[:8]}"
        self.rest.post("/api/v1/namespaces", {"metadata": {"name": name}})
        self._wait(lambda: self.rest.get(f"/api/v1/namespaces/{name}/serviceaccounts/default"))
        try:
            yield name
        finally:
            self.rest.delete(f"/api/v1/namespaces/{name}")

    def serve_logs(self, namespace: str, text: str, *, container: str | None = None) -> None:
        """What the pods of a namespace are to have written (or only their containers of this name)."""
        file = self.directory / f"log-{uuid.uuid4().hex[:8]}"
        stamp = time.strftime("%Y-%m-%dT%H:%M:%S.000000000Z", time.gmtime())
        file.write_text("".join(f"{stamp} stdout F {line}\n" for line in text.splitlines()), encoding="utf-8")
        log = {"logsFile": str(file), **({"containers": [container]} if container else {})}
        self._kwok("ClusterLogs", f"{namespace}-{container or 'all'}", namespace, {"logs": [log]})

    def forward_ports(self, namespace: str, port: int, *, pod_port: int | None = None) -> None:
        """Lets a port forward to a pod of a namespace arrive at a port of this machine's own 127.0.0.1."""
        forward = {"target": {"address": HOST, "port": port}, **({"ports": [pod_port]} if pod_port else {})}
        self._kwok("ClusterPortForward", f"{namespace}-{pod_port or 'all'}", namespace, {"forwards": [forward]})

    @contextlib.contextmanager
    def frozen(self, server: str = "kube-apiserver") -> Iterator[None]:
        """Holds a server still for a while: it takes connections and answers nothing."""
        try:
            self.processes.freeze(server)
            yield
        finally:
            self.processes.thaw(server)

    def start(self) -> None:
        """Starts everything and waits until a pod could run.

        Raises:
            ServerDied: a server ended.
            TimeoutError: it took too long.
        """
        ports, directory, start = self._ports, self.directory, self.processes.start
        keys = control_plane.keys(self._authority)
        file = directory / "stages.yaml"
        file.write_text(stages.document(), encoding="utf-8")
        start("etcd", control_plane.etcd(directory, ports))
        self._wait(self._etcd_is_healthy)
        start("kube-apiserver", control_plane.api_server(directory, ports, keys))
        self._wait(lambda: self.rest.text("/readyz"))
        start("kube-controller-manager", control_plane.controller_manager(directory, ports, keys, self.kubeconfig))
        start("kube-scheduler", control_plane.scheduler(directory, ports, self.kubeconfig))
        self._install(CRDS / "kwok")
        start("kwok", control_plane.kwok(file, ports, keys, self.kubeconfig))
        for index, name in enumerate(NODES):
            self.rest.post("/api/v1/nodes", _node(name, zone=f"zone-{index + 1}"))
        self._install(CRDS / "gateway-api")
        self._wait(lambda: self.rest.get("/api/v1/namespaces/default/serviceaccounts/default"))
        for name in NODES:
            self._wait(functools.partial(self._is_schedulable, name))

    def _install(self, folder: Path) -> None:
        """Applies resource definitions and waits until the API serves them."""
        found = {"{1}.{0}".format(*path.stem.split("_")): path for path in sorted(folder.glob("*.yaml"))}
        for name, path in found.items():
            self.rest.patch(f"{_DEFINITIONS}/{name}?fieldManager=tests&force=true", path.read_bytes(), APPLY)
        for name in found:
            self._wait(functools.partial(self._is_established, name))

    def _is_established(self, definition: str) -> bool:
        status = self.rest.get(f"{_DEFINITIONS}/{definition}").get("status", {})
        return any(
            each["type"] == "Established" and each["status"] == "True" for each in status.get("conditions") or ()
        )

    def _is_schedulable(self, node: str) -> bool:
        found = self.rest.get(f"/api/v1/nodes/{node}")
        conditions = {each["type"]: each["status"] for each in found.get("status", {}).get("conditions", [])}
        return conditions.get("Ready") == "True" and not found["spec"].get("taints")

    def _kwok(self, kind: str, name: str, namespace: str, spec: dict[str, Any]) -> None:
        body = {
            "apiVersion": "kwok.x-k8s.io/v1alpha1",
            "kind": kind,
            "metadata": {"name": name},
            "spec": {"selector": {"matchNamespaces": [namespace]}, **spec},
        }
        plural = kind.lower() if kind.endswith("s") else f"{kind.lower()}s"
        self.rest.patch(f"/apis/kwok.x-k8s.io/v1alpha1/{plural}/{name}?fieldManager=tests&force=true", body, APPLY)

    def _kubeconfig(self, user: str, pair: Pair) -> Path:
        cluster = {"server": self.url, "certificate-authority": str(self._authority.certificate)}
        credentials = {"client-certificate": str(pair.certificate), "client-key": str(pair.key)}
        document = {
            "apiVersion": "v1",
            "kind": "Config",
            "clusters": [{"name": CONTEXT, "cluster": cluster}],
            "users": [{"name": user, "user": credentials}],
            "contexts": [{"name": CONTEXT, "context": {"cluster": CONTEXT, "user": user}}],
            "current-context": CONTEXT,
        }
        path = self.directory / f"{pair.certificate.stem}.kubeconfig"
        path.write_text(json.dumps(document), encoding="utf-8")
        return path

    def _etcd_is_healthy(self) -> bool:
        connection = http.client.HTTPConnection(HOST, self._ports.etcd, timeout=5)
        try:
            connection.request("GET", "/health")
            return connection.getresponse().status == http.client.OK
        finally:
            connection.close()

    def _wait(self, ready: Callable[[], object]) -> None:
        """Waits until something is so; what is refused or not reached is not so yet."""
        end = time.monotonic() + _START_SECONDS
        problem: object = None
        while time.monotonic() < end:
            try:
                if ready():
                    return
            except (OSError, Refused, http.client.HTTPException) as error:
                problem = error
            self.processes.check()
            time.sleep(_POLL_SECONDS)
        raise TimeoutError(f"the control plane is not ready after {_START_SECONDS:.0f} s: {problem}")


@contextlib.contextmanager
def running() -> Iterator[Cluster]:
    """Starts a control plane and ends it afterwards; again on other ports if somebody else took one in between.

    Raises:
        ServerDied: a server ended while it started.
        TimeoutError: it took too long.
    """
    for left in reversed(range(_TRIES)):
        processes = Processes()
        try:
            try:
                cluster = Cluster(processes)
                cluster.start()
            except ServerDied as error:
                if left and "address already in use" in str(error):
                    continue
                raise
            yield cluster
            return
        finally:
            processes.stop()


_DEFINITIONS = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions"


def _node(name: str, zone: str) -> dict[str, Any]:
    labels = {"kubernetes.io/hostname": name, "kubernetes.io/os": "linux", "topology.kubernetes.io/zone": zone}
    return {"metadata": {"name": name, "labels": labels}}
