"""A migration is let through if the running version can go on beside it and there is a way back."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import pytest
from pydantic import ValidationError

from phases.gates.base import GateContext, PendingStatement, StairwayOutcome
from phases.gates.registry import GATES
from phases.gates.schema_compatibility import SchemaCompatibility
from phases.verdict import Verdict

ADD = "ALTER TABLE item ADD COLUMN colour TEXT"
DROP = "ALTER TABLE item DROP COLUMN name"
FILL = "UPDATE item SET name = upper(name)"
GOOD = StairwayOutcome(ok=True)
WIDEN = "ALTER TABLE item ALTER COLUMN name TYPE VARCHAR(50)"


class MakeContext(Protocol):
    def __call__(self, **changes: object) -> GateContext: ...


@dataclass
class Fake:
    """A database with statements that wait."""

    statements: Sequence[tuple[str, str]] = ()
    dialect: str = "postgres"
    snapshot: bool = False
    outcome: StairwayOutcome = GOOD
    error: Exception | None = None
    climbed: int = 0

    def pending(self) -> tuple[PendingStatement, ...]:
        if self.error is not None:
            raise self.error
        return tuple(PendingStatement(revision, sql) for revision, sql in self.statements)

    def stairway(self) -> StairwayOutcome:
        self.climbed += 1
        return self.outcome


@dataclass
class Knowing(Fake):
    """One that can also say what is in it."""

    def tables(self) -> tuple[str, ...]:
        return ("CREATE TABLE item (id INTEGER, name VARCHAR(20))",)


def fake(*statements: tuple[str, str], **options: Any) -> Fake:  # noqa: ANN401 - the fake's fields
    return Fake(statements, **options)


def test_the_gate_is_known_by_its_name() -> None:
    assert GATES["schema_compatibility"] is SchemaCompatibility


def test_without_a_database_or_a_migration_it_passes(make_context: MakeContext) -> None:
    assert SchemaCompatibility().check(make_context(database=None)).verdict is Verdict.PASSED
    database = fake()
    result = SchemaCompatibility().check(make_context(database=database))
    assert (result.verdict, result.reason) == (Verdict.PASSED, "no migration in this release")
    assert database.climbed == 0


def test_an_additive_migration_that_was_rehearsed_passes(make_context: MakeContext) -> None:
    database = fake(("0002", ADD), ("0003", "CREATE TABLE line (id INTEGER)"))

    result = SchemaCompatibility().check(make_context(database=database))

    assert result.verdict is Verdict.PASSED
    assert result.reason == "2 statements, all additive; up, down and up again worked on a copy"
    assert result.evidence["revisions"] == ["0002", "0003"]
    assert result.evidence["statements"][0] == {
        "revision": "0002",
        "statement": ADD,
        "class": "additive",
        "reason": "item.colour is new and may be NULL: the version before leaves it out",
        "table": "item",
        "column": "colour",
        "allowed": True,
    }
    assert result.evidence["stairway"] == {"ok": True, "error": None, "irreversible": []}
    assert database.climbed == 1


@pytest.mark.parametrize(("sql", "kind"), [(DROP, "breaking"), (FILL, "data"), ("SELECT f(1)", "unknown")])
def test_anything_else_fails_and_says_why_before_any_rehearsal(make_context: MakeContext, sql: str, kind: str) -> None:
    database = fake(("0002", ADD), ("0003", sql))

    result = SchemaCompatibility().check(make_context(database=database))

    assert result.verdict is Verdict.FAILED
    assert result.reason.startswith(f"a statement is not safe beside the running version: {kind}: ")
    assert [each["class"] for each in result.evidence["statements"]] == ["additive", kind]
    assert database.climbed == 0


def test_a_long_list_is_counted_and_the_evidence_has_it_all(make_context: MakeContext) -> None:
    database = fake(*[("0002", f"DROP TABLE t{number}") for number in range(5)])

    result = SchemaCompatibility().check(make_context(database=database))

    assert result.reason.startswith("5 statements are not safe")
    assert result.reason.endswith("and 2 more")
    assert len(result.evidence["statements"]) == 5


@pytest.mark.parametrize(
    ("allow", "sql", "verdict"),
    [
        (("data",), FILL, Verdict.PASSED),
        (("unknown",), FILL, Verdict.FAILED),
        (("0002",), FILL, Verdict.PASSED),
        (("0002",), DROP, Verdict.PASSED),
        (("breaking",), DROP, Verdict.FAILED),
        (("0003",), DROP, Verdict.FAILED),
    ],
)
def test_a_person_may_have_judged_a_revision_or_a_class_safe(
    make_context: MakeContext, allow: tuple[str, ...], sql: str, verdict: Verdict
) -> None:
    """A breaking statement only ever by its revision: nobody looks at what is allowed in general."""
    result = SchemaCompatibility(allow=allow).check(make_context(database=fake(("0002", sql))))

    assert result.verdict is verdict


def test_compatibility_may_be_waived_and_is_reported_still(make_context: MakeContext) -> None:
    result = SchemaCompatibility(backward_compatible=False).check(make_context(database=fake(("0002", DROP))))

    assert result.verdict is Verdict.PASSED
    assert "not safe beside the running version" in result.warnings[0]
    assert result.evidence["statements"][0]["allowed"] is False


def test_a_rehearsal_that_fails_fails_the_gate(make_context: MakeContext) -> None:
    database = fake(("0002", ADD), outcome=StairwayOutcome(ok=False, error="0002 (down): no such column"))

    result = SchemaCompatibility().check(make_context(database=database))

    assert result.verdict is Verdict.FAILED
    assert "0002 (down): no such column" in result.reason


def test_no_way_down_needs_a_snapshot(make_context: MakeContext) -> None:
    outcome = StairwayOutcome(ok=True, irreversible=("0002",))

    without = SchemaCompatibility().check(make_context(database=fake(("0002", ADD), outcome=outcome)))
    with_one = SchemaCompatibility().check(make_context(database=fake(("0002", ADD), outcome=outcome, snapshot=True)))

    assert without.verdict is Verdict.FAILED
    assert "`snapshot: true`" in without.reason
    assert with_one.verdict is Verdict.PASSED
    assert "loses what was written since" in with_one.warnings[0]


def test_the_rehearsal_may_be_left_out_and_is_not_begun_when_nobody_waits(make_context: MakeContext) -> None:
    database = fake(("0002", ADD))
    assert SchemaCompatibility(stairway=False).check(make_context(database=database)).verdict is Verdict.PASSED
    stop = threading.Event()
    stop.set()
    SchemaCompatibility().check(make_context(database=database, stop=stop))

    assert database.climbed == 0


def test_what_hurts_without_breaking_is_a_warning(make_context: MakeContext) -> None:
    result = SchemaCompatibility().check(make_context(database=fake(("0002", "CREATE INDEX ix ON item (name)"))))

    assert result.verdict is Verdict.PASSED
    assert "keeps writers out" in result.warnings[0]


def test_a_database_that_can_say_what_is_in_it_makes_it_exact(make_context: MakeContext) -> None:
    statements = (("0002", WIDEN),)

    assert SchemaCompatibility().check(make_context(database=Fake(statements))).verdict is Verdict.FAILED
    assert SchemaCompatibility().check(make_context(database=Knowing(statements))).verdict is Verdict.PASSED


def test_what_could_not_be_looked_at_is_no_bad_migration(make_context: MakeContext) -> None:
    database = fake(error=RuntimeError("no connection with hunter22"))

    result = SchemaCompatibility().check(make_context(database=database, secrets=("hunter22",)))

    assert result.verdict is Verdict.INCONCLUSIVE
    assert "no connection with [secret]" in result.reason


def test_another_database_is_inconclusive(make_context: MakeContext) -> None:
    result = SchemaCompatibility().check(make_context(database=fake(("1", ADD), dialect="oracle")))

    assert result.verdict is Verdict.INCONCLUSIVE


def test_secrets_in_statements_do_not_reach_the_evidence(make_context: MakeContext) -> None:
    sql = "CREATE USER app PASSWORD 'hunter22'"

    result = SchemaCompatibility().check(make_context(database=fake(("1", sql)), secrets=("hunter22",)))

    assert "hunter22" not in f"{result.reason}{result.evidence}{result.warnings}"


def test_settings_are_strict() -> None:
    with pytest.raises(ValidationError):
        SchemaCompatibility(backwards_compatible=True)  # type: ignore[call-arg]
