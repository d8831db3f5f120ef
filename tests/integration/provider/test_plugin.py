"""The plugin as a process: it starts when asked, waits only while somebody waits for it, and ends with its engine."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Any

import psutil
import pytest

from phases.errors import EngineError, UpdateFailed, UpdateStopped
from tests.integration.processes import started, words
from tests.integration.provider.world import World, ask, eventually, runs

pytestmark = [
    pytest.mark.integration,
    # The Automation API leaves an event loop open after an update that fails.
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
]

PLUGIN = Path(sys.executable).parent / "pulumi-resource-launch"


def unready(world: World) -> Callable[[], None]:
    """A program with a process that will not be ready for a minute."""
    props = world.props(environment={"STATUS": "503"}, readiness={"path": "/", "timeoutSeconds": 60})
    return world.program("launch:local:Process", props)


def waiting(world: World) -> bool:
    """Whether the slot's process runs, so that its readiness is being waited for."""
    return any("server.py" in words(process) for process in world.processes())


def test_a_cancelled_update_does_not_wait_for_readiness(world: World) -> None:
    stop = threading.Event()
    with ThreadPoolExecutor(1) as thread:
        update: Future[Any] = thread.submit(world.stack.update, unready(world), message="cancelled", stop=stop)
        eventually(lambda: waiting(world))
        stop.set()
        with pytest.raises(UpdateStopped):
            update.result(timeout=30)
    assert world.processes() == []
    assert started("pulumi-resource-launch") == []

    # Nothing is pending: the engine heard how the operation ended.
    assert not (world.stack.checkpoint() or {}).get("pending_operations")
    world.stack.update(world.program("launch:local:Process", world.props()), message="again")
    assert ask(world.stack.outputs()["url"])["version"] == "1.0"


def test_the_plugin_ends_with_an_engine_that_was_killed(world: World) -> None:
    with ThreadPoolExecutor(1) as thread:
        update: Future[Any] = thread.submit(world.stack.update, unready(world), message="killed")
        eventually(lambda: waiting(world))
        (plugin,) = started("pulumi-resource-launch")
        psutil.Process(plugin.ppid()).kill()
        with pytest.raises(EngineError):
            update.result(timeout=30)
    eventually(lambda: not runs(plugin.pid))

    world.stack.cancel()
    world.stack.update(world.program("launch:local:Process", world.props()), message="again")
    assert ask(world.stack.outputs()["url"])["version"] == "1.0"


def test_a_killed_plugin_leaves_what_the_next_create_finds(world: World) -> None:
    with ThreadPoolExecutor(1) as thread:
        update: Future[Any] = thread.submit(world.stack.update, unready(world), message="killed")
        eventually(lambda: waiting(world))
        (plugin,) = started("pulumi-resource-launch")
        plugin.kill()
        with pytest.raises(UpdateFailed):
            update.result(timeout=30)
    assert world.processes() != []

    world.stack.update(world.program("launch:local:Process", world.props()), message="again")
    assert ask(world.stack.outputs()["url"])["version"] == "1.0"
    assert len([process for process in world.processes() if "server.py" in words(process)]) == 1
    world.stack.destroy(message="destroy")
    assert world.processes() == []


def test_the_schema_is_one_that_pulumi_understands(world: World, tmp_path: Path) -> None:
    printed = subprocess.run([PLUGIN, "--schema"], capture_output=True, text=True, check=True)
    schema = json.loads(printed.stdout)
    assert {"launch:local:Process", "launch:local:Router", "launch:local:FlagFile"} <= set(schema["resources"])

    bound = world.engine.run_cli(["package", "get-schema", str(PLUGIN)], tmp_path)
    assert bound.code == 0, bound.stderr
    assert json.loads(bound.stdout)["resources"].keys() == schema["resources"].keys()


def test_without_an_engine_it_says_what_it_is() -> None:
    printed = subprocess.run([PLUGIN], capture_output=True, text=True, check=False)
    assert printed.returncode == 2
    assert "is a plugin of Pulumi" in printed.stderr


def test_it_ends_when_it_is_told_to() -> None:
    with subprocess.Popen([PLUGIN, "127.0.0.1:1"], stdout=subprocess.PIPE, text=True) as plugin:
        assert plugin.stdout is not None
        assert int(plugin.stdout.readline()) > 0
        plugin.terminate()
        assert plugin.wait(timeout=30) == 0


def test_it_ends_when_whoever_started_it_is_gone() -> None:
    code = f"import subprocess, sys; subprocess.Popen([{str(PLUGIN)!r}, '127.0.0.1:1']).wait()"
    with subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True) as parent:
        assert parent.stdout is not None
        assert int(parent.stdout.readline()) > 0
        (plugin,) = psutil.Process(parent.pid).children()
        parent.kill()
    eventually(lambda: not runs(plugin.pid))


def test_nothing_heavy_is_loaded_before_it_is_needed() -> None:
    """Each update starts the plugin anew."""
    code = "import sys, components.provider.server, components.provider.registry; print(*sys.modules)"
    printed = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    loaded = set(printed.stdout.split())
    assert loaded.isdisjoint({"alembic", "sqlalchemy", "pydantic", "aiohttp", "uvloop", "psycopg"})
