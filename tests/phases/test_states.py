"""Every pair of states: a move is in the table or it is an error."""

from __future__ import annotations

from itertools import product

import pytest

from phases.states import (
    LAUNCH_MOVES,
    OWNING,
    PHASE_MOVES,
    IllegalMove,
    LaunchState,
    PhaseState,
    move_launch,
    move_phase,
)

PHASE_TABLE = {
    "PENDING": {"VALIDATING"},
    "VALIDATING": {"EXECUTING", "ROLLED_BACK", "FAILED"},
    "EXECUTING": {"VERIFIED", "ROLLED_BACK", "FAILED"},
    "VERIFIED": {"ROLLED_BACK", "FAILED"},
    "FAILED": {"ROLLED_BACK"},
    "ROLLED_BACK": set(),
}

LAUNCH_TABLE = {
    "IDLE": {"RUNNING"},
    "RUNNING": {"PAUSED", "COMPLETED", "ROLLED_BACK", "FAILED"},
    "PAUSED": {"RUNNING"},
    "FAILED": {"RUNNING"},
    "COMPLETED": set(),
    "ROLLED_BACK": set(),
}


@pytest.mark.parametrize(("old", "new"), list(product(PhaseState, PhaseState)))
def test_a_phase_moves_only_where_the_design_says(old: PhaseState, new: PhaseState) -> None:
    if new in PHASE_TABLE[old]:
        assert move_phase(old, new) is new
    else:
        with pytest.raises(IllegalMove, match=f"PhaseState: no move from {old} to {new}"):
            move_phase(old, new)


@pytest.mark.parametrize(("old", "new"), list(product(LaunchState, LaunchState)))
def test_a_launch_moves_only_where_the_design_says(old: LaunchState, new: LaunchState) -> None:
    if new in LAUNCH_TABLE[old]:
        assert move_launch(old, new) is new
    else:
        with pytest.raises(IllegalMove, match=f"LaunchState: no move from {old} to {new}"):
            move_launch(old, new)


def test_every_state_has_its_row() -> None:
    assert set(PHASE_MOVES) == set(PhaseState)
    assert set(LAUNCH_MOVES) == set(LaunchState)


def test_every_state_but_the_first_can_be_reached() -> None:
    assert set().union(*PHASE_MOVES.values()) == set(PhaseState) - {PhaseState.PENDING}
    assert set().union(*LAUNCH_MOVES.values()) == set(LaunchState) - {LaunchState.IDLE}


def test_an_environment_is_owned_while_a_launch_is_under_way() -> None:
    assert {LaunchState.RUNNING, LaunchState.PAUSED} == OWNING
