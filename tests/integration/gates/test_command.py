"""The command gate with real programs."""

from __future__ import annotations

import dataclasses
import re
import sys
import threading
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import psutil
import pytest

from phases.clock import SystemClock
from phases.gates.base import GateContext, Moment, Release
from phases.gates.command import Command, perform
from phases.kinds import PhaseKind
from phases.verdict import GateResult, Verdict

pytestmark = pytest.mark.integration

Check = Callable[..., GateResult]


@pytest.fixture
def check(tmp_path: Path) -> Check:
    """Return a function that runs Python code as the command."""

    def run(code: str, *, seconds: float = 60, stop: threading.Event | None = None, **settings: Any) -> GateResult:  # noqa: ANN401
        gate = Command(run=(sys.executable, "-c", code), **settings)
        return gate.check(make_context(tmp_path, seconds, stop))

    return run


def make_context(root: Path, seconds: float = 60, stop: threading.Event | None = None) -> GateContext:
    return GateContext(
        environment="prod",
        phase="deploy",
        kind=PhaseKind.DEPLOY,
        moment=Moment.EXIT,
        release=Release("shop:2.0", "sha256:0", "0002"),
        root=root,
        deadline=SystemClock().monotonic() + seconds,
        stop=stop or threading.Event(),
        slot="green",
        slot_url="http://127.0.0.1:1",
        secrets=("hunter2",),
    )


class Hurried(SystemClock):
    """A clock on which a minute goes by at each look."""

    def __init__(self) -> None:
        self._seconds = 0.0

    def monotonic(self) -> float:
        self._seconds += 60.0
        return self._seconds


def test_exit_code_zero_passes_and_its_output_is_evidence(check: Check) -> None:
    result = check("print('all good')")
    assert result.verdict is Verdict.PASSED
    assert result.evidence["exit_code"] == 0
    assert result.evidence["output"] == "all good\n"


def test_any_other_exit_code_fails(check: Check) -> None:
    result = check("import sys; print('bad', file=sys.stderr); sys.exit(3)")
    assert result.verdict is Verdict.FAILED
    assert result.evidence["output"] == "bad\n"
    assert result.reason.endswith("ended with 3")


def test_an_agreed_exit_code_says_it_could_not_tell(check: Check) -> None:
    assert check("raise SystemExit(75)").verdict is Verdict.INCONCLUSIVE
    assert check("raise SystemExit(75)", inconclusive_exit_code=7).verdict is Verdict.FAILED
    assert check("raise SystemExit(7)", inconclusive_exit_code=7).verdict is Verdict.INCONCLUSIVE


def test_a_program_that_dies_fails(check: Check) -> None:
    assert check("import os; os.kill(os.getpid(), 9)").verdict is Verdict.FAILED


def test_a_program_that_is_not_there_fails(tmp_path: Path) -> None:
    result = Command(run=("no-such-program",)).check(make_context(tmp_path))
    assert result.verdict is Verdict.FAILED
    assert result.reason == "no-such-program cannot be run: No such file or directory"


def test_a_program_that_is_not_there_is_found_before_the_launch(tmp_path: Path) -> None:
    assert Command(run=("no-such-program",)).problems(tmp_path) == ("no-such-program is no program on PATH",)
    script = tmp_path / "check.sh"
    script.write_text("#!/bin/sh\n")
    assert Command(run=("./check.sh",)).problems(tmp_path) == (f"./check.sh is no program in {tmp_path}",)
    script.chmod(0o755)
    assert Command(run=("./check.sh",)).problems(tmp_path) == ()
    assert Command(run=(sys.executable,)).problems(tmp_path) == ()


def test_it_runs_in_the_project_and_finds_the_launch_in_its_environment(
    check: Check, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("LAUNCH_MAX_ENGINES")
    code = "import os; print(os.getcwd(), *(f'{k}={v}' for k, v in sorted(os.environ.items()) if k[:7] == 'LAUNCH_'))"
    assert check(code).evidence["output"].split() == [
        str(tmp_path),
        "LAUNCH_DIGEST=sha256:0",
        "LAUNCH_ENVIRONMENT=prod",
        "LAUNCH_IMAGE=shop:2.0",
        "LAUNCH_MOMENT=exit",
        "LAUNCH_PHASE=deploy",
        "LAUNCH_REVISION=0002",
        "LAUNCH_SLOT=green",
        "LAUNCH_SLOT_URL=http://127.0.0.1:1",
    ]


def test_a_program_that_hangs_is_ended_with_all_it_started(check: Check, tmp_path: Path) -> None:
    code = (
        "import pathlib, subprocess, sys, time\n"
        "child = subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(600)'])\n"
        "pathlib.Path('pid').write_text(str(child.pid))\n"
        "time.sleep(600)"
    )
    stop = threading.Event()

    def watch() -> None:
        while not (tmp_path / "pid").exists() or not (tmp_path / "pid").read_text():
            stop.wait(0.02)
        stop.set()

    watcher = threading.Thread(target=watch)
    watcher.start()
    result = check(code, stop=stop)
    watcher.join()
    assert result.verdict is Verdict.INCONCLUSIVE
    assert "stopped" in result.reason
    child = int((tmp_path / "pid").read_text())
    with suppress(psutil.NoSuchProcess, psutil.TimeoutExpired):
        psutil.Process(child).wait(10)  # whoever inherits it may still have to collect it
    assert not psutil.pid_exists(child) or psutil.Process(child).status() == psutil.STATUS_ZOMBIE


def test_its_own_timeout_and_the_phases_deadline_end_it(check: Check) -> None:
    assert "its timeout of 200ms was over" in check("import time; time.sleep(600)", timeout=0.2).reason
    reason = check("import time; time.sleep(600)", seconds=0.2).reason
    assert re.search(r"was ended: the \d+ms that phase deploy had left were over$", reason)


def test_an_action_has_no_limit_but_its_phases(tmp_path: Path) -> None:
    """A gate's program has a timeout of its own, a minute if nobody says; an action may take longer."""
    clock = Hurried()
    context = dataclasses.replace(make_context(tmp_path, 3600), clock=clock, deadline=1e9)
    started = (sys.executable, "-c", "import time; time.sleep(0.5)")
    assert perform(started, context).verdict is Verdict.PASSED
    assert "its timeout of 1m was over" in Command(run=started).check(context).reason


def test_something_left_in_the_background_does_not_hold_the_gate(check: Check, tmp_path: Path) -> None:
    code = (
        "import pathlib, subprocess, sys\n"
        "child = subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(600)'], start_new_session=True)\n"
        "pathlib.Path('pid').write_text(str(child.pid))"
    )
    result = check(code)
    psutil.Process(int((tmp_path / "pid").read_text())).kill()
    assert result.verdict is Verdict.PASSED


def test_it_does_not_wait_for_input(check: Check) -> None:
    assert check("import sys; sys.exit(len(sys.stdin.read()))").verdict is Verdict.PASSED


def test_only_the_end_of_much_output_is_kept_and_no_secret_of_it(check: Check) -> None:
    result = check("print('x' * 1_000_000); print('password: hunter2'); raise SystemExit(1)")
    assert len(result.evidence["output"]) == 2000
    assert result.evidence["output"].endswith("password: [secret]\n")
    assert "hunter2" not in str(result)


def test_a_secret_that_the_cut_would_halve_is_gone_whole(check: Check) -> None:
    result = check("print('hunter2' + 'x' * 1996)")  # the last 2000 characters begin in the middle of it
    assert "ter2" not in result.evidence["output"]
