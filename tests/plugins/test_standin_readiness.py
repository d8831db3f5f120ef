"""The stand-in plugin knows when an object is ready, and says why it is not."""

from __future__ import annotations

from typing import Any

import pytest

from tests.plugins.kubernetes_standin import conditions, pods, workloads
from tests.plugins.kubernetes_standin.deployments import DeploymentReadiness
from tests.plugins.kubernetes_standin.errors import NotReady
from tests.plugins.kubernetes_standin.jobs import JobReadiness
from tests.plugins.kubernetes_standin.objects import Kind, propagation, time_limit
from tests.plugins.kubernetes_standin.readying import is_deletion_awaited
from tests.plugins.kubernetes_standin.rest import Mapper
from tests.plugins.kubernetes_standin.services import ServiceReadiness
from tests.plugins.kubernetes_standin.values import Object

LABELS = {"app": "web"}


class FakeApi:
    """An API server that holds what a test puts there."""

    def __init__(self) -> None:
        self.lists: dict[str, list[Object]] = {}
        self.endpoints: Object = {}
        self._mapper = Mapper(lambda _: None)

    def resource(self, kind: Kind) -> Any:  # noqa: ANN401
        return self._mapper.resource(kind)

    def request(self, method: str, path: str, **query: str) -> Object:
        del method, query
        return {"items": self.lists.get(path.rpartition("/")[2], [])}

    def get(self, obj: Object, name: str) -> Object:
        del obj, name
        return self.endpoints


@pytest.fixture
def api() -> Any:  # noqa: ANN401
    return FakeApi()


def deployment(revision: str = "2", *, available: str = "True", progressing: str = "NewReplicaSetAvailable") -> Object:
    conditions = [
        {
            "type": "Available",
            "status": available,
            "reason": "MinimumReplicasUnavailable",
            "message": "not enough pods",
        },
        {
            "type": "Progressing",
            "status": "False" if progressing == "ProgressDeadlineExceeded" else "True",
            "reason": progressing,
            "message": "no progress",
        },
    ]
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {
            "name": "web",
            "namespace": "shop",
            "uid": "d",
            "generation": 3,
            "annotations": {"deployment.kubernetes.io/revision": revision},
        },
        "spec": {"replicas": 2, "selector": {"matchLabels": LABELS}},
        "status": {"observedGeneration": 3, "conditions": conditions},
    }


def replica_set(revision: str = "2", ready: int = 2) -> Object:
    return {
        "metadata": {
            "name": f"web-{revision}",
            "namespace": "shop",
            "uid": f"r{revision}",
            "ownerReferences": [{"uid": "d"}],
            "annotations": {"deployment.kubernetes.io/revision": revision},
        },
        "spec": {"replicas": 2, "selector": {"matchLabels": LABELS}},
        "status": {"readyReplicas": ready},
    }


def pod(owner: str, **status: object) -> Object:
    ready = {
        "type": "Ready",
        "status": "False",
        "reason": "ContainersNotReady",
        "message": "containers with unready status",
    }
    gone = [{"type": name, "status": "True"} for name in ("PodScheduled", "Initialized")]
    held = {"name": "web-1", "namespace": "shop", "ownerReferences": [{"uid": owner}]}
    return {"metadata": held, "status": {"conditions": [*gone, ready], **status}}


def crashing() -> Object:
    state = {"waiting": {"reason": "CrashLoopBackOff", "message": "back-off 10s restarting failed container"}}
    ended = {"finishedAt": "2026-11-25T20:00:00Z", "reason": "Error", "exitCode": 3, "message": "no database"}
    return {"name": "app", "ready": False, "state": state, "lastState": {"terminated": ended}}


def test_a_deployment_is_ready_once_its_newest_replica_set_is_complete(api: Any) -> None:  # noqa: ANN401
    knows = DeploymentReadiness(api)
    api.lists = {"replicasets": [replica_set("1"), replica_set("2")]}
    assert knows.ready(deployment())
    assert not knows.ready(deployment(available="False"))
    assert not knows.ready(deployment(progressing="ReplicaSetUpdated"))
    api.lists = {"replicasets": [replica_set("1"), replica_set("2", ready=1)]}
    assert not knows.ready(deployment())
    assert knows.ready(deployment("1", progressing="ReplicaSetUpdated"))


