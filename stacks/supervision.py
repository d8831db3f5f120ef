"""Watches over one run of the engine: delivers its events, and ends it at a deadline or when somebody says stop."""

from __future__ import annotations

import dataclasses
import logging
import queue
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Generic, TypeVar

from stacks.capacity import Capacity, Full, Turn
from stacks.engine_events import Began, Collector, EngineWord
from stacks.masking import Masker
from stacks.processes import CliRun, Finished, OrphanGuard
from stacks.runs import RunRecord
from stacks.updates import ResourceEvent

_POLL_S = 0.05
"""How late a stop may be noticed: an Event cannot be waited for together with a queue."""

_GIVE_UP_S = 10.0
"""How long a killed process may take to disappear."""

T = TypeVar("T")

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Grace:
    """How patiently a running update is ended.

    Attributes:
        cancel: seconds after the first interrupt, in which the engine lets resource operations finish.
        terminate: seconds after the second, in which it abandons them but still records its state.
    """

    cancel: float = 10.0
    terminate: float = 5.0


class Stop(threading.Event):
    """Asks a running update to end when it is set.

    Attributes:
        disowned: the stack's lock is not its own any more. It is killed then, since every other end would write the
            state once more, over that of whoever has the lock; and the lock is left alone.
        idle: it waits for a verdict without working, perhaps for hours: its turn is somebody else's meanwhile.
    """

    disowned = False
    idle = False

    def disown(self) -> None:
        """End the update at once, without a trace."""
        self.disowned = True
        self.set()


@dataclass(frozen=True, slots=True)
class _Ended(Generic[T]):
    """The worker's last word."""

    value: T | None = None
    error: BaseException | None = None


class Stopped(Exception):
    """The run was asked to end before it could start its CLI."""


