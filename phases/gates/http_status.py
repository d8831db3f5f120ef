"""`http_status`: an endpoint answers as it should."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import nullcontext
from typing import Any, ClassVar, Literal

from pydantic import Field

from phases.durations import Duration
from phases.gates.base import Gate, GateContext, Moment
from phases.gates.bounds import left, over, pause
from phases.http import Probe, probe
from phases.kinds import PhaseKind
from phases.redact import redact_result
from phases.statuses import Statuses, either
from phases.verdict import GateResult, failed, inconclusive, passed

_SHOWN = 10


class HttpStatus(Gate):
    """Asks an endpoint until it answers as expected, or the retries are used up."""

    type: ClassVar[str] = "http_status"

    endpoint: str = Field(pattern=r"^(/|https?://)")
    """Path at the slot or the router, such as `/health`; or a whole URL of something else."""
    expected: Statuses = (200,)
    """The status, or the statuses, that are right."""
    retries: int = Field(default=3, ge=0)
    """How often it is asked again after an answer that was not right."""
    interval: Duration = 1.0
    """Wait between two tries."""
    timeout: Duration = Field(default=5.0, gt=0)
    """Limit of one try, from the connection to the last byte."""
    latency_ms: float | None = Field(default=None, gt=0)
    """An answer that takes longer is not right."""
    through: Literal["slot", "router"] = "slot"
    """`slot` asks the new version itself; `router` asks where users come in."""
    method: str = Field(default="GET", pattern=r"^[A-Z]+$")
    """HTTP method."""
    headers: Mapping[str, str] = Field(default_factory=dict)
    """Headers of the request."""
    follow_redirects: bool = False
    """Whether the answer behind a redirect is judged (up to five); without it, the redirect itself."""

    @classmethod
    def moments(cls, kind: PhaseKind) -> frozenset[Moment]:
        """Return entry in a health phase, before its transactions; exit elsewhere, after the phase's change."""
        return frozenset({Moment.ENTRY if kind is PhaseKind.HEALTH else Moment.EXIT})

    def check(self, context: GateContext) -> GateResult:
        """Ask, again if need be, and judge what came back."""
        url = self._url(context)
        if url is None:
            return inconclusive(
                f"there is no {self.through} to ask for {self.endpoint} at the {context.moment} of {context.phase}"
            )
        inside = self.through == "slot" and self.endpoint.startswith("/")
        base = url.removesuffix(self.endpoint)
        try:
            with context.reach(base) if inside else nullcontext(base) as reached:
                way = reached.rstrip("/") + url.removeprefix(base)
                return redact_result(self._ask(context, url, way), context.secrets)
        except Exception as error:  # noqa: BLE001 - whatever leads there is no part of the release
            return redact_result(inconclusive(f"{url} cannot be reached from here: {error}"), context.secrets)

    def _url(self, context: GateContext) -> str | None:
        if not self.endpoint.startswith("/"):
            return self.endpoint
        base = context.slot_url if self.through == "slot" else context.router_url
        return base.rstrip("/") + self.endpoint if base else None

    def _ask(self, context: GateContext, url: str, reached: str) -> GateResult:
        seen: list[dict[str, Any]] = []
        ended = over(context)
        wrong = ""
        while ended is None and len(seen) <= self.retries:
            if seen and not pause(context, self.interval):
                ended = over(context)
                break
            answer = probe(
                reached,
                method=self.method,
                headers=self.headers,
                timeout=min(self.timeout, max(left(context), 0.001)),
                redirects=self.follow_redirects,
                stop=context.stop,
            )
            ended = over(context)
            if ended is not None and not answer.answered:
                break  # cut off by us: says nothing about the endpoint
            seen.append(_shown(answer))
            wrong = self._wrong(answer)
            if not wrong:
                tries = f" at try {len(seen)}" if len(seen) > 1 else ""
                return passed(
                    f"{self.method} {self.endpoint} answered {answer.status}{tries}", self._evidence(url, seen)
                )
        if not seen:
            return inconclusive(f"{self.method} {self.endpoint} got no whole try: {ended}", self._evidence(url, seen))
        often = f"{len(seen)} tries" if len(seen) > 1 else "one try"
        cut = f"; {ended}" if ended else ""
        return failed(f"{self.method} {self.endpoint} {wrong} ({often}{cut})", self._evidence(url, seen))

    def _wrong(self, answer: Probe) -> str:
        if answer.error is not None:
            return f"did not answer: {answer.error}"
        if answer.status not in self.expected:
            return f"answered {answer.status}, not {either(self.expected)}"
        if self.latency_ms is not None and answer.seconds * 1000 > self.latency_ms:
            return f"took {answer.seconds * 1000:.0f} ms, more than {self.latency_ms:g} ms"
        return ""

    def _evidence(self, url: str, seen: list[dict[str, Any]]) -> dict[str, Any]:
        return {"url": url, "expected": list(self.expected), "tries": len(seen), "answers": seen[-_SHOWN:]}


def _shown(answer: Probe) -> dict[str, Any]:
    shown: dict[str, Any] = {"status": answer.status, "ms": round(answer.seconds * 1000, 1)}
    return shown if answer.error is None else {**shown, "error": answer.error}
