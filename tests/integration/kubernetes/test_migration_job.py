"""A schema that Jobs move, on a real control plane and through the real engine."""

from __future__ import annotations

import dataclasses
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml

from components.kubernetes import permissions
from components.kubernetes.jobs.manifest import ASKS, MOVES
from components.kubernetes.platform import KubernetesPlatform
from components.kubernetes.settings import KubernetesSettings, MigrationSettings
from components.platform import SchemaSpec
from phases.errors import UpdateFailed, UpdateStopped
from stacks import going_back, migration
from stacks.checkpoint import Checkpoint
from stacks.engine import Engine, Grace, StackHandle
from stacks.marker import Marker
from tests.cluster.access import grant
from tests.cluster.cluster import Cluster
from tests.cluster.waiting import wait_until

pytestmark = pytest.mark.integration

MARKER = Marker("launch", "migration", "step")
URL = "postgresql://shop:hunter2@db.example/shop"
GOOD = "registry.example/behave-complete/shop"
FAILS = "registry.example/behave-fail/shop"
HANGS = "registry.example/behave-hang/shop"
NO_IMAGE = "registry.example/behave-image-pull/shop"
_LIMIT = 120.0


@dataclass
class Schema:
    """The migration stack of one environment in one namespace; what the pods' logs say is the test's business."""

    cluster: Cluster
    engine: Engine
    settings: KubernetesSettings
    directory: Path

    @property
    def stack(self) -> StackHandle:
        return self.engine.stack("dev-migration")

    @property
    def namespace(self) -> str:
        return self.settings.namespace

    def with_migration(self, **given: Any) -> Schema:  # noqa: ANN401
        changed = dataclasses.replace(self.settings.migration, **given)
        return dataclasses.replace(self, settings=dataclasses.replace(self.settings, migration=changed))

    def program(self, revision: str, image: str = GOOD) -> Callable[[], None]:
        spec = SchemaSpec("shop", URL, scripts="", revision=revision, image=f"{image}:{revision}")
        return migration.program(KubernetesPlatform(self.settings, self.directory), schema=spec, marker=MARKER)

    def go(self, revision: str, image: str = GOOD) -> Mapping[str, int]:
        return self.stack.update(self.program(revision, image), message=f"to {revision}", deadline=_LIMIT).changes

    def checkpoint(self) -> Checkpoint:
        found = going_back.read(self.stack)
        assert found is not None
        return found

    def back(self, before: Checkpoint | None) -> None:
        going_back.restore(self.stack, before, marker=MARKER, message="rollback", deadline=_LIMIT)

    def resource(self) -> dict[str, Any]:
        """The outputs of the resource, as recorded."""
        state = self.stack.checkpoint()
        assert state is not None
        (found,) = [each for each in state["resources"] if each["type"] == "launch:kubernetes:JobRevision"]
        return dict(found["outputs"])

    @property
    def path(self) -> str:
        return f"/apis/batch/v1/namespaces/{self.namespace}/jobs"

    def jobs(self) -> list[dict[str, Any]]:
        """The Jobs in the order in which they were made."""
        found = self.cluster.rest.get(self.path)["items"]
        serials = [(int(each["metadata"]["name"].split("-")[-2]), each) for each in found]
        return [each for _, each in sorted(serials, key=lambda pair: pair[0])]

    def pods(self, phase: str | None = None) -> list[dict[str, Any]]:
        found = self.cluster.rest.get(f"/api/v1/namespaces/{self.namespace}/pods")["items"]
        return [each for each in found if phase is None or each.get("status", {}).get("phase") == phase]

    def ran(self) -> list[tuple[str, ...]]:
        """Tag of the image and command of each Job."""
        containers = [each["spec"]["template"]["spec"]["containers"][0] for each in self.jobs()]
        return [(each["image"].rsplit(":", 1)[1], *each["command"]) for each in containers]


