"""What all contestants share: the control plane, the metrics, and whoever observes them."""

from __future__ import annotations

import contextlib
import random
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

from bench.race.actors.actor import Actor
from bench.race.conditions import FAILING
from bench.race.prometheus import Prometheus
from bench.race.script import NEW, OLD
from bench.race.sight import Moments, Sight
from tests.cluster.cluster import Cluster, running
from tests.cluster.processes import Processes

_LOOSE = 2.0
"""Seconds over which the breach's moment is spread."""


@dataclass
class Stage:
    """Everything is on 127.0.0.1 and ends with the race.

    Attributes:
        cluster: the control plane.
        prometheus: scrapes the script.
        exporter: plays the script.
        namespace: of the contestant whose turn it is.
        weights: the new version's percent of the users, as an API watch saw it.
    """

    cluster: Cluster
    prometheus: Prometheus
    exporter: Actor
    namespace: str = ""
    weights: Moments = field(default_factory=Moments)

    def watch_route(self, path: str, weight: Callable[[dict[str, Any]], float | None]) -> None:
        """Follow the route of the contestant whose turn it is: users do so at once.

        Args:
            path: of the collection that the route is in.
            weight: the new version's percent of the users, by an object of it; None where it tells nothing.
        """
        mine = self.weights

        def see(found: dict[str, Any], at: float) -> None:
            share = weight(found)
            if share is not None and self.weights is mine:
                mine.add(share, at)
                self.exporter.tell({"weights": {OLD: 100 - share, NEW: share}})

        Sight(self.cluster.rest, path, see)

    def breach(self, after_scrape: float) -> float:
        """Have the new version fail from so many seconds after the next scrape on; return when that began."""
        return self._play({"failing": FAILING, "after_scrape": after_scrape})

    def calm(self) -> None:
        """Have no version fail."""
        self._play({"failing": 0.0})

    def wait_for_the_moment(self, settle: float) -> None:
        """Let the new version's users be for a while, and then somewhat longer, nobody knows how much."""
        time.sleep(settle + random.uniform(0, _LOOSE))  # noqa: S311 - no secret

    def _play(self, what: dict[str, Any]) -> float:
        self.exporter.tell({**what, "answer": True})
        return float(self.exporter.hear(10.0)["at"])

    @contextlib.contextmanager
    def turn(self) -> Iterator[None]:
        """A contestant's own namespace, nobody on the new version, and no earlier sight."""
        with self.cluster.namespace() as name:
            self.namespace, self.weights = name, Moments()
            self.exporter.tell({"weights": {OLD: 100, NEW: 0}})
            yield


@contextlib.contextmanager
def stage() -> Iterator[Stage]:
    """Start everything; end everything.

    Raises:
        NoPrometheus: it is not installed.
    """
    processes = Processes()
    try:
        with Actor("exporter", {}) as exporter:
            prometheus = Prometheus(processes, exporter.hear()["target"])
            with running() as cluster:
                yield Stage(cluster, prometheus, exporter)
    finally:
        processes.stop()
