"""Synthetic transactions against a real server."""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any, Protocol

import pytest

from phases.clock import SystemClock
from phases.synthetic import load, run
from phases.verdict import Verdict

pytestmark = pytest.mark.integration

SHOPPING = """\
- name: login
  method: POST
  path: /login
  json: {user: "anna{{ run }}"}
  expect:
    json: {ok: true, auth.token: %s}
    headers: {X-Shop: "2.0"}
  save: {token: auth.token}
- name: fill the cart
  method: POST
  path: /cart
  headers: {Authorization: "Bearer {{ token }}"}
  json: {article: 7, amount: 2}
  expect:
    status: 201
    json: {total: 5, "items[0].article": 7}
- name: health
  path: /health
  expect: {contains: ok, latency_ms: 5000}
"""


class Server(Protocol):
    url: str
    handler: Any


def write(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "synthetic.yaml"
    path.write_text(text)
    return path


def test_a_users_story_is_told_run_by_run(server: Server, tmp_path: Path) -> None:
    report = run(load(write(tmp_path, SHOPPING % "t-anna1")), server.url, runs=1)
    assert report.to_result().verdict is Verdict.PASSED
    assert [path for _, path, _, _ in server.handler.seen] == ["/login", "/cart", "/health"]
    assert report.p50_ms is not None
    assert report.p99_ms is not None
    assert report.p50_ms <= report.p99_ms


def test_what_differs_in_one_run_fails_that_run(server: Server, tmp_path: Path) -> None:
    report = run(load(write(tmp_path, SHOPPING % "t-anna1")), server.url, runs=3)
    assert (report.runs, report.passed) == (3, 1)
    assert [failure.run for failure in report.failures] == [2, 3]
    assert report.failures[0].reason == 'auth.token is "t-anna2", expected "t-anna1"'


def test_the_default_asks_for_health(server: Server, closed_url: str) -> None:
    assert run(None, server.url).to_result().verdict is Verdict.PASSED
    result = run(None, closed_url).to_result()
    assert result.verdict is Verdict.FAILED
    assert "no answer: connection refused" in result.reason


def test_a_slot_that_drips_does_not_hold_the_launch_beyond_the_deadline(server: Server, tmp_path: Path) -> None:
    given = load(write(tmp_path, "- {name: drip, path: /drip, timeout: 1h}"))
    report = run(given, server.url, deadline=SystemClock().monotonic() + 0.3)
    assert report.to_result().verdict is Verdict.INCONCLUSIVE


def test_a_stop_ends_it_soon(
    server: Server, tmp_path: Path, later: Callable[[float, Callable[[], None]], None]
) -> None:
    stop = threading.Event()
    later(0.2, stop.set)
    given = load(write(tmp_path, "- {name: silent, path: /silent, timeout: 1h}"))
    assert run(given, server.url, runs=10, stop=stop).to_result().verdict is Verdict.INCONCLUSIVE
