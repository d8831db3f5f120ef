"""What is checked, compared and foreseen of a process; running one is tested with the real engine."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import pytest

from components.local.artifact import copy, digest
from components.provider.resource import UNKNOWN, Change, Context, Edit, Failure, ResourceFailure, Values
from components.provider.resources.process import Process
from components.provider.shape import filled, mistakes


@pytest.fixture
def inputs(tmp_path: Path) -> Values:
    artifact = tmp_path / "shop" / "1.0"
    artifact.mkdir(parents=True)
    (artifact / "server.py").write_text("print('hello')\n")
    return {
        "directory": str(tmp_path / "blue"),
        "artifact": str(artifact),
        "digest": digest(artifact),
        "command": ["python", "${ARTIFACT}/server.py"],
        "environment": {"COLOUR": "blue"},
    }


def outputs(inputs: Values, **more: object) -> Values:
    return {**inputs, "port": 4000, "url": "http://127.0.0.1:4000", "pid": 7, "log": "/l", "owner": "o", **more}


@pytest.mark.parametrize(
    ("changed", "path"),
    [
        ({"directory": "relative"}, "directory"),
        ({"digest": "sha256:12"}, "digest"),
        ({"digest": "md5:12"}, "digest"),
        ({"command": []}, "command"),
        ({"command": [1.0]}, "command[0]"),
        ({"command": "run.sh"}, "command"),
        ({"environment": {"A-B": 1.0}}, 'environment["A-B"]'),
        ({"readiness": {"path": "health"}}, "readiness.path"),
        ({"readiness": {"status": 42.0}}, "readiness.status"),
        ({"readiness": {"timeoutSeconds": -1.0}}, "readiness.timeoutSeconds"),
        ({"readiness": {"timeout": 1.0}}, "readiness.timeout"),
    ],
)
def test_a_wrong_value_is_named_with_its_property_path(inputs: Values, changed: dict[str, Any], path: str) -> None:
    assert [found for found, _ in mistakes(Process.inputs, {**inputs, **changed})] == [path]


def test_readiness_has_defaults(inputs: Values) -> None:
    assert filled(Process.inputs, {**inputs, "readiness": {}})["readiness"] == {
        "path": "/health",
        "status": 200,
        "timeoutSeconds": 15.0,
        "intervalSeconds": 0.1,
    }


def test_a_good_process_passes(inputs: Values) -> None:
    assert Process().check(inputs, None) == []


def test_another_digest_than_the_artifact_has_is_a_mistake(inputs: Values) -> None:
    wrong = {**inputs, "digest": f"sha256:{'0' * 64}"}
    (failure,) = Process().check(wrong, None)
    assert failure.path == "digest"
    assert "it was changed after it was pinned" in failure.reason


def test_an_artifact_that_is_not_there_is_a_mistake(inputs: Values) -> None:
    (failure,) = Process().check({**inputs, "artifact": "/nowhere"}, None)
    assert failure == Failure("artifact", "there is no artifact at /nowhere")


def test_an_artifact_is_not_looked_at_again_while_it_is_the_same(inputs: Values) -> None:
    shutil.rmtree(inputs["artifact"])
    assert Process().check({**inputs, "environment": {}}, inputs) == []
    assert Process().check({**inputs, "digest": f"sha256:{'0' * 64}"}, inputs) != []


def test_an_artifact_that_the_slot_has_is_not_needed(inputs: Values) -> None:
    source = Path(inputs["artifact"])
    kept = Path(inputs["directory"]) / "artifacts" / inputs["digest"].removeprefix("sha256:") / source.name
    copy(source, kept, expected=inputs["digest"])
    shutil.rmtree(source)
    assert Process().check(inputs, None) == []


@pytest.mark.parametrize("name", ["directory", "artifact", "digest", "environment"])
def test_what_nobody_knows_yet_is_not_looked_at(inputs: Values, name: str) -> None:
    shutil.rmtree(inputs["artifact"])
    failures = Process().check({**inputs, name: UNKNOWN}, None)
    assert [failure.path for failure in failures] == (["artifact"] if name == "environment" else [])


@pytest.mark.parametrize(
    ("variable", "path"), [("PORT", "environment.PORT"), ("A=B", 'environment["A=B"]'), ("", 'environment[""]')]
)
def test_a_variable_needs_a_name_of_its_own(inputs: Values, variable: str, path: str) -> None:
    (failure,) = Process().check({**inputs, "environment": {variable: "1"}}, None)
    assert failure.path == path


@pytest.mark.parametrize(
    ("changed", "expected"),
    [
        ({}, Change()),
        ({"artifact": "/registry/that/was/moved"}, Change()),
        ({"digest": "sha256:1"}, Change({"digest": Edit.UPDATE})),
        ({"command": ["sh"]}, Change({"command[0]": Edit.UPDATE, "command[1]": Edit.DELETE})),
        ({"environment": {"COLOUR": "green"}}, Change({"environment.COLOUR": Edit.UPDATE})),
        ({"environment": UNKNOWN}, Change({"environment": Edit.UPDATE})),
        ({"readiness": {"path": "/"}}, Change({"readiness": Edit.ADD})),
        ({"directory": "/green"}, Change({"directory": Edit.UPDATE}, ("directory",))),
    ],
)
def test_only_another_directory_replaces(inputs: Values, changed: dict[str, Any], expected: Change) -> None:
    assert Process().diff(outputs(inputs), {**inputs, **changed}) == expected


def test_a_preview_knows_what_stays(inputs: Values) -> None:
    new = Process().preview(inputs, None)
    assert {name: new[name] for name in Process.outputs} == dict.fromkeys(Process.outputs, UNKNOWN)
    changed = Process().preview({**inputs, "command": ["sh"]}, outputs(inputs))
    assert (changed["port"], changed["url"], changed["pid"]) == (4000, "http://127.0.0.1:4000", UNKNOWN)


def test_a_process_cannot_be_imported(inputs: Values) -> None:
    with pytest.raises(ResourceFailure, match="cannot be imported: its environment is in no file"):
        Process().read(inputs["directory"], {}, {})


def test_a_process_that_never_was_is_gone(inputs: Values) -> None:
    assert Process().read(inputs["directory"], outputs(inputs), inputs) is None


def test_deleting_what_never_was_is_no_error(inputs: Values) -> None:
    Process().delete(inputs["directory"], outputs(inputs), Context())


def test_a_directory_with_other_files_is_neither_used_nor_removed(inputs: Values) -> None:
    directory = Path(inputs["directory"])
    directory.mkdir()
    (directory / "letter.txt").write_text("Dear")
    with pytest.raises(ResourceFailure, match="holds other files; name a directory that is new or empty"):
        Process().create(inputs, Context())
    Process().delete(inputs["directory"], outputs(inputs), Context())
    assert (directory / "letter.txt").exists()


def test_an_artifact_that_changed_after_the_check_is_not_started(inputs: Values) -> None:
    (Path(inputs["artifact"]) / "server.py").write_text("something else")
    with pytest.raises(ResourceFailure, match=r"digest: .* changed after it was pinned"):
        Process().create(inputs, Context())
    assert not Path(inputs["directory"]).exists()
