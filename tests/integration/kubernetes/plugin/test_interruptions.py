"""The process, the engine and the plugin may be killed anywhere; the next update goes through."""

from __future__ import annotations

import signal
import subprocess
import sys
import textwrap
import threading
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import psutil
import pytest

from phases.errors import UpdateFailed
from stacks.engine import StackHandle
from tests.cluster.cluster import Cluster
from tests.cluster.objects import deployment
from tests.integration.kubernetes.plugin.programs import Object, Program, resources
from tests.integration.processes import words

pytestmark = pytest.mark.integration

Live = Callable[[str], Any]
WaitFor = Callable[[Callable[[], object]], None]

_PLUGIN = "pulumi-resource-kubernetes"
_UPDATE = """
    import json, os, sys
    from pathlib import Path
    from stacks.engine import Engine
    from tests.integration.kubernetes.plugin.programs import register

    root, kubeconfig, namespace, options, bodies = sys.argv[1:]

    def program():
        import pulumi
        import pulumi_kubernetes as k8s
        given = json.loads(options)
        provider = k8s.Provider("kubernetes", kubeconfig=kubeconfig, namespace=namespace, **given)
        for body in json.loads(bodies):
            register(body, pulumi.ResourceOptions(provider=provider))

    Engine(project="shop", root=Path(root), environ=os.environ).stack("dev").update(program, message="killed")
"""


@pytest.fixture
def begin(
    root: Path, cluster: Cluster, namespace: str, kube_environ: Mapping[str, str]
) -> Callable[..., subprocess.Popen[bytes]]:
    """Begins an update in a process of its own."""

    def start(*bodies: Object, **options: object) -> subprocess.Popen[bytes]:
        import json

        arguments = [str(root), str(cluster.kubeconfig), namespace, json.dumps(options), json.dumps(bodies)]
        environ = {**kube_environ, "PYTHONPATH": str(Path(__file__).parents[4])}
        return subprocess.Popen([sys.executable, "-c", textwrap.dedent(_UPDATE), *arguments], env=environ, cwd=root)

    return start


def family(process: subprocess.Popen[bytes]) -> list[psutil.Process]:
    """Return a process and all that it started."""
    whole = psutil.Process(process.pid)
    return [whole, *whole.children(recursive=True)]


def kill(processes: list[psutil.Process]) -> None:
    for process in processes:
        process.send_signal(signal.SIGKILL)


def test_a_create_that_was_killed_finds_what_it_left_where_the_provider_upserts(
    stack: StackHandle,
    program: Callable[..., Program],
    begin: Callable[..., subprocess.Popen[bytes]],
    live: Live,
    wait_for: WaitFor,
) -> None:
    options = {"upsert_existing_objects": True}
    running = begin(deployment("web", behave="hang"), **options)
    wait_for(lambda: live("apps/v1/deployments/web") is not None or running.poll() is not None)
    kill(family(running))
    running.wait()

    stack.cancel()
    before = live("apps/v1/deployments/web")["metadata"]["uid"]
    same = deployment("web", behave="hang")
    same["metadata"]["annotations"] = {"pulumi.com/skipAwait": "true"}
    stack.update(program(same, **options), message="again")

    assert live("apps/v1/deployments/web")["metadata"]["uid"] == before
    assert resources(stack)["web"]["id"].endswith("/web")


def test_a_create_that_was_killed_stands_in_the_way_where_it_does_not(
    stack: StackHandle,
    program: Callable[..., Program],
    begin: Callable[..., subprocess.Popen[bytes]],
    live: Live,
    wait_for: WaitFor,
) -> None:
    running = begin(deployment("web", behave="hang"))
    wait_for(lambda: live("apps/v1/deployments/web") is not None or running.poll() is not None)
    kill(family(running))
    running.wait()
    stack.cancel()
    with pytest.raises(UpdateFailed, match="already exists"):
        stack.update(program(deployment("web", behave="hang")), message="again")


def test_the_plugin_ends_with_an_engine_that_was_killed(
    begin: Callable[..., subprocess.Popen[bytes]], live: Live, wait_for: WaitFor
) -> None:
    running = begin(deployment("web", behave="hang"))
    wait_for(lambda: live("apps/v1/deployments/web") is not None or running.poll() is not None)
    whole = family(running)
    plugins = [process for process in whole if _PLUGIN in words(process)]
    assert plugins
    kill([process for process in whole if process not in plugins])
    running.wait()
    _, left = psutil.wait_procs(plugins, timeout=60)
    kill(left)
    assert left == []


def test_an_api_server_that_is_away_for_a_moment_is_waited_for(
    stack: StackHandle, program: Callable[..., Program], cluster: Cluster, live: Live, wait_for: WaitFor
) -> None:
    def freeze_when_it_is_there() -> None:
        wait_for(lambda: live("apps/v1/deployments/web"))
        with cluster.frozen():
            time.sleep(0.5)

    freezer = threading.Thread(target=freeze_when_it_is_there)
    freezer.start()
    stack.update(program(deployment("web", behave="slow")), message="one")
    freezer.join()

    assert live("apps/v1/deployments/web")["status"]["readyReplicas"] == 2


def test_an_unreachable_cluster_is_said_and_a_preview_goes_by_the_inputs(
    stack: StackHandle, program: Callable[..., Program], tmp_path: Path, namespace: str
) -> None:
    def nowhere() -> None:
        import pulumi
        import pulumi_kubernetes as k8s

        away = tmp_path / "away"
        away.write_text(
            "current-context: x\ncontexts: [{name: x, context: {cluster: x}}]\n"
            "clusters: [{name: x, cluster: {server: 'http://127.0.0.1:9'}}]\n"
        )
        provider = k8s.Provider("away", kubeconfig=str(away), namespace=namespace)
        k8s.core.v1.ConfigMap("settings", data={"a": "1"}, opts=pulumi.ResourceOptions(provider=provider))

    del program
    assert stack.preview(nowhere).changes == {"create": 3}
    with pytest.raises(UpdateFailed, match="configured Kubernetes cluster is unreachable"):
        stack.update(nowhere, message="x")