@pytest.fixture
def schema(cluster: Cluster, namespace: str, tmp_path: Path, kube_environ: Mapping[str, str]) -> Schema:
    root = tmp_path / "project"
    root.mkdir()
    environ = {**kube_environ, "PATH": f"{Path(sys.executable).parent}{os.pathsep}{kube_environ['PATH']}"}
    engine = Engine(project="shop", root=root, environ=environ, grace=Grace(cancel=60.0, terminate=5.0))
    settings = KubernetesSettings(
        kubeconfig=str(cluster.kubeconfig),
        namespace=namespace,
        migration=MigrationSettings(kind="job", current=(), starts_at="base", timeout=60.0),
    )
    return Schema(cluster, engine, settings, tmp_path / "private")


def test_up_to_the_release_and_down_again_by_replay(schema: Schema) -> None:
    schema.cluster.serve_logs(
        schema.namespace, f"connecting to {URL}\nRunning upgrade -> 0001\npassword is hunter2", container=MOVES
    )
    schema.go("0001")
    before = schema.checkpoint()
    outputs = schema.resource()
    assert outputs["log"].splitlines()[-2:] == ["Running upgrade -> 0001", "password is [secret]"]
    assert "hunter2" not in outputs["log"]
    assert (outputs["revision"], outputs["previous"]) == ("0001", "base")

    assert schema.go("0001") == {"same": 5}
    schema.go("0002")
    assert schema.resource()["previous"] == "0001"
    schema.back(before)

    assert schema.resource()["revision"] == "0001"
    assert schema.ran() == [
        ("0001", "alembic", "upgrade", "0001"),
        ("0002", "alembic", "upgrade", "0002"),
        ("0002", "alembic", "downgrade", "0001"),  # the later image knows the way
    ]
    (job, *_) = schema.jobs()
    container = job["spec"]["template"]["spec"]["containers"][0]
    (source,) = container["envFrom"]
    assert "hunter2" not in str(job)
    secret = schema.cluster.rest.get(f"/api/v1/namespaces/{schema.namespace}/secrets/{source['secretRef']['name']}")
    assert set(secret["data"]) == {"DATABASE_URL"}


def test_a_first_launch_that_is_undone_goes_down_to_where_it_began_and_leaves_no_job(schema: Schema) -> None:
    schema.go("0001")
    version = schema.cluster.rest.get(schema.path)["metadata"]["resourceVersion"]
    schema.back(None)
    seen = schema.cluster.rest.text(f"{schema.path}?watch=true&resourceVersion={version}&timeoutSeconds=1")
    assert "-down-2-" in seen
    wait_until(lambda: schema.jobs() == [])
    secrets = schema.cluster.rest.get(f"/api/v1/namespaces/{schema.namespace}/secrets")["items"]
    assert secrets == []


def test_a_migration_that_fails_tells_the_end_of_its_log_and_is_taken_back(schema: Schema) -> None:
    schema.go("0001")
    before = schema.checkpoint()
    schema.cluster.serve_logs(
        schema.namespace, f"Running upgrade\nERROR: relation exists\n{URL} refused it", container=MOVES
    )
    with pytest.raises(UpdateFailed) as caught:
        schema.go("0002", FAILS)
    text = str(caught.value) + str(caught.value.failures)
    assert "takes the schema up from 0001 to 0002, failed: BackoffLimitExceeded" in text
    assert "exit code 1" in text
    assert "ERROR: relation exists" in text
    assert "hunter2" not in text
    assert schema.resource()["attempted"] == "0002"

    # The image whose migration fails is the one that knows the way down. In this test it fails there too.
    with pytest.raises(UpdateFailed) as caught:
        schema.back(before)
    assert "takes the schema down from 0002 to 0001" in str(caught.value) + str(caught.value.failures)
    assert schema.resource()["attempted"] == "0001"


def test_where_nothing_keeps_a_log_its_last_words_are_in_the_pods_status(schema: Schema) -> None:
    told = schema.with_migration(
        annotations={"kwok.launch.dev/message": "ERROR: no such table", "kwok.launch.dev/exit-code": "3"}
    )
    with pytest.raises(UpdateFailed) as caught:
        told.go("0001", FAILS)
    text = str(caught.value) + str(caught.value.failures)
    assert "exit code 3" in text
    assert "ERROR: no such table" in text


