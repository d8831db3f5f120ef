"""Is a slot well? Asked of a real control plane, whose pods behave as told."""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from components.kubernetes.client import api
from components.kubernetes.rollout import KubernetesRollout
from components.kubernetes.settings import KubernetesSettings
from phases.gates.base import GateContext, Moment, Release
from phases.gates.rollout_health import RolloutHealth
from phases.kinds import PhaseKind
from phases.verdict import GateResult, Verdict
from tests.cluster.access import grant
from tests.cluster.cluster import Cluster
from tests.cluster.objects import deployment
from tests.cluster.stages import ANNOTATION

pytestmark = pytest.mark.integration

WaitFor = Callable[[Callable[[], object]], None]


@pytest.fixture
def rollout(cluster: Cluster, namespace: str) -> KubernetesRollout:
    settings = KubernetesSettings(kubeconfig=str(cluster.kubeconfig), namespace=namespace)
    return KubernetesRollout(api(settings), settings, "shop")


@pytest.fixture
def start(cluster: Cluster, namespace: str) -> Callable[..., str]:
    """Starts slot green of the shop; returns its path."""

    def make(behave: str = "ready", **changes: Any) -> str:  # noqa: ANN401
        body = deployment("shop-green", behave=behave)
        body["spec"].update(changes.pop("spec", {}))
        body["spec"]["template"]["spec"]["containers"][0].update(changes.pop("container", {}))
        body["spec"]["template"]["metadata"]["annotations"].update(changes.pop("annotations", {}))
        path = f"/apis/apps/v1/namespaces/{namespace}/deployments"
        cluster.rest.post(path, body)
        return f"{path}/shop-green"

    return make


@pytest.fixture
def check(rollout: KubernetesRollout) -> Callable[..., GateResult]:
    """Asks the gate."""

    def ask(**settings: Any) -> GateResult:  # noqa: ANN401
        context = GateContext(
            environment="prod",
            phase="deploy",
            kind=PhaseKind.DEPLOY,
            moment=Moment.EXIT,
            release=Release("shop:2.0", "sha256:2"),
            root=Path(),
            slot="green",
            rollout=rollout,
            stop=threading.Event(),
        )
        return RolloutHealth(**settings).check(context)

    return ask


def test_a_slot_that_gets_ready_passes(start: Callable[..., str], check: Callable[..., GateResult]) -> None:
    start("slow")
    result = check()
    assert (result.verdict, result.reason) == (Verdict.PASSED, "slot green: 2 of 2 instances serve")


def test_a_crash_loop_fails_with_its_exit_code(start: Callable[..., str], check: Callable[..., GateResult]) -> None:
    start("crash", annotations={"kwok.launch.dev/exit-code": "137", "kwok.launch.dev/reason": "OOMKilled"})
    result = check()
    assert result.verdict is Verdict.FAILED
    assert "CrashLoopBackOff after" in result.reason
    assert "(last: OOMKilled, exit code 137" in result.reason


def test_a_crash_loop_tells_the_clusters_warning(
    start: Callable[..., str], rollout: KubernetesRollout, check: Callable[..., GateResult], wait_for: WaitFor
) -> None:
    start("crash")
    wait_for(lambda: rollout.look("green").events)
    assert "BackOff: Back-off restarting failed container" in check().reason


def test_an_image_that_cannot_be_fetched_fails(start: Callable[..., str], check: Callable[..., GateResult]) -> None:
    start("image-pull")
    result = check()
    assert result.verdict is Verdict.FAILED
    assert "ImagePullBackOff: Back-off pulling image" in result.reason
    assert result.evidence["problems"][0]["kind"] == "image_pull"


