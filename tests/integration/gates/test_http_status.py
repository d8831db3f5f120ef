"""The endpoint gate with a real server and the real clock."""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any, Protocol

import pytest

from phases.clock import SystemClock
from phases.gates.base import GateContext, Moment, Release
from phases.gates.http_status import HttpStatus
from phases.kinds import PhaseKind
from phases.verdict import Verdict

pytestmark = pytest.mark.integration


class Server(Protocol):
    url: str
    handler: Any


@pytest.fixture
def make_context(tmp_path: Path) -> Callable[..., GateContext]:
    def make(url: str, *, seconds: float = 60, stop: threading.Event | None = None) -> GateContext:
        return GateContext(
            environment="dev",
            phase="health",
            kind=PhaseKind.HEALTH,
            moment=Moment.ENTRY,
            release=Release("shop:2.0", "sha256:0"),
            root=tmp_path,
            deadline=SystemClock().monotonic() + seconds,
            stop=stop or threading.Event(),
            slot_url=url,
        )

    return make


MakeContext = Callable[..., GateContext]


def test_a_healthy_slot_passes(server: Server, make_context: MakeContext) -> None:
    assert HttpStatus(endpoint="/health").check(make_context(server.url)).verdict is Verdict.PASSED


def test_a_slot_that_gets_better_passes_within_its_retries(server: Server, make_context: MakeContext) -> None:
    server.handler.fail_first = 2
    result = HttpStatus(endpoint="/flaky", interval=0.01).check(make_context(server.url))
    assert result.verdict is Verdict.PASSED
    assert [answer["status"] for answer in result.evidence["answers"]] == [503, 503, 200]


def test_a_slot_that_stays_broken_fails(server: Server, make_context: MakeContext) -> None:
    result = HttpStatus(endpoint="/broken", interval=0.01).check(make_context(server.url))
    assert result.verdict is Verdict.FAILED
    assert len(server.handler.seen) == 4


def test_a_slot_where_nobody_listens_fails(closed_url: str, make_context: MakeContext) -> None:
    result = HttpStatus(endpoint="/health", interval=0.01).check(make_context(closed_url))
    assert result.verdict is Verdict.FAILED
    assert "connection refused" in result.reason


def test_a_slow_slot_fails_its_latency_limit(server: Server, make_context: MakeContext) -> None:
    gate = HttpStatus(endpoint="/slow", latency_ms=20, retries=1, interval=0.01)
    result = gate.check(make_context(server.url))
    assert result.verdict is Verdict.FAILED
    assert "more than 20 ms" in result.reason


def test_a_slot_that_drips_does_not_hold_the_gate_beyond_the_deadline(
    server: Server, make_context: MakeContext
) -> None:
    result = HttpStatus(endpoint="/drip", timeout=120.0).check(make_context(server.url, seconds=0.3))
    assert result.verdict is Verdict.INCONCLUSIVE


def test_a_stop_ends_the_gate_while_it_waits_between_tries(
    server: Server, make_context: MakeContext, later: Callable[[float, Callable[[], None]], None]
) -> None:
    stop = threading.Event()
    later(0.2, stop.set)
    result = HttpStatus(endpoint="/broken", interval=3600.0).check(make_context(server.url, seconds=9000, stop=stop))
    assert result.verdict is Verdict.FAILED  # one whole answer was seen, and it was bad
    assert "it was stopped" in result.reason
