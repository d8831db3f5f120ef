"""The states of a phase and of a launch, and the tables of moves between them.

One function makes every move, so that a state nobody foresaw is an error here and not a surprise in production.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import TypeVar


class PhaseState(StrEnum):
    """Where a phase is."""

    PENDING = "PENDING"
    """Not begun."""
    VALIDATING = "VALIDATING"
    """Its entry gates are being asked."""
    EXECUTING = "EXECUTING"
    """Its updates, bakes and exit gates are under way."""
    VERIFIED = "VERIFIED"
    """All its updates are applied and all its gates passed."""
    ROLLED_BACK = "ROLLED_BACK"
    """What it changed is as it was before the launch."""
    FAILED = "FAILED"
    """It failed and what it changed was not put back: rollback is off for it, or the undo itself failed."""


class LaunchState(StrEnum):
    """Where a launch is."""

    IDLE = "IDLE"
    """Planned, not begun; also an environment in which nothing was ever launched."""
    RUNNING = "RUNNING"
    """It owns the environment."""
    PAUSED = "PAUSED"
    """It owns the environment and waits for `resume`."""
    COMPLETED = "COMPLETED"
    """The release has its users."""
    ROLLED_BACK = "ROLLED_BACK"
    """Everything is as it was before the launch."""
    FAILED = "FAILED"
    """Something is left that a person must finish; the record says what and how."""


PHASE_MOVES: Mapping[PhaseState, frozenset[PhaseState]] = {
    PhaseState.PENDING: frozenset({PhaseState.VALIDATING}),
    PhaseState.VALIDATING: frozenset({PhaseState.EXECUTING, PhaseState.ROLLED_BACK, PhaseState.FAILED}),
    PhaseState.EXECUTING: frozenset({PhaseState.VERIFIED, PhaseState.ROLLED_BACK, PhaseState.FAILED}),
    PhaseState.VERIFIED: frozenset({PhaseState.ROLLED_BACK, PhaseState.FAILED}),
    # An undo that failed is tried again by `resume`.
    PhaseState.FAILED: frozenset({PhaseState.ROLLED_BACK}),
    PhaseState.ROLLED_BACK: frozenset(),
}

LAUNCH_MOVES: Mapping[LaunchState, frozenset[LaunchState]] = {
    LaunchState.IDLE: frozenset({LaunchState.RUNNING}),
    LaunchState.RUNNING: frozenset(
        {LaunchState.PAUSED, LaunchState.COMPLETED, LaunchState.ROLLED_BACK, LaunchState.FAILED}
    ),
    LaunchState.PAUSED: frozenset({LaunchState.RUNNING}),
    # `resume` takes an incomplete rollback up again.
    LaunchState.FAILED: frozenset({LaunchState.RUNNING}),
    LaunchState.COMPLETED: frozenset(),
    LaunchState.ROLLED_BACK: frozenset(),
}

OWNING = frozenset({LaunchState.RUNNING, LaunchState.PAUSED})
"""A launch in one of these states owns its environment; no other may start."""

S = TypeVar("S", PhaseState, LaunchState)


class IllegalMove(RuntimeError):
    """A move that the table does not hold: a bug of ours, never a user's mistake."""


def move_phase(old: PhaseState, new: PhaseState) -> PhaseState:
    """Return `new` where a phase may move to it from `old`.

    Raises:
        IllegalMove: the table does not hold the move.
    """
    return _move(old, new, PHASE_MOVES)


def move_launch(old: LaunchState, new: LaunchState) -> LaunchState:
    """Return `new` where a launch may move to it from `old`.

    Raises:
        IllegalMove: the table does not hold the move.
    """
    return _move(old, new, LAUNCH_MOVES)


def _move(old: S, new: S, table: Mapping[S, frozenset[S]]) -> S:
    if new not in table[old]:
        raise IllegalMove(f"{type(old).__name__}: no move from {old} to {new}")
    return new
