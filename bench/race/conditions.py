"""What is the same for everybody: the load, the breach, the limit, and the one query that tells it."""

from __future__ import annotations

import random

from bench.race.script import NEW

RATE = 1000.0
"""Requests a second."""
WEIGHT = 50
"""Percent of the users on the new version when it goes bad."""
FAILING = 0.5
"""Share of the new version's requests that fail from the breach on."""
LIMIT = 0.0002
"""Share that may fail. One scrape that holds a single failed request is over it, however long the window that somebody
takes it over: so all see the breach in the same scrape."""
WINDOW_SECONDS = 3
SCRAPE_SECONDS = 0.97
"""Not 1: see `prometheus.py`."""
POLL_SECONDS = 0.1
"""How often whoever polls asks Prometheus."""

_SLOT = f'launch_router_requests_total{{slot="{NEW}"'
QUERY = (
    f'sum(increase({_SLOT},code="5xx"}}[{WINDOW_SECONDS}s]))'
    f" / clamp_min(sum(increase({_SLOT}}}[{WINDOW_SECONDS}s])), 1)"
)
"""The new version's error rate over the window; 0 where it has no users."""


def moments(breaches: int) -> list[float]:
    """Return how long after a scrape each breach begins, in seconds.

    The wait for the next scrape is most of the way from a breach to safety, up to a second, and with thirty moments
    that are nothing but random, luck would decide by tens of milliseconds who is first. So each thirtieth of the
    interval has one breach, at random within it and in random order, and they are the same for everybody.
    """
    dice = random.Random(breaches)  # noqa: S311 - no secret
    found = [(part + dice.random()) / breaches * SCRAPE_SECONDS for part in range(breaches)]
    dice.shuffle(found)
    return found
