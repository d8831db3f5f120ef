"""A stack whose program registers objects of a fresh namespace, as a user of `pulumi-kubernetes` writes them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

from stacks.engine import Engine, Grace, StackHandle
from tests.cluster.cluster import Cluster
from tests.cluster.rest import Refused
from tests.integration.kubernetes.plugin.programs import Object, Program, path, register


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """The user's project."""
    path = tmp_path / "project"
    path.mkdir()
    return path


@pytest.fixture
def stack(root: Path, kube_environ: Mapping[str, str]) -> StackHandle:
    """A stack of project `shop`, impatient with updates that hang."""
    engine = Engine(project="shop", root=root, environ=kube_environ, grace=Grace(cancel=5.0, terminate=1.0))
    return engine.stack("dev")


@pytest.fixture
def program(cluster: Cluster, namespace: str) -> Callable[..., Program]:
    """Makes programs of some objects, with options of their provider by name."""

    def make(*bodies: Object, **options: Any) -> Program:  # noqa: ANN401 - as the SDK takes them
        def run() -> None:
            import pulumi
            import pulumi_kubernetes as k8s

            provider = k8s.Provider("kubernetes", kubeconfig=str(cluster.kubeconfig), namespace=namespace, **options)
            for body in bodies:
                register(body, pulumi.ResourceOptions(provider=provider))

        return run

    return make


@pytest.fixture
def live(cluster: Cluster, namespace: str) -> Callable[[str], Any]:
    """Reads an object of the namespace by `PLURAL/NAME` (with `GROUP/VERSION/` before it), or None."""

    def read(what: str) -> Any:  # noqa: ANN401
        try:
            return cluster.rest.get(path(namespace, what))
        except Refused as refused:
            if refused.status == 404:
                return None
            raise

    return read
