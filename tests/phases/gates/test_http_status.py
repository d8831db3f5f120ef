from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Any, Protocol

import pytest
from pydantic import ValidationError

from phases.clock import Clock
from phases.gates import http_status
from phases.gates.base import GateContext, Moment
from phases.gates.http_status import HttpStatus
from phases.http import Probe
from phases.kinds import PhaseKind
from phases.verdict import Verdict

MakeContext = Callable[..., GateContext]


class MovableClock(Clock, Protocol):
    at: float


OK = Probe(200, 0.01)
BROKEN = Probe(503, 0.01)
REFUSED = Probe(None, 0.001, error="connection refused")


class Answer(Protocol):
    """Lets the endpoint give these answers, and returns the list of what it is asked."""

    def __call__(self, *answers: Probe | Callable[[str, dict[str, Any]], Probe]) -> list[dict[str, Any]]: ...


@pytest.fixture
def answer(monkeypatch: pytest.MonkeyPatch) -> Answer:
    def script(*answers: Probe | Callable[[str, dict[str, Any]], Probe]) -> list[dict[str, Any]]:
        asked: list[dict[str, Any]] = []

        def probe(url: str, **options: object) -> Probe:
            given = answers[min(len(asked), len(answers) - 1)]
            asked.append({"url": url, **options})
            return given(url, dict(options)) if callable(given) else given

        monkeypatch.setattr(http_status, "probe", probe)
        return asked

    return script


def test_a_health_phase_begins_with_it_and_others_end_with_it() -> None:
    assert HttpStatus.moments(PhaseKind.HEALTH) == {Moment.ENTRY}
    assert HttpStatus.moments(PhaseKind.DEPLOY) == {Moment.EXIT}
    assert HttpStatus.moments(PhaseKind.TRAFFIC) == {Moment.EXIT}


def test_passes_at_the_first_right_answer(make_context: MakeContext, answer: Answer) -> None:
    asked = answer(OK)
    result = HttpStatus(endpoint="/health").check(make_context())
    assert result.verdict is Verdict.PASSED
    assert [request["url"] for request in asked] == ["http://127.0.0.1:1/health"]
    assert result.evidence["answers"] == [{"status": 200, "ms": 10.0}]


def test_asks_where_users_come_in_when_told_to(make_context: MakeContext, answer: Answer) -> None:
    asked = answer(OK)
    HttpStatus(endpoint="/health", through="router").check(make_context())
    assert asked[0]["url"] == "http://127.0.0.1:2/health"


def test_a_whole_url_is_asked_as_it_stands(make_context: MakeContext, answer: Answer) -> None:
    asked = answer(OK)
    HttpStatus(endpoint="https://payments.example/up").check(make_context(slot_url=None))
    assert asked[0]["url"] == "https://payments.example/up"


def test_a_service_that_needs_a_moment_passes(make_context: MakeContext, answer: Answer, clock: MovableClock) -> None:
    answer(REFUSED, BROKEN, OK)
    result = HttpStatus(endpoint="/health", retries=2, interval=2.0).check(make_context())
    assert result.verdict is Verdict.PASSED
    assert "try 3" in result.reason
    assert clock.at == pytest.approx(4.0)


def test_fails_with_what_was_seen_once_the_retries_are_used_up(make_context: MakeContext, answer: Answer) -> None:
    asked = answer(BROKEN)
    result = HttpStatus(endpoint="/health", retries=3).check(make_context())
    assert result.verdict is Verdict.FAILED
    assert len(asked) == 4
    assert result.reason == "GET /health answered 503, not 200 (4 tries)"


def test_a_refused_connection_fails(make_context: MakeContext, answer: Answer) -> None:
    answer(REFUSED)
    result = HttpStatus(endpoint="/health", retries=0).check(make_context())
    assert result.verdict is Verdict.FAILED
    assert result.reason == "GET /health did not answer: connection refused (one try)"


def test_any_of_several_statuses_is_right(make_context: MakeContext, answer: Answer) -> None:
    answer(Probe(204, 0.01))
    gate = HttpStatus.model_validate({"endpoint": "/health", "expected": [200, 204]})
    assert gate.check(make_context()).verdict is Verdict.PASSED


def test_an_answer_over_the_latency_limit_is_not_right(make_context: MakeContext, answer: Answer) -> None:
    answer(Probe(200, 0.9))
    result = HttpStatus(endpoint="/health", latency_ms=500, retries=0).check(make_context())
    assert result.verdict is Verdict.FAILED
    assert "900 ms" in result.reason


def test_there_is_nothing_to_ask_before_there_is_a_slot(make_context: MakeContext, answer: Answer) -> None:
    answer(OK)
    result = HttpStatus(endpoint="/health").check(make_context(slot_url=None))
    assert result.verdict is Verdict.INCONCLUSIVE
    assert "no slot" in result.reason


