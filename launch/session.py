"""One launch from the command's point of view: start, take the lock, run the loop, or take up a broken one."""

from __future__ import annotations

import json
import logging
import signal
import sys
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from types import FrameType

from launch import identity
from launch.checking import must_be_sound
from launch.journal import LedgerJournal, dump
from launch.paths import Paths
from launch.prepared import Prepared
from launch.requests import Listener
from phases import errors, sequence
from phases.clock import SystemClock
from phases.events import Event, Observer
from phases.record import LaunchRecord, PhaseRecord, ReleaseRecord
from phases.redact import redact
from phases.run import Run
from phases.runner import ThreadRunner
from phases.signals import Request, Signals
from phases.states import LaunchState
from stacks.ledger import Vault

log = logging.getLogger(__name__)

HAND_OVER_SECONDS = 0.0005
"""How long a thread that is busy may keep the interpreter from another. The verdict passes through several threads
until the engine has it, and with Python's own 5 ms each of them may wait that long for one that prints."""


def start(prepared: Prepared, *, observers: Sequence[Observer], pause_on_interrupt: bool | None = None) -> LaunchRecord:
    """Launch what was prepared and return how it ended.

    Raises:
        EnvironmentBusy: another launch owns the environment.
        NotUndoable: something could not be put back.
        Abandoned: a second interrupt.
    """
    must_be_sound(prepared)
    prepared.must_be_undoable()
    record = _new_record(prepared)
    vault = prepared.vault(record.id)
    try:
        prepared.ledger.begin(
            dump(record),
            vault,
            seen=prepared.last.id if prepared.last else None,
            message=f"{record.id} launch RUNNING {record.release.image}",
        )
    except errors.EnvironmentBusy as busy:
        raise _advised(busy, prepared.last) from busy
    return run(prepared, record, vault, observers=observers, pause_on_interrupt=pause_on_interrupt, resumed=False)


def run(
    prepared: Prepared,
    record: LaunchRecord,
    vault: Vault,
    *,
    observers: Sequence[Observer],
    pause_on_interrupt: bool | None,
    resumed: bool,
) -> LaunchRecord:
    """Run the loop on a record that owns its environment."""
    settings, clock = prepared.config.settings, SystemClock()
    pause = settings.on_interrupt == "pause" if pause_on_interrupt is None else pause_on_interrupt
    signals = Signals(pause_on_interrupt=pause)
    secrets = prepared.config.secrets
    journal = LedgerJournal(prepared.ledger, vault, prepared.paths.journal, secrets=secrets)
    journal.adopt(record)
    sys.setswitchinterval(HAND_OVER_SECONDS)
    world = prepared.world(record.id, vault, record.by)
    with event_log(prepared.paths, secrets) as keep, interrupts(signals), Listener(prepared.paths.requests, signals):
        loop = Run(
            plan=prepared.plan,
            record=record,
            world=world,
            journal=journal,
            clock=clock,
            signals=signals,
            runner=ThreadRunner(clock),
            observers=[keep, *observers],
            pause_on_interrupt=pause,
            rollback_timeout=prepared.config.spec.rollback_timeout_ms / 1000,
        )
        try:
            return sequence.run(loop, resumed=resumed)
        finally:
            journal.close()


@contextmanager
def event_log(paths: Paths, secrets: tuple[str, ...]) -> Iterator[Observer]:
    """Keep the events where `watch` finds them."""
    paths.events.parent.mkdir(parents=True, exist_ok=True)
    with paths.events.open("w", encoding="utf-8") as file:

        def keep(event: Event) -> None:
            file.write(json.dumps(redact(event.to_json(), secrets)) + "\n")
            file.flush()

        yield keep


@contextmanager
def interrupts(signals: Signals) -> Iterator[None]:
    """Turn Ctrl-C, SIGTERM and the closing of the terminal into requests while the loop runs."""
    if threading.current_thread() is not threading.main_thread():
        yield  # only the main thread may; whoever embeds the launch in another sends requests itself
        return

    def handle(_: int, __: FrameType | None) -> None:
        signals.send(Request.INTERRUPT)

    def hang_up(_: int, __: FrameType | None) -> None:
        signals.hang_up()

    before = {number: signal.signal(number, handle) for number in (signal.SIGINT, signal.SIGTERM)}
    if signal.getsignal(signal.SIGHUP) is not signal.SIG_IGN:  # `nohup` means that it is to go on
        before[signal.SIGHUP] = signal.signal(signal.SIGHUP, hang_up)
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def exit_code(record: LaunchRecord) -> int:
    """Return the exit code that says how a launch ended."""
    match record.state:
        case LaunchState.COMPLETED:
            return errors.EXIT_COMPLETED
        case LaunchState.FAILED:
            return errors.EXIT_INCOMPLETE
        case _:
            return errors.EXIT_INTERRUPTED if record.interrupted else errors.EXIT_ROLLED_BACK


def _advised(busy: errors.EnvironmentBusy, last: LaunchRecord | None) -> errors.EnvironmentBusy:
    """Say how to go on where the launch that owns the environment has no process any more."""
    if last is None or last.id != busy.launch or not identity.is_here(last) or identity.is_alive(last):
        return busy
    env = last.environment
    return errors.EnvironmentBusy(
        f"{busy}. Its process is gone: `python -m launch resume {env}` goes on with it, `python -m launch abort {env}` "
        "rolls it back, and `up --supersede` rolls it back and then launches this",
        launch=busy.launch,
    )


def _new_record(prepared: Prepared) -> LaunchRecord:
    from ulid import ULID

    release = prepared.resolved.release
    own = identity.own(prepared.asked.environ, prepared.config.root)
    return LaunchRecord(
        id=str(ULID()),
        environment=prepared.config.environment,
        state=LaunchState.RUNNING,
        release=ReleaseRecord(
            image=release.image,
            digest=release.digest,
            revision=release.revision,
            flags=release.flags,
            companions={
                name: ReleaseRecord(image=item.release.image, digest=item.release.digest)
                for name, item in prepared.companions.items()
            },
        ),
        previous=prepared.previous,
        previous_launch=prepared.last.current if prepared.last else None,
        slot=prepared.situation.new,
        old_slot=prepared.situation.old,
        schema_last=prepared.schema_last,
        started=prepared.clock.now(),
        by=own.by,
        host=own.host,
        pid=own.pid,
        process_started=own.process_started,
        source=own.source,
        phases=tuple(PhaseRecord(id=phase.id, kind=phase.spec.kind) for phase in prepared.plan.phases),
    )
