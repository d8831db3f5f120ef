"""A flag file, through the real engine."""

from __future__ import annotations

import hashlib
import json
from typing import Any

import pulumi
import pytest

from phases.errors import UpdateFailed
from tests.integration.provider.world import Secret, World

pytestmark = [
    pytest.mark.integration,
    # The Automation API leaves an event loop open after an update that fails.
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
]

FLAG = {"state": "ENABLED", "variants": {"on": True, "off": False}, "defaultVariant": "off"}


def up(world: World, flags: dict[str, Any], **props: object) -> dict[str, int]:
    """Update the stack with one flag file; what changed."""
    program = world.program("launch:local:FlagFile", {"path": str(world.flags), "flags": flags, **props})
    return dict(world.stack.update(program, message="flags").changes)


def written(world: World) -> dict[str, Any]:
    document = json.loads(world.flags.read_text())
    assert document["$schema"] == "https://flagd.dev/schema/v0/flags.json"
    return dict(document["flags"])


def test_flags_are_written_changed_and_removed(world: World) -> None:
    assert up(world, {"new-checkout": FLAG}) == {"create": 2}
    assert written(world) == {"new-checkout": FLAG}
    assert up(world, {"new-checkout": FLAG}) == {"same": 2}

    on = {**FLAG, "defaultVariant": "on", "metadata": {"owner": "team-shop"}}
    assert up(world, {"new-checkout": on}) == {"same": 1, "update": 1}
    assert written(world) == {"new-checkout": on}
    assert world.stack.outputs()["digest"] == f"sha256:{hashlib.sha256(world.flags.read_bytes()).hexdigest()}"

    world.stack.destroy(message="destroy")
    assert [path.name for path in world.root.glob("*flags*")] == []
    assert [path.name for path in world.root.glob(".*flags*")] == []


def test_refresh_sees_an_edited_file_and_the_next_update_puts_it_right(world: World) -> None:
    up(world, {"new-checkout": FLAG})
    edited = {"flags": {"new-checkout": {**FLAG, "state": "DISABLED"}, "other": FLAG}}
    world.flags.write_text(json.dumps(edited))
    assert world.stack.refresh().changes == {"same": 1, "update": 1}
    assert world.state()["outputs"]["flags"] == edited["flags"]

    assert up(world, {"new-checkout": FLAG}) == {"same": 1, "update": 1}
    assert written(world) == {"new-checkout": FLAG}


def test_an_update_sees_an_edited_file_without_being_told_to_refresh(world: World) -> None:
    up(world, {"new-checkout": FLAG})
    world.flags.write_text('{"flags": {}}')
    assert up(world, {"new-checkout": FLAG}) == {"same": 1, "update": 1}
    assert written(world) == {"new-checkout": FLAG}


def test_refresh_sees_a_damaged_and_a_removed_file(world: World) -> None:
    up(world, {"new-checkout": FLAG})
    world.flags.write_text("{")
    assert world.stack.refresh().changes == {"same": 1, "update": 1}
    world.flags.unlink()
    assert world.stack.refresh().changes == {"same": 1, "delete": 1}
    assert up(world, {"new-checkout": FLAG}) == {"same": 1, "create": 1}
    assert written(world) == {"new-checkout": FLAG}


def test_another_path_is_another_file(world: World) -> None:
    up(world, {"new-checkout": FLAG})
    other = world.root / "other.json"
    assert up(world, {"new-checkout": FLAG}, path=str(other)) == {"same": 1, "replace": 1}
    assert not world.flags.exists()
    assert json.loads(other.read_text())["flags"] == {"new-checkout": FLAG}


def test_a_renamed_resource_keeps_the_file(world: World) -> None:
    up(world, {"new-checkout": FLAG})
    props = {"path": str(world.flags), "flags": {"new-checkout": FLAG}}
    world.stack.update(world.program("launch:local:FlagFile", props, name="renamed"), message="rename")
    assert written(world) == {"new-checkout": FLAG}
    world.stack.destroy(message="destroy")
    assert not world.flags.exists()


def test_somebody_elses_file_is_left_alone(world: World) -> None:
    world.flags.write_text("{}")
    with pytest.raises(UpdateFailed, match="exists and is not ours"):
        up(world, {"new-checkout": FLAG})
    assert world.flags.read_text() == "{}"


def test_a_file_that_is_there_can_be_imported(world: World) -> None:
    world.flags.write_text(json.dumps({"flags": {"new-checkout": FLAG}}))
    program = world.program(
        "launch:local:FlagFile",
        {"path": str(world.flags), "flags": {"new-checkout": FLAG}},
        options=pulumi.ResourceOptions(import_=str(world.flags)),
    )
    assert world.stack.update(program, message="import").changes == {"create": 1, "import": 1}
    assert up(world, {"new-checkout": FLAG}) == {"same": 2}
    world.stack.destroy(message="destroy")
    assert not world.flags.exists()


def test_a_mistake_is_named_with_its_property_path(world: World) -> None:
    flags = {"new-checkout": {**FLAG, "state": "ON"}, "other": {**FLAG, "defaultVariant": "maybe"}}
    with pytest.raises(UpdateFailed) as error:
        up(world, flags)
    assert 'flags["new-checkout"].state' in str(error.value)
    assert "is 'ON', but should be ENABLED or DISABLED" in str(error.value)


def test_preview_writes_nothing(world: World) -> None:
    program = world.program("launch:local:FlagFile", {"path": str(world.flags), "flags": {"new-checkout": FLAG}})
    assert world.stack.preview(program).changes == {"create": 2}
    assert not world.flags.exists()


def test_what_is_made_from_secret_flags_is_secret(world: World) -> None:
    flag = {**FLAG, "metadata": {"token": Secret("a-very-secret-token")}}
    up(world, {"new-checkout": flag})
    assert written(world)["new-checkout"]["metadata"] == {"token": "a-very-secret-token"}
    assert world.stack.outputs()["digest"] == "[secret]"
    states = [path for path in (world.root / "state").rglob("*") if path.is_file()]
    assert states
    assert [path for path in states if b"a-very-secret-token" in path.read_bytes()] == []
    assert up(world, {"new-checkout": flag}) == {"same": 2}
