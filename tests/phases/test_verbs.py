"""The verbs of `execute` and `rollback`."""

from __future__ import annotations

import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from phases import verbs
from phases.spec import Actions
from phases.verbs import Deploy, DisableTraffic, Migrate, RunProgram, ShiftTraffic, SyntheticTests, parse, written

actions = st.one_of(
    st.builds(Migrate, st.sampled_from(["up", "down"])),
    st.builds(Deploy, st.text()),
    st.just(SyntheticTests()),
    st.just(DisableTraffic()),
    st.builds(ShiftTraffic, st.integers(0, 100)),
    st.builds(RunProgram, st.lists(st.text(min_size=1), min_size=1).map(tuple)),
)


@pytest.mark.parametrize(
    ("text", "action"),
    [
        ("run_migration --direction up", Migrate("up")),
        ("run_migration --direction=down", Migrate("down")),
        ("  deploy   --image  shop:2.0 ", Deploy("shop:2.0")),
        ("deploy --image 'shop:2.0'", Deploy("shop:2.0")),
        ("deploy --image ", Deploy("")),
        ("deploy --image ''", Deploy("")),
        ("deploy --image=", Deploy("")),
        ("run_synthetic_tests", SyntheticTests()),
        ("disable_traffic", DisableTraffic()),
        ("shift_traffic --percent 0", ShiftTraffic(0)),
        ("shift_traffic --percent 100", ShiftTraffic(100)),
    ],
)
def test_a_verb_becomes_an_action(text: str, action: verbs.Action) -> None:
    assert parse(text) == action


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "it must be one of the verbs run_migration, deploy, run_synthetic_tests, disable_traffic, shift_traffic"),
        ("deploi --image x", "'deploi' is not a verb (did you mean deploy?); the verbs are run_migration, deploy"),
        ("reticulate", "'reticulate' is not a verb; the verbs are"),
        ("deploy", "deploy needs --image (name:tag or name@sha256:...)"),
        ("deploy shop:2.0", "'shop:2.0' is not an option of deploy; options are written --name value"),
        ("deploy --image a --image b", "--image is given twice"),
        ("deploy --image a --force", "deploy has no option --force; it takes --image"),
        ("run_migration", "run_migration needs --direction (up or down)"),
        ("run_migration --direction", "run_migration needs --direction (up or down)"),
        ("run_migration --direction sideways", "--direction is 'sideways'; it must be up or down"),
        ("run_synthetic_tests --runs 5", "run_synthetic_tests has no option --runs; it takes none"),
        ("shift_traffic --percent 101", "--percent is '101'; it must be a whole number from 0 to 100"),
        ("shift_traffic --percent -1", "--percent is '-1'; it must be a whole number from 0 to 100"),
        ("shift_traffic --percent 5%", "--percent is '5%'; it must be a whole number from 0 to 100"),
        ("shift_traffic --percent ٣", "it must be a whole number from 0 to 100"),
        ("deploy --image 'x", "its quotes do not match (No closing quotation)"),
    ],
)
def test_a_mistake_says_what_would_be_right(text: str, message: str) -> None:
    with pytest.raises(ValueError, match=re.escape(message)):
        parse(text)


def test_every_verb_is_listed_and_makes_the_action_it_is_listed_with() -> None:
    options = {"run_migration": "--direction up", "deploy": "--image x", "shift_traffic": "--percent 5"}
    for verb, action in verbs.VERBS.items():
        assert type(parse(f"{verb} {options.get(verb, '')}")) is action


@given(actions)
def test_what_is_written_is_read_again(action: verbs.Action) -> None:
    made = Actions.model_validate({"execute": written(action)})
    assert made.execute == action
    assert Actions.model_validate(made.model_dump(mode="json")) == made
    assert Actions.model_validate_json(made.model_dump_json()) == made


@pytest.mark.parametrize(
    "value", [5, [], ["a"], {}, {"run": []}, {"run": "x"}, {"run": [1]}, {"run": [""]}, {"rum": ["x"]}]
)
def test_what_is_neither_verb_nor_program_is_refused(value: Any) -> None:  # noqa: ANN401
    with pytest.raises(ValidationError):
        Actions.model_validate({"execute": value})
