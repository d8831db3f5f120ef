"""A controller of the field: built, its resource definitions served, run outside the cluster as its administrator."""

from __future__ import annotations

import time
from typing import Any

import yaml

from bench.peers.build import Peer, definitions, ensure
from tests.cluster.cluster import Cluster
from tests.cluster.processes import Processes
from tests.cluster.rest import APPLY, Refused

_DEFINITIONS = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions"
_LIMIT_SECONDS = 60.0


class Controller:
    """Runs from now on.

    Args:
        peer: which one.
        cluster: whose objects it reconciles.
        arguments: of its command line, `--kubeconfig` excepted.
        environ: of its process.

    Raises:
        CannotBuild: it has to be built first, and there is no Go.
        TimeoutError: its definitions are not served.
    """

    def __init__(
        self, peer: Peer, cluster: Cluster, arguments: list[str], environ: dict[str, str] | None = None
    ) -> None:
        ensure(peer)
        for path in definitions(peer):
            for document in yaml.safe_load_all(path.read_text(encoding="utf-8")):
                if document and document["kind"] == "CustomResourceDefinition":
                    _serve(cluster, document)
        self._name = peer.name
        self._processes = Processes()
        assignments = [f"{key}={value}" for key, value in (environ or {}).items()]
        self._processes.start(
            peer.name,
            ["/usr/bin/env", *assignments, peer.executable, f"--kubeconfig={cluster.kubeconfig}", *arguments],
        )

    def log(self) -> str:
        """Return the end of what it said."""
        return self._processes.log(self._name)

    def stop(self) -> None:
        """End it."""
        self._processes.stop()


def _serve(cluster: Cluster, definition: dict[str, Any]) -> None:
    name = definition["metadata"]["name"]
    body = yaml.safe_dump(definition).encode()
    cluster.rest.patch(f"{_DEFINITIONS}/{name}?fieldManager=race&force=true", body, APPLY)
    spec = definition["spec"]
    end = time.monotonic() + _LIMIT_SECONDS
    while True:
        try:
            cluster.rest.get(f"/apis/{spec['group']}/{spec['versions'][0]['name']}/{spec['names']['plural']}")
        except Refused as refused:
            if time.monotonic() > end:
                raise TimeoutError(f"{name} is not served after {_LIMIT_SECONDS:g} s: {refused}") from refused
            time.sleep(0.05)
        else:
            return
