from __future__ import annotations

import json
import threading
from collections.abc import Callable, Sequence
from typing import Any, Protocol

import pytest

from phases import synthetic
from phases.http import Probe
from phases.synthetic import SyntheticReport, Transaction, run
from phases.verdict import Verdict

BASE = "http://127.0.0.1:1/"


class FakeClock:
    def __init__(self) -> None:
        self.at = 0.0

    def monotonic(self) -> float:
        return self.at

    def now(self) -> Any:  # noqa: ANN401
        raise NotImplementedError

    def sleep(self, seconds: float) -> None:
        raise NotImplementedError


class Slot(Protocol):
    """Lets the new slot answer with what a function makes of method, path and options; returns what it was asked."""

    def __call__(self, answer: Callable[[str, dict[str, Any]], Probe]) -> list[tuple[str, dict[str, Any]]]: ...


@pytest.fixture
def slot(monkeypatch: pytest.MonkeyPatch) -> Slot:
    def use(answer: Callable[[str, dict[str, Any]], Probe]) -> list[tuple[str, dict[str, Any]]]:
        asked: list[tuple[str, dict[str, Any]]] = []

        def probe(url: str, **options: object) -> Probe:
            path = url.removeprefix("http://127.0.0.1:1")
            asked.append((path, dict(options)))
            return answer(path, dict(options))

        monkeypatch.setattr(synthetic, "probe", probe)
        return asked

    return use


def ok(
    body: object = None, *, status: int = 200, seconds: float = 0.01, headers: dict[str, str] | None = None
) -> Probe:
    return Probe(status, seconds, b"" if body is None else json.dumps(body).encode(), headers or {})


def transactions(*given: dict[str, Any]) -> tuple[Transaction, ...]:
    return tuple(
        Transaction.model_validate({"name": f"t{number}", "path": "/", **each}) for number, each in enumerate(given)
    )


def play(slot: Slot, answer: Probe, expect: dict[str, Any], **more: Any) -> SyntheticReport:  # noqa: ANN401
    slot(lambda _path, _options: answer)
    return run(transactions({"expect": expect}), BASE, **more)


def test_without_a_file_the_health_check_is_asked_and_that_is_said(slot: Slot) -> None:
    asked = slot(lambda _path, _options: ok())
    result = run(None, BASE, health_path="/up").to_result()
    assert [path for path, _ in asked] == ["/up"]
    assert result.verdict is Verdict.PASSED
    assert result.reason == "GET /up (no synthetic transactions are configured) answered as it should once"


def test_without_a_file_a_sick_slot_fails(slot: Slot) -> None:
    slot(lambda _path, _options: ok(status=500))
    result = run(None, BASE).to_result()
    assert result.verdict is Verdict.FAILED
    assert result.reason.startswith("GET /health (no synthetic transactions are configured): status 500, expected 200")


def test_all_transactions_run_in_order_as_often_as_told(slot: Slot) -> None:
    asked = slot(lambda _path, _options: ok())
    report = run(transactions({"path": "/a"}, {"path": "/b"}), BASE, runs=3)
    assert [path for path, _ in asked] == ["/a", "/b"] * 3
    assert (report.runs, report.passed, report.requests) == (3, 3, 6)
    assert report.to_result().reason == "all synthetic transactions went as they should 3 times"


def test_bodies_and_headers_are_sent(slot: Slot) -> None:
    asked = slot(lambda _path, _options: ok())
    given = transactions(
        {"method": "POST", "json": {"a": 1}, "headers": {"X-A": "b"}}, {"method": "PUT", "body": "text"}
    )
    run(given, BASE)
    assert asked[0][1]["body"] == b'{"a": 1}'
    assert asked[0][1]["headers"] == {"Content-Type": "application/json", "X-A": "b"}
    assert (asked[1][1]["method"], asked[1][1]["body"], asked[1][1]["headers"]) == ("PUT", b"text", {})


def test_a_content_type_of_the_file_wins(slot: Slot) -> None:
    asked = slot(lambda _path, _options: ok())
    run(transactions({"json": {}, "headers": {"Content-Type": "application/vnd.shop+json"}}), BASE)
    assert asked[0][1]["headers"] == {"Content-Type": "application/vnd.shop+json"}


