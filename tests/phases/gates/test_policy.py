"""With an interpreter that answers as a test says; the real one is in tests/integration/gates."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Protocol

import pytest
from pydantic import ValidationError

from phases.clock import Clock
from phases.gates.base import GateContext
from phases.gates.policy import Policy
from phases.policy import engine
from phases.policy.engine import EngineLost
from phases.verdict import Verdict

MakeContext = Callable[..., GateContext]
RULE = "package shop\n\ndeny contains message if { message := input.reason }\n"


class MovableClock(Clock, Protocol):
    start: datetime


class Interpreter:
    """Stands in for the process: remembers what it is asked and gives the answer it was told."""

    def __init__(self) -> None:
        self.requests: list[dict[str, Any]] = []
        self.answer: dict[str, Any] | Exception = {"answers": {}}
        self.printed = ""

    def __call__(self, request: str, expired: Callable[[], str | None]) -> tuple[dict[str, Any], str]:
        self.requests.append(json.loads(request))
        if reason := expired():
            raise EngineLost(reason)
        if isinstance(self.answer, Exception):
            raise self.answer
        return self.answer, self.printed

    def says(self, **rules: object) -> None:
        self.answer = {"answers": {"shop": rules}}


@pytest.fixture
def interpreter(monkeypatch: pytest.MonkeyPatch) -> Interpreter:
    double = Interpreter()
    monkeypatch.setattr(engine, "_run", double)
    return double


@pytest.fixture
def policies(tmp_path: Path) -> Path:
    folder = tmp_path / "policies"
    (folder / "deep").mkdir(parents=True)
    (folder / "rule.rego").write_text(RULE)
    (folder / "deep" / "lib.rego").write_text("package lib\n\nf(x) if x == 1\n")
    (folder / "rule_test.rego").write_text("package shop\n\ntest_a if { deny with input as {} }\n")
    (folder / "notes.txt").write_text("not a policy")
    return folder


def test_a_launch_that_nothing_denies_passes(
    make_context: MakeContext, interpreter: Interpreter, policies: Path
) -> None:
    interpreter.says(deny=[], warn=[])
    result = Policy(paths=(policies.name,)).check(make_context())
    assert result.verdict is Verdict.PASSED
    assert result.evidence["policies"] == ["policies/deep/lib.rego", "policies/rule.rego"]


def test_what_is_denied_stops_and_what_is_warned_about_is_shown(
    make_context: MakeContext, interpreter: Interpreter, policies: Path
) -> None:
    interpreter.says(deny=["no", {"msg": "never", "rule": 7}], warn=["hm"])
    result = Policy(paths=(policies.name,)).check(make_context())
    assert result.verdict is Verdict.FAILED
    assert result.reason == "denied: no (and 1 more)"
    assert result.evidence["deny"] == ["no", "never"]
    assert result.warnings == ("hm",)


def test_warnings_alone_stop_nothing(make_context: MakeContext, interpreter: Interpreter, policies: Path) -> None:
    interpreter.says(deny=[], warn=["it is Friday"])
    result = Policy(paths=(policies.name,)).check(make_context())
    assert result.verdict is Verdict.PASSED
    assert result.warnings == ("it is Friday",)


@pytest.mark.parametrize(
    ("value", "messages"),
    [
        (None, []),
        (False, []),
        (True, ["shop.deny is true"]),
        ("no", ["no"]),
        (["no", "no"], ["no"]),
        ({"no": True, "never": True}, ["no", "never"]),
        ({"msg": "no"}, ["no"]),
        ({}, []),
    ],
)
def test_every_usual_shape_of_deny_is_understood(
    make_context: MakeContext, interpreter: Interpreter, policies: Path, value: object, messages: list[str]
) -> None:
    interpreter.says(deny=value)
    result = Policy(paths=(policies.name,)).check(make_context())
    assert result.evidence.get("deny", []) == messages
    assert result.verdict is (Verdict.FAILED if messages else Verdict.PASSED)


@pytest.mark.parametrize("value", [5, [5], [{"message": "no"}], {"a": 1}, [None]])
def test_a_deny_that_is_no_message_is_a_broken_policy_and_never_a_pass(
    make_context: MakeContext, interpreter: Interpreter, policies: Path, value: object
) -> None:
    interpreter.says(deny=value)
    result = Policy(paths=(policies.name,)).check(make_context())
    assert result.verdict is Verdict.FAILED
    assert "data.shop.deny" in result.reason


def test_the_policies_get_the_document_the_clock_and_their_data(
    make_context: MakeContext, interpreter: Interpreter, policies: Path, clock: MovableClock
) -> None:
    clock.start = datetime(2026, 11, 20, 22, 30, tzinfo=UTC)
    gate = Policy(paths=(policies.name,), data={"settings": {"x": 1}}, timezone="Asia/Tokyo")
    gate.check(make_context(document=lambda: {"tier": "critical"}))
    request = interpreter.requests[0]
    assert request["input"]["tier"] == "critical"
    assert request["input"]["clock"] == {
        "weekday": "Saturday",
        "date": "2026-11-21",
        "hour": 7,
        "minute": 30,
        "timezone": "Asia/Tokyo",
    }
    assert request["data"] == {"settings": {"x": 1}}
    assert request["packages"] == ["shop"]
    assert request["strict"] is True


@pytest.mark.usefixtures("interpreter")
def test_without_paths_the_starter_policies_are_used(make_context: MakeContext) -> None:
    result = Policy().check(make_context())
    assert all(name.startswith("starter/") for name in result.evidence["policies"])
    assert len(result.evidence["policies"]) == 5


def test_the_starter_policies_go_beside_others_when_asked_for(
    make_context: MakeContext, interpreter: Interpreter, policies: Path
) -> None:
    names = Policy(paths=(policies.name,), starter=True).check(make_context()).evidence["policies"]
    assert "policies/rule.rego" in names
    assert "starter/rollback.rego" in names
    assert interpreter.requests


@pytest.mark.parametrize(
    ("paths", "complaint"),
    [
        (("nothing",), "there is no policy file or folder nothing"),
        (("empty",), "the folder empty holds no .rego files"),
        (("policies/deep",), "defines `deny` or `warn`"),
        (("policies/notes.txt",), "policies/notes.txt:1: there is no `package` line"),
        (("latin.rego",), "latin.rego cannot be read: no UTF-8 text"),
    ],
)
def test_policies_that_cannot_be_used_are_found_before_the_launch_and_stop_it(
    make_context: MakeContext,
    interpreter: Interpreter,
    policies: Path,
    paths: tuple[str, ...],
    complaint: str,
) -> None:
    (policies.parent / "empty").mkdir()
    (policies.parent / "latin.rego").write_bytes(b"package shop # \xfc")
    gate = Policy(paths=paths)
    assert complaint in gate.problems(policies.parent)[0]
    result = gate.check(make_context())
    assert result.verdict is Verdict.FAILED
    assert complaint in result.reason
    assert interpreter.requests == []


def test_a_broken_policy_is_named_with_its_line(
    make_context: MakeContext, interpreter: Interpreter, policies: Path
) -> None:
    interpreter.answer = {"broken": "(rego-errorseq ...)"}
    interpreter.printed = "Errors:\nInvalid else in set rule\n-- policies/rule.rego:3:1\ndeny contains\n"
    gate = Policy(paths=(policies.name,))
    result = gate.check(make_context())
    assert result.verdict is Verdict.FAILED
    assert result.reason == "a policy cannot be evaluated: policies/rule.rego:3: Invalid else in set rule"
    assert gate.problems(policies.parent) == ("policies/rule.rego:3: Invalid else in set rule",)


def test_where_it_prints_nothing_the_line_comes_from_the_offset(
    make_context: MakeContext, interpreter: Interpreter, policies: Path
) -> None:
    offset = RULE.index("deny")
    interpreter.answer = {
        "broken": f"(rego-errorseq\n  (error 20:policies/rule.rego|{offset}|2\n    (errormsg 27:Invalid assignment)"
    }
    result = Policy(paths=(policies.name,)).check(make_context())
    assert result.reason.endswith("policies/rule.rego:3: Invalid assignment")


def test_a_function_that_does_not_exist_is_found_in_the_source(
    make_context: MakeContext, interpreter: Interpreter, policies: Path
) -> None:
    (policies / "rule.rego").write_text("package shop\n\n\ndeny contains message if { message := uper(input.x) }\n")
    interpreter.answer = {"broken": "(error\n  (errormsg 24:Function not found: uper)\n  (errorast))"}
    result = Policy(paths=(policies.name,)).check(make_context())
    assert result.reason.endswith("policies/rule.rego:4: there is no function uper")


def test_before_the_launch_only_what_is_always_wrong_is_a_problem(interpreter: Interpreter, policies: Path) -> None:
    assert Policy(paths=(policies.name,)).problems(policies.parent) == ()
    assert interpreter.requests[0]["strict"] is False
    assert interpreter.requests[0]["input"] == {}


def test_an_interpreter_that_died_is_inconclusive(
    make_context: MakeContext, interpreter: Interpreter, policies: Path
) -> None:
    interpreter.answer = EngineLost("the Rego interpreter crashed (SIGSEGV)")
    result = Policy(paths=(policies.name,)).check(make_context())
    assert result.verdict is Verdict.INCONCLUSIVE
    assert "SIGSEGV" in result.reason


def test_a_launch_that_cannot_be_described_is_inconclusive(
    make_context: MakeContext, interpreter: Interpreter, policies: Path
) -> None:
    def broken() -> dict[str, Any]:
        raise ConnectionError("the database is away")

    result = Policy(paths=(policies.name,)).check(make_context(document=broken))
    assert result.verdict is Verdict.INCONCLUSIVE
    assert "the database is away" in result.reason
    assert interpreter.requests == []


def test_no_evaluation_goes_on_beyond_the_deadline(
    make_context: MakeContext, interpreter: Interpreter, policies: Path
) -> None:
    result = Policy(paths=(policies.name,)).check(make_context(deadline=-1.0))
    assert result.verdict is Verdict.INCONCLUSIVE
    assert "time was over" in result.reason
    assert interpreter.requests


def test_a_secret_in_a_message_is_not_recorded(
    make_context: MakeContext, interpreter: Interpreter, policies: Path
) -> None:
    interpreter.says(deny=["password hunter2 is too short"], warn=["hunter2"])
    result = Policy(paths=(policies.name,)).check(make_context(secrets=("hunter2",)))
    assert "hunter2" not in str(result)


def test_hundreds_of_messages_are_counted_but_not_all_recorded(
    make_context: MakeContext, interpreter: Interpreter, policies: Path
) -> None:
    interpreter.says(deny=[f"no {number}" for number in range(300)])
    evidence = Policy(paths=(policies.name,)).check(make_context()).evidence
    assert (len(evidence["deny"]), evidence["deny_count"]) == (20, 300)


@pytest.mark.parametrize("settings", [{"timezone": "Mars/Olympus"}, {"timezone": ""}, {"path": "x"}, {"timeout": "0s"}])
def test_settings_that_make_no_sense_are_refused(settings: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        Policy.model_validate(settings)
