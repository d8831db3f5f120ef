from __future__ import annotations

import threading
from collections.abc import Callable

from phases.gates.base import GateContext, Moment
from phases.gates.rollback_ready import RollbackReady
from phases.kinds import PhaseKind
from phases.verdict import Verdict

MakeContext = Callable[..., GateContext]


def test_is_asked_before_anything_changes() -> None:
    assert all(RollbackReady.moments(kind) == {Moment.ENTRY} for kind in PhaseKind)


def test_passes_when_everything_can_be_put_back(make_context: MakeContext) -> None:
    assert RollbackReady().check(make_context()).verdict is Verdict.PASSED


def test_fails_with_the_first_problem_and_records_all(make_context: MakeContext) -> None:
    problems = ("revision 2 has no way down", "the bytes of app.zip are gone")
    result = RollbackReady().check(make_context(undo_problems=lambda: problems))
    assert result.verdict is Verdict.FAILED
    assert result.reason == "this launch could not be undone: revision 2 has no way down (and 1 more)"
    assert result.evidence == {"problems": list(problems), "count": 2}


def test_hundreds_of_problems_are_counted_but_not_all_recorded(make_context: MakeContext) -> None:
    problems = tuple(f"problem {number}" for number in range(300))
    evidence = RollbackReady().check(make_context(undo_problems=lambda: problems)).evidence
    assert evidence["count"] == 300
    assert len(evidence["problems"]) == 20


def test_a_backend_that_does_not_answer_is_inconclusive(make_context: MakeContext) -> None:
    def broken() -> tuple[str, ...]:
        raise ConnectionError("no route to host")

    result = RollbackReady().check(make_context(undo_problems=broken))
    assert result.verdict is Verdict.INCONCLUSIVE
    assert "no route to host" in result.reason


def test_a_question_that_blocks_is_left_when_the_launch_is_stopped(make_context: MakeContext) -> None:
    stop, release = threading.Event(), threading.Event()

    def blocking() -> tuple[str, ...]:
        stop.set()
        release.wait()
        return ()

    result = RollbackReady().check(make_context(undo_problems=blocking, stop=stop))
    release.set()
    assert result.verdict is Verdict.INCONCLUSIVE
    assert "stopped" in result.reason


def test_a_secret_in_a_problem_is_not_recorded(make_context: MakeContext) -> None:
    context = make_context(undo_problems=lambda: ("postgres://shop:p%40ss@db is gone",), secrets=("p@ss",))
    assert "p%40ss" not in str(RollbackReady().check(context))
