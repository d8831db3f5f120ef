"""An update that is under way before it is decided what it will do.

While a step bakes, the next update of the stack is already running: engine up, provider loaded, everything registered
that all outcomes share. `fire` decides, and what differs is one call away. See docs/decisions/0013-armed-updates.md.
"""

from __future__ import annotations

import logging
import threading
import time
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from phases.errors import EngineError, UpdateStopped
from stacks.armed_program import ArmedProgram, Outcome
from stacks.engine_events import Collector
from stacks.gate import Side
from stacks.likeness import Key
from stacks.recorded import PROVIDER_PREFIX
from stacks.supervision import Stop
from stacks.updates import ResourceEvent, Update

__all__ = ["BACK", "FORWARD", "STAY", "Applied", "ArmedLost", "ArmedUpdate", "Outcome"]

FORWARD: Final = "forward"
"""The next step."""
BACK: Final = "back"
"""The state from before the launch."""
STAY: Final = "stay"
"""Everything as it is."""

_STOP_S: Final = 3.0
"""How long a decided update may go on applying after somebody asked it to stop; normally it takes milliseconds."""
_COUNT_S: Final = 0.5
"""How long the engine's own word about the resources is waited for after they were applied."""
_END_S: Final = 60.0
"""How long the CLI may take to record what was applied."""
_CANCEL_S: Final = 60.0

log = logging.getLogger(__name__)


class ArmedLost(EngineError):
    """The armed update is not there any more, or could not apply what was decided; a plain one does it."""


@dataclass(frozen=True, slots=True)
class Applied:
    """What the decided program has done to the world.

    Attributes:
        outputs: the stack outputs, secrets masked.
        changes: how many resources underwent each operation.
        seconds: from the verdict until the last resource was changed.
    """

    outputs: Mapping[str, Any]
    changes: Mapping[str, int]
    seconds: float


