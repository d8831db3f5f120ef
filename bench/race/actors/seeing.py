"""Says when Prometheus shows the breach: asks for it every few milliseconds, from the breach on."""

from __future__ import annotations

from bench.race.actors.actor import heard, say
from bench.race.conditions import LIMIT, QUERY
from bench.race.kept import Asked

_SECONDS = 0.01


def main() -> None:
    """Be ready; once told that it begins, look."""
    asked = Asked(heard()["prometheus"], QUERY)
    asked.value()
    say(ready=True)
    heard()
    say(at=asked.wait_until_over(LIMIT, _SECONDS))


if __name__ == "__main__":
    main()
