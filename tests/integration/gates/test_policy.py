"""The policy gate with the real Rego interpreter."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from phases.clock import SystemClock
from phases.gates.base import GateContext, Moment, Release
from phases.gates.policy import Policy
from phases.kinds import PhaseKind
from phases.verdict import GateResult, Verdict

pytestmark = pytest.mark.integration

Check = Callable[..., GateResult]


@pytest.fixture
def check(tmp_path: Path) -> Check:
    """Return a function that evaluates one policy over a document."""

    def run(source: str, document: dict[str, Any] | None = None, *, seconds: float = 60, **settings: Any) -> GateResult:  # noqa: ANN401
        (tmp_path / "rule.rego").write_text(source, encoding="utf-8")
        context = GateContext(
            environment="dev",
            phase="deploy",
            kind=PhaseKind.DEPLOY,
            moment=Moment.ENTRY,
            release=Release("shop:2.0", "sha256:0"),
            root=tmp_path,
            deadline=SystemClock().monotonic() + seconds,
            document=lambda: document or {},
        )
        return Policy(paths=("rule.rego",), **settings).check(context)

    return run


def rule(body: str) -> str:
    return f"package shop\n\ndeny contains message if {{\n{body}\n}}\n"


def test_messages_come_back_as_they_are(check: Check) -> None:
    text = 'line\nnext\ttab "quoted" \\ back, ü, 😀, \x01'
    result = check(rule("message := input.text"), {"text": text})
    assert result.evidence["deny"] == [text]


def test_values_come_back_as_they_are(check: Check) -> None:
    values: list[Any] = [1, 2.5, 10**18, -3, 1e-9, True, None, {"a": [{}]}]
    result = check(rule('message := {"msg": "x", "values": input.values}'), {"values": values})
    assert result.evidence["deny"] == ["x"]


def test_rules_see_data_and_functions_of_rego(check: Check) -> None:
    source = rule('input.n > data.limits.n\nmessage := sprintf("%d is over %v%%", [input.n, data.limits.n])')
    assert check(source, {"n": 5}, data={"limits": {"n": 3}}).evidence["deny"] == ["5 is over 3%"]
    assert check(source, {"n": 2}, data={"limits": {"n": 3}}).verdict is Verdict.PASSED


def test_a_policy_may_use_a_library_beside_it(check: Check, tmp_path: Path) -> None:
    (tmp_path / "lib").mkdir()
    (tmp_path / "lib" / "names.rego").write_text('package names\n\nbad(name) if name == "latest"\n')
    (tmp_path / "lib" / "rule.rego").write_text(
        "package shop\n\nimport data.names\n\n"
        'deny contains "no tag" if { names.bad(input.tag) }\n'
        'warn contains "hm" if true\n'
    )
    context = GateContext(
        environment="dev",
        phase="deploy",
        kind=PhaseKind.DEPLOY,
        moment=Moment.ENTRY,
        release=Release("shop:latest", "sha256:0"),
        root=tmp_path,
        document=lambda: {"tag": "latest"},
    )
    result = Policy(paths=("lib",)).check(context)
    assert result.reason == "denied: no tag"
    assert result.warnings == ("hm",)
    assert check(rule('message := "x"'), {}).reason == "denied: x"


@pytest.mark.parametrize(
    ("source", "complaint"),
    [
        ("package shop\n\n\ndeny contains x if { x := }\n", "rule.rego:4: Invalid assignment operator"),
        ("package shop\n\ndeny contains x if {\n  x := sprintf(1\n}\n", "rule.rego:4: this is unclosed"),
        ('package shop\n\ndeny contains "x" if { unknown(1) }\n', "rule.rego:3: there is no function unknown"),
        ('package shop\n\ndeny contains "x" if { true } else := 1\n', "rule.rego:"),
    ],
)
def test_a_policy_that_does_not_compile_is_found_before_the_launch_with_its_line(
    check: Check, tmp_path: Path, source: str, complaint: str
) -> None:
    result = check(source)
    assert result.verdict is Verdict.FAILED
    assert complaint in result.reason
    assert complaint in Policy(paths=("rule.rego",)).problems(tmp_path)[0]


@pytest.mark.parametrize(
    "body",
    [
        'time.parse_rfc3339_ns(input.when) > 0\nmessage := "x"',
        'to_number(input.when) > 0\nmessage := "x"',
    ],
)
def test_a_mistake_in_a_rule_is_never_taken_for_nothing_to_deny(check: Check, tmp_path: Path, body: str) -> None:
    """Plain Rego makes an error in a built-in function "undefined", and the rule would never fire."""
    result = check(rule(body), {"when": "tomorrow"})
    assert result.verdict is Verdict.FAILED
    assert "built-in function" in result.reason
    assert Policy(paths=("rule.rego",)).problems(tmp_path) == ()


def test_what_a_policy_prints_disturbs_nothing(check: Check, capfd: pytest.CaptureFixture[str]) -> None:
    result = check(rule('print("hello", input.x)\nmessage := "x"'), {"x": 1})
    assert result.evidence["deny"] == ["x"]
    assert capfd.readouterr() == ("", "")


def test_an_interpreter_that_crashes_takes_nothing_with_it(check: Check) -> None:
    source = 'package shop\n\na if input.x\n\ndeny contains "x" if { a with input as {"x": true} }\n'
    result = check(source)
    # Newer interpreters may evaluate it; the one of today ends with a signal.
    assert result.verdict is Verdict.INCONCLUSIVE or result.evidence["deny"] == ["x"]


def test_a_policy_that_takes_too_long_is_ended(check: Check) -> None:
    numbers = "numbers.range(1, 1000)"
    body = f'some a in {numbers}\nsome b in {numbers}\nsome c in {numbers}\na + b + c == -1\nmessage := "x"'
    result = check(rule(body), timeout=0.5)
    assert result.verdict is Verdict.INCONCLUSIVE
    assert "timeout of 500ms" in result.reason


def test_policies_see_no_environment_variables(check: Check, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LAUNCH_TEST_SECRET", "hunter2")
    assert "LAUNCH_TEST_SECRET" in os.environ
    result = check(rule('message := sprintf("%v", [opa.runtime().env])'))
    assert "hunter2" not in str(result)
