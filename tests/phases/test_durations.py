"""Durations have a unit."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel, ValidationError

from phases.durations import Duration, parse, show
from phases.model import BY_HAND


class Holder(BaseModel):
    length: Duration


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("500ms", 0.5), ("30s", 30), ("5m", 300), ("1h", 3600), ("1h30m", 5400), ("2m5s", 125), ("1.5s", 1.5), ("0s", 0)],
)
def test_they_are_read_in_seconds(text: str, seconds: float) -> None:
    assert parse(text) == pytest.approx(seconds)


@pytest.mark.parametrize(
    "text",
    ["", "5", "s", "5 s", "5sec", "-5s", "5s5m", "5s5s", "1d", "٣s", "5m ", "5s\n", 5, 5.0, True, None, ["5s"]],
)
def test_anything_else_is_refused_with_the_forms_there_are(text: object) -> None:
    with pytest.raises(ValueError, match="a duration with its unit, such as 500ms, 30s, 5m, 1h or 1h30m"):
        parse(text)


def test_a_person_writes_the_unit_and_a_record_need_not() -> None:
    assert Holder.model_validate({"length": 5}).length == 5.0
    assert Holder.model_validate({"length": 2.5}).length == 2.5
    for bare in (5, 2.5, True):
        with pytest.raises(ValidationError):
            Holder.model_validate({"length": bare}, context=BY_HAND)
    with pytest.raises(ValidationError):
        Holder.model_validate({"length": True})


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0, "0s"), (0.25, "250ms"), (1, "1s"), (1.5, "1.5s"), (59, "59s"), (60, "1m"), (125, "2m5s"), (3600, "1h"),
        (5400, "1h30m"),
    ],
)  # fmt: skip
def test_they_are_shown_in_the_shortest_common_form(seconds: float, text: str) -> None:
    assert show(seconds) == text


@given(st.integers(0, 10_000))
def test_what_is_shown_can_be_read(seconds: int) -> None:
    shown = parse(show(seconds))
    assert shown == (seconds if seconds < 3600 else seconds - seconds % 60)


@given(st.floats(0, 1e6))
def test_a_duration_survives_a_record(seconds: float) -> None:
    holder = Holder(length=seconds)
    assert Holder.model_validate_json(holder.model_dump_json()) == holder
