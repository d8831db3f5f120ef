"""Who moves a schema on Kubernetes, and with what."""

from __future__ import annotations

import base64
from pathlib import Path
from typing import Any

import pytest

from components.kubernetes import migration
from components.kubernetes.migration import MigrationUnclear
from components.kubernetes.settings import KubernetesSettings, MigrationSettings
from components.platform import Placed, SchemaSpec
from tests.components.kubernetes.conftest import RunProgram

URL = "postgresql://shop:hunter2@db/shop"
IMAGE = "registry.example/shop@sha256:" + "1" * 64
SCRIPT = """
revision = "{revision}"
down_revision = {below!r}


def upgrade():
    pass


def downgrade():
    pass
"""


@pytest.fixture
def scripts(tmp_path: Path) -> str:
    """Alembic's scripts, whose ids have no order of their own."""
    versions = tmp_path / "migrations" / "versions"
    versions.mkdir(parents=True)
    for revision, below in (("f00d", None), ("beef", "f00d"), ("cafe", "beef")):
        (versions / f"{revision}.py").write_text(SCRIPT.format(revision=revision, below=below))
    return str(versions.parent)


def schema(**given: Any) -> SchemaSpec:  # noqa: ANN401
    return SchemaSpec(**{"service": "shop", "url": URL, "scripts": "", "revision": "0002", "image": IMAGE, **given})


def settings(**given: Any) -> KubernetesSettings:  # noqa: ANN401
    return KubernetesSettings(namespace="prod", migration=MigrationSettings(**{"kind": "job", **given}))


def place(settings: KubernetesSettings, spec: SchemaSpec, tmp_path: Path) -> dict[str, Placed]:
    return {"schema": migration.place(settings, spec, directory=tmp_path)}


def test_a_job_of_the_release_finds_its_database_in_a_secret(run_program: RunProgram, tmp_path: Path) -> None:
    found = run_program(lambda: place(settings(secret="more", environment={"TOKEN": "t0ps3cret"}), schema(), tmp_path))

    (name,) = found.names("Secret")
    data = found.inputs("Secret", name)["data"]
    assert set(data) >= {"value"}
    assert {key: base64.b64decode(value).decode() for key, value in data["value"].items()} == {
        "DATABASE_URL": URL,
        "TOKEN": "t0ps3cret",
    }
    assert found.inputs("Secret", name)["metadata"]["name"] == name
    made = job_inputs(found.requests)
    assert made["image"] == IMAGE
    assert made["secrets"] == ["more", name]
    assert made["up"] == ["alembic", "upgrade", "${REVISION}"]
    assert (made["namespace"], made["service"], made["revision"]) == ("prod", "shop", "0002")
    assert made["containerSecurity"]["allowPrivilegeEscalation"] is False
    assert "hunter2" not in str(made)
    assert "t0ps3cret" not in str(made)
    assert set(found.outputs["schema"]) == {"revision", "previous", "log"}


def test_another_database_is_another_secret_and_the_way_back_has_its_own(
    run_program: RunProgram, tmp_path: Path
) -> None:
    def name(url: str) -> str:
        found = run_program(lambda: place(settings(), schema(url=url), tmp_path))
        return found.names("Secret")[0]

    assert name(URL) == name(URL) != name(URL + "2")


def test_the_order_of_revisions_comes_from_the_releases_own_scripts(
    run_program: RunProgram, tmp_path: Path, scripts: str
) -> None:
    found = run_program(lambda: place(settings(), schema(scripts=scripts, revision="cafe"), tmp_path))
    assert job_inputs(found.requests)["revisions"] == ["f00d", "beef", "cafe"]


def test_the_order_may_be_given(run_program: RunProgram, tmp_path: Path) -> None:
    given = settings(revisions=("a", "b"), image="migrations:1", starts_at="base", current=())
    found = run_program(lambda: place(given, schema(scripts="/gone"), tmp_path))
    made = job_inputs(found.requests)
    assert (made["revisions"], made["image"], made["startsAt"]) == (["a", "b"], "migrations:1", "base")


def test_scripts_that_are_not_there_leave_the_order_open(run_program: RunProgram, tmp_path: Path) -> None:
    found = run_program(lambda: place(settings(), schema(scripts="/gone"), tmp_path))
    assert job_inputs(found.requests)["revisions"] == []


def test_alembic_moves_it_from_here_where_no_job_is_asked_for(
    run_program: RunProgram, tmp_path: Path, scripts: str
) -> None:
    found = run_program(lambda: place(settings(kind="alembic"), schema(scripts=scripts, snapshot=True), tmp_path))
    assert found.names("Secret") == []
    made = inputs_of(found.requests, "launch:schema:Revision")
    assert made["scripts"] == scripts
    assert made["directory"] == str(tmp_path / "schema")
    assert found.outputs["schema"]["log"] is None


@pytest.mark.parametrize(
    ("kind", "says"), [("job", "nothing names the image"), ("alembic", "there are no scripts of the release")]
)
def test_what_is_missing_is_said(run_program: RunProgram, tmp_path: Path, kind: str, says: str) -> None:
    with pytest.raises(MigrationUnclear, match=says):
        run_program(lambda: place(settings(kind=kind), schema(image=""), tmp_path))


def job_inputs(requests: dict[tuple[str, str], Any]) -> dict[str, Any]:
    return inputs_of(requests, "launch:kubernetes:JobRevision")


def inputs_of(requests: dict[tuple[str, str], Any], kind: str) -> dict[str, Any]:
    from pulumi.runtime.rpc import deserialize_properties

    return dict(deserialize_properties(requests[kind, "shop"].object))