def test_a_quota_that_is_used_up_is_named(
    cluster: Cluster, namespace: str, start: Callable[..., str], check: Callable[..., GateResult], wait_for: WaitFor
) -> None:
    quotas = f"/api/v1/namespaces/{namespace}/resourcequotas"
    cluster.rest.post(quotas, {"metadata": {"name": "few"}, "spec": {"hard": {"pods": "1"}}})
    wait_for(lambda: cluster.rest.get(f"{quotas}/few").get("status", {}).get("hard"))
    start("ready")
    result = check(wait=3)
    assert result.verdict is Verdict.FAILED
    assert "1 of 2 instances serve" in result.reason
    assert "exceeded quota: few" in result.reason
    assert "limited: pods=1" in result.reason


def test_pods_that_fit_nowhere_are_named(start: Callable[..., str], check: Callable[..., GateResult]) -> None:
    start("ready", container={"resources": {"requests": {"cpu": "1000"}}})
    result = check(wait=3)
    assert result.verdict is Verdict.FAILED
    assert "fits on no node: 0/2 nodes are available" in result.reason


def test_one_that_never_gets_ready_fails_at_its_deadline(
    start: Callable[..., str], check: Callable[..., GateResult]
) -> None:
    start("hang", spec={"progressDeadlineSeconds": 2})
    result = check(wait=60)
    assert result.verdict is Verdict.FAILED
    assert "the Deployment shop-green made no progress" in result.reason


def test_restarts_that_are_over_are_remembered(
    cluster: Cluster,
    namespace: str,
    start: Callable[..., str],
    rollout: KubernetesRollout,
    check: Callable[..., GateResult],
    wait_for: WaitFor,
) -> None:
    start("crash")
    wait_for(lambda: rollout.look("green").restarts >= 2)
    for pod in cluster.rest.get(f"/api/v1/namespaces/{namespace}/pods")["items"]:
        path = f"/api/v1/namespaces/{namespace}/pods/{pod['metadata']['name']}"
        body = b'{"metadata": {"annotations": {"%s": "ready"}}}' % ANNOTATION.encode()
        cluster.rest.patch(path, body, "application/merge-patch+json")
    wait_for(lambda: rollout.look("green").complete)
    result = check()
    assert result.verdict is Verdict.FAILED
    assert "its instances were started anew" in result.reason
    assert check(restarts=1000).verdict is Verdict.PASSED


def test_a_slot_that_is_not_there_is_named(namespace: str, check: Callable[..., GateResult]) -> None:
    result = check()
    assert result.verdict is Verdict.FAILED
    assert result.reason == f"slot green is not there: the namespace '{namespace}' has no Deployment 'shop-green'"


def test_who_may_not_see_events_is_told_the_rest(
    cluster: Cluster, namespace: str, start: Callable[..., str], check: Callable[..., GateResult]
) -> None:
    role = {
        "metadata": {"name": "reader"},
        "rules": [
            {"apiGroups": ["apps"], "resources": ["deployments"], "verbs": ["get"]},
            {"apiGroups": [""], "resources": ["pods"], "verbs": ["list"]},
        ],
    }
    grant(cluster.rest, namespace, role, name="reader")
    start("crash")
    settings = KubernetesSettings(kubeconfig=str(cluster.kubeconfig_of("reader")), namespace=namespace)
    reader = KubernetesRollout(api(settings), settings, "shop")
    assert reader.look("green").events == ()
    assert check().verdict is Verdict.FAILED


def test_a_cluster_that_hangs_is_no_bad_release(cluster: Cluster, namespace: str, start: Callable[..., str]) -> None:
    start("ready")
    settings = KubernetesSettings(kubeconfig=str(cluster.kubeconfig), namespace=namespace, request_timeout=0.5)
    impatient = KubernetesRollout(api(settings), settings, "shop")
    context = GateContext(
        environment="prod",
        phase="deploy",
        kind=PhaseKind.DEPLOY,
        moment=Moment.EXIT,
        release=Release("shop:2.0", "sha256:2"),
        root=Path(),
        slot="green",
        rollout=impatient,
    )
    with cluster.frozen():
        result = RolloutHealth().check(context)
    assert result.verdict is Verdict.INCONCLUSIVE
    assert "the cluster does not answer" in result.reason
