"""A schema that Jobs move: up, down, and back to where it was, whatever happened in between."""

from __future__ import annotations

import json
import re
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import pytest

from components.kubernetes.jobs.cluster import ClusterRefused
from components.kubernetes.jobs.manifest import RECORD
from components.kubernetes.jobs.reading import STOPPED, Ended, Recorded, State
from components.provider.resource import UNKNOWN, Cancelled, Context, PartialFailure, ResourceFailure, Values
from components.provider.resources import job_revision
from components.provider.resources.job_revision import JobRevision

URN = "urn:pulumi:dev::shop::launch:kubernetes:Migration$launch:kubernetes:JobRevision::shop"
CONTEXT = Context(urn=URN)
RESOURCE = JobRevision()
IMAGES = {"shop:1.0": ["0001"], "shop:2.0": ["0001", "0002"], "shop:3.0": ["0001", "0002", "0003"]}
"""Which revisions the scripts in an image know."""


class FakeCluster:
    """Runs Jobs at once against a schema in memory, as Alembic in the image would."""

    def __init__(self) -> None:
        self.namespace = "prod"
        self.owner = ""
        self.schema = "base"
        self.jobs: dict[str, dict[str, Any]] = {}
        self.states: dict[str, State] = {}
        self.reasons: dict[str, str] = {}
        self.ran: list[tuple[str, ...]] = []
        self.breaks: set[str] = set()
        """Revisions whose migration raises, and leaves the schema where it was."""
        self.commits_then_breaks: set[str] = set()
        """Revisions whose migration is applied before it raises."""
        self.hangs = False
        self.never_starts = ""
        self.log = "INFO connecting to postgresql://shop:hunter2@db/shop\ntoken is t0ps3cret"
        self.secrets: dict[str, list[str]] | None = {"shop-schema": ["t0ps3cret"]}
        self.successor = False

    def __call__(self, inputs: Values, owner: str) -> Any:  # noqa: ANN401
        del inputs
        self.owner = owner

        @contextmanager
        def given() -> Iterator[FakeCluster]:
            yield self

        return given()

    def moves(self) -> list[Recorded]:
        found = []
        for name, job in self.jobs.items():
            if RECORD in job["metadata"].get("annotations", {}):
                raw = json.loads(job["metadata"]["annotations"][RECORD])
                found.append(Recorded(name=name, state=self.states[name], reason=self.reasons.get(name, ""), **raw))
        return found

    def newest(self) -> Recorded | None:
        return max(self.moves(), key=lambda job: job.serial, default=None)

    def start(self, job: Mapping[str, Any]) -> None:
        name = job["metadata"]["name"]
        if name in self.jobs:
            return
        self.jobs[name] = dict(job)
        self.states[name] = State.RUNNING
        (container,) = job["spec"]["template"]["spec"]["containers"]
        self.ran.append((container["image"], *container["command"]))

    def finish(self, name: str) -> None:
        """Does what a Job does, unless it is over."""
        if self.states[name] is not State.RUNNING:
            return
        (container,) = self.jobs[name]["spec"]["template"]["spec"]["containers"]
        self.states[name] = State.COMPLETE if self._alembic(container) else State.FAILED

    def _alembic(self, container: Mapping[str, Any]) -> bool:
        command, knows = container["command"], ["base", *IMAGES[container["image"]]]
        if command[1] == "current":
            return True
        target = command[2]
        if target not in knows or self.schema not in knows:
            return False  # "Can't locate revision identified by ..."
        if target in self.breaks:
            return False
        up = command[1] == "upgrade"
        if (knows.index(target) < knows.index(self.schema)) is up and target != self.schema:
            return up  # `alembic upgrade` to a revision below does nothing, `downgrade` to one above is an error
        self.schema = target
        return target not in self.commits_then_breaks

    def wait(self, name: str, *, seconds: float, cancelled: threading.Event) -> Ended | None:
        assert seconds > 0
        if cancelled.is_set():
            return None
        if self.never_starts:
            return Ended(complete=False, reason=self.never_starts, began=False)
        if self.hangs:
            return Ended(complete=False, reason=f"it has not ended within {seconds:g} s", running=True)
        self.finish(name)
        complete = self.states[name] is State.COMPLETE
        return Ended(complete=complete, reason="" if complete else "BackoffLimitExceeded (exit code 1)")

    def tail(self, name: str, lines: int) -> str | None:
        (container,) = self.jobs[name]["spec"]["template"]["spec"]["containers"]
        if container["command"][1] == "current":
            return "INFO  [alembic.runtime.migration] Will assume transactional DDL.\n" + (
                "" if self.schema == "base" else f"{self.schema} (head)"
            )
        return "\n".join(self.log.splitlines()[-lines:])

    def stop(self, name: str, *, wait: bool = True) -> None:
        del wait
        self.states[name], self.reasons[name] = State.FAILED, STOPPED

    def remove(self, name: str, *, wait: bool = True) -> None:
        del wait
        self.jobs.pop(name, None)

    def forget(self) -> None:
        self.jobs.clear()

    def succeeded_by(self, service_label: str) -> bool:
        assert service_label == "app.kubernetes.io/name=shop"
        return self.successor

    def secret_values(self, names: list[str]) -> list[str] | None:
        if self.secrets is None:
            return None
        return [value for name in names for value in self.secrets[name]]


