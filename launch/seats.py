"""The next update of one stack, from the moment it is armed until what it did is recorded."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from phases.errors import EngineError, UpdateStopped
from stacks.armed import BACK, FORWARD, STAY, Applied, ArmedLost, ArmedUpdate

_END_S: Final = 60.0
_GIVE_UP_S: Final = 3.0

log = logging.getLogger(__name__)

Make = Callable[[], ArmedUpdate | None]


@dataclass(frozen=True, slots=True)
class Wording:
    """What the history says of an update.

    Attributes:
        launch: id of the launch.
        forward: title of the next step.
        back: title of the way back.
        stack: whose it is.
    """

    launch: str
    forward: str
    back: str
    stack: str

    def either(self, *, forward: bool, back: bool) -> str:
        """Return the message while nothing is decided."""
        if not forward:
            return f"{self.launch} {self.back}, or nothing"
        return f"{self.launch} {self.forward}, or {'back' if back else 'nothing'}"

    def of(self, outcome: str) -> str:
        """Return the message of what was decided."""
        text = {FORWARD: self.forward, BACK: self.back, STAY: f"{self.stack} stays as it is"}[outcome]
        return f"{self.launch} {text}"


class Seat:
    """The next update of one stack: on its way, waiting for its verdict, or decided and being recorded.

    Args:
        step: id of the step that it can take; None where it can only go back.
        wording: its last words.
        reword: tells the history what the update did: `reword(old=..., new=...)`.
    """

    def __init__(self, step: str | None, wording: Wording, reword: Callable[..., object]) -> None:
        self.step = step
        self._wording = wording
        self._reword = reword
        self._lock = threading.Lock()
        self._made = threading.Event()
        self._update: ArmedUpdate | None = None
        self._wanted: str | None = None
        self._over = False

    def make(self, make: Make) -> None:
        """Arm the update; on a thread of its own."""
        try:
            update = make()
        except EngineError as error:
            log.info("the next update could not be armed, it is made in the ordinary way: %s", error)
            update = None
        except Exception:  # whatever it is, the step itself meets it again, and whoever takes this must not wait
            log.exception("the next update could not be armed, it is made in the ordinary way")
            update = None
        with self._lock:
            self._update = update
            wanted, over = self._wanted, self._over
        try:
            if update is not None and over:
                update.give_up(0.0)
            elif update is not None and wanted in update.outcomes:
                update.fire(wanted)
        except ArmedLost:
            pass  # whoever takes it is told
        finally:
            self._made.set()

    def pull(self, outcome: str) -> None:
        """Decide without waiting, as soon as there is something to decide."""
        with self._lock:
            self._wanted = outcome
            update = self._update
        if update is not None and outcome in update.outcomes:
            try:
                update.fire(outcome)
            except ArmedLost as lost:
                log.warning("the armed update is gone: %s", lost)

    def take(self, outcome: str, seconds: float, stop: threading.Event | None) -> Applied | None:
        """Decide, and return what was applied; None where that has to be done in the ordinary way.

        Raises:
            UpdateStopped: the time was over, or it was asked to stop.
        """
        limit = time.monotonic() + seconds
        while not self._made.wait(0.1):
            timed_out = time.monotonic() >= limit
            if timed_out or (stop is not None and stop.is_set()):
                why = "its time was over" if timed_out else "it was asked to stop"
                raise UpdateStopped(
                    f"the update of {self._wording.stack} was not made, because {why} before its engine had started",
                    stack=self._wording.stack,
                    timed_out=timed_out,
                )
        update = self._update
        if update is None:
            return None
        if outcome not in update.outcomes:
            self.leave()
            return None
        try:
            if update.fire(outcome) == outcome:
                return update.wait_applied(max(limit - time.monotonic(), 0.1), stop)
        except ArmedLost as lost:
            log.warning("the armed update is gone, a plain one is made: %s", lost)
        self._end(update)
        return None

    @property
    def made(self) -> bool:
        """Whether it is known if there is something to decide."""
        return self._made.is_set()

    @property
    def lost(self) -> str | None:
        """Why there is nothing to decide any more, None while there is or will be."""
        return self._update.dead if self._update is not None else None

    @property
    def ended(self) -> bool:
        """Whether nothing is left to be waited for."""
        return self._made.is_set() and (self._update is None or self._update.ended)

    def settle(self) -> None:
        """Wait until what was decided is recorded.

        Raises:
            ArmedLost: it could not be.
        """
        update = self._update
        if update is not None:
            update.wait_end()
            self._say(update)

    def leave(self) -> None:
        """Let go: the stack stays as it is, and its lock is free."""
        self.pull(STAY)
        if self._made.wait(_END_S) and self._update is not None:
            self._end(self._update)

    def give_up(self) -> None:
        """End it at once, whatever it does."""
        with self._lock:
            self._over = True
            update = self._update
        if update is not None:
            update.give_up(_GIVE_UP_S)

    def _end(self, update: ArmedUpdate) -> None:
        try:
            if update.decided is None:
                update.cancel()
            else:
                update.wait_end()
                self._say(update)
        except ArmedLost as lost:
            log.info("the armed update ended badly: %s", lost)

    def _say(self, update: ArmedUpdate) -> None:
        if update.decided is not None:
            self._reword(old=update.message, new=self._wording.of(update.decided))
