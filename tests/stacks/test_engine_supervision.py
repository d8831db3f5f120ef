"""How a run of the engine is watched, with a CLI that only pretends."""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, cast

import pytest

from stacks import supervision
from stacks.engine_events import Began
from stacks.masking import Masker
from stacks.processes import Finished, OrphanGuard
from stacks.supervision import Grace, Operation, Stopped
from stacks.updates import ResourceEvent

GRACE = Grace(cancel=10.0, terminate=5.0)


class Clock:
    """Stands still unless it is moved."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


class PretendedRun:
    """Ends after as many interrupts as it is told, or when it is killed; whoever it ignores, it costs their grace."""

    pid = 4711

    def __init__(self, interrupts: int, clock: Clock) -> None:
        self.signals: list[str] = []
        self.on_start: Callable[[], object] = lambda: None
        self._interrupts = interrupts
        self._clock = clock
        self._ended = threading.Event()

    def wait(self) -> Finished:
        self.on_start()
        assert self._ended.wait(60)
        killed = self.signals[-1:] == ["kill"]
        return Finished(-signal.SIGKILL if killed else 255, "", "error: update cancelled")

    def interrupt(self) -> None:
        self.signals.append("interrupt")
        times = len(self.signals)
        if times >= self._interrupts:
            self._ended.set()
        else:
            self._clock.now += GRACE.cancel if times == 1 else GRACE.terminate

    def kill(self) -> None:
        self.signals.append("kill")
        self._ended.set()


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def operation(clock: Clock) -> Callable[..., Operation]:
    """Makes an operation under the test's clock."""

    def make(
        deadline: float | None = None,
        stop: threading.Event | None = None,
        on_event: Callable[[ResourceEvent], None] | None = None,
    ) -> Operation:
        return Operation(
            deadline=deadline,
            stop=stop,
            grace=GRACE,
            orphans=OrphanGuard(),
            on_event=on_event,
            record=None,
            mask=Masker(),
            clock=clock,
        )

    return make


@pytest.fixture
def pretend(monkeypatch: pytest.MonkeyPatch, clock: Clock) -> Callable[[int], PretendedRun]:
    """Replaces the CLI by one that ends after some interrupts."""

    def install(interrupts: int) -> PretendedRun:
        run = PretendedRun(interrupts, clock)

        def start(argv: Sequence[str], *, cwd: Path, env: Mapping[str, str], orphans: object) -> PretendedRun:
            assert (list(argv), cwd, dict(env)) == (["pulumi", "up"], Path("work"), {})
            assert isinstance(orphans, OrphanGuard)
            return run

        monkeypatch.setattr(supervision, "CliRun", start)
        return run

    return install


def work(operation: Operation) -> Callable[[], Finished]:
    return lambda: operation.run_cli(["pulumi", "up"], Path("work"), {})


@pytest.mark.parametrize(
    ("obeys_after", "signals"),
    [(1, ["interrupt"]), (2, ["interrupt", "interrupt"]), (9, ["interrupt", "interrupt", "kill"])],
)
@pytest.mark.parametrize("reason", ["deadline", "stop"])
def test_the_means_grow_until_one_works(
    operation: Callable[..., Operation],
    pretend: Callable[[int], PretendedRun],
    clock: Clock,
    reason: str,
    obeys_after: int,
    signals: list[str],
) -> None:
    run, stop = pretend(obeys_after), threading.Event()
    ended = operation(deadline=3.0, stop=stop)

    def running() -> None:
        ended.post(Began())
        if reason == "stop":
            stop.set()
        else:
            clock.now = 3.0
        ended.post(ResourceEvent("started", "urn", "t", "n", op="create"))

    run.on_start = running
    ended.supervise(work(ended), name="update of dev")

    assert run.signals == signals
    assert ended.interrupted == reason
    assert ended.killed == ("kill" in signals)


def test_an_interrupt_waits_until_the_engine_listens(
    operation: Callable[..., Operation], pretend: Callable[[int], PretendedRun]
) -> None:
    run, stop = pretend(1), threading.Event()
    stop.set()
    signals_before: list[str] = []

    def listen(_event: ResourceEvent) -> None:
        signals_before.extend(run.signals)
        starting.post(Began())

    starting = operation(stop=stop, on_event=listen)

    def running() -> None:
        starting.post(ResourceEvent("message", "", "", "", severity="info", text="about to begin"))

    run.on_start = running
    starting._run = cast("Any", run)  # it runs already when the stop is noticed
    starting.supervise(run.wait, name="update of dev")

    assert signals_before == []
    assert run.signals == ["interrupt"]


def test_a_stop_before_the_start_starts_nothing(
    operation: Callable[..., Operation], pretend: Callable[[int], PretendedRun]
) -> None:
    run = pretend(1)
    stop = threading.Event()
    stop.set()
    stopped = operation(stop=stop)
    stopped.interrupted = "stop"

    with pytest.raises(Stopped):
        stopped.run_cli(["pulumi", "up"], Path("work"), {})

    assert run.signals == []


def test_what_the_work_raises_is_raised_to_the_caller(operation: Callable[..., Operation]) -> None:
    def broken() -> None:
        raise LookupError("inside")

    with pytest.raises(LookupError, match="inside"):
        operation().supervise(broken, name="update of dev")


def test_events_are_delivered_on_the_calling_thread_with_secrets_masked(operation: Callable[..., Operation]) -> None:
    heard: list[tuple[threading.Thread, str]] = []
    listening = operation(on_event=lambda event: heard.append((threading.current_thread(), event.text)))
    listening._mask.learn("hush-hush")

    listening.supervise(
        lambda: listening.post(ResourceEvent("message", "", "", "", severity="error", text="not hush-hush")), name="x"
    )

    assert heard == [(threading.current_thread(), "not [secret]")]
    assert listening.collector.errors == ("not [secret]",)


def test_a_listener_that_fails_is_not_called_again(operation: Callable[..., Operation]) -> None:
    calls = []

    def listen(event: ResourceEvent) -> None:
        calls.append(event)
        raise LookupError(event.urn)

    listening = operation(on_event=listen)

    def two_events() -> None:
        for urn in ("first", "second"):
            listening.post(ResourceEvent("started", urn, "t", "n", op="create"))

    with pytest.raises(LookupError, match="first"):
        listening.supervise(two_events, name="x")

    assert len(calls) == 1
    assert len(listening.collector.resources) == 2


def test_an_interrupt_of_the_caller_ends_the_run_first(
    operation: Callable[..., Operation], pretend: Callable[[int], PretendedRun]
) -> None:
    run = pretend(1)

    def listen(_event: ResourceEvent) -> None:
        raise KeyboardInterrupt

    interrupted = operation(on_event=listen)

    def running() -> None:
        interrupted.post(Began())
        interrupted.post(ResourceEvent("started", "urn", "t", "n", op="create"))

    run.on_start = running

    with pytest.raises(KeyboardInterrupt):
        interrupted.supervise(work(interrupted), name="x")

    assert run.signals == ["interrupt"]
