# ruff: noqa: ANN401, N802 - a property value may be anything; the protocol's names
from __future__ import annotations

import asyncio
import threading
from typing import Any

import pytest

from stacks.checkpoint import Checkpoint, Resource
from stacks.replay_requests import as_struct, from_struct
from stacks.replay_run import Replay
from stacks.replay_values import UNKNOWN
from tests.stacks.replay_builders import PROVIDER, STACK, component, secret, state, thing, urn


class FakeEngine:
    """Answers registrations like the engine: what it is given, and an address that is new each time."""

    def __init__(self, *, known: Checkpoint | None = None, refuses: str = "", preview: bool = False) -> None:
        self._known = known
        self._refuses = refuses
        self._preview = preview
        self._lock = threading.Lock()
        self.requests: dict[str, Any] = {}
        self.order: list[str] = []
        self.outputs: dict[str, dict[str, Any]] = {}

    def RegisterResource(self, request: Any) -> Any:
        from pulumi.runtime.proto import resource_pb2

        if request.name == self._refuses:
            msg = "the provider said no"
            raise RuntimeError(msg)
        found = next((r for r in self._known.live if r.name == request.name), None) if self._known else None
        inputs = from_struct(request.object)
        if self._preview:
            identity, outputs = "", {**inputs, "address": UNKNOWN}
        elif found:
            identity, outputs = found.id, dict(found.outputs)
        else:
            identity, outputs = f"new-{request.name}", {**inputs, "address": f"new-address-of-{request.name}"}
        name = _urn(request)
        self._note(name, request)
        return resource_pb2.RegisterResourceResponse(urn=name, id=identity, object=as_struct(outputs))

    def ReadResource(self, request: Any) -> Any:
        from pulumi.runtime.proto import resource_pb2

        name = _urn(request)
        self._note(name, request)
        return resource_pb2.ReadResourceResponse(urn=name, properties=request.properties)

    def RegisterResourceOutputs(self, request: Any) -> object:
        with self._lock:
            self.order.append(f"outputs of {request.urn.rpartition('::')[2]}")
            self.outputs[request.urn] = from_struct(request.outputs)
        return None

    def _note(self, name: str, request: Any) -> None:
        with self._lock:
            self.order.append(request.name)
            self.requests[name] = request


def _urn(request: Any) -> str:
    return PROVIDER if request.type.startswith("pulumi:providers") else urn(request.name, request.type)


def run(checkpoint: Checkpoint, engine: FakeEngine, **options: Any) -> dict[str, Any]:
    return asyncio.run(Replay(checkpoint, engine, root=STACK, **options).run())


def test_everything_is_registered_once_and_dependencies_come_first() -> None:
    group = component("g", outputs={"address": "addr-a"})
    checkpoint = state(
        group,
        thing("a", made={"address": "addr-a"}, parent=group.urn),
        thing("b", {"target": "addr-a"}, uses={"target": ("a",)}, parent=group.urn),
        thing("c", deleted_with=urn("b")),
        thing("d", replace_with=(urn("c"),)),
    )
    engine = FakeEngine(known=checkpoint)
    run(checkpoint, engine)
    registered = [name for name in engine.order if not name.startswith("outputs of")]
    assert sorted(registered) == sorted(["default", "g", "a", "b", "c", "d"])
    place = engine.order.index
    assert place("default") < place("a") < place("b") < place("c") < place("d")
    assert place("g") < place("a")
    assert place("outputs of g") > place("b")
    assert engine.outputs == {group.urn: {"address": "addr-a"}}


def test_a_resource_that_comes_back_with_a_new_address_feeds_it_on() -> None:
    group = component("g", outputs={"address": "addr-a"})
    checkpoint = state(
        group,
        thing("a", made={"address": "addr-a"}, parent=group.urn),
        thing("b", {"target": "addr-a", "url": "http://addr-a/"}, uses={"target": ("a",), "url": ("a",)}),
        outputs={"url": "http://addr-a:80", "same": 1},
    )
    engine = FakeEngine()
    outputs = run(checkpoint, engine)
    given = from_struct(engine.requests[urn("b")].object)
    assert given == {"target": "new-address-of-a", "url": "http://new-address-of-a/"}
    assert engine.outputs[group.urn] == {"address": "new-address-of-a"}
    assert outputs == {"url": "http://new-address-of-a:80", "same": 1}
    assert engine.requests[urn("a")].provider == f"{PROVIDER}::new-default"


def test_secrets_go_to_the_engine_as_secrets() -> None:
    checkpoint = state(thing("a", {"password": secret("hunter2")}))
    engine = FakeEngine()
    run(checkpoint, engine)
    assert from_struct(engine.requests[urn("a")].object) == {"password": secret("hunter2")}


def test_a_preview_passes_on_what_it_does_not_know() -> None:
    checkpoint = state(
        thing("a", made={"address": "addr-a"}), thing("b", {"target": "addr-a"}, uses={"target": ("a",)})
    )
    engine = FakeEngine(preview=True)
    run(checkpoint, engine, preview=True)
    assert from_struct(engine.requests[urn("b")].object) == {"target": UNKNOWN}


def test_leftovers_views_and_snippets_are_not_registered() -> None:
    checkpoint = state(
        thing("gone", deleting=True), thing("view", view_of=urn("a")), thing("snippet", snippet="uuid"), thing("a")
    )
    engine = FakeEngine()
    run(checkpoint, engine)
    assert sorted(engine.order) == ["a", "default"]


def test_what_was_read_is_read_and_not_created() -> None:
    engine = FakeEngine()
    run(state(thing("a", {"x": 1}, id="vpc-1", external=True)), engine)
    assert engine.requests[urn("a")].id == "vpc-1"


def test_an_empty_checkpoint_registers_nothing() -> None:
    engine = FakeEngine()
    assert run(Checkpoint(), engine) == {}
    assert engine.order == []


def test_a_component_without_outputs_says_so() -> None:
    """The engine would otherwise keep those of the version that is rolled back."""
    group = component("g")
    engine = FakeEngine()
    run(state(group), engine)
    assert engine.outputs == {group.urn: {}}


def test_one_resource_that_fails_does_not_stop_the_others() -> None:
    checkpoint = state(thing("a"), thing("b", {"x": "id-a"}, uses={"x": ("a",)}), thing("c"))
    engine = FakeEngine(refuses="a")
    with pytest.raises(RuntimeError, match="the provider said no"):
        run(checkpoint, engine)
    assert sorted(engine.order) == ["c", "default"]


def test_a_renamed_resource_is_registered_with_an_alias_of_its_present_name() -> None:
    engine = FakeEngine()
    run(state(thing("a")), engine, current=state(thing("b", id="id-a")))
    assert [alias.urn for alias in engine.requests[urn("a")].aliases] == [urn("b")]


def test_independent_resources_are_registered_at_the_same_time() -> None:
    """Each waits until all have begun: one after the other would never end."""
    count = 4
    barrier = threading.Barrier(count, timeout=10)

    class Waiting(FakeEngine):
        def RegisterResource(self, request: Any) -> Any:
            if not request.type.startswith("pulumi:providers"):
                barrier.wait()
            return super().RegisterResource(request)

    run(state(*(thing(f"t{number}") for number in range(count))), Waiting())


def test_references_to_what_is_not_in_the_checkpoint_are_no_reason_to_wait() -> None:
    lonely = Resource(urn("a"), "test:index:Thing", custom=True, parent=urn("nowhere"), dependencies=(urn("gone"),))
    engine = FakeEngine()
    run(Checkpoint((lonely,)), engine)
    assert engine.order == ["a"]
