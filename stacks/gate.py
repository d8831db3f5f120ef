"""The gate between the outcomes of an armed update and the engine.

Each outcome is a program of its own (a *side*). What all of them register in the same way is registered once, at once,
and answered to all; anything else is held, as the finished request it is, until the verdict. Then the winner's requests
go out, each from the thread that waited with it, and the others' calls end with `Lost`.

Sharing needs the agreement of the side that changes nothing (`stay`): so nothing that is sent before the verdict can
change the world.

At the verdict only the winner is woken. The others' programs end with a page of exceptions each, and they would do it
on the interpreter that the winner needs now: they are told when there is time (`release`).
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping
from concurrent.futures import Future
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

from stacks.likeness import Key, alike, default_provider_of, key_of
from stacks.recorded import PROVIDER_PREFIX

if TYPE_CHECKING:
    from pulumi.runtime.proto import resource_pb2

T = TypeVar("T")


class Lost(Exception):
    """This outcome is not the one that was decided; its code has nothing more to do."""


class Disagreement(Exception):
    """The decided program registers a resource in another way than was registered already."""


class RealMonitor(Protocol):
    """The part of the engine's resource monitor that has to do with the verdict."""

    # The names are the protocol's; the SDK's stub has them as attributes.
    @property
    def RegisterResource(self) -> Callable[[Any], Any]:  # noqa: N802
        """Registers a resource."""

    @property
    def ReadResource(self) -> Callable[[Any], Any]:  # noqa: N802
        """Reads a resource."""

    @property
    def RegisterResourceOutputs(self) -> Callable[[Any], Any]:  # noqa: N802
        """Registers what a component answers."""

    @property
    def Call(self) -> Callable[[Any], Any]:  # noqa: N802
        """Calls a method of a component."""


@dataclass(frozen=True, slots=True)
class Side:
    """One outcome, as the gate sees it.

    Attributes:
        name: the outcome.
        known: the resources it will register, where they are known beforehand (a replay's are).
        late: its program runs only after the verdict, so that it can agree to nothing before.
    """

    name: str
    known: frozenset[Key] | None = None
    late: bool = False

    def expects(self, key: Key) -> bool | None:
        """Return whether it will register that resource: True or False, None where it does not matter to it."""
        if self.known is not None:
            return key in self.known
        if key.is_default_provider or (self.late and key.is_provider):
            return None
        return True


@dataclass(slots=True)
class _Sent:
    """A registration that went to the engine."""

    request: resource_pb2.RegisterResourceRequest
    answer: Future[Any] = field(default_factory=Future)