@pytest.mark.parametrize(
    ("answer", "expect", "reason"),
    [
        (ok(status=503), {}, "status 503, expected 200: an empty body"),
        (ok({"e": "x"}, status=404), {"status": [200, 201]}, 'status 404, expected 200 or 201: {"e": "x"}'),
        (ok({"a": {"b": 1}}), {"json": {"a.b": 2}}, "a.b is 1, expected 2"),
        (ok({"a": True}), {"json": {"a": 1}}, "a is true, expected 1"),
        (ok({}), {"json": {"a": "x"}}, 'a is null, expected "x"'),
        (ok({"a": 1}), {"json": {"length(a)": 1}}, "length(a) is null, expected 1"),
        (Probe(200, 0.01, b"<html>"), {"json": {"a": 1}}, "the body is no JSON: <html>"),
        (ok(headers={"x-shop": "1.0"}), {"headers": {"X-Shop": "2.0"}}, "header X-Shop is '1.0', expected '2.0'"),
        (Probe(200, 0.01, b"hello"), {"contains": "Welcome"}, "the body does not contain 'Welcome': hello"),
        (ok(seconds=0.4), {"latency_ms": 300}, "took 400 ms, more than 300 ms"),
        (Probe(None, 0.1, error="connection refused"), {}, "no answer: connection refused"),
        (Probe(200, 0.1, error="the connection broke"), {}, "no answer: the connection broke"),
    ],
)
def test_what_is_not_as_expected_fails_with_what_came(
    slot: Slot, answer: Probe, expect: dict[str, Any], reason: str
) -> None:
    report = play(slot, answer, expect)
    assert [(failure.run, failure.transaction, failure.reason) for failure in report.failures] == [(1, "t0", reason)]
    result = report.to_result()
    assert result.verdict is Verdict.FAILED
    assert result.reason == f"t0: {reason}"
    assert result.evidence["failures"][0]["reason"] == reason


@pytest.mark.parametrize(
    ("answer", "expect"),
    [
        (ok({"a": {"b": [1, 2]}}), {"json": {"a.b[1]": 2, "length(a.b)": 2}}),
        (ok({"a": None}), {"json": {"a": None}}),
        (ok(status=204), {"status": 204}),
        (ok(headers={"x-shop": "2.0"}), {"headers": {"X-Shop": "2.0"}}),
        (Probe(200, 0.3, b"Welcome back"), {"contains": "Welcome", "latency_ms": 300}),
    ],
)
def test_what_is_as_expected_passes(slot: Slot, answer: Probe, expect: dict[str, Any]) -> None:
    assert play(slot, answer, expect).to_result().verdict is Verdict.PASSED


def test_values_of_an_answer_are_used_in_later_requests_of_the_same_run(slot: Slot) -> None:
    counter = iter(range(1, 10))

    def answer(path: str, _options: dict[str, Any]) -> Probe:
        return ok({"auth": {"token": f"t{next(counter)}", "id": 7}}) if path == "/login" else ok()

    asked = slot(answer)
    given = transactions(
        {"path": "/login", "save": {"token": "auth.token", "id": "auth.id"}},
        {"path": "/cart/{{ id }}", "headers": {"Authorization": "Bearer {{ token }}"}, "json": {"id": "{{ id }}"}},
    )
    assert run(given, BASE, runs=2).passed == 2
    carts = [(path, options["headers"]["Authorization"], options["body"]) for path, options in asked[1::2]]
    assert carts == [("/cart/7", "Bearer t1", b'{"id": 7}'), ("/cart/7", "Bearer t2", b'{"id": 7}')]


def test_a_request_whose_value_could_not_be_saved_is_left_out(slot: Slot) -> None:
    """One failure, not two: what is wrong is the login."""
    asked = slot(lambda _path, _options: ok({}))
    given = transactions(
        {"path": "/login", "save": {"token": "auth.token"}}, {"path": "/cart/{{ token }}"}, {"path": "/z"}
    )
    report = run(given, BASE)
    assert [path for path, _ in asked] == ["/login", "/z"]
    assert [failure.reason for failure in report.failures] == [
        "'token' cannot be saved: the answer has nothing at auth.token"
    ]


