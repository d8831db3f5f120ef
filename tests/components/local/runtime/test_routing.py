"""What a router is told."""

from __future__ import annotations

import json
from typing import Any

import pytest

from components.local.runtime.routing import Backend, RouterConfig, Sticky

OLD = Backend("shop-blue", "http://127.0.0.1:8001", 90)
NEW = Backend("shop-green", "http://127.0.0.1:8002", 10)


@pytest.mark.parametrize("sticky", [None, Sticky(cookie="slot"), Sticky(header="X-User")])
def test_a_configuration_survives_its_file(sticky: Sticky | None) -> None:
    config = RouterConfig.build([OLD, NEW], sticky)
    assert RouterConfig.from_json(json.loads(json.dumps(config.to_json()))) == config


def test_no_backend_and_no_weight_are_configurations_too() -> None:
    assert RouterConfig.build([], None).backends == ()
    idle = Backend("shop-blue", "http://127.0.0.1:8001", 0)
    assert RouterConfig.build([idle], None).backends == (idle,)


@pytest.mark.parametrize(
    ("backends", "sticky", "message"),
    [
        ([OLD], None, "add up to 90"),
        ([OLD, OLD], None, "named twice"),
        ([Backend("a", "http://h:1", 101)], None, "weight 101 is not a whole number from 0 to 100"),
        ([Backend("a", "http://h:1", -1)], None, "weight -1"),
        ([Backend("a b", "http://h:1", 100)], None, "slot 'a b'"),
        ([Backend("a;x", "http://h:1", 100)], None, "slot 'a;x'"),
        ([Backend("a", "https://h:1", 100)], None, "form http://HOST:PORT"),
        ([Backend("a", "http://h:1/path", 100)], None, "form http://HOST:PORT"),
        ([Backend("a", "http://h:port", 100)], None, "[Pp]ort"),
        ([OLD, NEW], Sticky(), "exactly one"),
        ([OLD, NEW], Sticky(cookie="a", header="b"), "exactly one"),
        ([OLD, NEW], Sticky(cookie="a b"), "'a b' is not a name"),
        ([OLD, NEW], Sticky(header="X: y"), "'X: y' is not a name"),
    ],
)
def test_a_mistake_is_named(backends: list[Backend], sticky: Sticky | None, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        RouterConfig.build(backends, sticky)


@pytest.mark.parametrize(
    "value",
    [[], {}, {"backends": 1}, {"backends": [{"slot": "a"}]}, {"backends": [], "sticky": 3}, None, "text"],
)
def test_another_form_is_refused_with_the_right_one(value: Any) -> None:  # noqa: ANN401
    with pytest.raises(ValueError, match=r'a configuration is \{"backends"'):
        RouterConfig.from_json(value)


@pytest.mark.parametrize("weight", [True, 50.0, "50", None])
def test_a_weight_is_a_whole_number(weight: Any) -> None:  # noqa: ANN401
    with pytest.raises(ValueError, match="not a whole number"):
        RouterConfig.from_json({"backends": [{"slot": "a", "url": "http://h:1", "weight": weight}]})
