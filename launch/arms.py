"""The updates that are under way before it is decided what they do: one a stack, two at once at most.

Each costs a process of the engine and one of the provider while it waits (130 to 260 MiB together).
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from typing import Final

from launch.seats import Make, Seat, Wording
from phases.errors import EngineError, UpdateStopped
from stacks.armed import BACK, FORWARD, STAY, Applied, ArmedLost, ArmedUpdate

MOST: Final = 2
MOST_DEATHS: Final = 3
"""How often an update that died while it waited is armed again."""

log = logging.getLogger(__name__)


class Arms:
    """The seats of one launch, by stack.

    Attributes:
        sound: stacks that this launch has updated, and nothing has gone wrong since.
    """

    def __init__(self) -> None:
        self.sound: set[str] = set()
        self._seats: dict[str, Seat] = {}
        self._settling: dict[str, tuple[Seat, Callable[[], None]]] = {}
        self._deaths: dict[str, int] = {}
        self._closed = False

    def seat(self, stack: str, step: str | None, wording: Wording, reword: Callable[..., object], make: Make) -> None:
        """Arm the stack's next update, unless that is under way; returns at once.

        What the stack did last is recorded first; another update that waits there makes room.
        """
        before = self._seats.get(stack)
        if self._closed or (before is not None and before.step == step and not before.lost):
            return
        if before is not None and before.lost:
            self._deaths[stack] = self._deaths.get(stack, 0) + 1
            if self._deaths[stack] > MOST_DEATHS:
                return
            log.warning("the armed update of %s is gone (%s), another one is armed", stack, before.lost)
        if before is None and len(self._seats) >= MOST:
            return
        recording = self._settling.get(stack)
        seat = self._seats[stack] = Seat(step, wording, reword)

        def arm() -> ArmedUpdate | None:
            if before is not None:
                before.leave()
            if recording is not None:
                recording[0].settle()
            return None if self._closed else make()

        threading.Thread(target=seat.make, args=(arm,), name=f"launch-arms-{stack}", daemon=True).start()

    def armed(self, stack: str, step: str | None) -> bool:
        """Whether the stack's update with that step waits, or is on its way."""
        seat = self._seats.get(stack)
        return seat is not None and seat.step == step and not seat.lost

    def pull(self, stack: str) -> None:
        """Let the stack go back now; returns at once."""
        seat = self._seats.get(stack)
        if seat is not None:
            seat.pull(BACK)

    def take(
        self, stack: str, step: str | None, outcome: str, seconds: float, stop: threading.Event | None
    ) -> tuple[Seat, Applied] | None:
        """Decide the stack's next update; None where it has to be made in the ordinary way, and then can be.

        Raises:
            UpdateStopped: the time was over, or it was asked to stop.
        """
        seat = self._seats.pop(stack, None)
        if seat is None:
            return None
        if outcome == FORWARD and seat.step != step:
            seat.leave()
            return None
        try:
            applied = seat.take(outcome, seconds, stop)
        except UpdateStopped:
            if not seat.made:  # it comes all the same, with the stack's lock: it is for the undo, or is let go of
                self._seats[stack] = seat
            raise
        return None if applied is None else (seat, applied)

    def record(self, stack: str, seat: Seat, again: Callable[[], None]) -> None:
        """Remember that an applied update is being recorded; `again` makes it once more where that fails."""
        self._settling[stack] = (seat, again)

    def recorded(self, stack: str) -> bool:
        """Whether `settle` has nothing to wait for."""
        found = self._settling.get(stack)
        return found is None or found[0].ended

    def settle(self, stack: str) -> None:
        """Wait until what the stack did last is recorded.

        Raises:
            EngineError: it could not be, not even by a second update.
        """
        found = self._settling.pop(stack, None)
        if found is None:
            return
        seat, again = found
        try:
            seat.settle()
        except ArmedLost as lost:
            log.warning("what was applied could not be recorded, it is done again: %s", lost)
            waiting = self._seats.pop(stack, None)
            if waiting is not None:
                waiting.leave()
            again()

    def rest(self) -> None:
        """Let go of everything, changing nothing."""
        self._closed = True
        seats = list(self._seats.values())
        self._seats.clear()
        for seat in seats:
            seat.pull(STAY)
        for seat in seats:
            seat.leave()
        for stack in list(self._settling):
            try:
                self.settle(stack)
            except EngineError as error:
                log.warning("what was applied to %s is not recorded: %s", stack, error)

    def give_up(self) -> None:
        """End everything at once: nobody waits any more."""
        self._closed = True
        for seat in [*self._seats.values(), *(seat for seat, _ in self._settling.values())]:
            seat.give_up()
        self._seats.clear()
