"""What may be chosen from outside: how many breaches, and of whom.

RACE_BREACHES=2 python -m bench race                    everybody, twice
RACE_BREACHES=30,flagger=10 python -m bench race        thirty each, ten of one
RACE_ONLY=launch,bare-loop python -m bench race         these two
RACE_RECORD=race.jsonl python -m bench race             every single breach is written there as well
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from pathlib import Path

BREACHES = 30


@dataclass(frozen=True, slots=True)
class Options:
    """What was chosen.

    Attributes:
        breaches: of each contestant.
        differing: of those that have another number.
        only: who takes part, in this order; nobody means everybody.
        record: where single breaches are written as JSON lines.
    """

    breaches: int = BREACHES
    differing: Mapping[str, int] = field(default_factory=dict)
    only: tuple[str, ...] = ()
    record: Path | None = None

    def breaches_of(self, name: str) -> int:
        """Return how often a contestant is to be measured."""
        return self.differing.get(name, self.breaches)


def options(environ: Mapping[str, str], known: Collection[str]) -> Options:
    """Read them.

    Raises:
        ValueError: a name is unknown, or a number is none.
    """
    breaches, differing = BREACHES, {}
    for part in filter(None, environ.get("RACE_BREACHES", "").split(",")):
        name, sign, number = part.rpartition("=")
        if sign:
            differing[name.strip()] = int(number)
        else:
            breaches = int(number)
    only = tuple(name.strip() for name in environ.get("RACE_ONLY", "").split(",") if name.strip())
    unknown = [name for name in (*only, *differing) if name not in known]
    if unknown:
        raise ValueError(f"there is no contestant {', '.join(unknown)}; there are {', '.join(known)}")
    record = environ.get("RACE_RECORD")
    return Options(breaches, differing, only, Path(record) if record else None)
