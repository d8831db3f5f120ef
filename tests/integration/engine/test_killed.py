"""An engine that is killed in the middle of a change: the world has it, the record does not, and nobody is deceived."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path

import pytest

from stacks.arming import FORWARD, Next, WayBack, arm
from stacks.checkpoint import Checkpoint
from stacks.engine import Engine, StackHandle
from stacks.going_back import read, restore
from stacks.marker import Marker

pytestmark = pytest.mark.integration

EngineKilled = Callable[[Callable[[], object]], AbstractContextManager[None]]
UNDO = Marker("01J", "traffic", "traffic.undo")


def route(weight: str, world: Path, *, mark: Path | None = None) -> Callable[[], None]:
    """Make a program with a route that has the weight; with a `mark` its change never ends."""

    def program() -> None:
        import pulumi

        does = "ok" if mark is None else "hang-hard"
        inputs = {"does": does, "value": weight, "world": str(world), "mark": str(mark) if mark else None}
        pulumi.CustomResource("probe:index:Thing", "route", inputs)

    return program


@pytest.fixture
def world(tmp_path: Path) -> Path:
    """The weight that users really have."""
    return tmp_path / "world"


@pytest.fixture(params=[False, True], ids=["recorded as it goes", "recorded at the end"])
def stack(engine: Engine, world: Path, request: pytest.FixtureRequest) -> StackHandle:
    """A stack whose route has 0."""
    handle = engine.stack("dev-traffic")
    handle.update(route("0", world), message="before")
    handle.records_at_end = request.param
    return handle


@pytest.fixture
def before(stack: StackHandle) -> Checkpoint | None:
    """What it recorded."""
    return read(stack)


@pytest.fixture
def killed(
    stack: StackHandle, before: Checkpoint | None, world: Path, tmp_path: Path, engine_killed: EngineKilled
) -> None:
    """The route has been set to 100, and its engine is killed before it could record that."""
    mark = tmp_path / "mark"
    with engine_killed(mark.exists):
        stack.update(route("100", world, mark=mark), message="to 100")
    now = read(stack)
    assert now is not None
    assert before is not None
    assert (world.read_text(), now.resources) == ("100", before.resources)


@pytest.mark.usefixtures("killed")
def test_the_users_come_back_though_the_record_says_that_they_never_left(
    stack: StackHandle, before: Checkpoint | None, world: Path
) -> None:
    restore(stack, before, marker=UNDO, message="back", deadline=60.0)
    assert world.read_text() == "0"
    assert [entry.message for entry in stack.history()][:2] == ["back", "back (look first)"]


@pytest.mark.usefixtures("killed")
def test_an_update_to_what_was_before_is_no_mistake_either(stack: StackHandle, world: Path) -> None:
    stack.update(route("0", world), message="no users")
    assert world.read_text() == "0"


@pytest.mark.usefixtures("killed")
def test_who_takes_over_from_a_dead_process_looks_first(
    engine: Engine, stack: StackHandle, before: Checkpoint | None, world: Path
) -> None:
    another = Engine(project=engine.project, root=engine.root, environ=engine.environ).stack(stack.name)
    another.records_at_end = stack.records_at_end
    another.cancel()
    assert arm(another, message="to 50", step=Next(route("50", world)), back=None) is None
    restore(another, before, marker=UNDO, message="back", deadline=60.0)
    assert world.read_text() == "0"


@pytest.mark.usefixtures("killed")
def test_what_was_wanted_is_reached_in_a_second_try(stack: StackHandle, world: Path) -> None:
    stack.update(route("100", world), message="to 100 again")
    assert world.read_text() == "100"


def test_nobody_looks_where_every_update_ended_in_order(stack: StackHandle, world: Path) -> None:
    for weight in ("50", "100"):
        stack.update(route(weight, world), message=f"to {weight}")
    assert [entry.kind for entry in stack.history()] == ["update", "update", "update"]


def test_a_create_that_was_killed_is_created_again_and_later_updates_are_armed(
    engine: Engine, world: Path, tmp_path: Path, engine_killed: EngineKilled
) -> None:
    """The engine mentions such a create after every update, until somebody refreshes the stack."""
    handle, mark = engine.stack("dev-traffic"), tmp_path / "mark"
    with engine_killed(mark.exists):
        handle.update(route("0", world, mark=mark), message="first")
    handle.update(route("0", world), message="first, again")
    now = read(handle)
    assert now is not None
    assert [operation.type for operation in now.pending] == ["creating"]

    update = arm(handle, message="to 50", step=Next(route("50", world)), back=WayBack(now, UNDO))
    assert update is not None
    update.fire(FORWARD)
    update.wait_applied(60.0)
    update.wait_end()
    assert world.read_text() == "50"
    restore(handle, now, marker=UNDO, message="back", deadline=60.0)
    assert world.read_text() == "0"
