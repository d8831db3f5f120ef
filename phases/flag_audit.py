"""Which flags there are, how old they are, and what their owners still owe."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from datetime import date
from typing import Any

from phases.flags import FlagSpec

HEADINGS = ("flag", "kind", "state", "owner", "age", "expires", "owed")
"""Of `FlagRow.cells`."""
_SOON_DAYS = 14


@dataclass(frozen=True, slots=True)
class FlagRow:
    """One flag on one day.

    Attributes:
        key: its name.
        kind: release, operational, experiment or permission.
        state: the variant it has now.
        launched: whether that is the variant which its launch switches to.
        owner: who answers for it.
        age_days: days since it was created; None where nobody wrote that down.
        expires: when it must be gone.
        days_left: days until then; negative once it is over.
        cleanup: the pull request or ticket that removes it.
        owed: what is missing before a release with this flag may be generally available.
    """

    key: str
    kind: str
    state: str
    launched: bool
    owner: str | None
    age_days: int | None
    expires: date | None
    days_left: int | None
    cleanup: str | None
    owed: tuple[str, ...]

    def cells(self) -> tuple[str, ...]:
        """Return the row as texts for a table with `HEADINGS`."""
        return (
            self.key,
            self.kind,
            self.state,
            self.owner or "-",
            "-" if self.age_days is None else _days(self.age_days),
            self._expiry(),
            ", ".join(self.owed) or "-",
        )

    def to_json(self) -> dict[str, Any]:
        """Return the row as a JSON-able object."""
        return {
            **asdict(self),
            "expires": None if self.expires is None else self.expires.isoformat(),
            "owed": list(self.owed),
        }

    def _expiry(self) -> str:
        if self.expires is None or self.days_left is None:
            return "-"
        if self.days_left < 0:
            return f"{self.expires} ({_days(-self.days_left)} over)"
        return f"{self.expires} (in {_days(self.days_left)})" if self.days_left <= _SOON_DAYS else f"{self.expires}"


def audit(specs: Iterable[FlagSpec], variants: Mapping[str, str], today: date) -> tuple[FlagRow, ...]:
    """Return a row for each flag: those that owe something first, of these the longest overdue first.

    Args:
        specs: the flags of the service.
        variants: the variant that each has now; one that is not named has its default.
        today: the day.
    """
    rows = [_row(spec, variants.get(spec.key, spec.default), today) for spec in specs]
    return tuple(sorted(rows, key=_urgency))


def owing(rows: Iterable[FlagRow]) -> tuple[FlagRow, ...]:
    """Return the rows of flags that owe something."""
    return tuple(row for row in rows if row.owed)


def _row(spec: FlagSpec, variant: str, today: date) -> FlagRow:
    return FlagRow(
        key=spec.key,
        kind=spec.kind,
        state=variant,
        launched=variant == spec.launch,
        owner=spec.owner,
        age_days=None if spec.created is None else (today - spec.created).days,
        expires=spec.expires,
        days_left=None if spec.expires is None else (spec.expires - today).days,
        cleanup=spec.cleanup,
        owed=spec.owed(today),
    )


def _urgency(row: FlagRow) -> tuple[bool, float, str]:
    return (not row.owed, float("inf") if row.days_left is None else row.days_left, row.key)


def _days(count: int) -> str:
    return "1 day" if count == 1 else f"{count} days"
