"""Events are a contract: what is written can be read again, by this version and by scripts."""

from __future__ import annotations

import dataclasses
import json
from datetime import UTC, datetime
from typing import Any, get_type_hints

import pytest
from hypothesis import given
from hypothesis import strategies as st

from phases import events
from phases.events import Event, parse
from phases.states import LaunchState, PhaseState
from phases.verdict import Verdict

# Not `Event.__subclasses__()`: a dataclass with slots leaves the class behind that it was made from.
KINDS = [kind for kind in vars(events).values() if isinstance(kind, type) and issubclass(kind, Event) and kind != Event]
TEXT = st.text(max_size=20)
# The contract has milliseconds and four digits after the point.
NUMBER = st.integers(-(10**9), 10**9).map(lambda number: number / 10_000)
TIME = st.datetimes(datetime(2000, 1, 1), datetime(2100, 1, 1), timezones=st.just(UTC)).map(  # noqa: DTZ001 - bounds
    lambda moment: moment.replace(microsecond=moment.microsecond // 1000 * 1000)
)


def _of(event: type[Event], name: str, hint: object) -> st.SearchStrategy[Any]:
    if name == "time":
        return TIME
    if name in ("from_", "to"):
        return st.sampled_from(list(PhaseState if event is events.PhaseMoved else LaunchState))
    plain: dict[object, st.SearchStrategy[Any]] = {
        str: TEXT,
        bool: st.booleans(),
        int: st.integers(),
        float: NUMBER,
        Verdict: st.sampled_from(list(Verdict)),
        LaunchState: st.sampled_from(list(LaunchState)),
    }
    if hint in plain:
        return plain[hint]
    text = str(hint)
    if text.startswith("tuple"):
        return st.lists(TEXT, max_size=3).map(tuple)
    if "None" in text and "Mapping" not in text:
        return st.none() | TEXT
    if "Any" in text:
        return st.dictionaries(TEXT, st.none() | st.booleans() | st.integers() | TEXT, max_size=3)
    values = st.integers() if "int]" in text else TEXT if "str, str]" in text else NUMBER
    return st.dictionaries(TEXT, values | st.none() if "None" in text else values, max_size=3)


@st.composite
def every_event(draw: st.DrawFn) -> Event:
    kind = draw(st.sampled_from(KINDS))
    hints = get_type_hints(kind)
    return kind(**{f.name: draw(_of(kind, f.name, hints[f.name])) for f in dataclasses.fields(kind)})


@given(every_event())
def test_what_is_written_is_read_again(event: Event) -> None:
    assert parse(json.loads(json.dumps(event.to_json()))) == event


@given(every_event())
def test_every_event_begins_with_when_what_and_where(event: Event) -> None:
    assert list(event.to_json())[:4] == ["time", "launch", "environment", "event"]


PROMISED = {
    "launch.started": set(),
    "phase.moved": {"phase", "from", "to", "reason"},
    "gate.checked": {"phase", "gate", "verdict", "evidence"},
    "update.started": {"stack", "message"},
    "update.applied": {"stack", "message", "changes", "seconds"},
    "breaker.tripped": {"metric", "value", "limit"},
    "rollback.started": set(),
    "launch.ended": {"state", "seconds"},
}


@pytest.mark.parametrize("name", PROMISED)
def test_promised_events_have_the_promised_keys(name: str) -> None:
    kind = next(kind for kind in KINDS if kind.name == name)
    assert {field.name.rstrip("_") for field in dataclasses.fields(kind)} >= PROMISED[name]


def test_an_event_of_a_newer_version_is_refused_by_name() -> None:
    with pytest.raises(ValueError, match=r"unknown event 'launch\.reconsidered'"):
        parse({"event": "launch.reconsidered"})
