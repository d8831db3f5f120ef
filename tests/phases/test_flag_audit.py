from __future__ import annotations

import json
from datetime import date

from phases.flag_audit import HEADINGS, audit, owing
from phases.flags import FlagSpec

TODAY = date(2026, 11, 23)
TIDY = FlagSpec(key="tidy", owner="anna", created=date(2026, 11, 22), expires=date(2027, 3, 1), cleanup="#12")
LATE = FlagSpec(key="late", owner="anna", created=date(2026, 1, 1), expires=date(2026, 11, 13), cleanup="#13")
LATER = FlagSpec(key="later", owner="anna", expires=date(2026, 11, 20), cleanup="#14")
BARE = FlagSpec(key="bare")
SWITCH = FlagSpec(key="switch", kind="operational")


def test_those_that_owe_something_come_first_the_longest_overdue_at_the_top() -> None:
    rows = audit([TIDY, SWITCH, BARE, LATER, LATE], {}, TODAY)
    assert [row.key for row in rows] == ["late", "later", "bare", "tidy", "switch"]
    assert [row.key for row in owing(rows)] == ["late", "later", "bare"]


def test_a_row_says_who_how_old_and_how_long_still() -> None:
    row = audit([TIDY], {"tidy": "on"}, TODAY)[0]
    assert (row.owner, row.age_days, row.days_left, row.state, row.launched) == ("anna", 1, 98, "on", True)
    assert row.owed == ()


def test_a_flag_without_a_recorded_variant_has_its_default() -> None:
    row = audit([TIDY], {}, TODAY)[0]
    assert (row.state, row.launched) == ("off", False)


def test_tables_read_like_sentences() -> None:
    tidy, late, bare = (audit([spec], {}, TODAY)[0].cells() for spec in (TIDY, LATE, BARE))
    assert dict(zip(HEADINGS, tidy, strict=True))["age"] == "1 day"
    assert dict(zip(HEADINGS, tidy, strict=True))["expires"] == "2027-03-01"
    assert dict(zip(HEADINGS, late, strict=True))["expires"] == "2026-11-13 (10 days over)"
    assert dict(zip(HEADINGS, late, strict=True))["owed"] == "removal (expired 2026-11-13)"
    assert bare == ("bare", "release", "off", "-", "-", "-", "owner, expires, cleanup")


def test_an_expiry_that_is_near_says_how_near() -> None:
    soon = TIDY.model_copy(update={"expires": date(2026, 11, 24)})
    assert audit([soon], {}, TODAY)[0].cells()[5] == "2026-11-24 (in 1 day)"


def test_rows_become_json() -> None:
    found = json.loads(json.dumps([row.to_json() for row in audit([LATE, BARE], {}, TODAY)]))
    assert found[0]["expires"] == "2026-11-13"
    assert found[0]["days_left"] == -10
    assert found[1]["owed"] == ["owner", "expires", "cleanup"]
