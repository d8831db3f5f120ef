"""A real control plane for each worker, and a namespace of its own for each test."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.cluster import built, scripted_prometheus
from tests.cluster.cluster import Cluster, running
from tests.cluster.scripted_prometheus import ScriptedPrometheus
from tests.cluster.waiting import wait_until

PLUGINS = Path(__file__).resolve().parents[2] / "plugins"
_PLUGIN = "pulumi-resource-kubernetes"


@pytest.fixture(scope="session")
def cluster() -> Iterator[Cluster]:
    """The control plane; skips where it is not built, except where it must be (see tests/cluster/built.py)."""
    missing = built.missing()
    if missing:
        message = f"no control plane: {', '.join(missing)} not built; run `make cluster` (about ten minutes, once)"
        if built.required():
            pytest.fail(message)
        pytest.skip(message)
    with running() as found:
        yield found


@pytest.fixture
def namespace(cluster: Cluster) -> Iterator[str]:
    """A fresh namespace in which pods can be created."""
    with cluster.namespace() as name:
        yield name


@pytest.fixture
def prometheus() -> Iterator[ScriptedPrometheus]:
    """A server that plays Prometheus as the test has scripted it."""
    with scripted_prometheus.running() as script:
        yield script


@pytest.fixture
def kube_environ(tmp_path: Path) -> dict[str, str]:
    """The environment for an engine whose Kubernetes plugin is the real one where there is one, else the stand-in."""
    home = tmp_path / "home"
    home.mkdir(exist_ok=True)
    environ = {key: value for key, value in os.environ.items() if not key.startswith("PULUMI_")}
    return {**environ, "HOME": str(home), **plugin_environ()}


def plugin_environ() -> dict[str, str]:
    """What has an engine find the Kubernetes plugin: the real one where there is one, else the stand-in."""
    installed = Path.home() / ".pulumi"
    if any((installed / "plugins").glob("resource-kubernetes-v*")):
        return {"PULUMI_HOME": str(installed)}
    if shutil.which(_PLUGIN) is None:
        return {"PATH": f"{PLUGINS}{os.pathsep}{os.environ['PATH']}"}
    return {}


@pytest.fixture
def wait_for() -> Callable[[Callable[[], object]], None]:
    """Waits until something is true, and fails the test if it does not become so."""
    return wait_until
