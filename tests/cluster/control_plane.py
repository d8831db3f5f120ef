"""Command lines of a control plane's servers: everything on 127.0.0.1, nothing kept, nobody elected."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from tests.cluster.built import BIN
from tests.cluster.certificates import Authority, Pair

HOST = "127.0.0.1"
SERVICE_RANGE = "10.96.0.0/16"
POD_RANGE = "10.128.0.0/16"
_ISSUER = "https://kubernetes.default.svc.cluster.local"


@dataclass(frozen=True)
class Ports:
    """A port on 127.0.0.1 for each listener."""

    etcd: int
    etcd_peer: int
    api: int
    controllers: int
    scheduler: int
    kubelet: int


@dataclass(frozen=True)
class Keys:
    """Who the servers are.

    Attributes:
        authority: PEM file of who signed everything else.
        api: of the API server, for its clients.
        kubelet: of kwok, for the API server.
        tokens: what service accounts' tokens are signed with.
    """

    authority: Path
    api: Pair
    kubelet: Pair
    tokens: Pair


def keys(authority: Authority) -> Keys:
    """Everything that the servers need, signed."""
    hosts = [HOST, "localhost", "kubernetes", "kubernetes.default", "kubernetes.default.svc", "10.96.0.1"]
    return Keys(
        authority=authority.certificate,
        api=authority.server("kube-apiserver", hosts),
        kubelet=authority.server("kubelet", [HOST]),
        tokens=authority.signing_key("service-accounts"),
    )


def etcd(directory: Path, ports: Ports) -> list[str]:
    """A store of one member that writes to disk whenever it likes."""
    client, peer = f"http://{HOST}:{ports.etcd}", f"http://{HOST}:{ports.etcd_peer}"
    return [
        str(BIN / "etcd"),
        f"--data-dir={directory / 'etcd'}",
        f"--listen-client-urls={client}",
        f"--advertise-client-urls={client}",
        f"--listen-peer-urls={peer}",
        f"--initial-advertise-peer-urls={peer}",
        f"--initial-cluster=default={peer}",
        "--unsafe-no-fsync",
        "--log-level=warn",
    ]


def api_server(directory: Path, ports: Ports, keys: Keys) -> list[str]:
    """The API with role-based access control, and without the endpoint of itself (which may not be on loopback)."""
    return [
        str(BIN / "kube-apiserver"),
        f"--etcd-servers=http://{HOST}:{ports.etcd}",
        f"--bind-address={HOST}",
        f"--advertise-address={HOST}",
        f"--secure-port={ports.api}",
        f"--cert-dir={directory / 'api'}",
        f"--tls-cert-file={keys.api.certificate}",
        f"--tls-private-key-file={keys.api.key}",
        f"--client-ca-file={keys.authority}",
        "--authorization-mode=Node,RBAC",
        "--endpoint-reconciler-type=none",
        f"--service-cluster-ip-range={SERVICE_RANGE}",
        f"--service-account-issuer={_ISSUER}",
        f"--service-account-key-file={keys.tokens.certificate}",
        f"--service-account-signing-key-file={keys.tokens.key}",
        f"--kubelet-certificate-authority={keys.authority}",
        "--kubelet-preferred-address-types=InternalIP",
        "--allow-privileged=true",
        "--enable-priority-and-fairness=false",
    ]


def controller_manager(directory: Path, ports: Ports, keys: Keys, kubeconfig: Path) -> list[str]:
    """All the controllers of Kubernetes."""
    return [
        str(BIN / "kube-controller-manager"),
        *_served(directory, ports.controllers, kubeconfig),
        f"--service-account-private-key-file={keys.tokens.key}",
        f"--root-ca-file={keys.authority}",
        "--kube-api-qps=300",
        "--kube-api-burst=600",
    ]


def scheduler(directory: Path, ports: Ports, kubeconfig: Path) -> list[str]:
    """Who decides which node a pod is on."""
    return [
        str(BIN / "kube-scheduler"),
        *_served(directory, ports.scheduler, kubeconfig),
        "--kube-api-qps=300",
        "--kube-api-burst=600",
    ]


def kwok(stages: Path, ports: Ports, keys: Keys, kubeconfig: Path) -> list[str]:
    """All nodes' kubelet: pods only say that they run, but logs and forwarded ports are real."""
    return [
        str(BIN / "kwok"),
        f"--kubeconfig={kubeconfig}",
        f"--config={stages}",
        "--manage-all-nodes=true",
        f"--cidr={POD_RANGE}",
        f"--node-ip={HOST}",
        f"--node-port={ports.kubelet}",
        f"--server-address={HOST}:{ports.kubelet}",
        f"--tls-cert-file={keys.kubelet.certificate}",
        f"--tls-private-key-file={keys.kubelet.key}",
        "--node-lease-duration-seconds=40",
        "--enable-crds=ClusterLogs,ClusterPortForward",
    ]


def _served(directory: Path, port: int, kubeconfig: Path) -> list[str]:
    return [
        f"--kubeconfig={kubeconfig}",
        f"--authentication-kubeconfig={kubeconfig}",
        f"--authorization-kubeconfig={kubeconfig}",
        f"--bind-address={HOST}",
        f"--secure-port={port}",
        f"--cert-dir={directory / str(port)}",
        "--leader-elect=false",
    ]
