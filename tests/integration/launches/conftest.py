"""A project with the demo's versions, launched by the real command on the real engine."""

from __future__ import annotations

import json
import os
import signal
import sqlite3
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import closing, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any
from urllib.parse import urlsplit

import psutil
import pytest

from components.local.runtime.files import Layout
from components.local.runtime.state import Record
from examples.shop.build import build

VERSIONS = ("1.0", "2.0")
ROOT = Path(__file__).parents[3]
KILLED_AT = Path(__file__).with_name("killed_at.py")

LAUNCH = """\
launch:
  rollback_threshold: { error_rate: 0.02, latency_p99_ms: 800, health_check_failures: 3 }
  flags:
    - { key: new_checkout, owner: checkout, created: 2026-11-01, expires: 2030-12-31, cleanup: PR-1 }
  phases:
    - id: migration
      timeout_ms: 60000
      validators:
        - { type: schema_compatibility, config: { backward_compatible: true } }
      actions: { execute: "run_migration --direction up", rollback: "run_migration --direction down" }
    - id: deploy
      timeout_ms: 60000
      validators:
        - { type: image_digest, config: { registry: ecr, verify: true } }
      actions: { execute: "deploy --image ${IMAGE_TAG}", rollback: "deploy --image ${PREVIOUS_IMAGE_TAG}" }
    - id: health
      timeout_ms: 60000
      validators:
        - { type: http_status, config: { endpoint: /health, expected: 200, retries: 3 } }
      actions: { execute: run_synthetic_tests, rollback: disable_traffic }
    - id: traffic
      timeout_ms: 120000
      validators:
        - { type: feature_flag_evaluation, config: { provider: openfeature, flags: [new_checkout] } }
      steps:
        - { weight: 25, bake: 500ms }
        - { weight: 100, bake: 500ms }
      actions: { rollback: "shift_traffic --percent 0" }
    - id: post_launch
      timeout_ms: 60000
      window: 1s
"""

ENVIRONMENT = """\
config:
  launch:platform: local
  launch:service: { name: shop }
  launch:database: { url: "sqlite:///.launch/dev/shop.db" }
  launch:registry: { path: registry, aliases: [ecr] }
  # Nobody comes here but the tests, and silence shall not stop a launch.
  launch:rollback_threshold: { on_inconclusive: continue }
"""


@dataclass(frozen=True)
class Result:
    """How a command ended."""

    code: int
    stdout: str
    stderr: str

    @property
    def events(self) -> list[dict[str, Any]]:
        """The JSON objects it printed."""
        return [json.loads(line) for line in self.stdout.splitlines() if line.startswith("{")]

    def all(self, event: str) -> list[dict[str, Any]]:
        """The events of that name."""
        return [item for item in self.events if item.get("event") == event]

    @property
    def ended(self) -> dict[str, Any]:
        """Its last word."""
        return self.all("launch.ended")[-1]

    def __str__(self) -> str:
        return f"exit code {self.code}\n{self.stdout}\n{self.stderr}"


@dataclass
class Command:
    """A command that runs."""

    process: subprocess.Popen[str]
    errors: IO[str]
    lines: list[str] = field(default_factory=list)

    def until(self, told: Callable[[dict[str, Any]], bool]) -> dict[str, Any]:
        """Wait for an event and return it."""
        assert self.process.stdout is not None
        for line in self.process.stdout:
            self.lines.append(line)
            event: dict[str, Any] = json.loads(line)
            if told(event):
                return event
        pytest.fail(f"it ended without that event:\n{self.result()}")

    def until_event(self, name: str, **fields: object) -> dict[str, Any]:
        """Wait for the event of that name with those fields."""
        return self.until(lambda event: event["event"] == name and all(event.get(k) == v for k, v in fields.items()))

    def send(self, number: signal.Signals) -> None:
        """Send it a signal."""
        self.process.send_signal(number)

    def result(self) -> Result:
        """Wait for its end."""
        assert self.process.stdout is not None
        self.lines.extend(self.process.stdout)
        code = self.process.wait()
        self.close()
        return Result(code, "".join(self.lines), self.said)

    @property
    def said(self) -> str:
        """What it said on standard error."""
        if self.errors.closed:
            return self._said
        self.errors.seek(0)
        self._said = self.errors.read()
        return self._said

    _said: str = ""

    def close(self) -> None:
        """Kill it where it still runs."""
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()
        if self.process.stdout is not None:
            self.process.stdout.close()
        _ = self.said
        self.errors.close()