class ArmedUpdate:
    """One update that waits for its verdict; it holds the stack's lock meanwhile.

    Args:
        update: runs the update to its end: `update(program, message=, stop=, on_event=)`, as `StackHandle.update`.
        message: what the history shows, whatever is decided.
        locks: the files of the stack's lock, None where they cannot be seen.
    """

    def __init__(
        self,
        update: Callable[..., Update],
        *,
        message: str,
        locks: Callable[[], frozenset[Path] | None] = lambda: None,
    ) -> None:
        self.message = message
        self.outcomes: frozenset[str] = frozenset()
        self._update = update
        self._holds: frozenset[Key] = frozenset()
        self._locks = locks
        self._lock_files: frozenset[Path] | None = None
        self._program = ArmedProgram(self._hear_program)
        self._collector = Collector()
        self._done: set[str] = set()
        self._heard = threading.Condition()
        self._stop = Stop()
        self._ready = threading.Event()
        self._known = threading.Event()
        self._ended = threading.Event()
        self._fired_at = 0.0
        self._applied_at: float | None = None
        self._result: Update | None = None
        self._error: BaseException | None = None
        self._thread = threading.Thread(target=self._run, name="launch-armed", daemon=True)

    # --- before the verdict

    def start(self) -> ArmedUpdate:
        """Start the engine, if it is not started yet; returns at once."""
        if self._thread.ident is None:
            self._thread.start()
        return self

    def provide(self, outcomes: Mapping[str, Outcome], *, holds: frozenset[Key] = frozenset()) -> ArmedUpdate:
        """Say what may be decided, by name; the engine may be starting meanwhile.

        Args:
            outcomes: by name.
            holds: the resources that the stack holds now; one that the decided program does not register is deleted
                when the update ends, and only then everything is applied.
        """
        self._holds = holds
        self.outcomes = frozenset(outcomes)
        self._program.provide(outcomes)
        return self

    def wait_ready(self, seconds: float) -> bool:
        """Wait until everything is done that can be done before the verdict; False where it is not so far.

        Raises:
            ArmedLost: the update ended.
        """
        ready = self._ready.wait(seconds)
        self._must_live()
        return ready

    @property
    def decided(self) -> str | None:
        """The outcome that was decided."""
        return self._program.decided

    @property
    def dead(self) -> str | None:
        """Why it cannot be decided any more, None while it can: its engine died, or somebody took its lock away."""
        if self._ended.is_set():
            return str(self._error) if self._error is not None else "the update ended by itself"
        if self._lock_lost:
            return "somebody cancelled it: the stack's lock is gone"
        return None

    @property
    def _lock_lost(self) -> bool:
        return bool(self._lock_files) and not any(path.exists() for path in self._lock_files or ())

    # --- the verdict

    def fire(self, outcome: str) -> str:
        """Decide; returns at once, with what was decided: the first word counts.

        Raises:
            ArmedLost: it is not there any more.
            KeyError: it has no such outcome.
        """
        if self.decided is None:
            self._must_live()
            self._fired_at = time.monotonic()
        return self._program.decide(outcome)

    def wait_applied(self, seconds: float, stop: threading.Event | None = None) -> Applied:
        """Wait until what was decided is applied; the engine may still have to record it.

        Args:
            seconds: then the update is cancelled.
            stop: set by somebody who wants it to end; what takes only a moment is finished all the same.

        Raises:
            UpdateStopped: the time was over, or it was asked to stop.
            ArmedLost: it could not be applied; a plain update says whether it can be.
        """
        limit = time.monotonic() + seconds
        while not self._known.wait(0.1):
            now = time.monotonic()
            stopped = stop is not None and stop.is_set()
            if now >= limit or (stopped and now - self._fired_at > _STOP_S):
                self.cancel()
                timed_out = not stopped
                why = "its time was over" if timed_out else "it was asked to stop"
                raise UpdateStopped(f"{self.message} was cancelled because {why}", stack="", timed_out=timed_out)
        if self._applied_at is None:
            self._must_have_succeeded()
        at = self._applied_at or time.monotonic()
        changes = self._count()
        return Applied(self._program.outputs, changes, at - self._fired_at)

    # --- the end

    def wait_end(self, seconds: float = _END_S) -> Update:
        """Wait until the engine has recorded everything and the stack's lock is free.

        Raises:
            ArmedLost: that failed, though what was decided may be applied.
        """
        if not self._ended.wait(seconds):
            self.cancel()
        return self._must_have_succeeded()

    @property
    def ended(self) -> bool:
        """Whether the engine has ended and the lock is free."""
        return self._ended.is_set()

    def cancel(self) -> None:
        """End it as it is, and wait until it has ended."""
        if self._lock_lost:
            self._stop.disown()
        self._stop.set()
        self._ended.wait(_CANCEL_S)

    def give_up(self, seconds: float) -> None:
        """End it at once; nobody waits for it longer than that."""
        if self._lock_lost:
            self._stop.disown()
        self._stop.set()
        self._ended.wait(seconds)

    # --- within

    def _run(self) -> None:
        try:
            self._result = self._update(
                self._program, message=self.message, stop=self._stop, on_event=self._hear_engine
            )
        except BaseException as error:  # noqa: BLE001 - whoever waits is told
            self._error = error
            log.debug("the armed update ended: %s", error)
        finally:
            self._ended.set()
            self._known.set()
            self._ready.set()
            with self._heard:
                self._heard.notify_all()

    def _hear_program(self, what: str) -> None:
        if what == "ready":
            self._stop.idle = True
            self._lock_files = self._locks()
            self._ready.set()
        elif self._holds <= self._program.registered.keys():
            self._applied_at = time.monotonic()
            self._known.set()

    def _hear_engine(self, event: ResourceEvent) -> None:
        with self._heard:
            self._collector.add(event)
            if event.kind == "done":
                self._done.add(event.urn)
                self._heard.notify_all()

    def _count(self) -> Mapping[str, int]:
        if self._result is not None:
            return self._result.changes
        urns = set(self._program.registered.values())
        with self._heard:
            self._heard.wait_for(lambda: urns <= self._done or self._ended.is_set(), _COUNT_S)
            steps = [step for step in self._collector.resources if step.op != "refresh"]
        # As the engine counts: without the providers.
        return Counter(step.op for step in steps if not step.type.startswith(PROVIDER_PREFIX))

    def _must_live(self) -> None:
        dead = self.dead
        if dead is not None and self.decided is None:
            self._stop.disown()
            raise ArmedLost(dead)

    def _must_have_succeeded(self) -> Update:
        if self._result is None:
            raise ArmedLost(str(self._error or "it did not end")) from self._error
        return self._result


def forward(program: Callable[[], Any], holds: frozenset[Key], *, late: bool = False) -> Outcome:
    """Return the outcome that goes on.

    Args:
        program: the next step's.
        holds: what the stack holds now, which tells about how much it will register.
        late: it has side effects, so that it may only run once it is decided.
    """
    return Outcome(program, Side(FORWARD, late=late), 0 if late else len(holds) + 8)


def replayed(name: str, program: Callable[[], Any], known: frozenset[Key]) -> Outcome:
    """Return the outcome that makes the stack what a checkpoint was, which holds those resources."""
    return Outcome(program, Side(name, known), len(known))
