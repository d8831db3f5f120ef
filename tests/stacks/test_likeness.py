"""When a program and a replay say the same of a resource, and when they do not."""

from __future__ import annotations

from typing import Any

import pytest
from pulumi.runtime.proto import alias_pb2, resource_pb2

from stacks.likeness import Key, alike, default_provider_of, key_of
from stacks.replay_requests import as_struct

Request = resource_pb2.RegisterResourceRequest
DEFAULT = "urn:pulumi:dev::shop::pulumi:providers:launch::default_0_1_0::uuid"


def by_program(inputs: dict[str, Any] | None = None, **options: Any) -> Request:  # noqa: ANN401
    """Make a request as the SDK does."""
    said = {"version": "0.1.0", "supportsResultReporting": True, **options}
    return Request(
        type="launch:local:Router",
        name="shop",
        parent="urn:parent",
        custom=True,
        object=as_struct(inputs or {"port": 1}),
        sourcePosition={"uri": "file:///program.py", "line": 7},
        **said,
    )


def by_replay(inputs: dict[str, Any] | None = None, **options: Any) -> Request:  # noqa: ANN401
    """Make a request as a replay does."""
    said = {"provider": DEFAULT, "accepts_byte_string": True, "retainOnDelete": False, **options}
    return Request(
        type="launch:local:Router",
        name="shop",
        parent="urn:parent",
        custom=True,
        object=as_struct(inputs or {"port": 1, "sticky": None}),
        **said,
    )


def test_a_program_and_a_replay_of_the_same_resource_mean_the_same() -> None:
    assert alike(by_program(), by_replay())
    assert alike(by_replay(), by_program())


@pytest.mark.parametrize(
    "different",
    [
        {"inputs": {"port": 2}},
        {"dependencies": ["urn:other"]},
        {"protect": True},
        {"retainOnDelete": True},
        {"ignoreChanges": ["port"]},
        {"deletedWith": "urn:other"},
        {"additionalSecretOutputs": ["url"]},
        {"aliases": [alias_pb2.Alias(urn="urn:old")]},
        {"importId": "i-1"},
        {"propertyDependencies": {"port": Request.PropertyDependencies(urns=["urn:other"])}},
        {"customTimeouts": Request.CustomTimeouts(create="5s")},
    ],
    ids=lambda found: next(iter(found)),
)
def test_what_the_engine_would_do_differently_is_different(different: dict[str, Any]) -> None:
    assert not alike(by_program(), by_replay(**different))


def test_properties_without_dependencies_say_nothing() -> None:
    empty = {"port": Request.PropertyDependencies()}
    assert alike(by_program(propertyDependencies=empty), by_replay())


def test_the_engine_would_choose_another_version_of_the_provider() -> None:
    assert not alike(by_program(version="0.2.0"), by_replay())
    assert not alike(by_program(version="0.2.0"), by_program())
    assert not alike(by_program(pluginDownloadURL="https://elsewhere"), by_replay())


def test_an_explicit_provider_is_no_default_one() -> None:
    assert not alike(by_program(), by_replay(provider="urn:pulumi:dev::shop::pulumi:providers:launch::mine::uuid"))


def test_an_explicit_providers_version_is_an_option_or_an_input() -> None:
    program = Request(type="pulumi:providers:kubernetes", name="kubernetes", custom=True, version="4.34.2")
    replay = Request(
        type="pulumi:providers:kubernetes",
        name="kubernetes",
        custom=True,
        version="4.34.2",
        object=as_struct({"version": "4.34.2", "__internal": {}}),
    )
    assert alike(program, replay)
    replay.object.CopyFrom(as_struct({"version": "4.34.2", "namespace": "other"}))
    assert not alike(program, replay)


def test_a_default_provider_is_named_after_its_version() -> None:
    assert default_provider_of(by_program()) == "default_0_1_0"
    assert default_provider_of(by_program(version="")) == "default"
    assert default_provider_of(by_replay()) is None
    assert default_provider_of(Request(type="launch:local:TrafficSplit")) is None, "a component has no provider"


def test_keys_know_default_providers() -> None:
    assert key_of(by_program()) == Key("launch:local:Router", "shop", "urn:parent")
    assert Key("pulumi:providers:launch", "default_0_1_0", "").is_default_provider
    assert not Key("pulumi:providers:launch", "mine", "urn:stack").is_default_provider
