"""What the package schema says; that Pulumi understands it is tested with the CLI."""

from __future__ import annotations

import json
from typing import Any

import pytest

from components.provider.registry import RESOURCES
from components.provider.schema import package_schema


@pytest.fixture
def schema() -> dict[str, Any]:
    return dict(json.loads(package_schema(RESOURCES, "1.0.0")))


def test_every_resource_is_in_it(schema: dict[str, Any]) -> None:
    assert set(schema["resources"]) == set(RESOURCES)


def test_inputs_are_outputs_too(schema: dict[str, Any]) -> None:
    for resource in schema["resources"].values():
        assert set(resource["inputProperties"]) <= set(resource["properties"])


def test_what_forces_a_replacement_says_so(schema: dict[str, Any]) -> None:
    process = schema["resources"]["launch:local:Process"]["inputProperties"]
    assert [name for name, declared in process.items() if declared.get("replaceOnChanges")] == ["directory"]


def test_defaults_are_told_and_make_an_input_optional(schema: dict[str, Any]) -> None:
    router = schema["resources"]["launch:local:Router"]
    assert router["inputProperties"]["port"]["default"] == 0
    assert router["requiredInputs"] == ["directory", "backends"]


def test_every_type_that_is_named_is_described(schema: dict[str, Any]) -> None:
    text = json.dumps(schema)
    named = {part.split('"')[0] for part in text.split('"#/types/')[1:]}
    assert named == set(schema["types"])
    assert "launch:local:Flag" in named


@pytest.mark.parametrize("token", sorted(RESOURCES))
def test_every_property_is_described_in_a_sentence(schema: dict[str, Any], token: str) -> None:
    resource = schema["resources"][token]
    descriptions = [resource["description"], *(found["description"] for found in resource["properties"].values())]
    assert [text for text in descriptions if not text.endswith(".")] == []
