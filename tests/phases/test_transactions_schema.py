from __future__ import annotations

from typing import Any

import jsonschema
import pytest

from phases.transactions_schema import FILE, schema, text

VALIDATOR = jsonschema.Draft7Validator(schema())


def test_the_file_is_what_the_models_say() -> None:
    """Otherwise: python -m phases.transactions_schema."""
    assert FILE.read_text(encoding="utf-8") == text()


def test_it_is_a_schema() -> None:
    jsonschema.Draft7Validator.check_schema(schema())


def test_a_good_file_is_good() -> None:
    VALIDATOR.validate(
        [
            {
                "name": "x",
                "method": "POST",
                "path": "/",
                "headers": {"a": "b"},
                "json": {"a": [1]},
                "timeout": "1m30s",
                "expect": {"status": [200, 201], "json": {"a": None}, "contains": "x", "latency_ms": 5},
                "save": {"id": "a.b"},
            },
            {"name": "y", "path": "/", "body": "text", "expect": {"status": 204}},
        ]
    )


@pytest.mark.parametrize(
    "transaction",
    [
        {"name": "x"},
        {"name": "x", "path": "x"},
        {"name": "x", "path": "/", "pth": 1},
        {"name": "x", "path": "/", "timeout": 5},
        {"name": "x", "path": "/", "expect": {"status": 1}},
        {"name": "x", "path": "/", "method": "get"},
    ],
)
def test_a_bad_file_is_bad(transaction: dict[str, Any]) -> None:
    assert not VALIDATOR.is_valid([transaction])
    assert not VALIDATOR.is_valid([])