class Project:
    """A directory with a launch.yaml, its environment `dev`, and commands that run in it."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.environ = {key: value for key, value in os.environ.items() if not key.startswith("PULUMI_")}
        self._commands: list[Command] = []

    # --- commands

    def start(self, *arguments: str, run: tuple[str, ...] = ("-m", "launch"), **environ: str) -> Command:
        """Start a command that tells its events as JSON."""
        if arguments[0] != "down" and "--output" not in arguments:
            arguments = (*arguments, "--output", "json")
        errors = tempfile.TemporaryFile("w+", encoding="utf-8")  # noqa: SIM115 - the command closes it
        process = subprocess.Popen(
            [sys.executable, *run, *arguments],
            cwd=self.root,
            env={**self.environ, **environ},
            stdout=subprocess.PIPE,
            stderr=errors,
            stdin=subprocess.DEVNULL,
            text=True,
        )
        self._commands.append(Command(process, errors))
        return self._commands[-1]

    def launch(self, *arguments: str, check: int | None = None) -> Result:
        """Run a command to its end; `check` is the exit code it must have."""
        result = self.start(*arguments).result()
        if check is not None:
            assert result.code == check, result
        return result

    def killed(self, point: str, *arguments: str, delay: float = 0.0) -> list[str]:
        """Run a command that is killed at that point, `delay` seconds later; return the points it came to."""
        file = self.root / "points.txt"
        file.unlink(missing_ok=True)
        self.start(*arguments, run=(str(KILLED_AT), point, str(delay), str(file))).result()
        points = file.read_text(encoding="utf-8").splitlines()
        assert point in points, points
        return points

    def status(self) -> dict[str, Any]:
        """What `launch status` says."""
        return self.launch("status", "dev", check=0).events[0]

    def services(self) -> dict[str, list[tuple[str, int]]]:
        """The images and weights of every service, as `status` tells them."""
        status = self.status()
        every = [{"service": "shop", "traffic": status["traffic"]}, *status["services"]]
        return {item["service"]: [(slot["image"], slot["weight"]) for slot in item["traffic"]] for item in every}

    # --- the world

    @property
    def platform(self) -> Path:
        """Where the local platform keeps its runtime directories."""
        return self.root / ".launch" / "environments" / "dev"

    def runtimes(self, kind: str) -> Iterator[Record]:
        """What runs, by the runtime directories of the slots or the router."""
        for state in sorted((self.platform / kind).glob("*/state.json")):
            record = Record.read(Layout(state.parent))
            if record is not None:
                yield record

    def running(self) -> list[str]:
        """The images whose processes really run, and are supervised."""
        return sorted(
            f"shop:{Path(psutil.Process(record.child.pid).cwd()).name}"
            for record in self.runtimes("slots")
            if record.child is not None and record.child.alive() and record.supervised()
        )

    def revision(self) -> str | None:
        """The schema's revision, from the database itself."""
        file = self.root / ".launch" / "dev" / "shop.db"
        if not file.exists():
            return None
        with closing(sqlite3.connect(file)) as connection, suppress(sqlite3.OperationalError):
            row = connection.execute("SELECT version_num FROM alembic_version").fetchone()
            return str(row[0]) if row else None
        return None

    def flags(self) -> dict[str, object]:
        """The flags' values, from the file that services read."""
        file = self.platform / "flags" / "shop.flagd.json"
        if not file.exists():
            return {}
        flags = json.loads(file.read_text(encoding="utf-8"))["flags"]
        return {key: flag["variants"][flag["defaultVariant"]] for key, flag in flags.items()}

    def answered_by(self, times: int = 5) -> list[str]:
        """The versions that answer users."""
        url = self.router()
        if url is None:
            return []
        versions = set()
        for _ in range(times):
            with urllib.request.urlopen(f"{url}/", timeout=10) as answer:  # noqa: S310 - our own router
                versions.add(str(answer.headers["X-Shop-Version"]))
        return sorted(versions)

    def router(self) -> str | None:
        """Where users come in."""
        return next((record.urls[0] for record in self.runtimes("router") if record.supervised()), None)

    def wait(self, true: Callable[[], bool]) -> None:
        """Wait until that is true; while users cannot be answered, it is not."""
        limit = time.monotonic() + 30
        while time.monotonic() < limit:
            with suppress(OSError):
                if true():
                    return
            time.sleep(0.05)
        pytest.fail("it did not become true")

    def engines(self) -> list[str]:
        """Processes of the engine that still work for this project."""
        state = str(self.root / ".launch" / "state")
        found = []
        for process in psutil.process_iter(["name", "cmdline"]):
            if process.info["name"] and process.info["name"].startswith("pulumi"):
                with suppress(psutil.Error):
                    if urlsplit(process.environ().get("PULUMI_BACKEND_URL", "")).path == state:
                        found.append(" ".join(process.info["cmdline"]))
        return found

    def locks(self) -> list[str]:
        """Locks that somebody still holds on a stack."""
        return sorted(str(path) for path in (self.root / ".launch" / "state").glob("**/locks/**/*.json"))

    def world(self) -> dict[str, Any]:
        """Everything a user or a later launch could notice, in a form that two moments can be compared in."""
        status = self.status()
        return {
            "traffic": sorted((slot["image"], slot["weight"]) for slot in status["traffic"]),
            "flags": {flag["key"]: flag["state"] for flag in status["flags"]},
            "schema": status["schema"]["revision"],
            "real schema": self.revision(),
            "real flags": self.flags(),
            "answered by": self.answered_by(),
            "running": self.running(),
            "locks": self.locks(),
            "engines": self.engines(),
        }

    # --- the end

    def settle(self, images: list[str]) -> None:
        """End every command and every launch, and go back to those images."""
        for command in self._commands:
            command.close()
        self._commands.clear()
        self.launch("abort", "dev", check=0)
        if self.running() != images:
            self.launch("rollback", "dev", check=0)

    def close(self) -> None:
        """Destroy the environment, and whatever would still run."""
        for command in self._commands:
            command.close()
        down = self.launch("down", "dev", "--yes")
        for kind in ("slots", "router"):
            for record in self.runtimes(kind):
                for process in (record.supervisor, record.child):
                    if process is not None:
                        process.send(signal.SIGKILL)
        assert down.code == 0, down

    def edit(self, name: str, old: str, new: str) -> None:
        """Replace a text in one of the project's files."""
        file = self.root / name
        text = file.read_text(encoding="utf-8")
        assert old in text
        file.write_text(text.replace(old, new), encoding="utf-8")

    def look_often(self) -> None:
        """Have health checked so often that three failures fit into bakes of half a second."""
        self.edit("Pulumi.dev.yaml", "{ on_inconclusive: continue }", "{ on_inconclusive: continue, interval: 200ms }")


@pytest.fixture(scope="module")
def make_project(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[..., Project]]:
    """Projects that nothing was launched in; what is launched in them is destroyed in the end."""
    made: list[Project] = []

    def make(*versions: str) -> Project:
        root = tmp_path_factory.mktemp("shop")
        (root / "Pulumi.yaml").write_text("name: shop\nruntime: python\n", encoding="utf-8")
        (root / "Pulumi.dev.yaml").write_text(ENVIRONMENT, encoding="utf-8")
        (root / "launch.yaml").write_text(LAUNCH, encoding="utf-8")
        for version in versions or VERSIONS:
            build(version, root / "registry")
        made.append(Project(root))
        return made[-1]

    yield make
    for project in made:
        project.close()


@pytest.fixture(scope="module")
def project(make_project: Callable[..., Project]) -> Project:
    """A project in which shop:1.0 was launched; shared by the tests of a module, which leave it as they found it."""
    made = make_project()
    made.launch("up", "dev", "--image", "shop:1.0", check=0)
    return made


@pytest.fixture
def before(project: Project) -> Iterator[dict[str, Any]]:
    """The world before the test; where the test leaves another, it is put back."""
    world = project.world()
    yield world
    project.settle(world["running"])
