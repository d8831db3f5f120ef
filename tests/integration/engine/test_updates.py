"""What a launch asks of a stack when all goes well."""

from __future__ import annotations

import asyncio
import stat
import threading
from collections.abc import Callable
from pathlib import Path

import pulumi
import pytest

from phases.errors import EngineError
from stacks.engine import Engine, ResourceEvent

pytestmark = pytest.mark.integration
Program = Callable[[], None]


def test_an_update_creates_the_stack_and_says_what_it_did(engine: Engine, thing: Callable[..., Program]) -> None:
    stack = engine.stack("dev-traffic")
    assert not stack.exists()

    first = stack.update(thing(value="one"), message="traffic 1%")
    second = stack.update(thing(value="two"), message="traffic 10%")
    third = stack.update(thing(value="two"), message="traffic 10% again")

    assert first.changes == {"create": 2}
    assert {(change.name, change.op) for change in second.resources} >= {("thing", "update")}
    assert second.changes == {"same": 1, "update": 1}
    assert (first.changed, second.changed, third.changed) == (True, True, False)
    assert [entry.message for entry in stack.history()] == ["traffic 10% again", "traffic 10%", "traffic 1%"]
    assert [entry.version for entry in stack.history()] == [3, 2, 1]
    assert [entry.version for entry in stack.history(limit=1)] == [3]
    assert stack.history()[0].result == "succeeded"
    assert engine.stacks() == ("dev-traffic",)


def test_events_arrive_on_the_callers_thread_in_order(engine: Engine, thing: Callable[..., Program]) -> None:
    heard: list[ResourceEvent] = []
    threads = set()

    def listen(event: ResourceEvent) -> None:
        heard.append(event)
        threads.add(threading.current_thread())

    engine.stack("dev").update(thing(), message="x", on_event=listen)

    assert threads == {threading.current_thread()}
    of_thing = [event.kind for event in heard if event.name == "thing" and event.kind != "message"]
    assert of_thing == ["started", "done"]


def test_a_listener_that_fails_is_heard_of_after_the_update_is_complete(
    engine: Engine, thing: Callable[..., Program]
) -> None:
    def listen(event: ResourceEvent) -> None:
        raise LookupError(event.urn)

    with pytest.raises(LookupError):
        engine.stack("dev").update(thing(), message="x", on_event=listen)

    assert [entry.result for entry in engine.stack("dev").history()] == ["succeeded"]


def test_a_preview_changes_nothing_not_even_where_there_is_no_stack(
    engine: Engine, thing: Callable[..., Program]
) -> None:
    planned = engine.stack("dev").preview(thing())

    assert planned.changes == {"create": 2}
    assert engine.stacks() == ()

    engine.stack("dev").update(thing(value="one"), message="x")
    assert engine.stack("dev").preview(thing(value="two")).changes == {"same": 1, "update": 1}
    assert len(engine.stack("dev").history()) == 1


def test_the_checkpoint_shows_secrets_and_the_outputs_only_when_asked(engine: Engine) -> None:
    def program() -> None:
        pulumi.export("port", 80)
        pulumi.export("password", pulumi.Output.secret("hush-hush"))

    stack = engine.stack("dev")
    assert stack.checkpoint() is None
    assert stack.outputs() == {}
    stack.update(program, message="x")

    assert stack.outputs() == {"port": 80, "password": "[secret]"}
    assert stack.outputs(secrets=True) == {"port": 80, "password": "hush-hush"}
    assert "hush-hush" in str(stack.checkpoint())
    on_disk = [path for path in engine.home.rglob("*") if path.is_file() and b"hush-hush" in path.read_bytes()]
    assert on_disk == []


def test_a_coroutine_program_may_wait_before_it_registers(engine: Engine) -> None:
    async def program() -> None:
        await asyncio.sleep(0)
        pulumi.export("waited", True)

    engine.stack("dev").update(program, message="x")

    assert engine.stack("dev").outputs() == {"waited": True}


def test_a_program_may_read_its_own_stack_while_its_update_runs(engine: Engine) -> None:
    stack = engine.stack("dev")
    stack.update(lambda: pulumi.export("launch", "first"), message="x")
    seen = []

    def program() -> None:
        seen.append(stack.outputs())
        pulumi.export("launch", "second")

    stack.update(program, message="x")

    assert seen == [{"launch": "first"}]
    assert stack.outputs() == {"launch": "second"}


def test_programs_of_different_stacks_run_at_the_same_time(engine: Engine, thing: Callable[..., Program]) -> None:
    both_run = threading.Barrier(2, timeout=60)
    failed: list[BaseException] = []

    def update(name: str) -> None:
        def program() -> None:
            both_run.wait()
            pulumi.export("who", name)
            thing(name=name)()

        try:
            engine.stack(name).update(program, message=name)
        except BaseException as error:  # noqa: BLE001 - shown by the assertion
            failed.append(error)

    threads = [threading.Thread(target=update, args=(name,)) for name in ("one", "two")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert failed == []
    assert [engine.stack(name).outputs() for name in ("one", "two")] == [{"who": "one"}, {"who": "two"}]
    checkpoint = engine.stack("one").checkpoint()
    assert checkpoint is not None
    assert "two" not in {resource["urn"].rsplit("::", 1)[-1] for resource in checkpoint["resources"]}


def test_a_stack_is_refreshed_destroyed_and_removed(engine: Engine, thing: Callable[..., Program]) -> None:
    stack = engine.stack("dev")
    stack.update(thing(), message="x")
    assert stack.refresh().changed is False
    with pytest.raises(EngineError, match="still holds resources"):
        stack.remove()

    assert stack.destroy(message="down").changes["delete"] == 2
    assert stack.checkpoint() is None
    stack.remove()

    assert not (engine.home / "work" / "dev").exists()
    assert not stack.exists()
    assert engine.stacks() == ()


def test_what_does_not_exist_is_as_good_as_destroyed(engine: Engine) -> None:
    stack = engine.stack("dev")

    assert stack.destroy(message="down").changes == {}
    assert stack.refresh().changes == {}
    assert stack.history() == ()
    stack.cancel()
    stack.remove()


def test_everything_private_is_private(engine: Engine, thing: Callable[..., Program]) -> None:
    engine.stack("dev").update(thing(), message="x")

    assert stat.S_IMODE((engine.home / "passphrase").stat().st_mode) == 0o600
    assert stat.S_IMODE((engine.home / "state").stat().st_mode) == 0o700


def test_the_users_files_are_left_alone(engine: Engine, root: Path, thing: Callable[..., Program]) -> None:
    (root / "Pulumi.yaml").write_text("name: shop\nruntime: python\n", encoding="utf-8")
    (root / "Pulumi.dev.yaml").write_text("config:\n  shop:a: 1\n", encoding="utf-8")
    before = {path.name: path.read_bytes() for path in root.iterdir() if path.is_file()}

    engine.stack("dev").update(thing(), message="x")

    assert {path.name: path.read_bytes() for path in root.iterdir() if path.is_file()} == before


def test_a_lost_work_directory_is_made_again(engine: Engine, thing: Callable[..., Program]) -> None:
    import shutil

    stack = engine.stack("dev")
    stack.update(thing(value=lambda: pulumi.Output.secret("hush-hush")), message="x")
    shutil.rmtree(engine.home / "work")

    again = stack.update(thing(value=lambda: pulumi.Output.secret("hush-hush")), message="x")

    assert again.changed is False