@pytest.fixture
def cluster(monkeypatch: pytest.MonkeyPatch) -> FakeCluster:
    made = FakeCluster()
    monkeypatch.setattr(job_revision, "_cluster", made)
    return made


def release(version: str, revision: str, **given: Any) -> Values:  # noqa: ANN401
    """The inputs of a release, as the provider fills them in."""
    return {
        "namespace": "prod",
        "service": "shop",
        "revision": revision,
        "image": f"shop:{version}",
        "up": ["alembic", "upgrade", "${REVISION}"],
        "down": ["alembic", "downgrade", "${REVISION}"],
        "current": [],
        "startsAt": "base",
        "revisions": IMAGES[f"shop:{version}"],
        "secrets": ["shop-schema"],
        "timeoutSeconds": 600.0,
        "retries": 0,
        "keepSeconds": 3600,
        "logLines": 50,
        **given,
    }


ONE, TWO, THREE = release("1.0", "0001"), release("2.0", "0002"), release("3.0", "0003")


def create(inputs: Values) -> tuple[str, Values]:
    return RESOURCE.create(inputs, CONTEXT)


def update(old: Values, new: Values) -> Values:
    assert RESOURCE.diff(old, new).changed
    return RESOURCE.update("id", old, new, CONTEXT)


def failed_update(old: Values, new: Values) -> Values:
    with pytest.raises(PartialFailure) as caught:
        update(old, new)
    return caught.value.outputs


def test_a_first_launch_goes_up_and_is_undone_down_to_where_it_began(cluster: FakeCluster) -> None:
    id_, outputs = create(TWO)
    assert (outputs["revision"], outputs["previous"], outputs["initial"]) == ("0002", "base", "base")
    assert cluster.schema == "0002"
    assert id_.startswith("prod/shop-schema-")

    RESOURCE.delete(id_, outputs, CONTEXT)
    assert cluster.schema == "base"
    assert cluster.ran[-1] == ("shop:2.0", "alembic", "downgrade", "base")
    assert cluster.jobs == {}


def test_up_with_the_new_image_and_down_with_the_one_that_knows_the_way(cluster: FakeCluster) -> None:
    _, first = create(ONE)
    second = update(first, TWO)
    assert (second["revision"], second["previous"]) == ("0002", "0001")
    third = update(second, ONE)
    assert (third["revision"], third["previous"], cluster.schema) == ("0001", "0002", "0001")
    assert cluster.ran == [
        ("shop:1.0", "alembic", "upgrade", "0001"),
        ("shop:2.0", "alembic", "upgrade", "0002"),
        ("shop:2.0", "alembic", "downgrade", "0001"),
    ]
    again = update(third, TWO)
    assert cluster.schema == "0002"
    assert len({first["job"], second["job"], third["job"], again["job"]}) == 4


