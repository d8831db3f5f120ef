"""`run_synthetic_tests`: transactions against the new slot, before it has users."""

from __future__ import annotations

import json
import math
import threading
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from phases.clock import Clock, SystemClock
from phases.http import Probe, probe
from phases.redact import redact
from phases.same import same
from phases.statuses import either
from phases.transactions import Expectation, Transaction, TransactionsError, fill, load
from phases.verdict import GateResult, failed, inconclusive, passed

__all__ = ["Failure", "SyntheticReport", "Transaction", "TransactionsError", "default", "load", "run"]

_SHOWN = 20
_TEXT = 200
_READ = 64 * 1024


@dataclass(frozen=True, slots=True)
class Failure:
    """One transaction that did not go as it should.

    Attributes:
        run: which run, from 1.
        transaction: its name.
        reason: what was expected and what came.
        status: the HTTP status; None where no response came.
    """

    run: int
    transaction: str
    reason: str
    status: int | None = None


@dataclass(frozen=True, slots=True)
class SyntheticReport:
    """What the runs met.

    Attributes:
        runs: runs that were asked for.
        passed: runs in which every transaction went as it should.
        requests: requests that were sent.
        failures: the transactions that did not, in order.
        p50_ms: median time of an answer, in milliseconds; None without any answer.
        p99_ms: 99th percentile (nearest rank).
        stopped: why the runs ended early, if they did.
        defaulted: path of the health check that stood in for a file that is not configured.
    """

    runs: int
    passed: int
    requests: int = 0
    failures: tuple[Failure, ...] = ()
    p50_ms: float | None = None
    p99_ms: float | None = None
    stopped: str | None = None
    defaulted: str | None = None

    def to_result(self) -> GateResult:
        """Return the report as a gate's result: failed with any failure, inconclusive where it was cut short."""
        evidence: dict[str, Any] = {
            "runs": self.runs,
            "passed": self.passed,
            "requests": self.requests,
            "p50_ms": self.p50_ms,
            "p99_ms": self.p99_ms,
        }
        if self.failures:
            evidence["failed"] = len(self.failures)
            evidence["failures"] = [
                {"run": item.run, "transaction": item.transaction, "status": item.status, "reason": item.reason}
                for item in self.failures[:_SHOWN]
            ]
        what = f"GET {self.defaulted} (no synthetic transactions are configured)" if self.defaulted else ""
        if self.failures:
            first = self.failures[0]
            more = f" (and {len(self.failures) - 1} more)" if len(self.failures) > 1 else ""
            return failed(f"{what or first.transaction}: {first.reason}{more}", evidence)
        if self.stopped is not None:
            return inconclusive(f"{self.passed} of {self.runs} runs passed, then {self.stopped}", evidence)
        times = "once" if self.runs == 1 else f"{self.runs} times"
        answer = "answered as it should" if what else "all synthetic transactions went as they should"
        return passed(" ".join(filter(None, (what, answer, times))), evidence)


def default(path: str = "/health") -> tuple[Transaction, ...]:
    """Return what is run where no file is configured: the service's own health check expects 200."""
    return (Transaction(name=f"GET {path}", path=path),)


def run(
    transactions: Sequence[Transaction] | None,
    base_url: str,
    *,
    runs: int = 1,
    health_path: str = "/health",
    clock: Clock | None = None,
    deadline: float = math.inf,
    stop: threading.Event | None = None,
    secrets: Iterable[str] = (),
) -> SyntheticReport:
    """Send the transactions, in order, `runs` times, each run with saved values of its own.

    Args:
        transactions: what `load` returned; None where no file is configured: then it is `default(health_path)`.
        base_url: the new slot.
        runs: how often.
        health_path: for the default.
        clock: for the deadline.
        deadline: in `clock.monotonic()` seconds; no request goes on beyond it.
        stop: when it is set, the runs end within a few hundredths of a second.
        secrets: values that must not appear in the report.
    """
    session = _Session(
        base_url.rstrip("/"), clock or SystemClock(), deadline, stop or threading.Event(), tuple(secrets)
    )
    chosen = default(health_path) if transactions is None else transactions
    good = 0
    for number in range(1, runs + 1):
        before = len(session.failures)
        session.play(number, chosen)
        if session.stopped:
            break
        good += len(session.failures) == before
    times = sorted(session.milliseconds)
    return SyntheticReport(
        runs=runs,
        passed=good,
        requests=session.requests,
        failures=tuple(session.failures),
        p50_ms=_rank(times, 0.50),
        p99_ms=_rank(times, 0.99),
        stopped=session.stopped,
        defaulted=health_path if transactions is None else None,
    )


