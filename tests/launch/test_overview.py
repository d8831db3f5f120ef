"""How status tells people to go on."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any, cast

import pytest

from launch.overview import lines


def last_line(*, here: bool, alive: bool = False, **record: Any) -> str:  # noqa: ANN401
    """What status says last of a launch in dev."""
    fields = {"environment": "dev", "owns": True, "interrupted": False, "pid": 42, "host": "build-7", "id": "01J"}
    fields |= {"state": "RUNNING", "ended": None, "reason": "", "left": (), "phases": (), "by": "ada@build-7", **record}
    release = SimpleNamespace(image="shop:2.0")
    standing = SimpleNamespace(
        record=SimpleNamespace(**fields, release=release), unfinished=True, alive=alive, is_here=here
    )
    seen: dict[str, Any] = {
        "environment": "dev",
        "traffic": [],
        "services": [],
        "flags": [],
        "schema": {"revision": None},
        "url": None,
    }
    return list(lines(seen, cast("Any", standing)))[-1]


def test_a_launch_whose_process_is_gone_can_be_taken_up() -> None:
    assert last_line(here=True) == (
        "  no process works on it: `python -m launch resume dev` goes on, `abort dev` goes back"
    )


def test_a_launch_on_another_machine_is_not_called_dead() -> None:
    told = last_line(here=False)
    assert "(pid 42) is on build-7 and cannot be seen from here" in told
    assert told.endswith("both with --take-over")


@pytest.mark.parametrize("record", [{"interrupted": True}, {"owns": False, "state": "FAILED"}])
def test_a_launch_that_its_process_left_can_be_taken_up_anywhere(record: dict[str, Any]) -> None:
    assert "no process works on it" in last_line(here=False, **record)


def test_a_launch_at_work_is_left_to_it() -> None:
    assert "goes on" not in last_line(here=True, alive=True)