def test_a_release_without_a_migration_runs_no_job(cluster: FakeCluster) -> None:
    _, first = create(ONE)
    second = update(first, {**TWO, "revision": "0001"})
    assert len(cluster.ran) == 1
    assert (second["job"], second["previous"]) == (first["job"], "base")
    assert RESOURCE.diff(second, {**TWO, "revision": "0001"}).changed == {}


@pytest.mark.usefixtures("cluster")
def test_the_log_is_kept_without_secrets() -> None:
    _, outputs = create(ONE)
    assert outputs["log"] == "INFO connecting to postgresql://shop:***@db/shop\ntoken is [secret]"


def test_a_log_that_cannot_be_cleaned_is_not_shown(cluster: FakeCluster) -> None:
    cluster.secrets = None
    _, outputs = create(ONE)
    assert "t0ps3cret" not in outputs["log"]
    assert outputs["log"].startswith("(not shown, since its Secrets (shop-schema) cannot be read")


def test_a_migration_that_fails_says_so_with_the_end_of_its_log(cluster: FakeCluster) -> None:
    _, first = create(ONE)
    cluster.breaks.add("0002")
    with pytest.raises(PartialFailure, match="takes the schema up from 0001 to 0002, failed") as caught:
        update(first, TWO)
    assert "exit code 1" in str(caught.value)
    assert "token is [secret]" in str(caught.value)
    assert "hunter2" not in str(caught.value)
    left = caught.value.outputs
    assert (left["revision"], left["attempted"]) == ("0001", "0002")


@pytest.mark.parametrize("halfway", [False, True], ids=["nothing was done", "it was done"])
def test_going_back_after_a_failure_goes_down_whatever_was_done(cluster: FakeCluster, halfway: bool) -> None:
    _, first = create(ONE)
    (cluster.commits_then_breaks if halfway else cluster.breaks).add("0002")
    left = failed_update(first, TWO)
    back = update(left, ONE)
    assert cluster.ran[-1] == ("shop:2.0", "alembic", "downgrade", "0001")
    assert (back["revision"], cluster.schema) == ("0001", "0001")
    assert "attempted" not in back
    assert RESOURCE.diff(back, ONE).changed == {}


def test_the_same_release_again_after_a_failure_simply_tries_again(cluster: FakeCluster) -> None:
    _, first = create(ONE)
    cluster.breaks.add("0002")
    left = failed_update(first, TWO)
    cluster.breaks.clear()
    second = update(left, TWO)
    assert (second["revision"], cluster.schema) == ("0002", "0002")


def test_a_way_down_that_failed_is_tried_again_with_the_image_that_knows_it(cluster: FakeCluster) -> None:
    _, first = create(ONE)
    second = update(first, TWO)
    cluster.breaks.add("0001")
    left = failed_update(second, ONE)
    cluster.breaks.clear()
    back = update(left, ONE)
    assert cluster.ran[-1] == ("shop:2.0", "alembic", "downgrade", "0001")
    assert (back["revision"], cluster.schema) == ("0001", "0001")


def test_a_first_launch_that_failed_is_undone_all_the_same(cluster: FakeCluster) -> None:
    cluster.commits_then_breaks.add("0002")
    with pytest.raises(PartialFailure) as caught:
        create(TWO)
    cluster.commits_then_breaks.clear()
    RESOURCE.delete(caught.value.id, caught.value.outputs, CONTEXT)
    assert cluster.schema == "base"


def test_a_job_whose_pod_never_ran_changed_nothing_and_is_removed(cluster: FakeCluster) -> None:
    _, first = create(ONE)
    cluster.never_starts = "ImagePullBackOff: no such image"
    with pytest.raises(ResourceFailure, match="never ran and was removed, nothing was changed: ImagePull") as caught:
        update(first, TWO)
    assert not isinstance(caught.value, PartialFailure)
    assert RESOURCE.diff(first, ONE).changed == {}


