"""What two outcomes agree on is registered once and at once; the rest waits for the verdict."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

import pytest
from pulumi.runtime.proto import resource_pb2

from stacks.gate import Disagreement, Gate, Lost, Side
from stacks.likeness import Key, key_of
from stacks.replay_requests import as_struct

Request = resource_pb2.RegisterResourceRequest
PATIENCE = 20.0
PROVIDER = "pulumi:providers:launch"


def request(name: str, **inputs: Any) -> Request:  # noqa: ANN401
    return Request(type="launch:local:Router", name=name, parent="urn:stack", custom=True, object=as_struct(inputs))


def provider(name: str = "default", **inputs: Any) -> Request:  # noqa: ANN401
    return Request(type=PROVIDER, name=name, custom=True, object=as_struct(inputs))


class Engine:
    """Remembers what was registered and answers at once."""

    def __init__(self) -> None:
        self.registered: list[Request] = []
        self.read: list[Any] = []
        self.fails: Exception | None = None

    def RegisterResource(self, asked: Request) -> Any:  # noqa: ANN401, N802
        self.registered.append(asked)
        if self.fails is not None:
            raise self.fails
        return resource_pb2.RegisterResourceResponse(urn=f"urn:{asked.name}", id=f"id-{asked.name}")

    def ReadResource(self, asked: Any) -> Any:  # noqa: ANN401, N802
        self.read.append(asked)
        return "read"

    def RegisterResourceOutputs(self, asked: Any) -> None:  # noqa: ANN401, ARG002, N802
        raise AssertionError("outputs are sent when all is done")

    Call = ReadResource


class Scene:
    """A gate whose outcomes ask on threads of their own."""

    def __init__(self, *sides: Side) -> None:
        self.engine = Engine()
        self.gate = Gate(self.engine, {side.name: side for side in sides})
        self._threads = ThreadPoolExecutor(16)

    def asks(self, side: str, asked: Request) -> Future[Any]:
        before = self.gate.held(side)
        answer = self._threads.submit(self.gate.register, side, asked)
        self.until(lambda: answer.done() or self.gate.held(side) > before)
        return answer

    def until(self, true: Callable[[], bool]) -> None:
        waiting, tries = threading.Event(), int(PATIENCE / 0.01)
        while not true():
            waiting.wait(0.01)
            tries -= 1
            assert tries, "it did not become true"

    def close(self) -> None:
        self.gate.close()
        self._threads.shutdown()

    @property
    def sent(self) -> list[str]:
        return [asked.name for asked in self.engine.registered]


def knows(name: str, *asked: Request) -> Side:
    """A replay: what it will register is known."""
    return Side(name, frozenset(key_of(item) for item in asked))


@pytest.fixture
def scene() -> Iterator[Callable[..., Scene]]:
    made: list[Scene] = []

    def make(*sides: Side) -> Scene:
        made.append(Scene(*sides))
        return made[-1]

    yield make
    for each in made:
        each.close()


def test_what_all_say_is_registered_once_and_answered_to_all(scene: Callable[..., Scene]) -> None:
    told = scene(Side("forward"), knows("back", request("a")), knows("stay", request("a")))
    first, second = told.asks("forward", request("a", port=1)), told.asks("back", request("a", port=1))
    assert told.sent == [], "one that has not spoken may say something else"
    third = told.asks("stay", request("a", port=1))
    answers = [answer.result(PATIENCE).urn for answer in (first, second, third)]
    assert (answers, told.sent) == (["urn:a"] * 3, ["a"])


def test_what_differs_is_held_until_the_verdict_and_only_the_winner_goes_through(scene: Callable[..., Scene]) -> None:
    told = scene(Side("forward"), knows("back", request("a")), knows("stay", request("a")))
    forward = told.asks("forward", request("a", weight=50))
    back, stay = told.asks("back", request("a", weight=0)), told.asks("stay", request("a", weight=10))
    assert told.sent == []
    assert told.gate.decide("back") == "back"
    assert back.result(PATIENCE).urn == "urn:a"
    assert told.engine.registered == [request("a", weight=0)]
    assert not any(lost.done() for lost in (forward, stay)), "the winner has the interpreter for itself"
    told.gate.release()
    for lost in (forward, stay):
        with pytest.raises(Lost):
            lost.result(PATIENCE)


def test_the_first_verdict_counts(scene: Callable[..., Scene]) -> None:
    told = scene(Side("forward"), knows("stay"))
    assert [told.gate.decide("stay"), told.gate.decide("forward")] == ["stay", "stay"]
    with pytest.raises(KeyError):
        told.gate.decide("sideways")


def test_what_would_be_new_or_would_go_is_never_registered_early(scene: Callable[..., Scene]) -> None:
    told = scene(Side("forward"), knows("back"), knows("stay", request("a")))
    told.asks("forward", request("a"))
    told.asks("stay", request("a"))
    assert told.sent == [], "going back deletes it, and what is registered is not deleted"
    other = scene(Side("forward"), knows("back", request("a")), knows("stay"))
    other.asks("forward", request("a"))
    other.asks("back", request("a"))
    assert other.sent == [], "it is not there now, and registering it would make it"


def test_a_default_provider_needs_only_the_replays_word(scene: Callable[..., Scene]) -> None:
    told = scene(Side("forward"), knows("back", provider()), knows("stay", provider()))
    told.asks("back", provider()).done()
    told.asks("stay", provider()).result(PATIENCE)
    assert told.sent == ["default"]


def test_a_program_that_names_no_provider_gets_the_one_that_is_registered(scene: Callable[..., Scene]) -> None:
    told = scene(Side("forward"), knows("back", provider()), knows("stay", provider()))
    told.asks("back", provider())
    told.asks("stay", provider()).result(PATIENCE)
    new = told.asks("forward", request("new"))
    told.gate.decide("forward")
    new.result(PATIENCE)
    assert told.engine.registered[-1].provider == "urn:default::id-default", "the engine would make it a second time"


def test_a_late_program_is_given_what_is_registered_already_if_it_says_the_same(scene: Callable[..., Scene]) -> None:
    mine = provider("mine", context="prod")
    told = scene(Side("forward", late=True), knows("back", mine), knows("stay", mine))
    told.asks("back", mine)
    told.asks("stay", mine).result(PATIENCE)
    told.gate.decide("forward")
    assert told.asks("forward", provider("mine", context="prod")).result(PATIENCE).id == "id-mine"
    assert told.sent == ["mine"]
    with pytest.raises(Disagreement, match="another way"):
        told.asks("forward", provider("mine", context="other")).result(PATIENCE)


def test_a_late_program_agrees_to_nothing_else_beforehand(scene: Callable[..., Scene]) -> None:
    told = scene(Side("forward", late=True), knows("back", request("a")), knows("stay", request("a")))
    told.asks("back", request("a"))
    told.asks("stay", request("a"))
    assert told.sent == []


def test_an_engine_that_refuses_is_heard_by_all_who_asked(scene: Callable[..., Scene]) -> None:
    told = scene(Side("forward"), knows("stay", request("a")))
    told.engine.fails = RuntimeError("the plugin died")
    answers = [told.asks("forward", request("a")), told.asks("stay", request("a"))]
    for answer in answers:
        with pytest.raises(RuntimeError, match="plugin died"):
            answer.result(PATIENCE)


def test_closing_ends_every_call_that_waits(scene: Callable[..., Scene]) -> None:
    told = scene(Side("forward"), knows("stay", request("a")))
    waiting = told.asks("forward", request("a", weight=1))
    told.gate.close()
    with pytest.raises(Lost):
        waiting.result(PATIENCE)


def test_what_may_change_something_waits_too(scene: Callable[..., Scene]) -> None:
    told = scene(Side("forward"), knows("stay"))
    with ThreadPoolExecutor(2) as threads:
        mine = threads.submit(told.gate.after, "forward", told.engine.ReadResource, "one")
        other = threads.submit(told.gate.after, "stay", told.engine.ReadResource, "two")
        told.until(lambda: told.gate.held("forward") == 1 and told.gate.held("stay") == 1)
        assert told.engine.read == []
        told.gate.decide("forward")
        assert mine.result(PATIENCE) == "read"
        told.gate.release()
        with pytest.raises(Lost):
            other.result(PATIENCE)


def test_outputs_of_components_are_kept_for_the_end(scene: Callable[..., Scene]) -> None:
    told = scene(Side("forward"), knows("stay"))
    told.gate.keep_outputs("forward", "mine")
    told.gate.keep_outputs("stay", "theirs")
    assert (told.gate.outputs_of("forward"), told.gate.outputs_of("forward")) == (["mine"], [])


def test_it_is_known_what_was_registered_and_that_nobody_is_at_work(scene: Callable[..., Scene]) -> None:
    told = scene(Side("forward"), knows("stay", request("a"), request("b")))
    told.asks("forward", request("a"))
    told.asks("stay", request("a")).result(PATIENCE)
    told.asks("stay", request("b"))
    told.until(lambda: told.gate.quiet > 0)
    assert told.gate.registered("forward") == {Key("launch:local:Router", "a", "urn:stack"): "urn:a"}
