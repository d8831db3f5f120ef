"""Processes of the engine end when they should, whatever they and their children do."""

from __future__ import annotations

import os
import sys
import textwrap
from collections.abc import Callable, Mapping
from pathlib import Path

import psutil
import pytest

from phases.errors import EngineError
from stacks import engine as engines
from stacks import reaper
from stacks.engine import Engine
from stacks.processes import CliRun, OrphanGuard

pytestmark = pytest.mark.integration
WaitFor = Callable[[Callable[[], object]], None]


def start(script: str, tmp_path: Path, orphans: OrphanGuard | None = None) -> CliRun:
    return CliRun([sys.executable, "-c", textwrap.dedent(script)], cwd=tmp_path, env=os.environ, orphans=orphans)


def runs(pid: int) -> bool:
    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def test_everything_that_was_written_is_returned(tmp_path: Path) -> None:
    finished = start("import sys; print('x' * 300_000); print('why', file=sys.stderr); sys.exit(3)", tmp_path).wait()

    assert (finished.code, len(finished.stdout), finished.stderr) == (3, 300_001, "why\n")


def test_a_command_that_does_not_end_is_killed(tmp_path: Path) -> None:
    run = start("import time; print('begun', flush=True); time.sleep(600)", tmp_path)

    assert run.wait(limit=0.5).code < 0
    assert run.timed_out
    assert not runs(run.pid)


def test_a_backend_that_does_not_answer_is_called_so(
    engine: Engine, root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    slow = root / ".tools" / "bin" / "pulumi"
    slow.parent.mkdir(parents=True)
    slow.write_text('#!/bin/sh\n[ "$1" = version ] && echo v3.259.0 && exit\nexec sleep 600\n', encoding="utf-8")
    slow.chmod(0o755)
    monkeypatch.setattr(engines, "_COMMAND_S", 0.5)
    compressed = root / ".launch" / "state" / ".pulumi" / "stacks" / "shop" / "dev.json.gz"  # which only Pulumi reads
    compressed.parent.mkdir(parents=True)
    compressed.touch()

    with pytest.raises(EngineError, match=r"`pulumi stack output` did not end .*backend file://"):
        engine.stack("dev").outputs()


def test_a_child_that_keeps_the_pipe_open_does_not_keep_us(tmp_path: Path) -> None:
    script = """
        import subprocess, sys
        child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"], start_new_session=True)
        print(child.pid, flush=True)
    """

    finished = start(script, tmp_path).wait()

    child = int(finished.stdout)
    try:
        assert finished.code == 0
        assert runs(child)  # a session of its own: it is meant to outlive the update
    finally:
        psutil.Process(child).kill()


def test_killing_a_session_takes_its_process_groups_along(tmp_path: Path, wait_for: WaitFor) -> None:
    script = """
        import os, pathlib, subprocess, sys, time
        child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"], process_group=0)
        pathlib.Path("child").write_text(str(child.pid))
        time.sleep(600)
    """
    run = start(script, tmp_path)
    wait_for(lambda: (tmp_path / "child").exists() and (tmp_path / "child").read_text(encoding="utf-8"))
    child = int((tmp_path / "child").read_text(encoding="utf-8"))
    assert set(reaper.session_members(run.pid)) == {run.pid, child}

    run.kill()
    run.wait()

    wait_for(lambda: not runs(child))


def test_the_guard_ends_what_its_owner_left_and_nothing_else(tmp_path: Path, wait_for: WaitFor) -> None:
    guard = OrphanGuard()
    left = start("import time; time.sleep(600)", tmp_path, guard)
    ended = start("", tmp_path, guard)
    ended.wait()
    other = start("import time; time.sleep(600)", tmp_path)

    guard.close()  # what the owner's death does to the pipe

    wait_for(lambda: not runs(left.pid))
    assert runs(other.pid)
    other.kill()
    assert (left.wait().code, other.wait().code) < (0, 0)


def test_a_guard_that_was_killed_is_replaced_and_told_everything(tmp_path: Path, wait_for: WaitFor) -> None:
    guard = OrphanGuard()
    first = start("import time; time.sleep(600)", tmp_path, guard)
    assert guard._helper is not None
    guard._helper.kill()
    guard._helper.wait()

    second = start("import time; time.sleep(600)", tmp_path, guard)
    guard.close()

    wait_for(lambda: not runs(first.pid) and not runs(second.pid))
    assert (first.wait().code, second.wait().code) < (0, 0)


@pytest.mark.parametrize(
    ("said", "expected"),
    [({}, ("400", "768MiB")), ({"GOGC": "100"}, ("100", None)), ({"GOMEMLIMIT": "1GiB"}, (None, "1GiB"))],
)
def test_the_engine_collects_garbage_later_unless_somebody_has_said_when(
    said: Mapping[str, str], expected: tuple[str | None, str | None], root: Path, environ: Mapping[str, str]
) -> None:
    engine = Engine(project="shop", root=root, environ={**environ, **said})

    assert (engine.environ.get("GOGC"), engine.environ.get("GOMEMLIMIT")) == expected
