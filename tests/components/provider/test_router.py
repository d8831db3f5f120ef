"""What is checked, compared and foreseen of a router; running one is tested with the real engine."""

from __future__ import annotations

from typing import Any

import pytest

from components.provider.resource import UNKNOWN, Change, Context, Edit, Values
from components.provider.resources.router import Router
from components.provider.shape import filled, mistakes

BLUE = {"slot": "blue", "url": "http://127.0.0.1:4001", "weight": 90}
GREEN = {"slot": "green", "url": "http://127.0.0.1:4002", "weight": 10}
INPUTS: Values = {"directory": "/run/router", "host": "127.0.0.1", "port": 0, "backends": [BLUE, GREEN]}
OUTPUTS: Values = {
    **INPUTS,
    "port": 4000,
    "url": "http://127.0.0.1:4000",
    "admin": "http://127.0.0.1:4003",
    "owner": "o",
}


@pytest.mark.parametrize(
    ("changed", "path"),
    [
        ({"directory": "router"}, "directory"),
        ({"port": 70000.0}, "port"),
        ({"backends": [{**BLUE, "weight": 150.0}]}, "backends[0].weight"),
        ({"backends": [{**BLUE, "weight": 0.5}]}, "backends[0].weight"),
        ({"backends": [{**BLUE, "url": "127.0.0.1:80"}]}, "backends[0].url"),
        ({"backends": [{"slot": "blue", "weight": 100.0}]}, "backends[0].url"),
        ({"sticky": {"cooky": "a"}}, "sticky.cooky"),
    ],
)
def test_a_wrong_value_is_named_with_its_property_path(changed: dict[str, Any], path: str) -> None:
    assert [found for found, _ in mistakes(Router.inputs, {**INPUTS, **changed})] == [path]


def test_host_and_port_have_defaults() -> None:
    given = {"directory": "/run/router", "backends": [BLUE, GREEN]}
    assert filled(Router.inputs, given) == INPUTS


@pytest.mark.parametrize(
    ("changed", "path", "said"),
    [
        ({"backends": [BLUE]}, "backends", "add up to 90"),
        ({"backends": [BLUE, {**GREEN, "slot": "blue"}]}, "backends", "named twice"),
        ({"sticky": {}}, "sticky", "either cookie or header"),
        ({"sticky": {"cookie": "a", "header": "b"}}, "sticky", "either cookie or header"),
        ({"sticky": {"cookie": "a b"}}, "sticky", "is not a name that a cookie or header can have"),
    ],
)
def test_what_the_router_would_refuse_is_a_mistake(changed: dict[str, Any], path: str, said: str) -> None:
    (failure,) = Router().check({**INPUTS, **changed}, None)
    assert failure.path == path
    assert said in failure.reason


@pytest.mark.parametrize(
    "changed",
    [
        {},
        {"sticky": {"header": "x-user"}},
        {"backends": [{**BLUE, "weight": 0}, {**GREEN, "weight": 0}]},
        {"backends": []},
        {"backends": [{**BLUE, "url": UNKNOWN}]},
        {"backends": UNKNOWN},
        {"sticky": UNKNOWN},
    ],
)
def test_what_the_router_takes_or_nobody_knows_yet_passes(changed: dict[str, Any]) -> None:
    assert Router().check({**INPUTS, **changed}, None) == []


MOVED = {"directory": "/run/other"}


@pytest.mark.parametrize(
    ("changed", "expected"),
    [
        ({}, Change()),
        ({"port": 4000}, Change(delete_before_replace=True)),
        ({"port": 4005}, Change({"port": Edit.UPDATE})),
        ({"port": UNKNOWN}, Change({"port": Edit.UPDATE})),
        ({"host": "0.0.0.0"}, Change({"host": Edit.UPDATE})),
        (
            {"backends": [{**BLUE, "weight": 100}, {**GREEN, "weight": 0}]},
            Change({"backends[0].weight": Edit.UPDATE, "backends[1].weight": Edit.UPDATE}),
        ),
        ({"backends": [BLUE]}, Change({"backends[1]": Edit.DELETE})),
        ({"sticky": {"cookie": "slot"}}, Change({"sticky": Edit.ADD})),
        (MOVED, Change({"directory": Edit.UPDATE}, ("directory",))),
        ({**MOVED, "port": 4000}, Change({"directory": Edit.UPDATE}, ("directory",), delete_before_replace=True)),
    ],
)
def test_what_changes_in_place_and_what_does_not(changed: dict[str, Any], expected: Change) -> None:
    assert Router().diff(OUTPUTS, {**INPUTS, **changed}) == expected


@pytest.mark.parametrize(
    ("changed", "old", "port", "url"),
    [
        ({}, None, UNKNOWN, UNKNOWN),
        ({"port": 4000}, None, 4000, UNKNOWN),
        ({}, OUTPUTS, 4000, OUTPUTS["url"]),
        ({"backends": [BLUE]}, OUTPUTS, 4000, OUTPUTS["url"]),
        ({"port": 4005}, OUTPUTS, 4005, UNKNOWN),
        ({"host": "0.0.0.0"}, OUTPUTS, 4000, UNKNOWN),
    ],
)
def test_a_preview_knows_the_address_where_it_stays(
    changed: dict[str, Any], old: Values | None, port: object, url: object
) -> None:
    preview = Router().preview({**INPUTS, **changed}, old)
    assert (preview["port"], preview["url"]) == (port, url)


def test_deleting_and_reading_what_never_was_is_no_error(tmp_path: Any) -> None:  # noqa: ANN401 - a path
    directory = str(tmp_path / "router")
    Router().delete(directory, {**OUTPUTS, "directory": directory}, Context())
    assert Router().read(directory, OUTPUTS, INPUTS) is None
