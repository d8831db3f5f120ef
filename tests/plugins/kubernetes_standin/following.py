"""Waiting for what the cluster does: an object's changes as they come, with a limit, until the engine cancels."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import Any, Protocol

import urllib3

from . import objects
from .api import Api, ApiError, Unreachable
from .errors import NotReady
from .values import Object

Log = Callable[[str, str], None]
"""Shows a passing message: its severity (`info` or `warning`) and text."""

_AGAIN = 0.5
"""Seconds before a watch that broke is begun again."""


class TimeUp(Exception):
    """The limit has passed."""


class Cancelled(Exception):
    """The engine wants no more."""


class Cancellation:
    """Lets whoever waits know that the engine cancels, also where they wait for the network."""

    def __init__(self) -> None:
        self._told = threading.Event()
        self._lock = threading.Lock()
        self._open: set[urllib3.BaseHTTPResponse] = set()

    def cancel(self) -> None:
        """End all waiting, now and in the future."""
        self._told.set()
        with self._lock:
            for answer in self._open:
                with suppress(RuntimeError, ValueError, OSError):  # it has just ended by itself
                    answer.shutdown()

    def check(self) -> None:
        """Go on, or not.

        Raises:
            Cancelled: the engine cancels.
        """
        if self._told.is_set():
            raise Cancelled

    def pause(self, seconds: float) -> None:
        """Wait a little.

        Raises:
            Cancelled: the engine cancels.
        """
        if self._told.wait(seconds):
            raise Cancelled

    @contextmanager
    def reading(self, answer: urllib3.BaseHTTPResponse) -> Iterator[None]:
        """While this lasts, the answer ends when the engine cancels."""
        with self._lock:
            self._open.add(answer)
        try:
            self.check()
            yield
        finally:
            with self._lock:
                self._open.discard(answer)
            answer.close()


@dataclass(frozen=True)
class Patience:
    """How long to wait.

    Attributes:
        cancellation: which ends it early.
        end: on the monotonic clock, in seconds.
    """

    cancellation: Cancellation
    end: float

    @classmethod
    def of(cls, cancellation: Cancellation, seconds: float) -> Patience:
        """Return a patience that begins now."""
        return cls(cancellation, time.monotonic() + seconds)

    @property
    def left(self) -> float:
        """Seconds left; zero or less where there are none."""
        return self.end - time.monotonic()

    def check(self) -> None:
        """Go on, or not.

        Raises:
            TimeUp: the limit has passed.
            Cancelled: the engine cancels.
        """
        self.cancellation.check()
        if self.left <= 0:
            raise TimeUp


def follow(api: Api, obj: Object, patience: Patience, *, tick: float = 10.0) -> Iterator[Object | None]:
    """Yield an object, and again whenever it changes or a tick has passed; None once it is gone.

    Args:
        api: where it is.
        obj: its state as an answer of the API server had it.
        patience: when to end.
        tick: seconds of silence after which the last state is yielded again.

    Raises:
        TimeUp: the limit has passed.
        Cancelled: the engine cancels.
    """
    last: Object | None = obj
    version = str(objects.at(obj, "metadata", "resourceVersion") or "")
    while True:
        patience.check()
        yield last
        patience.check()
        try:
            if not version:
                last, version = _found(api, obj)
                continue
            for event in _events(api, obj, version, patience, tick):
                kind, live = event["type"], event["object"]
                if kind == "ERROR":  # the version is too old for the API server
                    version = ""
                    break
                version = str(objects.at(live, "metadata", "resourceVersion") or version)
                last = None if kind == "DELETED" else live
                yield last
                patience.check()
        except (Unreachable, ApiError, urllib3.exceptions.HTTPError, ValueError, OSError):
            # An API server that restarts ends watches in the middle of a line.
            patience.cancellation.pause(min(_AGAIN, max(0.0, patience.left)))
            version = ""


def _found(api: Api, obj: Object) -> tuple[Object | None, str]:
    listed = api.request("GET", api.path_of(obj, ""), fieldSelector=f"metadata.name={objects.object_name(obj)}")
    items = listed.get("items") or []
    # The items of a list do not say what they are.
    same = {name: obj[name] for name in ("apiVersion", "kind")}
    return ({**same, **items[0]} if items else None), str(objects.at(listed, "metadata", "resourceVersion") or "")


def _events(api: Api, obj: Object, version: str, patience: Patience, tick: float) -> Iterator[Any]:
    answer = api.stream(
        api.path_of(obj, ""),
        limit=min(tick, max(1.0, patience.left)),
        fieldSelector=f"metadata.name={objects.object_name(obj)}",
        resourceVersion=version,
    )
    with patience.cancellation.reading(answer):
        rest = b""
        for chunk in answer.stream():
            *lines, rest = (rest + chunk).split(b"\n")
            for line in lines:
                yield json.loads(line)


class Readiness(Protocol):
    """Knows when one object is ready."""

    tick: float
    """Seconds of silence after which to look again."""

    timed_out: str
    """The message when the time is up; `{name}` stands for the object's name."""

    def ready(self, live: Object) -> bool:
        """Whether it is.

        Raises:
            NotReady: it never will be.
        """

    def explain(self, live: Object) -> list[str]:
        """Say why it is not ready."""

    def progress(self, live: Object) -> list[tuple[str, str]]:
        """Return messages (severity and text) for whoever waits."""

    def good_enough(self, live: Object) -> bool:
        """Whether it counts as ready when the time is up."""


def until_ready(api: Api, live: Object, readiness: Readiness, patience: Patience, log: Log) -> Object:
    """Wait until an object is ready and return its state then.

    Raises:
        NotReady: it is not, and the time is up, the engine cancels, or it never will be.
    """
    state, said = live, set[tuple[str, str]]()
    try:
        for seen in follow(api, live, patience, tick=readiness.tick):
            state = seen or state
            if seen is not None and readiness.ready(seen):
                return seen
            for message in readiness.progress(state):
                if message not in said:
                    said.add(message)
                    log(*message)
    except (TimeUp, Cancelled) as end:
        if readiness.good_enough(state):
            return state
        name = objects.object_name(state)
        text = f'Resource operation was cancelled for "{name}"'
        if isinstance(end, TimeUp):
            text = readiness.timed_out.format(name=name)
        raise NotReady(text, state, readiness.explain(state)) from end
    raise AssertionError  # following ends by raising


def until_gone(api: Api, obj: Object, patience: Patience) -> None:
    """Wait until an object is deleted.

    Raises:
        NotReady: it is still there, and the time is up or the engine cancels.
    """
    state = obj
    try:
        for seen in follow(api, obj, patience):
            if seen is None or objects.at(seen, "metadata", "uid") != objects.at(obj, "metadata", "uid"):
                return
            state = seen
    except (TimeUp, Cancelled) as end:
        finalizers = objects.at(state, "metadata", "finalizers") or []
        why = [f"finalizers might be preventing deletion ({', '.join(finalizers)})"] if finalizers else []
        text = "timed out waiting for the condition" if isinstance(end, TimeUp) else "context canceled"
        raise NotReady(text, state, why) from end
