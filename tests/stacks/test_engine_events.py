"""Recorded engine events become our results: what changed, what failed, and why."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from pulumi.automation.events import EngineEvent

from stacks.automation import translate
from stacks.engine_events import Collector, EngineWord, name_of, type_of
from stacks.updates import ResourceEvent

Replay = Callable[[str], list[EngineWord]]


@pytest.fixture
def recorded() -> Replay:
    """The translated events of an update recorded with the real engine."""

    def load(name: str) -> list[EngineWord]:
        text = (Path(__file__).parent / "data" / f"{name}.jsonl").read_text(encoding="utf-8")
        events = [translate(EngineEvent.from_json(json.loads(line))) for line in text.splitlines()]
        return [event for event in events if event is not None]

    return load


@pytest.fixture
def collected(recorded: Replay) -> Callable[[str], Collector]:
    """The collector after all events of a recorded update."""

    def collect(name: str) -> Collector:
        collector = Collector()
        for event in recorded(name):
            collector.add(event)
        return collector

    return collect


def test_an_update_lists_its_steps_in_the_order_they_began(collected: Callable[[str], Collector]) -> None:
    update = collected("updated")

    assert [(step.name, step.op) for step in update.resources] == [
        ("shop-dev", "same"),
        ("default", "same"),
        ("thing", "update"),
    ]
    assert update.changes == {"same": 1, "update": 1}
    assert update.failures == ()
    assert update.errors == ()


def test_a_failed_resource_comes_with_the_reason_of_its_provider(collected: Callable[[str], Collector]) -> None:
    [(resource, reason)] = collected("resource_failed").failures

    assert (resource.type, resource.name, resource.op) == ("probe:index:Thing", "thing", "update")
    assert "the cloud refused port 80" in reason


@pytest.mark.parametrize("name", ["program_failed", "apply_failed"])
def test_an_error_of_the_program_belongs_to_no_resource(collected: Callable[[str], Collector], name: str) -> None:
    update = collected(name)

    assert update.failures == ()
    assert any("Error" in text for text in update.errors)


def test_the_engines_own_chatter_is_not_passed_on(recorded: Replay) -> None:
    messages = [event for event in recorded("updated") if isinstance(event, ResourceEvent) and event.kind == "message"]

    assert messages == []


def test_without_a_summary_the_steps_are_counted() -> None:
    collector = Collector()
    collector.add(ResourceEvent("started", "urn:a", "t", "a", op="create"))
    collector.add(ResourceEvent("done", "urn:a", "t", "a", op="create"))
    collector.add(ResourceEvent("started", "urn:b", "t", "b", op="create"))

    assert collector.changes == {"create": 2}


def test_a_failure_without_words_is_still_a_failure() -> None:
    collector = Collector()
    collector.add(ResourceEvent("failed", "urn:pulumi:s::p::a:b:C::x", "a:b:C", "x", op="delete"))

    assert [reason for _, reason in collector.failures] == ["the provider gave no reason"]


def test_a_urn_names_the_resource_without_its_parents() -> None:
    urn = "urn:pulumi:dev::shop::launch:local:Service$launch:local:Process::api::v2"

    assert type_of(urn) == "launch:local:Process"
    assert name_of(urn) == "api::v2"
    assert (type_of(""), name_of("")) == ("", "")