def test_a_status_of_an_earlier_generation_says_nothing(api: Any) -> None:  # noqa: ANN401
    api.lists = {"replicasets": [replica_set()]}
    old = deployment()
    old["status"]["observedGeneration"] = 2
    assert not DeploymentReadiness(api).ready(old)


def test_a_crash_loop_is_named_with_the_container_s_last_words(api: Any) -> None:  # noqa: ANN401
    api.lists = {"replicasets": [replica_set(ready=0)], "pods": [pod("r2", containerStatuses=[crashing()]), pod("r1")]}
    reasons = DeploymentReadiness(api).explain(deployment(available="False", progressing="ProgressDeadlineExceeded"))
    assert reasons[:3] == [
        "[ProgressDeadlineExceeded] no progress",
        "[MinimumReplicasUnavailable] not enough pods",
        "Minimum number of live Pods was not attained",
    ]
    assert reasons[3].startswith("[Pod shop/web-1]: containers with unready status[CrashLoopBackOff] back-off 10s")
    assert "(Error: exit code 3)\nno database" in reasons[3]
    assert len(reasons) == 4


def test_image_pulls_and_scheduling_are_named() -> None:
    pull = {"reason": "ImagePullBackOff", "message": "Back-off pulling image"}
    waiting = {"name": "app", "ready": False, "state": {"waiting": pull}}
    assert "[ImagePullBackOff] Back-off pulling image" in pods.problems(pod("r", containerStatuses=[waiting]))[0]
    unscheduled = {"type": "PodScheduled", "status": "False", "reason": "Unschedulable", "message": "0/3 nodes"}
    assert pods.problems({"metadata": {"name": "x"}, "status": {"conditions": [unscheduled]}}) == ["0/3 nodes"]
    starting = {"name": "app", "ready": False, "state": {"waiting": {"reason": "ContainerCreating"}}}
    assert pods.problems(pod("r", containerStatuses=[starting])) == ["[Pod shop/web-1]: containers with unready status"]


def test_a_job_is_ready_when_complete_and_fails_when_it_has_failed_for_good(api: Any) -> None:  # noqa: ANN401
    def job(**status: object) -> Object:
        return {"kind": "Job", "metadata": {"name": "migrate", "uid": "j", "namespace": "shop"}, "status": status}

    knows = JobReadiness(api)
    assert not knows.ready(job())
    assert not knows.ready(job(startTime="now", active=1))
    assert knows.progress(job(startTime="now", active=1)) == [
        ("info", 'Waiting for Job "shop/migrate" to succeed (Active: 1 | Succeeded: 0 | Failed: 0)')
    ]
    assert knows.ready(job(startTime="now", conditions=[{"type": "Complete", "status": "True"}]))
    failed = {"type": "Failed", "status": "True", "reason": "BackoffLimitExceeded", "message": "limit reached"}
    with pytest.raises(NotReady, match="'migrate' was created but failed to initialize") as caught:
        knows.ready(job(startTime="now", conditions=[failed]))
    assert caught.value.details == ["[BackoffLimitExceeded] limit reached"]


def service(**spec: object) -> Object:
    return {"kind": "Service", "metadata": {"name": "web", "namespace": "shop"}, "spec": spec}


def test_a_service_is_ready_when_its_endpoints_have_been_quiet_for_ten_seconds(api: Any) -> None:  # noqa: ANN401
    now = [0.0]
    knows = ServiceReadiness(api, clock=lambda: now[0])
    selecting = service(selector=LABELS)
    api.endpoints = {"metadata": {"resourceVersion": "1"}, "subsets": [{"notReadyAddresses": ["10.0.0.1"]}]}
    seen = [knows.ready(selecting)]
    now[0] = 10.0
    seen.append(knows.ready(selecting))
    api.endpoints = {"metadata": {"resourceVersion": "2"}, "subsets": [{"addresses": ["10.0.0.1"]}]}
    for moment in (10.5, 15.0, 20.5):
        now[0] = moment
        seen.append(knows.ready(selecting))
    assert seen == [False, False, False, False, True]