def test_an_image_that_cannot_be_pulled_changes_nothing_and_leaves_nothing(schema: Schema) -> None:
    schema.go("0001")
    with pytest.raises(UpdateFailed) as caught:
        schema.go("0002", NO_IMAGE)
    text = str(caught.value) + str(caught.value.failures)
    assert "never ran and was removed, nothing was changed: ImagePullBackOff" in text
    assert [command[0] for command in schema.ran()] == ["0001"]
    assert schema.resource()["revision"] == "0001"
    assert set(schema.go("0001")) == {"same"}


def test_a_job_that_never_ends_is_stopped_and_its_log_is_told(schema: Schema) -> None:
    schema.cluster.serve_logs(schema.namespace, "waiting for a lock", container=MOVES)
    hasty = schema.with_migration(timeout=2.0)
    with pytest.raises(UpdateFailed) as caught:
        hasty.go("0001", HANGS)
    text = str(caught.value) + str(caught.value.failures)
    assert "it has not ended within 2 s" in text
    assert "waiting for a lock" in text
    (job,) = schema.jobs()
    assert job["spec"]["suspend"] is True
    wait_until(lambda: schema.pods() == [])


def test_an_update_that_is_stopped_stops_its_job_and_can_be_taken_back(schema: Schema) -> None:
    schema.go("0001")
    before = schema.checkpoint()
    slow = schema.with_migration(annotations={"kwok.launch.dev/delay": "60s"})
    stop = threading.Event()

    def stop_once_it_runs() -> None:
        wait_until(lambda: schema.pods("Running"))
        stop.set()

    watcher = threading.Thread(target=stop_once_it_runs)
    watcher.start()
    with pytest.raises(UpdateStopped):
        slow.stack.update(slow.program("0002"), message="to 0002", deadline=_LIMIT, stop=stop)
    watcher.join()
    assert schema.jobs()[-1]["spec"]["suspend"] is True

    schema.back(before)
    assert schema.resource()["revision"] == "0001"
    assert schema.ran()[-1] == ("0002", "alembic", "downgrade", "0001")


def test_where_the_schema_is_may_be_asked(schema: Schema) -> None:
    asking = schema.with_migration(current=("alembic", "current"), starts_at=None)
    schema.cluster.serve_logs(schema.namespace, "INFO  [alembic] Context impl\n0001 (head)", container=ASKS)
    asking.go("0002")
    assert (schema.resource()["previous"], schema.resource()["initial"]) == ("0001", "0001")
    assert schema.ran() == [("0002", "alembic", "upgrade", "0002")]  # the Job that asked is gone

    schema.cluster.serve_logs(schema.namespace, "0009", container=ASKS)
    schema.stack.refresh(message="look")
    assert schema.resource()["revision"] == "0009"


def test_without_a_log_nobody_takes_the_schema_for_empty(schema: Schema) -> None:
    asking = schema.with_migration(current=("alembic", "current"), starts_at=None)
    with pytest.raises(UpdateFailed) as caught:
        asking.go("0001")
    assert "cannot be read" in str(caught.value) + str(caught.value.failures)
    assert schema.jobs() == []


def test_the_smallest_role_is_enough_for_jobs(schema: Schema) -> None:
    user = schema.cluster.kubeconfig_of("migrator")
    (role,) = yaml.safe_load_all(permissions.role(permissions.needs(schema.settings)))
    grant(schema.cluster.rest, schema.namespace, role, name="migrator")
    mine = dataclasses.replace(schema, settings=dataclasses.replace(schema.settings, kubeconfig=str(user)))
    mine.cluster.serve_logs(schema.namespace, "password is hunter2", container=MOVES)

    mine.go("0001")
    assert schema.resource()["log"] == "password is [secret]"
    mine.back(None)
    wait_until(lambda: schema.jobs() == [])