def test_no_try_goes_on_beyond_the_phases_deadline(
    make_context: MakeContext, answer: Answer, clock: MovableClock
) -> None:
    clock.at = 98.0
    asked = answer(BROKEN)
    HttpStatus(endpoint="/health", timeout=30.0, retries=0).check(make_context(deadline=100.0))
    assert asked[0]["timeout"] == pytest.approx(2.0)


def test_a_bad_service_fails_even_if_time_ends_before_the_retries_do(make_context: MakeContext, answer: Answer) -> None:
    answer(BROKEN)
    result = HttpStatus(endpoint="/health", retries=100).check(make_context(deadline=3.5))
    assert result.verdict is Verdict.FAILED
    assert "time was over" in result.reason


def test_a_try_that_the_deadline_cut_off_says_nothing(
    make_context: MakeContext, answer: Answer, clock: MovableClock
) -> None:
    def slow(_url: str, options: dict[str, Any]) -> Probe:
        clock.at += options["timeout"]
        return Probe(None, options["timeout"], error="no whole answer in time")

    answer(slow)
    result = HttpStatus(endpoint="/health").check(make_context(deadline=1.0))
    assert result.verdict is Verdict.INCONCLUSIVE


def test_a_stop_ends_the_retries(make_context: MakeContext, answer: Answer) -> None:
    stop = threading.Event()

    def interrupted(_url: str, _options: dict[str, Any]) -> Probe:
        stop.set()
        return Probe(None, 0.1, error="stopped")

    asked = answer(interrupted)
    result = HttpStatus(endpoint="/health").check(make_context(stop=stop))
    assert result.verdict is Verdict.INCONCLUSIVE
    assert "stopped" in result.reason
    assert len(asked) == 1


def test_method_headers_and_redirects_are_passed_on(make_context: MakeContext, answer: Answer) -> None:
    asked = answer(OK)
    gate = HttpStatus(endpoint="/x", method="HEAD", headers={"Host": "shop"}, follow_redirects=True)
    gate.check(make_context())
    assert asked[0]["method"] == "HEAD"
    assert asked[0]["headers"] == {"Host": "shop"}
    assert asked[0]["redirects"] is True


def test_long_stories_are_cut_to_their_last_answers(make_context: MakeContext, answer: Answer) -> None:
    answer(BROKEN)
    result = HttpStatus(endpoint="/health", retries=50).check(make_context())
    assert result.evidence["tries"] == 51
    assert len(result.evidence["answers"]) == 10


def test_a_token_in_the_endpoint_is_not_recorded(make_context: MakeContext, answer: Answer) -> None:
    answer(BROKEN)
    result = HttpStatus(endpoint="/health?token=hunter2", retries=0).check(make_context(secrets=("hunter2",)))
    assert "hunter2" not in str(result)
    assert "[secret]" in result.reason


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("endpoint", "health"),
        ("expected", 99),
        ("expected", []),
        ("expected", "200"),
        ("retries", -1),
        ("timeout", "0s"),
        ("latency_ms", 0),
        ("through", "dns"),
        ("method", "get"),
        ("retry", 3),
    ],
)
def test_settings_that_make_no_sense_are_refused(key: str, value: object) -> None:
    with pytest.raises(ValidationError):
        HttpStatus.model_validate({"endpoint": "/health", key: value})


def test_a_slot_that_is_not_reached_from_here_is_led_to(make_context: MakeContext, answer: Answer) -> None:
    """On Kubernetes: by a port-forward, for as long as the gate asks."""
    led: list[str] = []

    @contextmanager
    def reach(url: str) -> Iterator[str]:
        led.append(f"to {url}")
        yield "http://127.0.0.1:4711/"
        led.append("closed")

    asked = answer(BROKEN, OK)
    context = make_context(slot_url="http://shop-green.prod.svc:80", reach=reach)
    result = HttpStatus(endpoint="/health").check(context)
    assert result.verdict is Verdict.PASSED
    assert [question["url"] for question in asked] == ["http://127.0.0.1:4711/health"] * 2
    assert led == ["to http://shop-green.prod.svc:80", "closed"]
    assert result.evidence["url"] == "http://shop-green.prod.svc:80/health"


def test_a_slot_to_which_nothing_leads_is_inconclusive(make_context: MakeContext, answer: Answer) -> None:
    def reach(url: str) -> AbstractContextManager[str]:
        del url
        raise RuntimeError("the cluster does not answer")

    answer(OK)
    result = HttpStatus(endpoint="/health").check(make_context(reach=reach))
    assert result.verdict is Verdict.INCONCLUSIVE
    assert "cannot be reached from here: the cluster does not answer" in result.reason


def test_users_way_in_needs_nobody_to_lead_there(make_context: MakeContext, answer: Answer) -> None:
    def reach(url: str) -> AbstractContextManager[str]:
        raise RuntimeError(url)

    answer(OK)
    for gate in (HttpStatus(endpoint="/health", through="router"), HttpStatus(endpoint="http://x/health")):
        assert gate.check(make_context(reach=reach)).verdict is Verdict.PASSED
