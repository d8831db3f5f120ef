"""The schemas that editors use are those of the code, and know every key."""

from __future__ import annotations

import json
from typing import Any

import jsonschema
import pytest
import yaml

from launch.configuration.schema import environment_schema, files, launch_schema
from tests.launch.configuration.project import ENVIRONMENT, TEMPLATE

LAUNCH = jsonschema.Draft7Validator(launch_schema())
SETTINGS = jsonschema.Draft7Validator(environment_schema())


@pytest.mark.parametrize("path", files(), ids=lambda path: path.name)
def test_the_committed_schema_is_that_of_the_code(path: Any) -> None:  # noqa: ANN401
    assert path.read_text(encoding="utf-8") == files()[path], "run `python -m launch.configuration.schema`"


@pytest.mark.parametrize("schema", [launch_schema(), environment_schema()], ids=["launch", "environment"])
def test_it_is_a_schema(schema: dict[str, Any]) -> None:
    jsonschema.Draft7Validator.check_schema(schema)
    defined = set(schema["definitions"])
    text = json.dumps(schema)
    assert all(f"#/definitions/{name}" in text for name in defined)
    assert "$defs" not in text


def test_editors_accept_the_template_and_its_environment() -> None:
    LAUNCH.validate(yaml.safe_load(TEMPLATE.read_text(encoding="utf-8")))
    SETTINGS.validate(yaml.safe_load(ENVIRONMENT))


@pytest.mark.parametrize(
    "launch",
    [
        {"phases": []},
        {"phases": [{"id": "canary"}]},
        {"phases": [{"id": "health", "timeout": 5}]},
        {"phases": [{"id": "health", "timeout_ms": "soon"}]},
        {"phases": [{"id": "traffic", "steps": [{"weight": 101}]}]},
        {"phases": [{"id": "traffic", "steps": [{"weight": 1, "bake": 5}]}]},
        {"phases": [{"id": "health", "validators": [{"type": "none_such"}]}]},
        {"phases": [{"id": "health", "validators": [{"type": "command"}]}]},
        {"phases": [{"id": "health"}], "flags": [{"kind": "release"}]},
    ],
)
def test_editors_mark_what_would_be_refused(launch: dict[str, Any]) -> None:
    assert not LAUNCH.is_valid({"launch": launch})


@pytest.mark.parametrize(
    "launch",
    [
        {"phases": [{"id": "canary", "kind": "traffic"}]},
        {"phases": [{"id": "health", "timeout_ms": "${LIMIT}"}], "keep_previous": "${KEEP:-false}"},
        {"phases": [{"id": "${ID}", "kind": "${KIND}"}]},
        {"phases": [{"id": "traffic", "steps": [{"weight": "${FIRST}", "bake": "${BAKE}"}]}]},
    ],
)
def test_editors_accept_variables(launch: dict[str, Any]) -> None:
    LAUNCH.validate({"launch": launch})


@pytest.mark.parametrize(
    "settings",
    [
        {"launch:database": {"url": {"secure": "v1:x"}}},
        {"launch:service": {"environment": {"TOKEN": {"secure": "v1:x"}, "A": 5, "B": True}}},
        {"aws:region": "eu-central-1", "own": {"a": 1}},
        None,
    ],
)
def test_editors_accept_secrets_and_what_belongs_to_others(settings: dict[str, Any] | None) -> None:
    SETTINGS.validate({"config": settings, "encryptionsalt": "v1:x"})


@pytest.mark.parametrize(
    "settings", [{"launch:platfrom": "local"}, {"launch:platform": "moon"}, {"launch:history": -1}]
)
def test_editors_mark_wrong_settings(settings: dict[str, Any]) -> None:
    assert not SETTINGS.is_valid({"config": settings})


def test_durations_are_shown_as_people_write_them() -> None:
    thresholds = launch_schema()["definitions"]["Thresholds"]["properties"]
    assert thresholds["window"]["default"] == "10s"
    assert thresholds["interval"]["default"] == "1s"


def test_every_key_says_what_it_means() -> None:
    for schema in (launch_schema(), environment_schema()):
        for name, definition in schema["definitions"].items():
            for key, described in definition.get("properties", {}).items():
                if "const" not in described and key != "config":
                    assert described.get("description"), f"{name}.{key} has no docstring"