def test_without_a_job_alembic_moves_the_schema_from_here(schema: Schema, tmp_path: Path) -> None:
    versions = tmp_path / "migrations" / "versions"
    versions.mkdir(parents=True)
    (versions / "0001.py").write_text(
        "from alembic import op\n\nrevision, down_revision = '0001', None\n\n\n"
        "def upgrade():\n    op.execute('CREATE TABLE item (id INTEGER)')\n\n\n"
        "def downgrade():\n    op.execute('DROP TABLE item')\n"
    )
    here = schema.with_migration(kind="alembic")
    file = tmp_path / "shop.db"
    spec = SchemaSpec("shop", f"sqlite:///{file}", scripts=str(versions.parent), revision="0001")
    program = migration.program(KubernetesPlatform(here.settings, here.directory), schema=spec, marker=MARKER)
    here.stack.update(program, message="to 0001", deadline=_LIMIT)
    assert file.exists()
    assert here.stack.outputs()["revision"] == "0001"
    here.back(None)
    assert not file.exists()


KILLED = """
import sys
from pathlib import Path
from components.kubernetes.platform import KubernetesPlatform
from components.kubernetes.settings import KubernetesSettings, MigrationSettings
from components.platform import SchemaSpec
from stacks import migration
from stacks.engine import Engine
from stacks.marker import Marker

root, kubeconfig, namespace, image, url = sys.argv[1:]
settings = KubernetesSettings(
    kubeconfig=kubeconfig,
    namespace=namespace,
    migration=MigrationSettings(
        kind="job", current=(), starts_at="base", timeout=60.0, annotations={"kwok.launch.dev/delay": "6s"}
    ),
)
spec = SchemaSpec("shop", url, scripts="", revision="0002", image=image)
program = migration.program(
    KubernetesPlatform(settings, Path(root)), schema=spec, marker=Marker("launch", "migration", "step")
)
Engine(project="shop", root=Path(root)).stack("dev-migration").update(program, message="to be killed")
"""


@pytest.fixture
def killed(schema: Schema) -> Callable[[], None]:
    """Starts going to 0002 in a process of its own, and kills that when the Job runs."""

    def kill() -> None:
        engine = schema.engine
        argv = [str(engine.root), str(schema.settings.kubeconfig), schema.namespace, f"{GOOD}:0002", URL]
        process = subprocess.Popen(
            [sys.executable, "-c", KILLED, *argv],
            cwd=Path(__file__).parents[3],
            env=dict(engine.environ),
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        try:
            wait_until(lambda: len(schema.jobs()) == 2 and schema.pods("Running"))
        finally:
            process.send_signal(signal.SIGKILL)
            process.wait()
        schema.stack.cancel()

    return kill


def test_killed_and_resumed_the_job_that_runs_is_waited_for(schema: Schema, killed: Callable[[], None]) -> None:
    schema.go("0001")
    killed()
    same = schema.with_migration(annotations={"kwok.launch.dev/delay": "6s"})
    same.go("0002")
    assert schema.resource()["revision"] == "0002"
    assert [command[2:] for command in schema.ran()] == [("upgrade", "0001"), ("upgrade", "0002")]


def test_killed_and_taken_back_the_job_that_runs_is_stopped_first(schema: Schema, killed: Callable[[], None]) -> None:
    schema.go("0001")
    before = schema.checkpoint()
    killed()
    schema.back(before)
    assert schema.resource()["revision"] == "0001"
    assert schema.ran()[-1] == ("0002", "alembic", "downgrade", "0001")
    # One that was stopped before its end is not kept: nothing else would ever remove it.
    wait_until(lambda: all(is_over(job) or not job["spec"].get("suspend") for job in schema.jobs()))


def is_over(job: dict[str, Any]) -> bool:
    conditions = job["status"].get("conditions") or []
    return any(each["type"] in {"Complete", "Failed"} and each["status"] == "True" for each in conditions)
