# ruff: noqa: ANN401 - a property value may be anything
from __future__ import annotations

import base64
import gzip
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stacks import parachute
from stacks.checkpoint import Checkpoint, CheckpointUnreadable
from stacks.parachute import KEY, Parachute
from tests.stacks.replay_builders import secret, state, thing


def test_a_parachute_is_one_string_that_brings_everything_back() -> None:
    before = state(thing("a", {"password": secret("hunter2")}), outputs={"url": "http://shop"})
    packed = parachute.encode(Parachute("01J8", before))
    assert packed.isascii()
    assert parachute.decode(packed) == Parachute("01J8", before)


def test_a_first_launch_goes_back_to_nothing() -> None:
    first = parachute.decode(parachute.encode(Parachute("01J8")))
    assert first.checkpoint is None
    assert first.target == Checkpoint()


def test_the_parachute_of_the_launch_before_is_left_out() -> None:
    """Otherwise each launch would carry all launches before it."""
    packed = ""
    sizes = []
    for number in range(4):
        before = state(thing("a", {"n": number}), outputs={"url": "x", KEY: secret(packed)})
        packed = parachute.encode(Parachute(f"launch-{number}", before))
        sizes.append(len(packed))
        found = parachute.decode(packed).checkpoint
        assert found
        assert dict(found.outputs) == {"url": "x"}
    assert max(sizes) - min(sizes) < 16


def test_the_same_parachute_is_always_the_same_string() -> None:
    """An update that only repeats it must change nothing."""
    assert parachute.encode(Parachute("1", state(thing("a")))) == parachute.encode(Parachute("1", state(thing("a"))))


def test_it_is_found_among_the_outputs_of_a_checkpoint() -> None:
    carried = Parachute("01J8", state(thing("a")))
    assert parachute.read(state(outputs={KEY: secret(parachute.encode(carried))}).outputs) == carried
    assert parachute.read(state(outputs={"url": "x"}).outputs) is None
    assert parachute.read({}) is None


def test_its_repr_shows_no_secret() -> None:
    assert "hunter2" not in repr(Parachute("1", state(thing("a", {"password": secret("hunter2")}))))


def _pack(document: Any) -> str:
    return base64.b64encode(gzip.compress(json.dumps(document).encode())).decode()


@pytest.mark.parametrize(
    "damaged",
    [
        pytest.param("", id="nothing"),
        pytest.param("not base64!", id="not base64"),
        pytest.param(base64.b64encode(b"not gzip").decode(), id="not gzip"),
        pytest.param(base64.b64encode(gzip.compress(b"not json hunter2")).decode(), id="not json"),
        pytest.param(parachute.encode(Parachute("1"))[:-8], id="cut off"),
        pytest.param(_pack(["hunter2"]), id="a list"),
        pytest.param(_pack({"launch": "1"}), id="no checkpoint"),
        pytest.param(_pack({"launch": "1", "checkpoint": "hunter2"}), id="no state as checkpoint"),
    ],
)
def test_a_damaged_parachute_is_an_error_that_shows_nothing_of_it(damaged: str) -> None:
    with pytest.raises(CheckpointUnreadable) as caught:
        parachute.decode(damaged)
    assert "hunter2" not in str(caught.value)
    assert caught.value.__suppress_context__


@given(st.text(max_size=20), st.dictionaries(st.text(max_size=8), st.text(max_size=20) | st.integers(), max_size=4))
def test_every_launch_id_and_state_survives(launch: str, inputs: dict[str, Any]) -> None:
    carried = Parachute(launch, state(thing("a", inputs)))
    assert parachute.decode(parachute.encode(carried)) == carried
