"""The plugins of a launch, served by processes that were forked and not loaded."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from components.provider import handover
from components.provider.handover import VARIABLE
from stacks.forkserver import Forkserver
from tests.integration.processes import started, words
from tests.integration.provider.world import eventually, runs

pytestmark = pytest.mark.integration

PLUGIN = Path(sys.executable).parent / "pulumi-resource-launch"
ENGINE = "127.0.0.1:1"

LAUNCH = f"""
import subprocess
from stacks.forkserver import Forkserver
import os
subprocess.run([{str(PLUGIN)!r}, {ENGINE!r}], env={{**os.environ, **Forkserver().environ}})
"""


@pytest.fixture
def environ() -> dict[str, str]:
    """The environment of a launch's plugins, whose fork server has not been asked for anything yet."""
    return {**os.environ, **Forkserver().environ}


@contextlib.contextmanager
def plugin(environ: dict[str, str], cwd: Path | None = None) -> Iterator[tuple[subprocess.Popen[str], int]]:
    """A plugin that an engine started, and the port that it serves at."""
    with subprocess.Popen(
        [PLUGIN, ENGINE], env=environ, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=cwd
    ) as process:
        try:
            assert process.stdout is not None
            yield process, int(process.stdout.readline())
        finally:
            process.kill()


def server_of(port: int) -> psutil.Process:
    """The process that listens there."""
    for process in psutil.process_iter():
        with contextlib.suppress(psutil.Error):
            if any(each.laddr.port == port and each.status == psutil.CONN_LISTEN for each in process.net_connections()):
                return process
    raise AssertionError(f"nobody listens on port {port}")


def test_another_process_serves_and_the_plugin_ends_with_it(environ: dict[str, str], tmp_path: Path) -> None:
    with plugin(environ, cwd=tmp_path) as (process, port):
        server = server_of(port)
        assert server.pid != process.pid
        assert "components.provider.forkserver" in words(server)
        assert Path(server.cwd()) == tmp_path
        process.terminate()
        assert process.wait(30) == 0
    eventually(lambda: not runs(server.pid))


def test_each_plugin_has_a_process_of_its_own(environ: dict[str, str]) -> None:
    with plugin(environ) as (one, port), plugin(environ) as (_, other_port):
        first, second = server_of(port), server_of(other_port)
        assert first.pid != second.pid
        assert first.ppid() == second.ppid()
        one.kill()
        eventually(lambda: not runs(first.pid))
        assert runs(second.pid)


def test_what_serves_ends_with_an_engine_that_was_killed(environ: dict[str, str]) -> None:
    code = f"import subprocess; subprocess.run([{str(PLUGIN)!r}, {ENGINE!r}])"
    with subprocess.Popen([sys.executable, "-c", code], env=environ, stdout=subprocess.PIPE, text=True) as engine:
        assert engine.stdout is not None
        server = server_of(int(engine.stdout.readline()))
        engine.kill()
    eventually(lambda: not runs(server.pid))


def test_a_plugin_whose_server_crashes_says_so(environ: dict[str, str]) -> None:
    with plugin(environ) as (process, port):
        server_of(port).kill()
        assert process.wait(30) == 1


def test_where_the_fork_server_was_killed_plugins_serve_by_themselves(environ: dict[str, str]) -> None:
    with plugin(environ) as (running, port):
        parent = server_of(port).parent()
        assert parent is not None
        parent.kill()
        eventually(lambda: not runs(parent.pid))
        with plugin(environ) as (process, other_port):
            assert server_of(other_port).pid == process.pid
        assert running.poll() is None
        assert runs(server_of(port).pid)


def test_where_the_fork_server_is_somebody_elses_name_plugins_serve_by_themselves() -> None:
    with plugin({**os.environ, VARIABLE: "launch-nobody"}) as (process, port):
        assert server_of(port).pid == process.pid


def test_where_it_hangs_up_before_it_has_forked_the_plugin_serves_by_itself() -> None:
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(handover.address(name := f"launch-test-{os.getpid()}"))
        listener.listen()
        process = subprocess.Popen(
            [PLUGIN, ENGINE], env={**os.environ, VARIABLE: name}, stdout=subprocess.PIPE, text=True
        )
        with process:
            listener.accept()[0].close()
            assert process.stdout is not None
            assert server_of(int(process.stdout.readline())).pid == process.pid
            process.kill()


def test_nothing_stays_of_a_launch_that_was_killed() -> None:
    with subprocess.Popen([sys.executable, "-c", LAUNCH], stdout=subprocess.PIPE, text=True) as launch:
        assert launch.stdout is not None
        server = server_of(int(launch.stdout.readline()))
        parent = server.parent()
        launch.send_signal(signal.SIGKILL)
        assert parent is not None
    eventually(lambda: not runs(parent.pid) and not runs(server.pid))


def test_a_launch_that_needs_no_plugin_starts_no_fork_server() -> None:
    before = started("components.provider.forkserver")
    assert Forkserver().environ.keys() == {VARIABLE}
    assert started("components.provider.forkserver") == before


def test_it_forks_while_it_has_no_thread() -> None:
    """A lock that another thread holds would stay locked in the child for ever."""
    code = "import threading, components.provider.forkserver; print(threading.active_count())"
    printed = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert printed.stdout.strip() == "1"
