"""What a declared property accepts, and how a mistake is described."""

from __future__ import annotations

from typing import Any

import pytest

from components.provider.shape import (
    Anything,
    Boolean,
    ListOf,
    MapOf,
    Number,
    Object,
    Property,
    String,
    Type,
    child,
    filled,
    mistakes,
)
from components.provider.unknown import UNKNOWN, has_unknown

SIZE = Object(
    "test:index:Size",
    {
        "width": Property(Number(0, 10, whole=True), "How wide."),
        "unit": Property(String(), "Of what.", default="cm"),
    },
)
SHAPE = {
    "name": Property(String("[a-z]+", "lower case letters"), "What it is called."),
    "size": Property(SIZE, "How large.", required=False),
    "tags": Property(MapOf(String()), "Labels.", required=False),
    "parts": Property(ListOf(SIZE, minimum=1), "What it consists of.", required=False),
}


@pytest.mark.parametrize(
    ("values", "path", "reason"),
    [
        ({}, "name", "is missing: What it is called."),
        ({"name": None}, "name", "is missing: What it is called."),
        ({"name": 1.0}, "name", "is a number, but should be a string"),
        ({"name": "A"}, "name", "is 'A', but should be lower case letters"),
        ({"name": "a", "nmae": "b"}, "nmae", "is not a property; there are name, parts, size, tags"),
        ({"name": "a", "size": 1.0}, "size", "is a number, but should be a map with width, unit"),
        ({"name": "a", "size": {}}, "size.width", "is missing: How wide."),
        ({"name": "a", "size": {"width": 1.5}}, "size.width", "is 1.5, but should be a whole number"),
        ({"name": "a", "size": {"width": 11.0}}, "size.width", "is 11, but should be a whole number from 0 to 10"),
        ({"name": "a", "size": {"width": True}}, "size.width", "is a boolean, but should be a whole number"),
        ({"name": "a", "tags": {"b-c": 1.0}}, 'tags["b-c"]', "is a number, but should be a string"),
        ({"name": "a", "tags": []}, "tags", "is a list, but should be a map"),
        ({"name": "a", "parts": {}}, "parts", "is a map, but should be a list"),
        ({"name": "a", "parts": []}, "parts", "has 0 items, but should have at least 1"),
        ({"name": "a", "parts": [{"width": 1.0}, {}]}, "parts[1].width", "is missing: How wide."),
        ({"name": "a", "parts": [None]}, "parts[0]", "is nothing, but should be a map with width, unit"),
    ],
)
def test_a_mistake_is_named_with_its_property_path(values: dict[str, Any], path: str, reason: str) -> None:
    assert list(mistakes(SHAPE, values)) == [(path, reason)]


@pytest.mark.parametrize(
    "values",
    [
        {"name": "a"},
        {"name": "a", "size": None},
        {"name": "a", "size": {"width": 1.0, "unit": "m"}, "tags": {"x": "y"}, "parts": [{"width": 0.0}]},
        {"name": UNKNOWN, "size": {"width": UNKNOWN}, "tags": {"x": UNKNOWN}, "parts": [UNKNOWN]},
        {"name": "a", "__defaults": []},
    ],
)
def test_what_fits_and_what_nobody_knows_yet_passes(values: dict[str, Any]) -> None:
    assert list(mistakes(SHAPE, values)) == []


def test_several_mistakes_are_all_named() -> None:
    assert [path for path, _ in mistakes(SHAPE, {"size": {"width": "x"}})] == ["name", "size.width"]


def test_defaults_are_filled_in_and_whole_numbers_are_whole() -> None:
    given = {"name": "a", "size": {"width": 2.0}, "tags": None, "parts": [{"width": 3.0, "unit": "m"}]}
    result = filled(SHAPE, given)
    assert result == {"name": "a", "size": {"width": 2, "unit": "cm"}, "parts": [{"width": 3, "unit": "m"}]}
    assert isinstance(result["size"]["width"], int)


def test_what_nobody_knows_yet_stays_so_when_defaults_are_filled_in() -> None:
    assert filled(SHAPE, {"name": "a", "size": UNKNOWN}) == {"name": "a", "size": UNKNOWN}


@pytest.mark.parametrize(
    ("path", "key", "expected"),
    [
        ("", "a", "a"),
        ("a", "b", "a.b"),
        ("a", "b-c", 'a["b-c"]'),
        ("a", 'say "b"', 'a["say \\"b\\""]'),
        ("", "1", '["1"]'),
    ],
)
def test_a_property_path_quotes_what_is_no_identifier(path: str, key: str, expected: str) -> None:
    assert child(path, key) == expected


@pytest.mark.parametrize(
    ("kind", "schema"),
    [
        (String(), {"type": "string"}),
        (Number(), {"type": "number"}),
        (Number(whole=True), {"type": "integer"}),
        (Boolean(), {"type": "boolean"}),
        (Anything(), {"$ref": "pulumi.json#/Any"}),
        (ListOf(String()), {"type": "array", "items": {"type": "string"}}),
        (MapOf(Number()), {"type": "object", "additionalProperties": {"type": "number"}}),
        (SIZE, {"$ref": "#/types/test:index:Size"}),
    ],
)
def test_a_type_is_described_in_the_schema(kind: Type, schema: dict[str, Any]) -> None:
    assert kind.schema() == schema


def test_anything_and_booleans() -> None:
    assert list(Anything().mistakes([{}], "a")) == []
    assert list(Boolean().mistakes("true", "a")) == [("a", "is a string, but should be true or false")]
    assert list(Boolean().mistakes(True, "a")) == []


def test_something_unknown_is_found_anywhere() -> None:
    assert has_unknown({"a": [{"b": UNKNOWN}]})
    assert not has_unknown({"a": [{"b": "c"}]})
    assert repr(UNKNOWN) == "UNKNOWN"
