"""A shop whose deploy stack runs on the control plane."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pytest

from components.kubernetes.settings import KubernetesSettings
from stacks.engine import Engine, Grace
from tests.cluster.cluster import Cluster
from tests.integration.kubernetes.slots.shops import Shop


@pytest.fixture
def root(tmp_path: Path) -> Path:
    path = tmp_path / "project"
    path.mkdir()
    return path


@pytest.fixture
def shop(cluster: Cluster, namespace: str, root: Path, kube_environ: Mapping[str, str]) -> Shop:
    engine = Engine(project="shop", root=root, environ=kube_environ, grace=Grace(cancel=5.0, terminate=1.0))
    return Shop(
        cluster, engine.stack("dev-deploy"), KubernetesSettings(kubeconfig=str(cluster.kubeconfig), namespace=namespace)
    )
