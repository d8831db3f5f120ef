"""From a breach to safety: how long the bad slot goes on answering users, over many launches of a bad version."""

from __future__ import annotations

import asyncio
import statistics
import threading
from collections.abc import Iterator
from datetime import datetime
from typing import Any, Self

from bench.measurement import Measurement
from bench.project import Project, project
from examples.load.counting import Failure, Outcome
from examples.load.users import Users

RUNS = 30
RATE = 120.0
LIMIT = 0.01
SEQUENCE = f"""
launch:
  rollback_threshold: {{ error_rate: {LIMIT}, min_requests: 20, interval: 250ms, window: 10s }}
  flags: [{{ key: new_checkout, owner: bench, expires: 2099-01-01, cleanup: none }}]
  phases:
    - id: migration
    - id: deploy
    - id: traffic
      timeout_ms: 120000
      steps: [{{ weight: 50, bake: 30s }}, {{ weight: 100 }}]
"""


class Load:
    """Users in a thread, and every request they made."""

    def __init__(self, url: str) -> None:
        self.outcomes: list[Outcome] = []
        self._url = url
        self._stop = threading.Event()
        self._thread = threading.Thread(target=lambda: asyncio.run(self._play()))

    async def _play(self) -> None:
        stop = asyncio.Event()
        async with Users(self._url, rate=RATE, tell=self.outcomes.append) as users:
            coming = asyncio.create_task(users.come(stop))
            await asyncio.to_thread(self._stop.wait)
            stop.set()
            await coming

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join()


def run() -> Iterator[Measurement]:
    """Launch a version that fails 5% of its checkouts, again and again, while users are at work."""
    with project(SEQUENCE, versions=("2.0", "2.1")) as shop:
        shop.completed("shop:2.0")
        found = [_one(shop) for _ in range(RUNS)]
    breaches = [item["breach"] for item in found if item["breach"] is not None]
    verdicts = [item["verdict"] for item in found if item["verdict"] is not None]
    for name, values in (("breach_to_last_request", breaches), ("verdict_to_last_request", verdicts)):
        if len(values) > 1:
            cuts = statistics.quantiles(values, n=20)
            yield Measurement(f"breach.{name}.median", statistics.median(values), "s")
            yield Measurement(f"breach.{name}.p95", cuts[18], "s")
    yield Measurement("breach.runs", len(breaches), "launches", RUNS)
    yield Measurement("breach.failed_on_the_way", sum(item["on_the_way"] for item in found), "requests")


def _one(shop: Project) -> dict[str, Any]:
    with Load(shop.router()) as load:
        _, events = shop.launch("up", "dev", "--image", "shop:2.1")
    bad = sorted((item for item in load.outcomes if item.version == "2.1"), key=lambda item: item.at)
    tripped = next((event for event in events if event["event"] == "breaker.tripped"), None)
    crossed = _crossing(bad)
    on_the_way = sum(item.failure not in (None, Failure.EARNED) for item in load.outcomes)
    if tripped is None or crossed is None:
        return {"breach": None, "verdict": None, "on_the_way": on_the_way}
    said = datetime.fromisoformat(tripped["time"]).timestamp()
    return {"breach": bad[-1].at - crossed, "verdict": bad[-1].at - said, "on_the_way": on_the_way}


def _crossing(bad: list[Outcome]) -> float | None:
    """Return when the bad version's error rate, once there were enough requests to tell, first went over the limit."""
    failed = 0
    for number, outcome in enumerate(bad, start=1):
        failed += outcome.failure is not None
        if number >= 20 and failed / number > LIMIT:
            return outcome.at
    return None