@dataclass
class _Session:
    base_url: str
    clock: Clock
    deadline: float
    stop: threading.Event
    secrets: tuple[str, ...]
    requests: int = 0
    failures: list[Failure] = field(default_factory=list)
    milliseconds: list[float] = field(default_factory=list)
    stopped: str | None = None

    def play(self, number: int, transactions: Sequence[Transaction]) -> None:
        """Make one run. A request that needs a value which a failed one should have saved is left out."""
        values: dict[str, Any] = {"run": number}
        for transaction in transactions:
            if not transaction.needs() <= values.keys():
                continue
            answer = self._send(transaction, values)
            if answer is None:
                return
            reason = _wrong(transaction.expect, answer, self._quote) or _save(transaction, answer, values)
            if reason:
                reason = redact(reason, self.secrets)
                self.failures.append(Failure(number, transaction.name, reason, answer.status))

    def _send(self, transaction: Transaction, values: Mapping[str, Any]) -> Probe | None:
        """Send one request; None where a stop or the deadline cut it off."""
        if self._over():
            return None
        headers = {name: str(value) for name, value in fill(transaction.headers, values).items()}
        body: bytes | None = None
        if transaction.json_ is not None:
            body = json.dumps(fill(transaction.json_, values)).encode()
            headers = {"Content-Type": "application/json", **headers}
        elif transaction.body is not None:
            body = str(fill(transaction.body, values)).encode()
        self.requests += 1
        answer = probe(
            self.base_url + str(fill(transaction.path, values)),
            method=transaction.method,
            headers=headers,
            body=body,
            timeout=max(0.001, min(transaction.timeout, self.deadline - self.clock.monotonic())),
            stop=self.stop,
        )
        if self._over() and not answer.answered:
            return None
        self.stopped = None
        if answer.answered:
            self.milliseconds.append(answer.seconds * 1000)
        return answer

    def _quote(self, text: str) -> str:
        """Return the beginning of what came, without secrets: they go first, for half of one would not be found."""
        text = redact(text[:_READ].strip(), self.secrets)
        return text[:_TEXT] or "an empty body"

    def _over(self) -> bool:
        if self.stop.is_set():
            self.stopped = "it was stopped"
        elif self.clock.monotonic() >= self.deadline:
            self.stopped = "the phase's time was over"
        return self.stopped is not None


def _wrong(expect: Expectation, answer: Probe, quote: Callable[[str], str]) -> str:
    if answer.error is not None:
        return f"no answer: {answer.error}"
    if answer.status not in expect.status:
        return f"status {answer.status}, expected {either(expect.status)}: {quote(answer.text)}"
    for name, value in expect.headers.items():
        got = answer.headers.get(name.lower())
        if got != value:
            return f"header {name} is {got!r}, expected {value!r}"
    if expect.contains is not None and expect.contains not in answer.text:
        return f"the body does not contain {expect.contains!r}: {quote(answer.text)}"
    if expect.json_ and (reason := _wrong_json(expect, answer, quote)):
        return reason
    if expect.latency_ms is not None and answer.seconds * 1000 > expect.latency_ms:
        return f"took {answer.seconds * 1000:.0f} ms, more than {expect.latency_ms:g} ms"
    return ""


def _wrong_json(expect: Expectation, answer: Probe, quote: Callable[[str], str]) -> str:
    try:
        document = json.loads(answer.body)
    except ValueError:
        return f"the body is no JSON: {quote(answer.text)}"
    for path, value in expect.json_.items():
        got = _find(path, document)
        if not same(got, value):
            return f"{path} is {quote(json.dumps(got))}, expected {json.dumps(value)}"
    return ""


def _save(transaction: Transaction, answer: Probe, values: dict[str, Any]) -> str:
    """Put the values to save into `values`; return why one cannot be had, or nothing."""
    if not transaction.save:
        return ""
    try:
        document = json.loads(answer.body)
    except ValueError:
        return f"{next(iter(transaction.save))!r} cannot be saved: the body is no JSON"
    for name, path in transaction.save.items():
        got = _find(path, document)
        if got is None:
            return f"{name!r} cannot be saved: the answer has nothing at {path}"
        values[name] = got
    return ""


def _find(path: str, document: Any) -> Any:  # noqa: ANN401
    import jmespath
    from jmespath.exceptions import JMESPathError

    try:
        return jmespath.search(path, document)
    except JMESPathError:  # a function that does not take what is there: nothing was found
        return None


def _rank(times: Sequence[float], share: float) -> float | None:
    """Return the nearest-rank percentile of sorted values."""
    return round(times[max(0, math.ceil(share * len(times)) - 1)], 1) if times else None
