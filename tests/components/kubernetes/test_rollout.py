"""What a Deployment and its pods say of a slot, as an API server has them."""

from __future__ import annotations

from typing import Any

import pytest

from components.kubernetes.rollout import Health, assess

IMAGE = "ghcr.io/team/shop@sha256:2"


def deployment(*conditions: dict[str, str], **status: Any) -> dict[str, Any]:  # noqa: ANN401
    available = {"type": "Available", "status": "True"}
    usual: dict[str, Any] = {
        "observedGeneration": 3,
        "replicas": 2,
        "updatedReplicas": 2,
        "availableReplicas": 2,
        "conditions": [available, *conditions],
    }
    return {
        "metadata": {"name": "shop-green", "generation": 3},
        "spec": {
            "replicas": 2,
            "selector": {"matchLabels": {"app": "shop"}},
            "template": {"spec": {"containers": [{"name": "app", "image": IMAGE}]}},
        },
        "status": {**usual, **status},
    }


def pod(
    name: str,
    container: dict[str, Any] | None = None,
    *,
    image: str = IMAGE,
    metadata: dict[str, str] | None = None,
    status: dict[str, Any] | None = None,
) -> dict[str, Any]:
    return {
        "metadata": {"name": name, **(metadata or {})},
        "spec": {"containers": [{"name": "app", "image": image}]},
        "status": {"containerStatuses": [{"name": "app", **(container or {})}], **(status or {})},
    }


def waiting(why: str, message: str = "", restarts: int = 0, last: dict[str, Any] | None = None) -> dict[str, Any]:
    ended = {"lastState": {"terminated": last}} if last else {}
    return {"restartCount": restarts, "state": {"waiting": {"reason": why, "message": message}}, **ended}


def kinds(health: Health) -> list[tuple[str, bool]]:
    return [(problem.kind, problem.lasting) for problem in health.problems]


def test_a_rolled_out_slot_is_complete() -> None:
    health = assess(deployment(), [pod("a"), pod("b")])
    assert health == Health(wanted=2, available=2, complete=True)


@pytest.mark.parametrize(
    "status",
    [
        {"observedGeneration": 2},
        {"updatedReplicas": 1},
        {"availableReplicas": 1},
        {"replicas": 3},
        {"conditions": [{"type": "Available", "status": "False"}]},
    ],
    ids=["not seen yet", "not updated", "not available", "an old pod is left", "Available is False"],
)
def test_what_is_under_way_is_not_complete(status: dict[str, Any]) -> None:
    assert not assess(deployment(**status), []).complete


def test_a_crash_loop_tells_how_it_ended() -> None:
    crashed = waiting("CrashLoopBackOff", "back-off", 4, {"reason": "OOMKilled", "exitCode": 137})
    health = assess(deployment(), [pod("a", crashed), pod("b")])
    assert kinds(health) == [("crash_loop", True)]
    assert health.problems[0].message == (
        "pod a, container app: CrashLoopBackOff after 4 restarts (last: OOMKilled, exit code 137)"
    )
    assert health.restarts == 4


@pytest.mark.parametrize(
    ("reason", "expected"),
    [
        ("ErrImagePull", ("image_pull", False)),
        ("ImagePullBackOff", ("image_pull", True)),
        ("InvalidImageName", ("image_pull", True)),
        ("CreateContainerConfigError", ("configuration", True)),
    ],
)
def test_a_container_that_cannot_start_says_why(reason: str, expected: tuple[str, bool]) -> None:
    health = assess(deployment(), [pod("a", waiting(reason, 'secret "x" not\nfound'))])
    assert kinds(health) == [expected]
    assert health.problems[0].message == f'pod a, container app: {reason}: secret "x" not found'


def test_containers_that_only_start_are_no_problem() -> None:
    assert not assess(
        deployment(), [pod("a", waiting("ContainerCreating")), pod("b", waiting("PodInitializing"))]
    ).problems


def test_init_containers_count() -> None:
    status = {"initContainerStatuses": [{"name": "wait", **waiting("CrashLoopBackOff", "", 2)}]}
    assert assess(deployment(), [pod("a", status=status)]).restarts == 2


def test_a_quota_is_named_with_its_limits() -> None:
    message = 'pods "shop-green-1" is forbidden: exceeded quota: few, requested: pods=1, used: pods=3, limited: pods=3'
    failure = {"type": "ReplicaFailure", "status": "True", "reason": "FailedCreate", "message": message}
    health = assess(deployment(failure, availableReplicas=0), [])
    assert kinds(health) == [("quota", False)]
    assert "used: pods=3, limited: pods=3" in health.problems[0].message


def test_a_pod_that_fits_nowhere_says_why() -> None:
    condition = {"type": "PodScheduled", "status": "False", "reason": "Unschedulable", "message": "0/3 nodes: cpu"}
    health = assess(deployment(), [pod("a", status={"conditions": [condition]})])
    assert health.problems[0].message == "pod a fits on no node: 0/3 nodes: cpu"


def test_no_progress_is_final_but_not_that_of_an_earlier_release() -> None:
    late = {"type": "Progressing", "status": "False", "reason": "ProgressDeadlineExceeded", "message": "timed out"}
    assert kinds(assess(deployment(late), [])) == [("progress", True)]
    assert not assess(deployment(late, observedGeneration=2), []).problems


def test_a_paused_deployment_says_so() -> None:
    paused = deployment()
    paused["spec"]["paused"] = True
    assert kinds(assess(paused, [])) == [("paused", True)]


def test_other_releases_and_pods_that_leave_do_not_count() -> None:
    crashed = waiting("CrashLoopBackOff", "", 9)
    pods = [
        pod("old", crashed, image="ghcr.io/team/shop@sha256:1"),
        pod("leaving", crashed, metadata={"deletionTimestamp": "2026-11-25T22:00:00Z"}),
    ]
    health = assess(deployment(), pods)
    assert (health.problems, health.restarts) == ((), 0)


def test_what_cannot_be_cured_comes_first() -> None:
    condition = {"type": "PodScheduled", "status": "False", "reason": "Unschedulable", "message": "no"}
    pods = [
        pod("a", status={"conditions": [condition]}),
        pod("b", waiting("ErrImagePull")),
        pod("c", waiting("CrashLoopBackOff")),
    ]
    assert [kind for kind, _ in kinds(assess(deployment(), pods))] == ["crash_loop", "image_pull", "unschedulable"]


def event(kind: str, name: str, reason: str, when: str) -> dict[str, Any]:
    return {"involvedObject": {"kind": kind, "name": name}, "reason": reason, "message": "m", "lastTimestamp": when}


def test_the_clusters_warnings_about_it_are_told_in_order() -> None:
    events = [
        event("Pod", "shop-green-7f-a", "BackOff", "2026-11-25T22:00:02Z"),
        event("Pod", "shop-green-7f-a", "BackOff", "2026-11-25T22:00:01Z"),
        event("ReplicaSet", "shop-green-7f", "FailedCreate", "2026-11-25T22:00:00Z"),
        event("ReplicaSet", "shop-green-x-7f", "FailedCreate", "2026-11-25T22:00:03Z"),
        event("Pod", "other", "BackOff", "2026-11-25T22:00:09Z"),
    ]
    health = assess(deployment(), [pod("shop-green-7f-a")], events)
    assert health.events == ("ReplicaSet shop-green-7f: FailedCreate: m", "Pod shop-green-7f-a: BackOff: m")
