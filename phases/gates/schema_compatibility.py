"""`schema_compatibility`: the version before can go on while the schema moves, and there is a way back."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar, Protocol, cast, get_args, runtime_checkable

from phases.gates.base import Gate, GateContext, PendingStatement, SchemaDatabase, StairwayOutcome
from phases.sql.classified import Classified, Dialect
from phases.verdict import GateResult, failed, inconclusive, passed

_NAMED = 3
"""Statements that a reason names; the evidence has them all."""


@runtime_checkable
class KnowsTables(Protocol):
    """A database that can also say what is in it, which makes the classes more exact."""

    def tables(self) -> Sequence[str]:
        """Return CREATE TABLE and CREATE INDEX statements of the schema as it is now."""
        ...


class SchemaCompatibility(Gate):
    """Classifies each statement of the migration, and rehearses it on a scratch copy of the real database."""

    type: ClassVar[str] = "schema_compatibility"

    backward_compatible: bool = True
    """Fail on statements that are not safe beside the running version; else only report them."""
    stairway: bool = True
    """Go up, down and up again on a scratch copy of the real database."""
    allow: tuple[str, ...] = ()
    """Revisions that a person has judged safe, or the classes `data` and `unknown`."""

    def check(self, context: GateContext) -> GateResult:
        """Judge what is pending."""
        database = context.database
        if database is None:
            return passed("this environment has no database")
        try:
            result = self._judge(context, database)
        except Exception as error:  # noqa: BLE001 - a database may fail in any way, and that is no bad migration
            result = inconclusive(f"the migration could not be looked at: {error}")
        return _scrubbed(result, context.secrets)

    def _judge(self, context: GateContext, database: SchemaDatabase) -> GateResult:
        if database.dialect not in get_args(Dialect):
            return inconclusive(f"migrations on {database.dialect} cannot be read; only sqlite and postgres can")
        pending = tuple(database.pending())
        if not pending:
            return passed("no migration in this release")
        classified = classify_pending(pending, database)
        evidence: dict[str, Any] = {
            "dialect": database.dialect,
            "revisions": list(dict.fromkeys(each.revision for each in pending)),
            "statements": [
                {"revision": revision, **found.evidence(), "allowed": self._allows(revision, found)}
                for revision, found in classified
            ],
        }
        warnings = tuple(found.warning for _, found in classified if found.warning is not None)
        unsafe = [found for revision, found in classified if not self._allows(revision, found)]
        if unsafe and self.backward_compatible:
            return failed(_unsafe(unsafe), evidence, warnings=warnings)
        if unsafe:
            warnings = (*warnings, _unsafe(unsafe))
        if self.stairway and not context.stop.is_set():
            outcome = database.stairway()
            evidence["stairway"] = _outcome(outcome)
            problem = _problem(outcome, snapshot=database.snapshot)
            if problem is not None:
                return failed(problem, evidence, warnings=warnings)
            warnings = (*warnings, *_notes(outcome))
        return passed(_summary(classified, rehearsed="stairway" in evidence), evidence, warnings=warnings)

    def _allows(self, revision: str, found: Classified) -> bool:
        if found.kind == "additive" or revision in self.allow:
            return True
        return found.kind in {"data", "unknown"} and found.kind in self.allow


def classify_pending(
    pending: Sequence[PendingStatement], database: SchemaDatabase
) -> tuple[tuple[str, Classified], ...]:
    """Return each statement's revision and class, seen with those before it and with the schema as it is."""
    from phases.sql.classify import classify_all

    existing = database.tables() if isinstance(database, KnowsTables) else ()
    dialect = cast("Dialect", database.dialect)
    found = classify_all([each.sql for each in pending], dialect, existing=existing)
    return tuple((pending[at].revision, each) for at, each in found)


def _unsafe(found: Sequence[Classified]) -> str:
    shown = "; ".join(f"{each.kind}: {each.reason}" for each in found[:_NAMED])
    more = f"; and {len(found) - _NAMED} more" if len(found) > _NAMED else ""
    count = "a statement is" if len(found) == 1 else f"{len(found)} statements are"
    return f"{count} not safe beside the running version: {shown}{more}"


def _problem(outcome: StairwayOutcome, *, snapshot: bool) -> str | None:
    if outcome.irreversible and not snapshot:
        revisions = ", ".join(outcome.irreversible)
        return (
            f"no way down from {revisions}: a rollback could not bring the schema back. Write the downgrade, or set "
            "`snapshot: true` on the migration phase, which keeps a restorable copy"
        )
    if not outcome.ok:
        return f"the rehearsal on a copy of the database failed: {outcome.error or 'it does not say why'}"
    return None


def _notes(outcome: StairwayOutcome) -> tuple[str, ...]:
    if not outcome.irreversible:
        return ()
    revisions = ", ".join(outcome.irreversible)
    return (f"no way down from {revisions}: a rollback restores the snapshot and loses what was written since",)


def _outcome(outcome: StairwayOutcome) -> dict[str, Any]:
    return {"ok": outcome.ok, "error": outcome.error, "irreversible": list(outcome.irreversible)}


def _summary(classified: Sequence[tuple[str, Classified]], *, rehearsed: bool) -> str:
    count = len(classified)
    additive = sum(1 for _, found in classified if found.kind == "additive")
    if not count:
        what = "no statement that changes anything"
    elif additive == count:
        what = f"{count} statement{'s' if count > 1 else ''}, all additive"
    else:
        what = f"{count} statements, {additive} additive, the others allowed"
    return f"{what}{'; up, down and up again worked on a copy' if rehearsed else ''}"


def _scrubbed(result: GateResult, secrets: Sequence[str]) -> GateResult:
    """The result without secrets, which a migration may well hold in its statements."""

    def clean(value: Any) -> Any:  # noqa: ANN401 - any JSON
        if isinstance(value, str):
            for secret in secrets:
                value = value.replace(secret, "[secret]") if secret else value
            return value
        if isinstance(value, dict):
            return {key: clean(each) for key, each in value.items()}
        return [clean(each) for each in value] if isinstance(value, list) else value

    if not any(secrets):
        return result
    return GateResult(
        result.verdict,
        clean(result.reason),
        clean(dict(result.evidence)),
        tuple(clean(warning) for warning in result.warnings),
    )
