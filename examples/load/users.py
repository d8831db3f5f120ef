"""Users of shop: each comes, looks around, and mostly buys something.

They come at a fixed rate whether or not the shop keeps up (an open loop): a slow version does not slow its users
down, so its latency is not flattered (G. Tene's "coordinated omission").
"""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Callable
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Self

import aiohttp

from examples.load.counting import Failure, Outcome, judge

PRODUCTS = ("coffee", "mug", "tea")
NEW_CONNECTION = 1 / 3
"""Share of the users that come on connections of their own; the others share kept ones, as behind a load balancer."""
BUYS = (0, 1, 1, 1, 1, 1, 1, 1, 2, 2)
"""Checkouts of a user, to draw from."""
MEAN_REQUESTS = 1 + sum(BUYS) / len(BUYS)
MOST_AT_ONCE = 400
"""Users at once; who comes when there are as many is turned away, and counted."""
PATIENCE = 10.0
"""Seconds after which a user gives a request up."""


@dataclass(frozen=True, slots=True)
class Request:
    """What a user asks, and the status that is right."""

    method: str
    path: str
    expected: int
    order: dict[str, Any] | None = None

    def __str__(self) -> str:
        return f"{self.method} {self.path}"


def visit(draw: random.Random, customer: int) -> list[Request]:
    """Return what one user asks."""
    requests = [Request("GET", draw.choice(("/", "/products")), 200)]
    for _ in range(draw.choice(BUYS)):
        order = {"product": draw.choice(PRODUCTS), "quantity": draw.randint(1, 3), "customer": f"user-{customer}"}
        requests.append(Request("POST", "/checkout", 201, order))
    return requests


class Users:
    """Plays users against one address.

    Args:
        url: where users come in.
        rate: requests a second.
        tell: is told of each request that has ended.
        seed: makes what users do the same in every run.
    """

    def __init__(self, url: str, *, rate: float, tell: Callable[[Outcome], None], seed: int = 1) -> None:
        self._url = url.rstrip("/")
        self._pause = MEAN_REQUESTS / rate
        self._tell = tell
        self._draw = random.Random(seed)  # noqa: S311 - play
        self._visits: set[asyncio.Task[None]] = set()
        self.turned_away = 0

    async def __aenter__(self) -> Self:
        timeout = aiohttp.ClientTimeout(total=PATIENCE)
        # Shorter than the router keeps an idle connection, so that neither closes what the other is about to use.
        self._kept = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(limit=0, keepalive_timeout=10), timeout=timeout
        )
        self._new = aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0, force_close=True), timeout=timeout)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Let every user finish, then close all connections."""
        if self._visits:
            await asyncio.wait(self._visits)
        await self._kept.close()
        await self._new.close()

    async def come(self, until: asyncio.Event) -> None:
        """Let users come until the event is set."""
        customer = 0
        due = time.monotonic()
        while not until.is_set():
            customer += 1
            if len(self._visits) < MOST_AT_ONCE:
                task = asyncio.create_task(self._visit(visit(self._draw, customer)))
                self._visits.add(task)
                task.add_done_callback(self._visits.discard)
            else:
                self.turned_away += 1
            due += self._pause
            if due < time.monotonic() - 1:
                due = time.monotonic()  # this process was stopped for a while: no burst to make up for it
            await asyncio.sleep(max(0.0, due - time.monotonic()))

    async def _visit(self, requests: list[Request]) -> None:
        session = self._new if self._draw.random() < NEW_CONNECTION else self._kept
        for request in requests:
            self._tell(await self._ask(session, request))

    async def _ask(self, session: aiohttp.ClientSession, request: Request) -> Outcome:
        started = time.perf_counter()
        version: str | None = None
        try:
            async with session.request(request.method, self._url + request.path, json=request.order) as answer:
                version = answer.headers.get("X-Shop-Version")
                await answer.read()
            failure, detail = judge(str(request), answer.status, request.expected, version)
        except TimeoutError:
            failure, detail = Failure.LATE, f"no whole answer within {PATIENCE:g} s"
        except aiohttp.ClientConnectorError as error:
            failure, detail = Failure.REFUSED, str(error)
        except (aiohttp.ClientError, OSError) as error:
            failure, detail = Failure.BROKEN, str(error) or type(error).__name__
        return Outcome(time.time(), str(request), time.perf_counter() - started, version, failure, detail)