def test_a_job_that_hangs_is_stopped_and_taken_back(cluster: FakeCluster) -> None:
    _, first = create(ONE)
    cluster.hangs = True
    left = failed_update(first, TWO)
    assert next(iter(cluster.reasons.values())) == STOPPED
    cluster.hangs = False
    assert update(left, ONE)["revision"] == "0001"
    assert all(job.reason != STOPPED for job in cluster.moves())  # nothing else would ever remove it


def test_a_job_that_may_or_may_not_have_been_made_is_taken_back(
    cluster: FakeCluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    _, first = create(ONE)
    start = cluster.start

    def made_but_not_answered(job: Mapping[str, Any]) -> None:
        start(job)
        raise ClusterRefused("the cluster does not answer", unknown=True)

    with monkeypatch.context() as patch:
        patch.setattr(cluster, "start", made_but_not_answered)
        left = failed_update(first, TWO)
    cluster.finish(list(cluster.jobs)[-1])
    assert cluster.schema == "0002"
    assert update(left, ONE)["revision"] == cluster.schema == "0001"


def test_a_job_that_is_refused_changed_nothing(cluster: FakeCluster, monkeypatch: pytest.MonkeyPatch) -> None:
    _, first = create(ONE)

    def forbidden(_job: Mapping[str, Any]) -> None:
        raise ClusterRefused("403 forbidden")

    monkeypatch.setattr(cluster, "start", forbidden)
    with pytest.raises(ClusterRefused):  # which the resource's own door turns into a failure
        update(first, TWO)


def test_a_job_that_cannot_be_stopped_or_removed_may_yet_run(
    cluster: FakeCluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    _, first = create(ONE)

    def away(*_: object, **__: object) -> None:
        raise ClusterRefused("the cluster does not answer", unknown=True)

    monkeypatch.setattr(cluster, "stop", away)
    monkeypatch.setattr(cluster, "remove", away)
    cluster.never_starts = "ImagePullBackOff"
    left = failed_update(first, TWO)
    assert left["attempted"] == "0002"
    cluster.never_starts, cluster.hangs = "", True
    with pytest.raises(PartialFailure, match="has not ended within 600 s; the cluster does not answer"):
        update(left, TWO)
    with pytest.raises(ClusterRefused):  # nothing else may run beside it
        update(left, ONE)


@pytest.mark.parametrize("back", [False, True], ids=["tried again", "taken back"])
def test_two_jobs_never_move_a_schema_at_once(
    cluster: FakeCluster, monkeypatch: pytest.MonkeyPatch, back: bool
) -> None:
    _, first = create(ONE)
    cluster.hangs = True
    with monkeypatch.context() as patch:
        patch.setattr(cluster, "stop", lambda *_, **__: None)  # its pod takes its time
        left = failed_update(first, TWO)
    cluster.hangs = False
    if back:
        assert update(left, ONE)["revision"] == "0001"
        assert [job.reason for job in cluster.moves() if job.serial == 2] == []  # stopped first, then removed
    else:
        assert update(left, TWO)["revision"] == "0002"
        assert len(cluster.ran) == 2  # it was still at it


class Killed(BaseException):
    """The process is gone."""


def killed_while_waiting(cluster: FakeCluster, monkeypatch: pytest.MonkeyPatch, old: Values, new: Values) -> None:
    """An update of which nothing was recorded, but whose Job the cluster has."""

    def die(*_: object, **__: object) -> None:
        raise Killed

    with monkeypatch.context() as patch:
        patch.setattr(cluster, "wait", die)
        with pytest.raises(Killed):
            create(new) if not old else update(old, new)


@pytest.mark.parametrize("over", [False, True], ids=["still running", "over by now"])
def test_killed_and_resumed_the_running_job_is_waited_for(
    cluster: FakeCluster, monkeypatch: pytest.MonkeyPatch, over: bool
) -> None:
    _, first = create(ONE)
    killed_while_waiting(cluster, monkeypatch, first, TWO)
    if over:
        cluster.finish(list(cluster.jobs)[-1])
    second = update(first, TWO)
    assert (second["revision"], second["previous"], cluster.schema) == ("0002", "0001", "0002")
    assert len(cluster.ran) == 2  # one for each release
    assert second["log"]


@pytest.mark.parametrize("over", [False, True], ids=["still running", "over by now"])
def test_killed_and_taken_back_the_schema_is_where_it_was(
    cluster: FakeCluster, monkeypatch: pytest.MonkeyPatch, over: bool
) -> None:
    _, first = create(ONE)
    killed_while_waiting(cluster, monkeypatch, first, TWO)
    if over:
        cluster.finish(list(cluster.jobs)[-1])
    back = update(first, ONE)  # nothing differs from the record, and yet there is something to do
    assert cluster.ran[-1] == ("shop:2.0", "alembic", "downgrade", "0001")
    assert (back["revision"], cluster.schema) == ("0001", "0001")
    assert RESOURCE.diff(back, ONE).changed == {}


def test_a_killed_create_is_found_by_the_next_one(cluster: FakeCluster, monkeypatch: pytest.MonkeyPatch) -> None:
    killed_while_waiting(cluster, monkeypatch, {}, TWO)
    cluster.finish(next(iter(cluster.jobs)))
    id_, outputs = create(TWO)
    assert (outputs["revision"], outputs["initial"], len(cluster.ran)) == ("0002", "base", 1)
    RESOURCE.delete(id_, outputs, CONTEXT)
    assert cluster.schema == "base"


@pytest.mark.usefixtures("cluster")
def test_a_cancelled_update_stops_its_job_and_leaves_a_trace() -> None:
    _, first = create(ONE)
    stop = threading.Event()
    stop.set()
    with pytest.raises(PartialFailure, match="was stopped; how far it came is not known") as caught:
        RESOURCE.update("id", first, TWO, Context(urn=URN, cancelled=stop))
    assert update(caught.value.outputs, ONE)["revision"] == "0001"
    assert update(first, ONE)["revision"] == "0001"  # also where nobody was left to record it


@pytest.mark.usefixtures("cluster")
def test_cancelled_before_the_first_job_nothing_is_left() -> None:
    stop = threading.Event()
    stop.set()
    with pytest.raises(Cancelled, match="while the schema's revision was asked for"):
        RESOURCE.create({**TWO, "current": ["alembic", "current"]}, Context(urn=URN, cancelled=stop))


def test_a_database_that_was_there_is_brought_back_to_where_it_was(cluster: FakeCluster) -> None:
    cluster.schema = "0001"
    id_, outputs = create({**TWO, "current": ["alembic", "current"], "startsAt": None})
    assert (outputs["previous"], outputs["initial"]) == ("0001", "0001")
    RESOURCE.delete(id_, outputs, CONTEXT)
    assert cluster.schema == "0001"


def test_nothing_has_to_run_where_the_database_says_that_it_is_there(cluster: FakeCluster) -> None:
    cluster.schema = "0002"
    _, outputs = create({**TWO, "current": ["alembic", "current"]})
    assert [command[2] for command in cluster.ran] == ["current"]
    assert (outputs["initial"], outputs["serial"]) == ("0002", 0)


def test_read_asks_the_database_or_the_jobs(cluster: FakeCluster, monkeypatch: pytest.MonkeyPatch) -> None:
    asks = {**ONE, "current": ["alembic", "current"]}
    _, outputs = create(asks)
    cluster.schema = "base"  # by hand
    found = RESOURCE.read("id", outputs, asks)
    assert found is not None
    assert found.outputs["revision"] == "base"
    assert RESOURCE.diff(found.outputs, asks).changed

    cluster.jobs.clear()
    cluster.schema = "base"
    _, first = create(ONE)
    killed_while_waiting(cluster, monkeypatch, first, TWO)
    running = RESOURCE.read("id", first, ONE)
    assert running is not None
    assert (running.outputs["revision"], running.outputs["attempted"]) == ("0001", "0002")
    cluster.finish(list(cluster.jobs)[-1])
    over = RESOURCE.read("id", first, ONE)
    assert over is not None
    assert over.outputs["revision"] == "0002"
    assert "attempted" not in over.outputs
    assert RESOURCE.update("id", over.outputs, ONE, CONTEXT)["revision"] == "0001"
    with pytest.raises(ResourceFailure, match="cannot be imported"):
        RESOURCE.read("id", {}, {})


def test_an_answer_that_cannot_be_read_is_no_empty_schema(
    cluster: FakeCluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cluster, "tail", lambda *_: None)
    with pytest.raises(ResourceFailure, match=r"the log of the Job .* cannot be read"):
        create({**TWO, "current": ["alembic", "current"]})
    assert cluster.schema == "base"


def test_without_a_way_down_going_back_is_refused_and_not_pretended(cluster: FakeCluster) -> None:
    _, first = create({**ONE, "down": []})
    second = update(first, {**TWO, "down": []})
    with pytest.raises(ResourceFailure, match=re.escape("no command goes down from there to 0001")):
        RESOURCE.update("id", second, {**ONE, "down": []}, CONTEXT)
    assert cluster.schema == "0002"


def test_revisions_without_an_order_are_refused_before_anything_runs(cluster: FakeCluster) -> None:
    _, first = create({**ONE, "revision": "0001", "revisions": []})
    with pytest.raises(ResourceFailure, match="nothing tells whether revision beef comes before or after 0001"):
        RESOURCE.update("id", first, {**TWO, "revision": "beef", "revisions": []}, CONTEXT)
    assert len(cluster.ran) == 1


def test_a_delete_never_goes_up_and_leaves_a_successors_schema_alone(cluster: FakeCluster) -> None:
    id_, outputs = create(TWO)
    cluster.successor = True
    RESOURCE.delete(id_, outputs, CONTEXT)
    assert cluster.schema == "0002"

    cluster.successor = False
    cluster.schema = "0002"
    _, found = create({**TWO, "current": ["alembic", "current"]})
    lower = update(found, {**ONE, "current": ["alembic", "current"]})
    RESOURCE.delete(id_, lower, CONTEXT)
    assert cluster.schema == "0001"


@pytest.mark.usefixtures("cluster")
def test_a_preview_knows_what_can_be_known() -> None:
    assert RESOURCE.preview(TWO, None)["log"] is UNKNOWN
    _, first = create(ONE)
    assert RESOURCE.preview(ONE, first) == first
    preview = RESOURCE.preview(TWO, first)
    assert (preview["previous"], preview["job"], preview["owner"]) == ("0001", UNKNOWN, first["owner"])


@pytest.mark.parametrize(
    ("given", "path", "reason"),
    [
        ({"up": ["alembic", "${VERSION}"]}, "up", "there are ${REVISION}, ${DIRECTION}, ${PREVIOUS}"),
        ({"startsAt": None}, "startsAt", "nothing tells where the schema is before the first Job"),
    ],
)
def test_mistakes_are_found_before_anything_runs(given: dict[str, Any], path: str, reason: str) -> None:
    (failure,) = RESOURCE.check({**ONE, **given}, None)
    assert failure.path == path
    assert reason in failure.reason


def test_what_is_right_or_not_known_yet_is_let_through() -> None:
    assert RESOURCE.check(ONE, None) == []
    assert RESOURCE.check({**ONE, "up": UNKNOWN, "down": [UNKNOWN]}, None) == []
    assert RESOURCE.check({**ONE, "startsAt": None}, ONE) == []


def test_a_cluster_that_does_not_answer_is_no_difference(
    cluster: FakeCluster, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    _, first = create(ONE)

    def unreachable() -> None:
        raise ResourceFailure("the cluster does not answer")

    monkeypatch.setattr(cluster, "newest", unreachable)
    assert RESOURCE.diff(first, ONE).changed == {}
    assert "does not answer" in caplog.text