def test_a_service_without_pods_to_find_is_ready_at_once(api: Any) -> None:  # noqa: ANN401
    for spec in ({}, {"clusterIP": "None", "selector": LABELS}, {"type": "ExternalName", "selector": LABELS}):
        assert ServiceReadiness(api).ready(service(**spec))
    assert not ServiceReadiness(api).ready(service(type="LoadBalancer"))
    assert ServiceReadiness(api, settle=0.0).ready(service(selector=LABELS))


def test_other_workloads_are_judged_by_their_status() -> None:
    seen: Object = {"metadata": {"generation": 1}, "spec": {"replicas": 2}}
    half = {**seen, "status": {"observedGeneration": 1, "readyReplicas": 1}}
    whole = {**seen, "status": {"observedGeneration": 1, "readyReplicas": 2}}
    assert not workloads.stateful_set_is_ready(half)
    assert workloads.stateful_set_is_ready(whole)
    status = {"observedGeneration": 1, "desiredNumberScheduled": 2, "updatedNumberScheduled": 2, "numberReady": 1}
    assert not workloads.daemon_set_is_ready({**seen, "status": status})
    assert workloads.daemon_set_is_ready({**seen, "status": {**status, "numberReady": 2}})
    assert workloads.pod_is_ready({"status": {"phase": "Succeeded"}})
    assert not workloads.ingress_is_ready({"status": {"loadBalancer": {}}})
    assert workloads.quota_is_ready({"spec": {"hard": {"pods": "1"}}, "status": {"hard": {"pods": "1"}}})


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ("condition=Ready", True),
        ("condition=ready=true", True),
        ("condition=Ready=False", False),
        ("condition=Other", False),
        ("jsonpath={.status.phase}", True),
        ("jsonpath={.status.phase}=Running", True),
        ("jsonpath={.status.phase}=Failed", False),
        ("jsonpath={.status.parts[0].name}=first", True),
        ("jsonpath={.status.missing}", False),
    ],
)
def test_a_user_s_own_conditions(expression: str, *, expected: bool) -> None:
    status = {"phase": "Running", "parts": [{"name": "first"}], "conditions": [{"type": "Ready", "status": "True"}]}
    assert conditions.holds(expression, {"metadata": {"generation": 4}, "status": status}) is expected


def test_a_status_that_says_it_is_old_meets_no_condition() -> None:
    old = {"phase": "Running", "observedGeneration": 3, "conditions": [{"type": "Ready", "status": "True"}]}
    live = {"metadata": {"generation": 4}, "status": old}
    assert not conditions.holds("condition=Ready", live)
    assert not conditions.holds("jsonpath={.status.phase}", live)


def test_several_conditions_are_a_list_and_nonsense_is_refused() -> None:
    assert conditions.expressions('["condition=A", "jsonpath={.b}"]') == ["condition=A", "jsonpath={.b}"]
    assert conditions.expressions("condition=A") == ["condition=A"]
    with pytest.raises(ValueError, match='expected a "jsonpath=" or "condition=" prefix'):
        conditions.expressions("Ready")


def test_annotations_say_how_long_and_how_to_delete() -> None:
    def annotated(**annotations: str) -> Object:
        held = {f"pulumi.com/{name}": value for name, value in annotations.items()}
        return {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"annotations": held}}

    assert time_limit(annotated(), 0) == 600
    assert time_limit(annotated(timeoutSeconds="20"), 0) == 20
    assert time_limit(annotated(timeoutSeconds="20"), 5) == 5
    assert time_limit(annotated(timeoutSeconds="soon"), 0) == 600
    assert propagation(annotated()) == "Foreground"
    assert propagation(annotated(deletionPropagationPolicy="orphan")) == "Orphan"
    assert not is_deletion_awaited(annotated(skipAwait="true"))
    assert is_deletion_awaited({**annotated(skipAwait="true"), "kind": "Service", "apiVersion": "v1"})
