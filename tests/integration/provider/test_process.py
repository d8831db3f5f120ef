"""A slot's process, through the real engine."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import psutil
import pulumi
import pytest

from phases.errors import UpdateFailed
from tests.integration.provider.world import Secret, World, ask, eventually, runs

pytestmark = [
    pytest.mark.integration,
    # The Automation API leaves an event loop open after an update that fails.
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
]

PROCESS = "launch:local:Process"


def up(world: World, *, version: str = "1.0", **props: object) -> tuple[dict[str, int], dict[str, Any]]:
    """Update the stack with one process; what changed, and the outputs."""
    update = world.stack.update(world.program(PROCESS, world.props(version=version, **props)), message="process")
    return dict(update.changes), world.stack.outputs()


def test_a_process_runs_after_the_update_and_is_the_same_in_the_next(world: World) -> None:
    changes, outputs = up(world)
    assert changes == {"create": 2}
    answer = ask(outputs["url"])
    assert answer["version"] == "1.0"
    assert answer["environment"]["COLOUR"] == "blue"
    assert answer["environment"]["PORT"] == str(outputs["port"])
    assert "version 1.0 starts" in Path(outputs["log"]).read_text()

    assert up(world) == ({"same": 2}, outputs)


def test_a_release_runs_its_own_copy(world: World) -> None:
    _, outputs = up(world)
    cwd = Path(ask(outputs["url"])["cwd"])
    assert cwd.is_relative_to(world.slot)
    (world.root / "artifacts" / "shop" / "1.0" / "server.py").write_text("edited in the registry")
    assert "VERSION = '1.0'" in (cwd / "server.py").read_text()


def test_another_version_takes_over_in_place_on_the_same_port(world: World) -> None:
    _, before = up(world)
    changes, after = up(world, version="2.0")
    assert changes == {"same": 1, "update": 1}
    assert (after["port"], after["url"]) == (before["port"], before["url"])
    assert ask(after["url"])["version"] == "2.0"
    assert not runs(before["pid"])


def test_another_environment_and_another_command_are_updates_in_place(world: World) -> None:
    _, before = up(world)
    changes, after = up(world, environment={"COLOUR": "green"})
    assert changes == {"same": 1, "update": 1}
    assert ask(after["url"])["environment"]["COLOUR"] == "green"
    changes, after = up(world, environment={}, command=[sys.executable, "-u", "${ARTIFACT}/server.py", "${PORT}"])
    assert changes == {"same": 1, "update": 1}
    assert "COLOUR" not in ask(after["url"])["environment"]
    assert after["port"] == before["port"]


def test_another_directory_is_another_process(world: World) -> None:
    _, before = up(world)
    changes, after = up(world, directory=str(world.root / "run" / "green"))
    assert changes == {"same": 1, "replace": 1}
    assert ask(after["url"])["version"] == "1.0"
    assert after["url"] != before["url"]
    assert not world.slot.exists()
    assert not runs(before["pid"])


def test_a_renamed_resource_keeps_the_directory_it_shares_with_its_old_self(world: World) -> None:
    """The new one is created before the old one is deleted; that must not stop what has just been started."""
    up(world)
    world.stack.update(world.program(PROCESS, world.props(), name="renamed"), message="rename")
    outputs = world.stack.outputs()
    assert ask(outputs["url"])["version"] == "1.0"
    assert world.stack.refresh().changes == {"same": 2}


def test_destroy_leaves_nothing(world: World) -> None:
    _, outputs = up(world)
    world.stack.destroy(message="destroy")
    assert world.recorded() == []
    assert not world.slot.exists()
    assert not runs(outputs["pid"])
    assert world.processes() == []


def test_destroying_what_is_gone_already_is_no_error(world: World) -> None:
    import shutil

    _, outputs = up(world)
    for process in world.processes():
        process.kill()
    eventually(lambda: not runs(outputs["pid"]))
    shutil.rmtree(world.slot)
    world.stack.destroy(message="destroy")
    assert world.recorded() == []


def test_refresh_sees_a_killed_process_and_the_next_update_brings_it_back(world: World) -> None:
    _, before = up(world)
    for process in world.processes():
        process.kill()
    eventually(lambda: not world.processes())
    assert world.stack.refresh().changes == {"same": 1, "delete": 1}
    assert world.recorded() == []
    changes, after = up(world)
    assert changes == {"same": 1, "create": 1}
    assert ask(after["url"])["version"] == "1.0"
    assert after["port"] == before["port"]


def test_an_update_sees_a_killed_process_without_being_told_to_refresh(world: World) -> None:
    """After a reboot nothing runs, and the record says that everything does."""
    _, before = up(world)
    for process in world.processes():
        process.kill()
    eventually(lambda: not world.processes())
    assert world.stack.preview(world.program(PROCESS, world.props())).changes == {"same": 1, "create": 1}
    changes, after = up(world)
    assert changes == {"same": 1, "create": 1}
    assert ask(after["url"])["version"] == "1.0"
    assert after["url"] == before["url"]


def test_a_supervisor_that_was_killed_is_replaced_and_its_process_goes_on(world: World) -> None:
    _, before = up(world)
    (child,) = psutil.Process(before["pid"]).children()
    psutil.Process(before["pid"]).kill()
    eventually(lambda: not runs(before["pid"]))
    changes, after = up(world)
    assert changes == {"same": 1, "create": 1}
    assert child.is_running()
    assert after["url"] == before["url"]
    assert after["pid"] != before["pid"]


def test_a_crash_is_the_supervisors_business_and_no_change(world: World) -> None:
    _, before = up(world)
    (child,) = psutil.Process(before["pid"]).children()
    child.kill()

    def back() -> bool:
        try:
            return bool(ask(before["url"]))
        except OSError:
            return False

    eventually(lambda: not child.is_running() and back())
    assert world.stack.refresh().changes == {"same": 2}
    assert up(world) == ({"same": 2}, before)


def test_preview_changes_nothing_and_knows_what_can_be_known(world: World) -> None:
    assert world.stack.preview(world.program(PROCESS, world.props())).changes == {"create": 2}
    assert not world.slot.exists()
    _, outputs = up(world)
    preview = world.stack.preview(world.program(PROCESS, world.props(version="2.0")))
    assert preview.changes == {"same": 1, "update": 1}
    assert ask(outputs["url"])["version"] == "1.0"


def test_an_artifact_that_is_not_what_was_pinned_is_refused_with_its_property_path(world: World) -> None:
    with pytest.raises(UpdateFailed, match="digest") as error:
        up(world, digest=f"sha256:{'0' * 64}")
    assert "changed after it was pinned" in str(error.value)
    assert not world.slot.exists()


def test_the_registry_is_not_needed_for_what_runs_already(world: World) -> None:
    """Going back, or an update of something else, works although the artifact was removed meanwhile."""
    import shutil

    up(world)
    one = world.props()
    up(world, version="2.0")
    shutil.rmtree(world.root / "artifacts")
    changes = world.stack.update(world.program(PROCESS, one), message="back").changes
    assert changes == {"same": 1, "update": 1}
    assert ask(world.stack.outputs()["url"])["version"] == "1.0"


def test_a_new_process_that_never_gets_ready_says_why_and_does_not_run(world: World) -> None:
    with pytest.raises(UpdateFailed) as error:
        up(world, environment={"STATUS": "503"}, readiness={"path": "/", "timeoutSeconds": 0.5})
    assert "slot blue is not ready" in str(error.value)
    assert "503" in str(error.value)
    assert "version 1.0 starts" in str(error.value)
    assert world.processes() == []

    changes, outputs = up(world)
    assert changes == {"same": 1, "update": 1}
    assert ask(outputs["url"])["version"] == "1.0"


def test_after_an_update_that_failed_going_back_is_an_update(world: World) -> None:
    """The record says what is really there, so that the state before is not taken for what is there."""
    _, before = up(world)
    with pytest.raises(UpdateFailed, match="slot blue is not ready"):
        up(world, version="2.0", environment={"STATUS": "503"}, readiness={"path": "/", "timeoutSeconds": 0.5})
    recorded = world.state()
    assert recorded["outputs"]["environment"] == {"STATUS": "503"}
    assert recorded["outputs"]["url"] == before["url"]
    assert recorded["initErrors"]
    changes, after = up(world)
    assert changes == {"same": 1, "update": 1}
    assert ask(after["url"])["version"] == "1.0"
    assert after["url"] == before["url"]


def test_a_program_that_ends_at_once_says_how(world: World) -> None:
    with pytest.raises(UpdateFailed) as error:
        up(world, command=[sys.executable, "-c", "print('no such table'); raise SystemExit(3)"])
    assert "exited with code 3" in str(error.value)
    assert "no such table" in str(error.value)


def test_somebody_elses_directory_is_left_alone(world: World) -> None:
    (world.root / "documents").mkdir()
    (world.root / "documents" / "letter.txt").write_text("Dear")
    with pytest.raises(UpdateFailed, match="holds other files"):
        up(world, directory=str(world.root / "documents"))
    world.stack.destroy(message="destroy")
    assert (world.root / "documents" / "letter.txt").read_text() == "Dear"


def test_the_users_own_time_limit_ends_the_wait(world: World) -> None:
    props = world.props(environment={"STATUS": "503"}, readiness={"path": "/", "timeoutSeconds": 60})
    options = pulumi.ResourceOptions(custom_timeouts=pulumi.CustomTimeouts(create="1s"))
    with pytest.raises(UpdateFailed, match="limit of 1 s has passed"):
        world.stack.update(world.program(PROCESS, props, options=options), message="limited")
    assert world.processes() == []


SECRET = "a-very-secret-password"


def test_a_secret_stays_secret_in_the_record_in_messages_and_on_disk(world: World) -> None:
    environment = {"PASSWORD": Secret(SECRET), "COLOUR": "blue"}
    _, outputs = up(world, environment=environment)
    assert ask(outputs["url"])["environment"]["PASSWORD"] == SECRET
    assert up(world, environment=environment)[0] == {"same": 2}

    with pytest.raises(UpdateFailed) as error:
        up(
            world,
            environment=environment,
            command=[sys.executable, "-c", "import os; raise SystemExit(os.environ['PASSWORD'])"],
        )
    assert SECRET not in str(error.value)
    assert "exited with code 1" in str(error.value)

    files = [path for path in world.root.rglob("*") if path.is_file() and path.name != "output.log"]
    assert len(files) > 10
    assert [path for path in files if SECRET.encode() in path.read_bytes()] == []


def test_an_environment_that_becomes_secret_is_no_longer_recorded_in_plain_text(world: World) -> None:
    up(world, environment={"PASSWORD": SECRET})
    changes, _ = up(world, environment={"PASSWORD": Secret(SECRET)})
    assert changes == {"same": 1, "update": 1}
    states = [path for path in world.root.rglob("dev.json") if "stacks" in path.parts]
    assert states
    assert [path for path in states if SECRET.encode() in path.read_bytes()] == []
