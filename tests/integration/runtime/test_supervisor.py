"""A slot's process: outlives the command, comes back when it dies, and never runs twice."""

from __future__ import annotations

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import threading
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import psutil
import pytest

from components.local.runtime.errors import RuntimeFailure
from components.local.runtime.files import Layout, read_json
from components.local.runtime.identity import Identity
from components.local.runtime.locks import is_locked
from components.local.runtime.supervisor import ProcessSpec, ProcessStatus, Readiness, start, status, stop
from tests.integration.runtime.stage import eventually

pytestmark = pytest.mark.integration

SERVICE = Path(__file__).with_name("service.py")
ROOT = Path(__file__).resolve().parents[3]
READY = Readiness(interval=0.02)
SECRET = "planted-secret-4711"

Spec = Callable[..., ProcessSpec]


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    return tmp_path / "slot"


@pytest.fixture
def spec(directory: Path, tmp_path: Path) -> Iterator[Spec]:
    """Makes specs of the service, one directory for all, and ends what they started."""

    def make(*, readiness: Readiness | None = READY, **environment: str) -> ProcessSpec:
        return ProcessSpec(
            directory=directory,
            command=(sys.executable, str(SERVICE), "--port=${PORT}"),
            environment=environment,
            cwd=tmp_path,
            readiness=readiness,
        )

    yield make
    stop(directory, grace=0.5)
    assert processes(directory) == []


def processes(directory: Path) -> list[psutil.Process]:
    """Everything that runs for a directory: supervisors by their argument, services by their log."""
    log = str(Layout(directory).log)
    found: list[psutil.Process] = []
    for process in psutil.process_iter():
        try:
            if process.status() != psutil.STATUS_ZOMBIE and (
                str(directory) in process.cmdline() or log in {file.path for file in process.open_files()}
            ):
                found.append(process)
        except (psutil.NoSuchProcess, psutil.AccessDenied):
            continue
    return found


def about(status: ProcessStatus) -> dict[str, Any]:
    """What the service says of itself."""
    with urllib.request.urlopen(status.url, timeout=10) as response:  # noqa: S310
        found: dict[str, Any] = json.load(response)
        return found


def kill(pid: int | None) -> None:
    """Kill a process and see it dead."""
    assert pid is not None
    identity = Identity.of(pid)
    assert identity is not None
    os.kill(pid, signal.SIGKILL)
    eventually(lambda: not identity.alive())


def restarted(directory: Path, old: int | None) -> ProcessStatus:
    def found() -> bool:
        now = status(directory)
        return now is not None and now.state == "running" and now.pid != old

    eventually(found, "a restart")
    now = status(directory)
    assert now is not None
    return now


