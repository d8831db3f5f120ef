"""What is asked of the API server about Jobs, and what is made of its answers."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Iterator
from types import SimpleNamespace
from typing import Any
from unittest import mock

import pytest
from kubernetes.client.exceptions import ApiException
from urllib3.exceptions import MaxRetryError

from components.kubernetes.jobs.cluster import Cluster, ClusterRefused
from components.kubernetes.jobs.manifest import MOVES, OWNER, RECORD
from components.kubernetes.jobs.reading import STOPPED, State

RECORDED = {"serial": 2, "since": "0001", "target": "0002", "direction": "up", "initial": "base", "inputs": {}}


class Impatient:
    """An event that makes nobody wait; set after so many waits."""

    def __init__(self, after: int | None = None) -> None:
        self.waits = 0
        self.after = after

    def is_set(self) -> bool:
        return self.after is not None and self.waits >= self.after

    def wait(self, _seconds: float) -> None:
        self.waits += 1


def job(*conditions: tuple[str, str], suspend: bool = False, record: Any = RECORDED, **metadata: Any) -> Any:  # noqa: ANN401
    made = [SimpleNamespace(type=kind, status="True", reason=reason) for kind, reason in conditions]
    annotations = {RECORD: json.dumps(record)} if record else None
    fields = {"name": "j", "labels": {OWNER: "me"}, "deletion_timestamp": None, "creation_timestamp": 1, **metadata}
    return SimpleNamespace(
        metadata=SimpleNamespace(annotations=annotations, **fields),
        status=SimpleNamespace(conditions=made or None),
        spec=SimpleNamespace(suspend=suspend),
    )


def pod(phase: str = "Running", condition: Any = None, **state: Any) -> Any:  # noqa: ANN401
    given = {"running": None, "terminated": None, "waiting": None, **state}
    return SimpleNamespace(
        metadata=SimpleNamespace(name="p", creation_timestamp=1),
        spec=SimpleNamespace(containers=[SimpleNamespace(name="istio-proxy"), SimpleNamespace(name=MOVES)]),
        status=SimpleNamespace(
            phase=phase,
            conditions=[condition] if condition else None,
            container_statuses=[SimpleNamespace(state=SimpleNamespace(**given))] if state else None,
        ),
    )


def items(*found: Any) -> Any:  # noqa: ANN401
    return SimpleNamespace(items=list(found))


ENDED = SimpleNamespace(exit_code=3, message=None)
FAILED = job(("FailureTarget", "BackoffLimitExceeded"), ("Failed", "BackoffLimitExceeded"))
UNREACHABLE = MaxRetryError(None, "/", None)  # type: ignore[arg-type]


@pytest.fixture
def api() -> Iterator[SimpleNamespace]:
    """The two APIs, that answer as a test says."""
    batch, core = mock.Mock(), mock.Mock()
    core.list_namespaced_pod.return_value = items()
    with (
        mock.patch("kubernetes.client.BatchV1Api", return_value=batch),
        mock.patch("kubernetes.client.CoreV1Api", return_value=core),
    ):
        yield SimpleNamespace(batch=batch, core=core)


@pytest.fixture
def cluster(api: SimpleNamespace) -> Cluster:
    del api
    return Cluster(mock.Mock(), "prod", "me")


def wait(cluster: Cluster, *, seconds: float = 60.0, after: int | None = None) -> Any:  # noqa: ANN401
    return cluster.wait("j", seconds=seconds, cancelled=Impatient(after))  # type: ignore[arg-type]


def test_a_job_is_watched_to_its_end(cluster: Cluster, api: SimpleNamespace) -> None:
    api.batch.read_namespaced_job.side_effect = [job(), job(("SuccessCriteriaMet", "")), job(("Complete", ""))]
    assert wait(cluster).complete
    assert api.batch.read_namespaced_job.call_count == 3


def test_an_api_server_that_is_away_for_a_while_is_asked_again(cluster: Cluster, api: SimpleNamespace) -> None:
    away = ApiException(status=503, reason="Service Unavailable")
    api.batch.read_namespaced_job.side_effect = [job(), UNREACHABLE, away, job(("Complete", ""))]
    assert wait(cluster).complete


def test_a_failure_says_why_in_the_words_of_the_job_and_its_pods(cluster: Cluster, api: SimpleNamespace) -> None:
    api.batch.read_namespaced_job.return_value = FAILED
    api.core.list_namespaced_pod.return_value = items(pod("Failed", terminated=ENDED))
    ended = wait(cluster)
    assert (ended.complete, ended.began, ended.reason) == (False, True, "BackoffLimitExceeded (exit code 3)")


@pytest.mark.parametrize("reason", ["ImagePullBackOff", "CreateContainerConfigError", "InvalidImageName"])
def test_a_pod_that_will_never_start_is_not_waited_for(cluster: Cluster, api: SimpleNamespace, reason: str) -> None:
    api.batch.read_namespaced_job.return_value = job()
    waiting = SimpleNamespace(reason=reason, message="no such thing")
    api.core.list_namespaced_pod.return_value = items(pod("Pending", waiting=waiting))
    ended = wait(cluster)
    assert (ended.began, ended.reason) == (False, f"{reason}: no such thing")


def test_a_pod_that_finds_no_room_is_said_to_when_the_time_is_over(cluster: Cluster, api: SimpleNamespace) -> None:
    api.batch.read_namespaced_job.return_value = job()
    unscheduled = SimpleNamespace(type="PodScheduled", status="False", message="0/2 nodes: no room", reason="")
    api.core.list_namespaced_pod.return_value = items(pod("Pending", unscheduled))
    ended = wait(cluster, seconds=0.0)
    assert (ended.began, ended.running) == (False, True)
    assert ended.reason == "it has not ended within 0 s (0/2 nodes: no room)"


def test_time_that_is_over_while_the_api_server_is_away_is_told_with_that(
    cluster: Cluster, api: SimpleNamespace
) -> None:
    api.batch.read_namespaced_job.side_effect = UNREACHABLE
    api.core.list_namespaced_pod.side_effect = UNREACHABLE
    ended = wait(cluster, seconds=0.0)
    assert ended.began  # as far as anybody can tell
    assert "the cluster does not answer" in ended.reason


def test_a_wait_ends_when_somebody_asks_for_it(cluster: Cluster, api: SimpleNamespace) -> None:
    api.batch.read_namespaced_job.return_value = job()
    assert wait(cluster, after=2) is None


def test_a_job_that_somebody_removed_may_have_done_anything(cluster: Cluster, api: SimpleNamespace) -> None:
    api.batch.read_namespaced_job.side_effect = ApiException(status=404, reason="Not Found")
    ended = wait(cluster)
    assert (ended.complete, ended.began, ended.reason) == (False, True, "somebody removed it while it ran")


def test_a_job_that_is_there_already_is_the_one_that_was_meant(cluster: Cluster, api: SimpleNamespace) -> None:
    api.batch.create_namespaced_job.side_effect = ApiException(status=409, reason="Conflict")
    cluster.start({"metadata": {"name": "j"}})


def test_what_the_api_server_refuses_is_told_in_its_own_words(cluster: Cluster, api: SimpleNamespace) -> None:
    refused = ApiException(status=403, reason="Forbidden")
    refused.body = json.dumps({"message": 'jobs.batch is forbidden: User "ci" cannot create'})
    api.batch.create_namespaced_job.side_effect = refused
    with pytest.raises(ClusterRefused, match="cannot create the Job j in namespace prod: 403 jobs"):
        cluster.start({"metadata": {"name": "j"}})


@pytest.mark.parametrize(
    ("found", "state", "reason"),
    [
        (job(), State.RUNNING, ""),
        (job(("Complete", "")), State.COMPLETE, ""),
        (FAILED, State.FAILED, "BackoffLimitExceeded"),
        (job(suspend=True), State.FAILED, STOPPED),
        (job(("Complete", ""), suspend=True), State.COMPLETE, ""),
    ],
    ids=["running", "complete", "failed", "stopped", "complete before it was stopped"],
)
def test_a_job_tells_what_it_was_for(
    cluster: Cluster,
    api: SimpleNamespace,
    found: Any,  # noqa: ANN401
    state: State,
    reason: str,
) -> None:
    gone = job(deletion_timestamp="now", record={**RECORDED, "serial": 9})
    api.batch.list_namespaced_job.return_value = items(job(record=None), gone, found)
    newest = cluster.newest()
    assert newest is not None
    assert (newest.state, newest.reason, newest.serial, newest.target) == (state, reason, 2, "0002")
    api.batch.list_namespaced_job.assert_called_with("prod", label_selector=f"{OWNER}=me")


def test_a_log_is_that_of_the_migration_and_not_of_a_sidecar(cluster: Cluster, api: SimpleNamespace) -> None:
    api.core.list_namespaced_pod.return_value = items(pod(terminated=ENDED))
    api.core.read_namespaced_pod_log.return_value = SimpleNamespace(data=b"one\ntwo\nthree\xff")
    assert cluster.tail("j", 2) == "two\nthree�"
    assert api.core.read_namespaced_pod_log.call_args.kwargs["container"] == MOVES


def test_where_there_is_no_log_the_status_has_its_end_or_nothing(cluster: Cluster, api: SimpleNamespace) -> None:
    assert cluster.tail("j", 9) is None
    api.core.read_namespaced_pod_log.side_effect = ApiException(status=403, reason="Forbidden")
    last = SimpleNamespace(exit_code=1, message="one\nERROR: two")
    api.core.list_namespaced_pod.return_value = items(pod(terminated=last))
    assert cluster.tail("j", 1) == "ERROR: two"
    api.core.list_namespaced_pod.return_value = items(pod(running=object()))
    assert cluster.tail("j", 1) is None


def test_secrets_are_read_to_be_hidden(cluster: Cluster, api: SimpleNamespace) -> None:
    data = {"URL": base64.b64encode(b"hunter2").decode()}
    api.core.read_namespaced_secret.return_value = SimpleNamespace(data=data)
    assert cluster.secret_values(["a", "b"]) == ["hunter2", "hunter2"]
    api.core.read_namespaced_secret.side_effect = [SimpleNamespace(data=None), ApiException(status=403)]
    assert cluster.secret_values(["a", "b"]) is None


def test_stopping_waits_for_the_pods_and_removing_for_the_job(
    cluster: Cluster, api: SimpleNamespace, monkeypatch: pytest.MonkeyPatch
) -> None:
    slept: list[float] = []
    monkeypatch.setattr("time.sleep", slept.append)
    api.core.list_namespaced_pod.side_effect = [items(pod()), items(pod("Pending")), items(pod("Succeeded"))]
    cluster.stop("j")
    assert len(slept) == 2
    api.batch.patch_namespaced_job.assert_called_with("j", "prod", {"spec": {"suspend": True}})

    api.batch.read_namespaced_job.side_effect = [job(), ApiException(status=404)]
    cluster.remove("j")
    assert len(slept) == 3
    api.batch.delete_namespaced_job.side_effect = ApiException(status=404)
    cluster.remove("j", wait=False)


@pytest.mark.parametrize(
    ("act", "says"),
    [
        (lambda cluster: cluster.stop("j", seconds=0.0), "was told to end and still runs after 0 s"),
        (lambda cluster: cluster.remove("j", seconds=0.0), "is still there 0 s after it was removed"),
    ],
    ids=["stop", "remove"],
)
def test_neither_waits_for_ever(
    cluster: Cluster, api: SimpleNamespace, act: Callable[[Cluster], None], says: str
) -> None:
    api.core.list_namespaced_pod.return_value = items(pod())
    api.batch.read_namespaced_job.return_value = job()
    with pytest.raises(ClusterRefused, match=says):
        act(cluster)


@pytest.mark.parametrize(("mine", "theirs", "newer"), [(1, 2, True), (2, 1, False), (None, 1, True), (1, None, False)])
def test_another_resource_that_moved_the_schema_later_has_it_now(
    cluster: Cluster, api: SimpleNamespace, mine: int | None, theirs: int | None, newer: bool
) -> None:
    found = [job(labels={OWNER: owner}, creation_timestamp=at) for owner, at in (("me", mine), ("other", theirs)) if at]
    api.batch.list_namespaced_job.return_value = items(*found)
    assert cluster.succeeded_by("app.kubernetes.io/name=shop") is newer


def test_all_jobs_are_forgotten_one_by_one_as_the_smallest_role_allows(cluster: Cluster, api: SimpleNamespace) -> None:
    api.batch.list_namespaced_job.return_value = items(job(name="a"), job(name="b", record=None))
    cluster.forget()
    assert [call.args[0] for call in api.batch.delete_namespaced_job.call_args_list] == ["a", "b"]