def test_a_save_from_something_that_is_no_json_fails(slot: Slot) -> None:
    slot(lambda _path, _options: Probe(200, 0.01, b"<html>"))
    report = run(transactions({"save": {"token": "a"}}), BASE)
    assert report.failures[0].reason == "'token' cannot be saved: the body is no JSON"


def test_each_run_knows_its_number(slot: Slot) -> None:
    asked = slot(lambda _path, _options: ok())
    run(transactions({"path": "/u{{ run }}"}), BASE, runs=2)
    assert [path for path, _ in asked] == ["/u1", "/u2"]


def test_one_bad_run_of_many_fails_and_is_numbered(slot: Slot) -> None:
    answers = iter([ok(), ok(status=500), ok()])
    slot(lambda _path, _options: next(answers))
    report = run(transactions({}), BASE, runs=3)
    assert (report.passed, report.failures[0].run) == (2, 2)
    assert report.to_result().verdict is Verdict.FAILED


def test_latencies_are_given_as_nearest_ranks(slot: Slot) -> None:
    times = iter(range(1, 101))
    slot(lambda _path, _options: ok(seconds=next(times) / 1000))
    report = run(transactions({}), BASE, runs=100)
    assert (report.p50_ms, report.p99_ms) == (50.0, 99.0)


def test_a_stop_ends_the_runs_and_is_no_failure(slot: Slot) -> None:
    stop = threading.Event()

    def answer(_path: str, _options: dict[str, Any]) -> Probe:
        stop.set()
        return Probe(None, 0.1, error="stopped")

    asked = slot(answer)
    result = run(transactions({}, {}), BASE, runs=100, stop=stop).to_result()
    assert len(asked) == 1
    assert result.verdict is Verdict.INCONCLUSIVE
    assert "stopped" in result.reason


def test_no_request_goes_on_beyond_the_deadline(slot: Slot) -> None:
    clock = FakeClock()

    def answer(_path: str, options: dict[str, Any]) -> Probe:
        clock.at += 4.0
        return ok() if options["timeout"] >= 4.0 else Probe(None, options["timeout"], error="no whole answer in time")

    asked = slot(answer)
    report = run(transactions({}), BASE, runs=100, clock=clock, deadline=10.0)
    assert [options["timeout"] for _, options in asked] == [5.0, 5.0, pytest.approx(2.0)]
    assert report.passed == 2
    result = report.to_result()
    assert result.verdict is Verdict.INCONCLUSIVE
    assert result.reason == "2 of 100 runs passed, then the phase's time was over"


def test_a_failure_that_was_seen_counts_even_if_time_ends_then(slot: Slot) -> None:
    clock = FakeClock()

    def answer(_path: str, _options: dict[str, Any]) -> Probe:
        clock.at += 6.0
        return ok(status=500)

    slot(answer)
    assert run(transactions({}), BASE, runs=100, clock=clock, deadline=10.0).to_result().verdict is Verdict.FAILED


def test_an_answer_just_in_time_counts(slot: Slot) -> None:
    clock = FakeClock()

    def answer(_path: str, _options: dict[str, Any]) -> Probe:
        clock.at = 10.0
        return ok()

    slot(answer)
    report = run(transactions({}), BASE, clock=clock, deadline=10.0)
    assert report.to_result().verdict is Verdict.PASSED


def secrets_in(values: Sequence[str]) -> Callable[[str, dict[str, Any]], Probe]:
    return lambda _path, _options: Probe(500, 0.01, " ".join(values).encode())


def test_a_secret_in_an_answer_is_not_recorded_not_even_its_half(slot: Slot) -> None:
    slot(secrets_in(["x" * 190, "hunter2-and-more"]))
    report = run(transactions({}), BASE, secrets=("hunter2-and-more",))
    assert "hunter" not in str(report)
    assert "hunter" not in str(report.to_result())


def test_hundreds_of_failures_are_counted_but_not_all_recorded(slot: Slot) -> None:
    slot(lambda _path, _options: ok(status=500))
    evidence = run(transactions({}), BASE, runs=300).to_result().evidence
    assert (evidence["failed"], len(evidence["failures"])) == (300, 20)
    assert json.dumps(evidence)
