"""Nothing hangs, nothing is left behind: deadlines, stops, interrupts and dead owners."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
import textwrap
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager
from pathlib import Path

import psutil
import pytest

from phases.errors import UpdateConflict, UpdateStopped
from stacks.engine import Engine

pytestmark = pytest.mark.integration
Program = Callable[[], None]
WaitFor = Callable[[Callable[[], object]], None]


def _runs(pid: int) -> bool:
    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def test_at_its_deadline_an_update_is_cancelled_and_its_lock_released(
    engine: Engine, thing: Callable[..., Program], tmp_path: Path
) -> None:
    with pytest.raises(UpdateStopped, match="its time was over") as caught:
        engine.stack("dev").update(thing("hang", mark=tmp_path / "mark"), message="x", deadline=3.0)

    assert caught.value.timed_out
    assert engine.stack("dev").update(thing("ok"), message="again").changed


def test_a_resource_that_ignores_the_cancellation_is_abandoned(
    engine: Engine, thing: Callable[..., Program], tmp_path: Path, wait_for: WaitFor
) -> None:
    mark = tmp_path / "mark"

    with pytest.raises(UpdateStopped):
        engine.stack("dev").update(thing("hang-hard", mark=mark), message="x", deadline=3.0)

    if mark.exists():  # on a very slow machine the deadline comes before the plugin
        plugin = int(mark.read_text(encoding="utf-8"))
        wait_for(lambda: not _runs(plugin))
    assert engine.stack("dev").update(thing("ok"), message="again").changed


def test_an_engine_that_ignores_everything_is_killed_with_its_plugins(
    engine: Engine, thing: Callable[..., Program], tmp_path: Path, wait_for: WaitFor
) -> None:
    mark, stop = tmp_path / "mark", threading.Event()

    def freeze_engine() -> None:
        wait_for(mark.exists)
        wait_for(lambda: mark.read_text(encoding="utf-8"))
        os.kill(psutil.Process(int(mark.read_text(encoding="utf-8"))).ppid(), signal.SIGSTOP)
        stop.set()

    freezer = threading.Thread(target=freeze_engine)
    freezer.start()
    with pytest.raises(UpdateStopped):
        engine.stack("dev").update(thing("hang-hard", mark=mark), message="x", stop=stop)
    freezer.join()

    plugin = int(mark.read_text(encoding="utf-8"))
    wait_for(lambda: not _runs(plugin))
    assert engine.stack("dev").update(thing("ok"), message="again").changed


def test_a_stop_cancels_a_running_update(
    engine: Engine, thing: Callable[..., Program], tmp_path: Path, wait_for: WaitFor
) -> None:
    mark, stop = tmp_path / "mark", threading.Event()

    def stopper() -> None:
        wait_for(mark.exists)
        stop.set()

    thread = threading.Thread(target=stopper)
    thread.start()
    with pytest.raises(UpdateStopped, match="it was asked to stop") as caught:
        engine.stack("dev").update(thing("hang", mark=mark), message="x", stop=stop)
    thread.join()

    assert not caught.value.timed_out
    assert engine.stack("dev").checkpoint() is not None


def test_a_stop_that_came_before_the_update_keeps_it_from_starting(
    engine: Engine, thing: Callable[..., Program], tmp_path: Path
) -> None:
    stop = threading.Event()
    stop.set()

    with pytest.raises(UpdateStopped):
        engine.stack("dev").update(thing("ok", mark=tmp_path / "mark"), message="x", stop=stop)

    assert not (tmp_path / "mark").exists()


def test_a_program_that_waits_is_cancelled_with_its_update(engine: Engine, wait_for: WaitFor) -> None:
    waiting, stop = threading.Event(), threading.Event()
    ended: list[str] = []

    async def program() -> None:
        waiting.set()
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            ended.append("cancelled")
            raise

    def stopper() -> None:
        waiting.wait()
        stop.set()

    thread = threading.Thread(target=stopper)
    thread.start()
    with pytest.raises(UpdateStopped):
        engine.stack("dev").update(program, message="x", stop=stop)
    thread.join()

    wait_for(lambda: ended == ["cancelled"])
    assert engine.stack("dev").update(lambda: None, message="again").stack == "dev"


@pytest.fixture
def launch(root: Path, environ: Mapping[str, str]) -> Iterator[Callable[[str, Path], subprocess.Popen[str]]]:
    """Starts a process that updates stack `dev` with a thing that does as told."""
    script = textwrap.dedent(
        """
        import pathlib, sys
        import pulumi
        from stacks.engine import Engine

        def program():
            pulumi.CustomResource("probe:index:Thing", "thing", {"does": sys.argv[2], "mark": sys.argv[3]})

        Engine(project="shop", root=pathlib.Path(sys.argv[1])).stack("dev").update(program, message="theirs")
        """
    )
    started: list[subprocess.Popen[str]] = []

    def start(does: str, mark: Path) -> subprocess.Popen[str]:
        argv = [sys.executable, "-c", script, str(root), does, str(mark)]
        checkout = Path(__file__).resolve().parents[3]
        process = subprocess.Popen(
            argv, env=dict(environ), cwd=checkout, start_new_session=True, stderr=subprocess.PIPE, text=True
        )
        started.append(process)
        return process

    yield start
    for process in started:
        if process.poll() is None:
            process.kill()
        process.communicate()


@pytest.mark.parametrize("does", ["hang", "hang-hard"])
def test_when_its_owner_is_killed_nothing_of_an_update_keeps_running(
    engine: Engine,
    thing: Callable[..., Program],
    launch: Callable[[str, Path], subprocess.Popen[str]],
    tmp_path: Path,
    wait_for: WaitFor,
    does: str,
) -> None:
    mark = tmp_path / "mark"
    owner = launch(does, mark)
    wait_for(lambda: mark.exists() and mark.read_text(encoding="utf-8"))
    plugin = int(mark.read_text(encoding="utf-8"))
    cli = psutil.Process(plugin).ppid()
    with pytest.raises(UpdateConflict, match="is alive"):
        engine.stack("dev").cancel()

    owner.kill()
    owner.wait()
    engine.stack("dev").cancel()

    wait_for(lambda: not _runs(cli) and not _runs(plugin))
    assert engine.stack("dev").update(thing("ok"), message="ours").changed


def test_ctrl_c_reaches_the_launch_only_and_ends_the_update_in_order(
    engine: Engine,
    launch: Callable[[str, Path], subprocess.Popen[str]],
    tmp_path: Path,
    wait_for: WaitFor,
) -> None:
    mark = tmp_path / "mark"
    owner = launch("hang", mark)
    wait_for(lambda: mark.exists() and mark.read_text(encoding="utf-8"))

    os.killpg(owner.pid, signal.SIGINT)  # what a terminal does
    _, complaint = owner.communicate(timeout=60)

    assert "KeyboardInterrupt" in complaint
    assert [(entry.message, entry.result) for entry in engine.stack("dev").history()] == [("theirs", "failed")]
    assert engine.stack("dev").update(lambda: None, message="ours").stack == "dev"


def test_the_second_of_two_launches_learns_who_is_first(
    engine: Engine,
    thing: Callable[..., Program],
    launch: Callable[[str, Path], subprocess.Popen[str]],
    tmp_path: Path,
    wait_for: WaitFor,
) -> None:
    mark = tmp_path / "mark"
    launch("hang", mark)
    wait_for(mark.exists)

    with pytest.raises(UpdateConflict, match=r"by .* \(process \d+\) since "):
        engine.stack("dev").update(thing("ok"), message="ours")


def test_an_engine_that_is_killed_as_soon_as_it_has_the_lock_leaves_none(
    engine: Engine,
    thing: Callable[..., Program],
    engine_killed: Callable[[Callable[[], object]], AbstractContextManager[None]],
) -> None:
    """It says that it has begun only a moment later."""
    stack = engine.stack("dev")
    stack.update(thing("ok"), message="the first")
    with engine_killed(stack.locks):
        stack.update(thing("ok", value="other"), message="killed")
    assert stack.locks() == frozenset()
    assert stack.update(thing("ok", value="other"), message="again").changed
