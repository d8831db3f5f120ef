"""The router: takes connections, picks a slot for each request, keeps count."""

from __future__ import annotations

import asyncio
import logging
import random
import time
from collections.abc import Iterable

from components.local.runtime.downstream import FORWARDED, ClientConnection
from components.local.runtime.http1 import Request
from components.local.runtime.limits import LIMITS, Limits
from components.local.runtime.metrics import SlotMetrics
from components.local.runtime.routing import RouterConfig
from components.local.runtime.split import Share, Split
from components.local.runtime.upstream import Slot

_TICK = 1.0
_SWEEP_POLL = 0.02

logger = logging.getLogger(__name__)


class Router:
    """One split of traffic among slots."""

    def __init__(self, config: RouterConfig, *, limits: Limits = LIMITS) -> None:
        self.limits = limits
        self.now = time.monotonic()
        """Seconds, exact to about one: read by every request, so not asked of the system by every one."""
        self.draining = False
        self.unrouted = 0
        """Requests that no slot was there for."""
        self.clients: set[ClientConnection] = set()
        self.looked_at: frozenset[bytes] = frozenset()
        """Fields whose values a request's parser has to note."""
        self._metrics: dict[str, SlotMetrics] = {}
        self._slots: dict[str, Slot] = {}
        self._split = Split([], start=random.random())  # noqa: S311 - no secret: where a sequence begins
        self._cookie = b""
        self._header = b""
        self._noted: dict[str, float] = {}
        self.config = config
        self.apply(config)

    def apply(self, config: RouterConfig) -> None:
        """Put a configuration in force, all of it between two requests; requests under way go on where they are."""
        slots: dict[str, Slot] = {}
        for metrics in self._metrics.values():
            metrics.weight = 0
        for backend in config.backends:
            metrics = self._metrics.setdefault(backend.slot, SlotMetrics(backend.slot))
            metrics.weight = backend.weight
            known = self._slots.pop(backend.slot, None)
            if known is None or known.url != backend.url:
                if known is not None:
                    known.retire()
                known = Slot(backend.slot, backend.url, metrics, self.limits)
            slots[backend.slot] = known
        for slot in self._slots.values():
            slot.retire()
        self._slots = slots
        self._split = Split([Share(b.slot, b.weight) for b in config.backends], start=self._split.point)
        sticky = config.sticky
        self._cookie = sticky.cookie.encode() if sticky is not None and sticky.cookie else b""
        self._header = sticky.header.lower().encode() if sticky is not None and sticky.header else b""
        wanted = {b"cookie"} if self._cookie else {self._header} if self._header else set()
        self.looked_at = FORWARDED | wanted
        self.config = config

    def choose(self, request: Request) -> tuple[Slot | None, bytes | None]:
        """The slot for a request, and a Set-Cookie line if its user is to stay there."""
        if self._cookie:
            return self._choose_by_cookie(request.named.get(b"cookie"))
        name: str | None = None
        if self._header:
            value = request.named.get(self._header)
            name = self._split.next() if value is None else self._split.of_value(value)
        else:
            name = self._split.next()
        return (None if name is None else self._slots[name]), None

    def metrics(self) -> Iterable[SlotMetrics]:
        """The counts of every slot that this process has had."""
        return self._metrics.values()

    def note_error(self, slot: Slot, reason: str) -> None:
        """Log a slot's error, but one a second at most: the counters have them all."""
        if self._noted.get(slot.name, 0.0) != self.now:
            self._noted[slot.name] = self.now
            logger.warning("slot %s (%s): %s", slot.name, slot.url, reason)

    async def tick(self) -> None:
        """Keep the clock, and look after what takes too long; for ever."""
        while True:
            await asyncio.sleep(_TICK)
            self.now = time.monotonic()
            for slot in self._slots.values():
                slot.sweep(self.now)
            for client in list(self.clients):
                client.sweep(self.now)

    async def drain(self) -> None:
        """Let requests under way come to their end, for as long as the limits say; then close everything."""
        self.draining = True
        deadline = time.monotonic() + self.limits.drain
        while time.monotonic() < deadline:
            busy = [client.drain() for client in list(self.clients)]  # all of them: idle ones are closed by it
            if not any(busy):
                break
            await asyncio.sleep(_SWEEP_POLL)
        for client in list(self.clients):
            client.transport.close()
        for slot in self._slots.values():
            slot.retire()
        await asyncio.sleep(_SWEEP_POLL)

    def _choose_by_cookie(self, cookies: bytes | None) -> tuple[Slot | None, bytes | None]:
        if cookies is not None:
            for pair in cookies.split(b";"):
                name, _, value = pair.partition(b"=")
                if name.strip() == self._cookie:
                    slot = value.strip().strip(b'"').decode("latin-1")
                    if self._split.has(slot):
                        return self._slots[slot], None
        chosen = self._split.next()
        if chosen is None:
            return None, None
        line = b"Set-Cookie: %b=%b; Path=/; HttpOnly; SameSite=Lax" % (self._cookie, chosen.encode())
        return self._slots[chosen], line
