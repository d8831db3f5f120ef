"""Armed updates on the real engine: nothing changes before the verdict, and then what was decided, whatever happens."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import textwrap
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import psutil
import pytest

from phases.errors import UpdateConflict
from stacks.armed import ArmedLost
from stacks.arming import BACK, FORWARD, STAY, ArmedUpdate, Next, WayBack, arm
from stacks.checkpoint import Checkpoint
from stacks.engine import Engine, StackHandle
from stacks.going_back import read
from stacks.marker import Marker

pytestmark = pytest.mark.integration

WaitFor = Callable[[Callable[[], object]], None]
LIMIT_S = 90.0
UNDO = Marker("01J", "traffic", "traffic.undo")
BOTH = "01J forward, or back"


def shop(weight: int, *, mark: Path | None = None, extra: bool = False, does: str = "ok") -> Callable[[], None]:
    """Make a program: a component with a thing that stays, and one that depends on it and has the weight."""

    def program() -> None:
        import pulumi

        group = pulumi.ComponentResource("probe:index:Group", "shop")
        inside = pulumi.ResourceOptions(parent=group)
        flags = pulumi.CustomResource("probe:index:Thing", "flags", {"does": "ok", "value": "off"}, inside)
        inputs = {"does": does, "value": weight, "mark": str(mark) if mark else None}
        route = pulumi.CustomResource(
            "probe:index:Thing", "route", inputs, pulumi.ResourceOptions(parent=group, depends_on=[flags])
        )
        if extra:
            pulumi.CustomResource("probe:index:Thing", "extra", {"does": "ok", "value": "new"}, inside)
        group.register_outputs({"route": route.urn})
        pulumi.export("weight", weight)
        pulumi.export("slots", {"blue": {"id": route.id, "key": pulumi.Output.secret("hunter2")}})
        pulumi.export("launch", Marker("01J", "traffic", f"to {weight}").to_output())

    return program


@pytest.fixture
def stack(engine: Engine) -> StackHandle:
    """A stack that a launch has moved to 10 already."""
    handle = engine.stack("dev-traffic")
    handle.update(shop(0), message="before the launch")
    return handle


@pytest.fixture
def before(stack: StackHandle) -> Checkpoint | None:
    """The checkpoint from before the launch."""
    found = read(stack)
    stack.update(shop(10), message="01J 0 -> 10")
    return found


@pytest.fixture
def armed(stack: StackHandle, before: Checkpoint | None) -> Iterator[Callable[..., ArmedUpdate]]:
    """Arm the stack, and wait until it is ready; whatever is still armed in the end is ended."""
    made: list[ArmedUpdate] = []

    def make(step: Callable[[], Any] | None = None, *, late: bool = False) -> ArmedUpdate:
        following = Next(step or shop(50), late=late)
        update = arm(stack, message=BOTH, step=following, back=WayBack(before, UNDO))
        assert update is not None
        made.append(update)
        assert update.wait_ready(LIMIT_S)
        return update

    yield make
    for update in made:
        update.cancel()


def weight(handle: StackHandle) -> object:
    """What the route of the stack has, as the engine recorded it."""
    checkpoint = read(handle)
    assert checkpoint is not None
    return next(resource.outputs["value"] for resource in checkpoint.live if resource.name == "route")


def things(handle: StackHandle) -> list[str]:
    checkpoint = read(handle)
    return [resource.name for resource in checkpoint.live if resource.type == "probe:index:Thing"] if checkpoint else []


@pytest.mark.parametrize(("outcome", "there"), [(FORWARD, 50), (BACK, 0), (STAY, 10)])
def test_what_was_decided_is_there_and_only_that(
    stack: StackHandle, armed: Callable[..., ArmedUpdate], outcome: str, there: int
) -> None:
    update = armed()
    assert weight(stack) == 10, "nothing is decided"
    update.fire(outcome)
    applied = update.wait_applied(LIMIT_S)
    assert applied.outputs["weight"] == there
    assert applied.outputs["slots"]["blue"]["key"] == "[secret]"
    assert "hunter2" not in repr(applied)
    assert applied.changes == ({"same": 3, "update": 1} if outcome != STAY else {"same": 4})
    assert update.wait_end().changes == applied.changes
    assert weight(stack) == there
    assert stack.outputs() == applied.outputs
    steps = {FORWARD: "to 50", BACK: "traffic.undo", STAY: "to 10"}
    assert stack.outputs()["launch"]["step"] == steps[outcome], "the outputs say what was decided"
    program = {FORWARD: shop(50), BACK: shop(0), STAY: shop(10)}[outcome]
    assert not stack.update(program, message="the same by hand").changed


def test_before_the_verdict_nothing_reaches_a_resource_and_the_state_can_be_read(
    stack: StackHandle, armed: Callable[..., ArmedUpdate], tmp_path: Path
) -> None:
    mark = tmp_path / "mark"
    outputs, checkpoint = stack.outputs(), read(stack)
    update = armed(shop(50, mark=mark))
    assert not mark.exists()
    assert stack.outputs() == outputs
    assert read(stack) == checkpoint
    with pytest.raises(UpdateConflict):
        stack.update(shop(20), message="somebody else")
    update.fire(FORWARD)
    update.wait_end()
    assert mark.exists()


def test_the_history_says_what_was_decided(stack: StackHandle, armed: Callable[..., ArmedUpdate]) -> None:
    update = armed()
    update.fire(BACK)
    update.wait_end()
    assert stack.history(1)[0].message == BOTH
    assert stack.reword(old=BOTH, new="01J traffic undo")
    assert stack.history(1)[0].message == "01J traffic undo"
    assert stack.history(1)[0].result == "succeeded"


def test_what_a_step_would_add_is_not_made_early_and_what_it_added_goes_when_going_back(
    stack: StackHandle, armed: Callable[..., ArmedUpdate]
) -> None:
    adding = armed(shop(50, extra=True))
    assert "extra" not in things(stack)
    adding.fire(FORWARD)
    adding.wait_end()
    assert "extra" in things(stack)
    going = armed(shop(100, extra=True))
    going.fire(BACK)
    applied = going.wait_applied(LIMIT_S)
    assert applied.changes["delete"] == 1, "it is applied when it is gone"
    assert things(stack) == ["flags", "route"]


def test_a_program_with_side_effects_runs_only_once_it_is_decided(
    stack: StackHandle, armed: Callable[..., ArmedUpdate]
) -> None:
    ran: list[str] = []

    def theirs() -> None:
        ran.append("their program")
        shop(50)()

    update = armed(theirs, late=True)
    assert ran == []
    update.fire(FORWARD)
    assert update.wait_applied(LIMIT_S).outputs["weight"] == 50
    update.wait_end()
    assert ran == ["their program"]
    assert weight(stack) == 50


def test_a_step_whose_program_is_broken_does_not_close_the_way_back(
    stack: StackHandle, armed: Callable[..., ArmedUpdate]
) -> None:
    def broken() -> None:
        raise ValueError("no such slot")

    update = armed(broken)
    update.fire(BACK)
    assert update.wait_applied(LIMIT_S).outputs["weight"] == 0
    update.wait_end()
    other = armed(broken)
    other.fire(FORWARD)
    with pytest.raises(ArmedLost, match="no such slot"):
        other.wait_applied(LIMIT_S)
    assert stack.update(shop(20), message="plain").changed


def test_a_resource_that_refuses_leaves_it_to_a_plain_update(
    stack: StackHandle, armed: Callable[..., ArmedUpdate]
) -> None:
    update = armed(shop(50, does="fail"))
    update.fire(FORWARD)
    with pytest.raises(ArmedLost, match="the cloud refused"):
        update.wait_applied(LIMIT_S)
    assert stack.update(shop(50), message="plain").changed


def test_a_stack_that_does_not_exist_or_was_interrupted_is_not_armed(engine: Engine) -> None:
    handle = engine.stack("dev-new")
    assert arm(handle, message=BOTH, step=Next(shop(0)), back=WayBack(None, UNDO)) is None


def _engine_of(root: Path) -> psutil.Process:
    """The CLI that runs an update in that project."""
    for process in psutil.process_iter(["name", "cmdline"]):
        line = " ".join(process.info["cmdline"] or [])
        if process.info["name"] == "pulumi" and " up " in line and str(root) in process.cwd():
            return process
    pytest.fail("no engine runs")


@pytest.mark.parametrize("who", ["the engine", "its plugin"])
def test_what_dies_while_it_waits_leaves_it_to_a_plain_update(
    root: Path, stack: StackHandle, armed: Callable[..., ArmedUpdate], wait_for: WaitFor, who: str
) -> None:
    update = armed()
    cli = _engine_of(root)
    if who == "the engine":
        cli.kill()
        wait_for(lambda: update.dead)
        with pytest.raises(ArmedLost):
            update.fire(BACK)
    else:
        for child in cli.children(recursive=True):
            child.kill()
        update.fire(BACK)
        with pytest.raises(ArmedLost):
            update.wait_applied(LIMIT_S)
    wait_for(lambda: update.ended)
    assert weight(stack) == 10
    assert stack.update(shop(0), message="plain").changed, "its lock is free"


def test_a_person_who_cancels_it_has_the_stack(
    engine: Engine, stack: StackHandle, armed: Callable[..., ArmedUpdate]
) -> None:
    update = armed()
    directory = engine.home / "work" / "dev-traffic"
    assert engine.run_cli(["cancel", "--yes", "--stack", "dev-traffic"], directory).code == 0
    stack.update(shop(33), message="by that person")
    with pytest.raises(ArmedLost, match="lock is gone"):
        update.fire(FORWARD)
    update.cancel()
    assert weight(stack) == 33, "what they did is not overwritten"
    assert stack.update(shop(0), message="plain").changed


def test_a_record_that_cannot_be_written_is_told_and_can_be_made_up_for(
    engine: Engine, stack: StackHandle, armed: Callable[..., ArmedUpdate]
) -> None:
    update = armed()
    assert engine.backend.directory is not None
    history = engine.backend.directory / ".pulumi" / "history" / "shop" / "dev-traffic"
    kept = history.rename(history.with_name("kept"))
    history.write_text("where the history was", encoding="utf-8")
    update.fire(FORWARD)
    assert update.wait_applied(LIMIT_S).outputs["weight"] == 50
    with pytest.raises(ArmedLost):
        update.wait_end()
    history.unlink()
    kept.rename(history)
    stack.update(shop(50), message="once more")
    assert stack.outputs()["weight"] == 50


SCRIPT = textwrap.dedent(
    """
    import pathlib, sys, time
    from stacks.arming import *
    from stacks.engine import Engine
    from stacks.going_back import read
    from tests.integration.engine.test_armed import UNDO, shop

    handle = Engine(project="shop", root=pathlib.Path(sys.argv[1])).stack("dev-traffic")
    update = arm(handle, message="theirs", step=Next(shop(50)), back=WayBack(None, UNDO))
    assert update.wait_ready(90)
    print("ready", flush=True)
    if sys.argv[2] == "waits":
        time.sleep(600)
    """
)


@pytest.fixture
def theirs(root: Path, environ: Mapping[str, str]) -> Iterator[Callable[[str], subprocess.Popen[str]]]:
    """Start a process that arms the stack."""
    started: list[subprocess.Popen[str]] = []

    def start(how: str) -> subprocess.Popen[str]:
        process = subprocess.Popen(
            [sys.executable, "-c", SCRIPT, str(root), how],
            env=dict(environ),
            cwd=Path(__file__).resolve().parents[3],
            stdout=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )
        started.append(process)
        return process

    yield start
    for process in started:
        if process.poll() is None:
            process.kill()
        process.communicate()


def test_when_its_owner_is_killed_nothing_has_changed_and_nothing_stays(
    root: Path,
    stack: StackHandle,
    before: Checkpoint | None,
    theirs: Callable[[str], subprocess.Popen[str]],
    wait_for: WaitFor,
) -> None:
    del before
    checkpoint = read(stack)
    owner = theirs("waits")
    assert owner.stdout is not None
    assert owner.stdout.readline() == "ready\n"
    family = [cli := _engine_of(root), *cli.children(recursive=True)]
    with pytest.raises(UpdateConflict, match="is alive"):
        stack.cancel()
    os.kill(owner.pid, signal.SIGKILL)
    owner.wait()
    stack.cancel()
    wait_for(lambda: not any(process.is_running() for process in family))
    assert read(stack) == checkpoint
    assert not stack.update(shop(10), message="ours").changed


def test_a_process_that_ends_while_it_waits_really_ends(
    root: Path,
    stack: StackHandle,
    before: Checkpoint | None,
    theirs: Callable[[str], subprocess.Popen[str]],
    wait_for: WaitFor,
) -> None:
    del before, root
    owner = theirs("ends")
    owner.communicate(timeout=LIMIT_S)
    wait_for(lambda: not stack.locks())
    assert not stack.update(shop(10), message="ours").changed