class Operation:
    """One supervised run of the engine.

    The work (which starts the CLI and waits for it) runs on a thread of its own; the calling thread delivers
    events, so that what a callback raises is seen, and watches the clock and the stop event.

    Attributes:
        collector: everything the engine said.
        finished: how the CLI ended, once it has.
        interrupted: `deadline` or `stop` once it was asked to end.
        began: whether the engine got as far as to hold the stack's lock.
        killed: whether a signal ended the CLI.
        pid: process id of the CLI that was started last.
    """

    def __init__(
        self,
        *,
        deadline: float | None,
        stop: threading.Event | None,
        grace: Grace,
        orphans: OrphanGuard,
        on_event: Callable[[ResourceEvent], None] | None,
        record: RunRecord | None,
        mask: Masker,
        turns: Capacity | None = None,
        urgent: bool = False,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._turns, self._urgent = turns, urgent
        self._turn: Turn | None = None
        self.collector = Collector()
        self.finished: Finished | None = None
        self.interrupted: str | None = None
        self.began = False
        self.killed = False
        self.pid = 0
        self._clock = clock
        self._started = clock()
        self._deadline = None if deadline is None else self._started + deadline
        self._stop = stop
        self._grace = grace
        self._orphans = orphans
        self._on_event = on_event
        self._record = record
        self._mask = mask
        self._callback_error: Exception | None = None
        self._lock = threading.Lock()
        self._run: CliRun | None = None
        self._inbox: queue.SimpleQueue[EngineWord | _Ended[object]] = queue.SimpleQueue()
        self._escalations: list[tuple[float, Callable[[], None]]] = []

    @property
    def disowned(self) -> bool:
        """Whether the stack's lock is somebody else's."""
        return isinstance(self._stop, Stop) and self._stop.disowned

    @property
    def seconds(self) -> float:
        """Seconds since it began."""
        return self._clock() - self._started

    def post(self, event: EngineWord) -> None:
        """Takes an event from any thread; it only queues it."""
        if isinstance(event, ResourceEvent) and event.text:
            event = dataclasses.replace(event, text=self._mask(event.text))
        self._inbox.put(event)

    def run_cli(self, argv: Sequence[str], cwd: Path, env: Mapping[str, str]) -> Finished:
        """Runs the CLI, on the worker's thread, when it is this launch's turn."""
        if self._turns is None:
            return self._run_now(argv, cwd, env)
        try:
            with self._turns.turn(urgent=self._urgent, given_up=lambda: self.interrupted is not None) as self._turn:
                return self._run_now(argv, cwd, env)
        except Full as error:
            raise Stopped from error

    def _run_now(self, argv: Sequence[str], cwd: Path, env: Mapping[str, str]) -> Finished:
        with self._lock:
            if self.interrupted is not None:
                raise Stopped
            run = self._run = CliRun(argv, cwd=cwd, env=env, orphans=self._orphans)
            self.pid = run.pid
            if self._record is not None:
                self._record.write(run.pid)
        ended = run.wait()
        finished = Finished(ended.code, self._mask(ended.stdout), self._mask(ended.stderr))
        if self._record is not None:
            self._record.clear(run.pid)
        with self._lock:
            self._run = None
            self.finished = finished
            self.killed = self.killed or finished.code < 0
        return finished

    def supervise(self, work: Callable[[], T], *, name: str) -> T:
        """Runs `work` to its end, which a deadline or a stop brings about soon; raises what it raises."""

        def target() -> None:
            try:
                ended: _Ended[object] = _Ended(value=work())
            except BaseException as error:  # noqa: BLE001 - it is raised again on the calling thread
                ended = _Ended(error=error)
            self._inbox.put(ended)

        worker = threading.Thread(target=target, name=name, daemon=True)
        worker.start()
        try:
            ended = self._pump()
        except BaseException:
            # Ctrl-C without a handler of the launch: end the run in order, then let it through.
            self._ask_to_end("stop")
            self._pump()
            raise
        worker.join()
        if ended.error is not None:
            raise ended.error
        if self._callback_error is not None:
            raise self._callback_error
        return ended.value  # type: ignore[return-value] # what work() returned

    def _pump(self) -> _Ended[object]:
        while True:
            try:
                item = self._inbox.get(timeout=self._patience())
            except queue.Empty:
                self._watch()
                continue
            if isinstance(item, _Ended):
                return item
            self.collector.add(item)
            if isinstance(item, Began):
                self._begin()
            elif isinstance(item, ResourceEvent):
                self._deliver(item)
            self._watch()

    def _patience(self) -> float | None:
        if self._escalations or (self._stop is not None and self.interrupted is None):
            return _POLL_S
        if self._deadline is None or self.interrupted is not None:
            return None
        return max(0.0, self._deadline - self._clock())

    def _watch(self) -> None:
        if self._turn is not None and isinstance(self._stop, Stop) and self._stop.idle:
            self._turn.give_back()
        if self.interrupted is None:
            if self._stop is not None and self._stop.is_set():
                self._ask_to_end("stop")
            elif self._deadline is not None and self._clock() >= self._deadline:
                self._ask_to_end("deadline")
            return
        while self._escalations and self._clock() >= self._escalations[0][0]:
            _, escalate = self._escalations.pop(0)
            escalate()

    def _ask_to_end(self, reason: str) -> None:
        if self.interrupted is not None:
            return
        with self._lock:
            self.interrupted = reason
            run = self._run
        log.info("The running update is asked to cancel (%s)", reason)
        if self.disowned:
            self._escalations = [(self._clock() + _GIVE_UP_S, self._give_up)]
            self._kill()
            return
        terminate_at = self._clock() + self._grace.cancel
        kill_at = terminate_at + self._grace.terminate
        self._escalations = [
            (terminate_at, self._terminate),
            (kill_at, self._kill),
            (kill_at + _GIVE_UP_S, self._give_up),
        ]
        # Before it listens, an interrupt would kill the engine, perhaps with the lock in its hand; it soon does.
        if run is not None and self.began:
            run.interrupt()

    def _begin(self) -> None:
        self.began = True
        if self.interrupted is not None and (run := self._run) is not None:
            run.interrupt()

    def _terminate(self) -> None:
        log.warning("The update did not cancel within %.0f s; it is asked to terminate", self._grace.cancel)
        if (run := self._run) is not None:
            run.interrupt()

    def _kill(self) -> None:
        if self.disowned:
            log.warning("The update's lock is not its own any more; it is killed")
        else:
            log.warning("The update did not terminate within %.0f s; it is killed", self._grace.terminate)
        self.killed = True
        if (run := self._run) is not None:
            run.kill()

    def _give_up(self) -> None:
        self._inbox.put(_Ended(error=Stopped("the killed engine did not disappear")))

    def _deliver(self, event: ResourceEvent) -> None:
        if self._on_event is None or self._callback_error is not None:
            return
        try:
            self._on_event(event)
        except Exception as error:
            # A mistake in somebody's display must not tear a running update apart.
            log.exception("A listener to the events of an update failed; it hears no more of this update")
            self._callback_error = error