class TestStart:
    def test_the_process_runs_as_told(self, spec: Spec, directory: Path, tmp_path: Path) -> None:
        running = start(spec(GREETING="hello"))
        found = about(running)
        assert running.state == "running"
        assert found["pid"] == running.pid
        assert found["argv"][1:] == [f"--port={running.port}"]
        assert found["cwd"] == str(tmp_path)
        assert found["environment"]["PORT"] == str(running.port)
        assert found["environment"]["GREETING"] == "hello"
        assert running.log.read_text() == "begun with hello\n"
        assert status(directory) == running

    def test_it_has_a_group_of_its_own_in_a_session_without_our_terminal(self, spec: Spec) -> None:
        running = start(spec())
        found = about(running)
        assert found["group"] == running.pid
        assert found["session"] not in {os.getsid(0), running.pid}

    def test_the_callers_own_secrets_stay_behind(self, spec: Spec, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("PULUMI_CONFIG_PASSPHRASE", SECRET)
        running = start(spec())
        assert SECRET not in json.dumps(about(running)["environment"])
        assert SECRET not in json.dumps(psutil.Process(running.supervisor_pid).environ())

    def test_the_same_again_touches_nothing(self, spec: Spec) -> None:
        first = start(spec(GREETING="hello"))
        assert start(spec(GREETING="hello")) == first

    def test_another_spec_replaces_it_on_the_same_port(self, spec: Spec, directory: Path) -> None:
        first = start(spec(GREETING="hello"))
        second = start(spec(GREETING="good morning"))
        assert second.pid != first.pid
        assert (second.port, second.url) == (first.port, first.url)
        assert about(second)["environment"]["GREETING"] == "good morning"
        assert "asked to end" in second.log.read_text()
        assert {process.pid for process in processes(directory)} == {second.pid, second.supervisor_pid}

    def test_a_slow_start_is_waited_for(self, spec: Spec) -> None:
        running = start(spec(READY_AFTER="1"))
        assert about(running)["pid"] == running.pid
        assert running.restarts == 0

    def test_what_is_not_ready_in_time_is_ended_and_said_why(self, spec: Spec, directory: Path) -> None:
        with pytest.raises(RuntimeFailure) as raised:
            start(spec(UNHEALTHY="yes", GREETING="hello", readiness=Readiness(path="/live", timeout=1, interval=0.05)))
        message = str(raised.value)
        assert "not ready within 1 s" in message
        assert "/live last saw status 503, expected 200" in message
        assert "begun with ${GREETING}" in message
        assert processes(directory) == []
        assert status(directory) is None

    def test_what_never_listens_is_not_ready_either(self, spec: Spec, directory: Path) -> None:
        silent = replace(
            spec(readiness=Readiness(timeout=0.5, interval=0.05)),
            command=(sys.executable, "-c", "import time; time.sleep(600)"),
        )
        with pytest.raises(RuntimeFailure, match=r"(?s)refused.*it printed nothing"):
            start(silent)
        assert processes(directory) == []

    @pytest.mark.parametrize("readiness", [Readiness(), None])
    def test_what_ends_at_once_is_said_why_and_not_restarted(
        self, spec: Spec, directory: Path, readiness: Readiness | None
    ) -> None:
        start(spec(GREETING="an earlier run"))
        with pytest.raises(RuntimeFailure) as raised:
            start(spec(EXIT="3", PASSWORD=SECRET, readiness=readiness))
        message = str(raised.value)
        assert "exited with code 3 before it was ready" in message
        assert "cannot go on: ${PASSWORD}" in message
        assert SECRET not in message
        assert "an earlier run" not in message
        assert str(Layout(directory).log) in message
        assert processes(directory) == []
        assert status(directory) is None

    @pytest.mark.parametrize(
        "change", [{"command": ("/no/such/program",)}, {"cwd": Path("/no/such/directory")}], ids=["program", "cwd"]
    )
    def test_what_cannot_be_started_is_said_why(self, spec: Spec, directory: Path, change: dict[str, Any]) -> None:
        with pytest.raises(RuntimeFailure, match=r"could not be started: .*No such file"):
            start(replace(spec(), **change))
        assert processes(directory) == []
        assert start(spec()).state == "running"

    def test_a_failed_replacement_leaves_nothing_and_the_next_start_has_the_port(self, spec: Spec) -> None:
        first = start(spec())
        with pytest.raises(RuntimeFailure):
            start(spec(EXIT="1"))
        assert start(spec()).port == first.port

    def test_without_a_readiness_check_it_has_to_stay_alive(self, spec: Spec) -> None:
        running = start(spec(readiness=None))
        assert running.pid is not None
        assert psutil.pid_exists(running.pid)

    def test_two_at_once_start_one(self, spec: Spec, directory: Path) -> None:
        found: list[ProcessStatus] = []
        threads = [threading.Thread(target=lambda: found.append(start(spec()))) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert [one.pid for one in found] == [found[0].pid] * 4
        assert len(processes(directory)) == 2


class TestPort:
    def test_a_port_somebody_took_meanwhile_is_replaced(self, spec: Spec, directory: Path) -> None:
        first = start(spec())
        stop(directory)
        with socket.create_server(("127.0.0.1", first.port)):
            second = start(spec())
            assert second.port != first.port
            assert about(second)["pid"] == second.pid

    def test_a_port_that_was_asked_for_is_not(self, spec: Spec, directory: Path) -> None:
        with socket.create_server(("127.0.0.1", 0)) as other:
            port = other.getsockname()[1]
            with pytest.raises(
                RuntimeFailure, match=rf"port {port} on 127.0.0.1 cannot be had: another program has it"
            ):
                start(replace(spec(), port=port))
        assert processes(directory) == []
        assert start(replace(spec(), port=port)).port == port

    def test_it_stays_over_a_stop(self, spec: Spec, directory: Path) -> None:
        first = start(spec())
        stop(directory)
        assert start(spec()).port == first.port


class TestRestart:
    def test_a_killed_process_comes_back(self, spec: Spec, directory: Path) -> None:
        first = start(spec(GREETING=SECRET))
        kill(first.pid)
        second = restarted(directory, first.pid)
        assert (second.supervisor_pid, second.port, second.restarts) == (first.supervisor_pid, first.port, 1)
        eventually(lambda: answers(second))
        assert about(second)["environment"]["GREETING"] == SECRET

    def test_a_process_that_ends_by_itself_comes_back(self, spec: Spec, directory: Path) -> None:
        first = start(spec())
        assert first.pid is not None
        os.kill(first.pid, signal.SIGTERM)
        assert restarted(directory, first.pid).restarts == 1

    def test_its_workers_do_not_outlive_it(self, spec: Spec, directory: Path, tmp_path: Path) -> None:
        file = tmp_path / "worker"
        first = start(spec(WORKER=str(file)))
        worker = Identity.of(int(file.read_text()))
        assert worker is not None
        kill(first.pid)
        restarted(directory, first.pid)
        eventually(lambda: not worker.alive())

    def test_a_killed_supervisor_is_seen_and_its_process_adopted(self, spec: Spec, directory: Path) -> None:
        first = start(spec())
        kill(first.supervisor_pid)
        seen = status(directory)
        assert seen is not None
        assert (seen.state, seen.pid) == ("stopped", first.pid)
        assert about(first)["pid"] == first.pid  # users notice nothing

        second = start(spec())
        assert second.state == "running"
        assert (second.pid, second.port) == (first.pid, first.port)
        assert second.supervisor_pid != first.supervisor_pid
        kill(second.pid)
        third = restarted(directory, second.pid)
        assert third.port == first.port
        eventually(lambda: answers(third))

    def test_a_killed_supervisors_process_is_replaced_by_another_spec(self, spec: Spec, directory: Path) -> None:
        first = start(spec())
        kill(first.supervisor_pid)
        second = start(spec(GREETING="other"))
        assert second.port == first.port
        assert {process.pid for process in processes(directory)} == {second.pid, second.supervisor_pid}

    def test_both_killed(self, spec: Spec, directory: Path) -> None:
        first = start(spec())
        kill(first.supervisor_pid)
        kill(first.pid)
        seen = status(directory)
        assert seen is not None
        assert (seen.state, seen.pid) == ("stopped", None)
        assert start(spec()).port == first.port

    def test_start_waits_for_a_process_that_crashes_again_and_again(self, spec: Spec, directory: Path) -> None:
        first = start(spec())
        for _ in range(3):
            pid = status(directory)
            assert pid is not None
            kill(pid.pid)
            restarted(directory, pid.pid)
        kill(restarted(directory, None).pid)
        second = start(spec())
        assert (second.state, second.port) == ("running", first.port)
        assert about(second)["pid"] == second.pid
        assert second.restarts == 4


class TestStop:
    def test_it_ends_both_and_keeps_the_log(self, spec: Spec, directory: Path) -> None:
        running = start(spec())
        stop(directory)
        assert processes(directory) == []
        assert status(directory) is None
        assert running.log.read_text().endswith("asked to end\n")
        stop(directory)  # nothing to stop is no error

    def test_nothing_was_ever_there(self, directory: Path) -> None:
        stop(directory)
        assert status(directory) is None
        assert not directory.exists()

    def test_one_that_will_not_end_is_killed(self, spec: Spec, directory: Path) -> None:
        start(spec(STUBBORN="yes"))
        stop(directory, grace=0.2)
        assert processes(directory) == []

    def test_what_a_dead_supervisor_left_is_ended_too(self, spec: Spec, directory: Path, tmp_path: Path) -> None:
        file = tmp_path / "worker"
        running = start(spec(WORKER=str(file)))
        kill(running.supervisor_pid)
        stop(directory)
        assert processes(directory) == []

    def test_a_supervisor_that_hangs_is_killed_with_its_process(self, spec: Spec, directory: Path) -> None:
        running = start(spec())
        os.kill(running.supervisor_pid, signal.SIGSTOP)
        stop(directory, grace=0.2)
        assert processes(directory) == []

    def test_a_removed_directory_ends_it(self, spec: Spec, directory: Path) -> None:
        """Nobody could stop it any more."""
        running = start(spec())
        shutil.rmtree(directory, ignore_errors=True)  # the supervisor may just be writing
        shutil.rmtree(directory, ignore_errors=True)
        eventually(lambda: not psutil.pid_exists(running.supervisor_pid))
        assert not answers(running)

    def test_the_systems_own_request_to_end_is_a_stop(self, spec: Spec, directory: Path) -> None:
        running = start(spec())
        os.kill(running.supervisor_pid, signal.SIGTERM)
        eventually(lambda: processes(directory) == [])
        # One that is about to be gone has no command line any more, and is there for a moment still.
        eventually(lambda: (seen := status(directory)) is not None and (seen.state, seen.pid) == ("stopped", None))


class TestCommandsThatDie:
    """`start` in a process of its own, killed."""

    @staticmethod
    def command(spec: ProcessSpec, *, before: str = "") -> subprocess.Popen[bytes]:
        text = (
            "import sys\nfrom pathlib import Path\n"
            "from components.local.runtime.supervisor import *\n"
            f"{before}\n"
            f"start(ProcessSpec(directory=Path({str(spec.directory)!r}), command={spec.command!r}, "
            f"environment={dict(spec.environment)!r}, cwd=Path({str(spec.cwd)!r}), readiness={spec.readiness!r}))\n"
            "print('started', flush=True)\n"
        )
        return subprocess.Popen([sys.executable, "-c", text], cwd=ROOT, stdout=subprocess.PIPE, start_new_session=True)

    def test_the_process_outlives_the_command_and_its_terminal(self, spec: Spec, directory: Path) -> None:
        with self.command(spec()) as command:
            assert command.stdout is not None
            assert command.stdout.readline() == b"started\n"
            assert command.wait() == 0
        running = status(directory)
        assert running is not None
        os.kill(running.supervisor_pid, signal.SIGHUP)
        assert about(running)["pid"] == running.pid
        assert psutil.Process(running.supervisor_pid).terminal() is None

    def test_a_start_killed_while_it_waits_is_taken_over(self, spec: Spec, directory: Path) -> None:
        slow = spec(READY_AFTER="2")
        with self.command(slow) as command:
            eventually(lambda: status(directory))
            command.kill()
        first = status(directory)
        assert first is not None
        second = start(slow)
        assert second.pid == first.pid
        kill(second.pid)
        restarted(directory, second.pid)  # it counts as ready now, so it is kept alive

    def test_a_start_killed_while_it_waits_is_replaced_by_another(self, spec: Spec, directory: Path) -> None:
        with self.command(spec(UNHEALTHY="yes")) as command:
            eventually(lambda: status(directory))
            command.kill()
        running = start(spec())
        assert {process.pid for process in processes(directory)} == {running.pid, running.supervisor_pid}

    @pytest.mark.parametrize(
        "point",
        [
            # Before the supervisor has its order, and between the order and its first state file.
            "subprocess.Popen.communicate = lambda *a, **k: os.kill(os.getpid(), 9)",
            "daemon._await_birth = lambda *a: os.kill(os.getpid(), 9)",
        ],
    )
    def test_a_start_killed_at_any_point_leaves_no_second_process(
        self, spec: Spec, directory: Path, point: str
    ) -> None:
        before = f"import os, subprocess\nfrom components.local.runtime import daemon\n{point}\n"
        with self.command(spec(), before=before) as command:
            assert command.wait() == -signal.SIGKILL
        with self.command(spec(), before=before) as command:
            command.wait()  # killed as well, or it took over what the first had left
        running = start(spec())
        assert about(running)["pid"] == running.pid
        assert {process.pid for process in processes(directory)} == {running.pid, running.supervisor_pid}

    def test_a_stop_finds_a_supervisor_whose_start_was_killed(self, spec: Spec, directory: Path) -> None:
        before = (
            "import os\nfrom components.local.runtime import daemon\n"
            "daemon._await_birth = lambda *a: os.kill(os.getpid(), 9)\n"
        )
        with self.command(spec(), before=before) as command:
            command.wait()
        stop(directory)
        assert processes(directory) == []
        assert not is_locked(Layout(directory).life_lock)

    def test_a_lost_state_file_does_not_hide_the_supervisor(self, spec: Spec, directory: Path) -> None:
        first = start(spec())
        Layout(directory).state.unlink()
        second = start(spec())
        assert second.supervisor_pid != first.supervisor_pid
        assert {process.pid for process in processes(directory)} == {second.pid, second.supervisor_pid}


class TestSecrets:
    def test_no_file_and_no_command_line_holds_one(self, spec: Spec, directory: Path) -> None:
        running = start(spec(PASSWORD=SECRET))
        kill(running.pid)
        restarted(directory, running.pid)
        for path in directory.rglob("*"):
            assert SECRET.encode() not in path.read_bytes(), path
            assert path.stat().st_mode & 0o077 == 0, path
        assert directory.stat().st_mode & 0o077 == 0
        for process in processes(directory):
            assert SECRET not in " ".join(process.cmdline())
        assert SECRET not in json.dumps(psutil.Process(running.supervisor_pid).environ())
        record = read_json(Layout(directory).state)
        assert record is not None
        assert record["digest"] == running.spec_digest


def answers(status: ProcessStatus) -> bool:
    """Whether the service answers at all."""
    try:
        about(status)
    except urllib.error.HTTPError as error:
        error.close()
    except OSError:
        return False
    return True