class Gate:
    """Holds what the outcomes do not agree on.

    Args:
        monitor: the engine's.
        sides: the outcomes.
        clock: monotonic seconds.
    """

    def __init__(
        self, monitor: RealMonitor, sides: Mapping[str, Side], *, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._monitor = monitor
        self._sides = sides
        self._clock = clock
        self._lock = threading.Lock()
        self._changed = {name: threading.Condition(self._lock) for name in sides}
        self._asked: dict[Key, dict[str, resource_pb2.RegisterResourceRequest]] = {}
        self._sent: dict[Key, _Sent] = {}
        self._outputs: dict[str, list[Any]] = {}
        self._waiting = dict.fromkeys(sides, 0)
        self._busy = 0
        self._touched = clock()
        self._winner: str | None = None
        self._under_way = threading.Event()
        self._released = False
        self._closed = False

    # --- what the owner asks and says

    @property
    def winner(self) -> str | None:
        """The outcome that was decided."""
        return self._winner

    def decide(self, name: str) -> str:
        """Let that outcome's requests through; the first word counts, and what it was is returned.

        Raises:
            KeyError: there is no such outcome.
        """
        if name not in self._sides:
            raise KeyError(name)
        with self._lock:
            self._winner = self._winner or name
            self._changed[self._winner].notify_all()
            return self._winner

    def wait_under_way(self, seconds: float) -> None:
        """Wait until the winner's first request is on its way, if it has one that waits."""
        if self._winner is not None and self._waiting[self._winner]:
            self._under_way.wait(seconds)

    def release(self) -> None:
        """End the calls of those who were not decided."""
        with self._lock:
            self._released = True
            self._wake()

    def close(self) -> None:
        """End every call that waits."""
        with self._lock:
            self._closed = True
            self._wake()

    def held(self, name: str) -> int:
        """Return how many calls of that outcome wait for the verdict."""
        return self._waiting[name]

    @property
    def quiet(self) -> float:
        """Seconds since anything was asked or answered; 0.0 while the engine is at work."""
        return 0.0 if self._busy else self._clock() - self._touched

    def registered(self, name: str) -> dict[Key, str]:
        """Return the URN of each resource that this outcome's program has registered."""
        with self._lock:
            keys = [key for key, asked in self._asked.items() if name in asked and key in self._sent]
            return {key: self._sent[key].answer.result().urn for key in keys if self._sent[key].answer.done()}

    def outputs_of(self, name: str) -> list[Any]:
        """Return what the components of that outcome registered as outputs; it is sent when all else is done."""
        with self._lock:
            return self._outputs.pop(name, [])

    # --- what the outcomes' programs call, each on threads of its own

    def register(self, side: str, request: resource_pb2.RegisterResourceRequest) -> Any:  # noqa: ANN401
        """Register a resource, now if all agree, else after the verdict.

        Raises:
            Lost: another outcome was decided.
            Disagreement: the resource was registered in another way.
        """
        key = key_of(request)
        with self._lock:
            self._touch()
            self._asked.setdefault(key, {})[side] = request
            if self._winner is None:
                self._wake()
            mine = self._turn(side, key)
            if mine:
                self._sent[key] = _Sent(self._clearest(key, request))
            sent = self._sent[key]
        if mine:
            sent.request = self._with_provider(sent.request)
            self._send(sent)
        elif not alike(sent.request, request):
            msg = f"{request.type} {request.name} was registered in another way while the update waited"
            raise Disagreement(msg)
        return sent.answer.result()

    def after(self, side: str, call: Callable[[Any], T], request: Any) -> T:  # noqa: ANN401 - a message of the protocol
        """Make a call that might change something, when this outcome has been decided.

        Raises:
            Lost: another one was.
        """
        with self._lock:
            self._hold(side)
        return self._working(call, request)

    def keep_outputs(self, side: str, request: Any) -> None:  # noqa: ANN401
        """Remember what a component registered as outputs."""
        with self._lock:
            self._outputs.setdefault(side, []).append(request)

    # --- within

    def _turn(self, side: str, key: Key) -> bool:
        """Wait until the request may go (True: by this thread), or was sent by another."""
        self._hold(side, lambda: key in self._sent or self._agreed(key))
        return key not in self._sent

    def _hold(self, side: str, done: Callable[[], bool] = lambda: False) -> None:
        """Wait until this outcome is decided, or, before the verdict, until that is so.

        Raises:
            Lost: another one was decided.
        """
        self._waiting[side] += 1
        try:
            while not (self._closed or self._winner == side):
                if self._winner is None and done():
                    return
                if self._winner is not None and self._released:
                    break
                self._changed[side].wait()  # the owner decides or closes, whatever happens
        finally:
            self._waiting[side] -= 1
        if self._closed or self._winner != side:
            raise Lost(side)

    def _wake(self) -> None:
        for changed in self._changed.values():
            changed.notify_all()

    def _agreed(self, key: Key) -> bool:
        asked = self._asked[key]
        for side in self._sides.values():
            expected = side.expects(key)
            if expected is False or (expected and side.name not in asked):
                return False
        first, *others = asked.values()
        return all(alike(first, other) for other in others)

    def _clearest(
        self, key: Key, request: resource_pb2.RegisterResourceRequest
    ) -> resource_pb2.RegisterResourceRequest:
        """Of requests that all mean the same the one that names its provider; after the verdict the given one."""
        if self._winner is not None or default_provider_of(request) is None:
            return request
        return next((other for other in self._asked[key].values() if other.provider), request)

    def _with_provider(self, request: resource_pb2.RegisterResourceRequest) -> resource_pb2.RegisterResourceRequest:
        """Name the default provider where it is registered already: the engine would register it a second time."""
        name = default_provider_of(request)
        if name is None:
            return request
        kind = PROVIDER_PREFIX + request.type.partition(":")[0]
        with self._lock:
            sent_before = list(self._sent.items())
        for key, sent in sent_before:
            if key.is_default_provider and (key.type, key.name) == (kind, name):
                answer = sent.answer.result()  # it is there long since; if it failed, so does this
                named = type(request)()
                named.CopyFrom(request)
                named.provider = f"{answer.urn}::{answer.id}"
                return named
        return request

    def _send(self, sent: _Sent) -> None:
        try:
            sent.answer.set_result(self._working(self._monitor.RegisterResource, sent.request))
        except BaseException as error:  # noqa: BLE001 - all who wait for the answer get it
            sent.answer.set_exception(error)

    def _working(self, call: Callable[[Any], T], request: Any) -> T:  # noqa: ANN401
        with self._lock:
            self._busy += 1
        if self._winner is not None:
            self._under_way.set()
        try:
            return call(request)
        finally:
            with self._lock:
                self._busy -= 1
                self._touch()

    def _touch(self) -> None:
        self._touched = self._clock()
