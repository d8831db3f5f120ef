"""The shortest way that there is: polls the metric, and patches one object on a connection that is open already."""

from __future__ import annotations

from pathlib import Path

from bench.race.actors.actor import heard, say
from bench.race.conditions import LIMIT, POLL_SECONDS, QUERY
from bench.race.kept import MERGE, Asked, Kept


def main() -> None:
    """Watch until the breach, then patch."""
    orders = heard()
    asked = Asked(orders["prometheus"], QUERY)
    cluster = Kept.to_cluster(Path(orders["kubeconfig"]))
    say(ready=True)
    at = asked.wait_until_over(LIMIT, POLL_SECONDS)
    cluster.ask("PATCH", orders["path"], orders["body"], MERGE)
    say(at=at)


if __name__ == "__main__":
    main()
