"""What the build scripts share: plain lines, one at a time, and what is missing said in words.

Standard library only, and syntax that an old Python can read, so that it can say what is missing.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
TOOLS = ROOT / ".tools"
SHOWN_LINES = 20
"""How much of a log is shown where its command failed."""


class SetupError(Exception):
    """Something the user has to do first; the message says what."""


class Steps:
    """One script's steps, told under its name.

    Args:
        name: what its lines begin with, and what `make` calls it.
    """

    def __init__(self, name: str) -> None:
        self._name = name

    def say(self, text: str) -> None:
        """One plain line."""
        print(f"{self._name}: {text}", flush=True)

    @contextlib.contextmanager
    def step(self, name: str) -> Iterator[None]:
        """Says what begins and how long it took."""
        self.say(f"{name} ...")
        started = time.monotonic()
        yield
        self.say(f"{name}: done in {time.monotonic() - started:.1f} s")

    def all(self, lock: Path, work: Callable[[], bool]) -> int:
        """Does the work, which says whether there was any; returns the exit code.

        Args:
            lock: held meanwhile, so that two scripts in one checkout do not build the same.
            work: all steps.
        """
        try:
            lock.parent.mkdir(parents=True, exist_ok=True)
            with self._only_one(lock):
                started = time.monotonic()
                if work():
                    self.say(f"ready after {time.monotonic() - started:.0f} s")
                else:
                    self.say("nothing to do")
        except SetupError as error:
            print(f"{self._name}: {error}", file=sys.stderr)
            return 2
        except subprocess.CalledProcessError as error:
            command = " ".join(map(str, error.cmd))
            print(f"{self._name}: `{command}` failed with {error.returncode}; see above", file=sys.stderr)
            return 1
        return 0

    @contextlib.contextmanager
    def _only_one(self, path: Path) -> Iterator[None]:
        """Waits while another one runs in this checkout."""
        import fcntl

        with path.open("w", encoding="utf-8") as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                self.say(f"another {self._name} of this checkout is running; waiting for it ...")
                fcntl.flock(lock, fcntl.LOCK_EX)
            yield

    def debian_package(self, package: str, problem: str, alternatives: tuple[str, ...] = ()) -> None:
        """Installs a package as root in CI; anywhere else, says how to.

        Raises:
            SetupError: the user has to.
        """
        may = hasattr(os, "geteuid") and os.geteuid() == 0 and os.environ.get("CI") == "true"
        if not may or shutil.which("apt-get") is None:
            named = " or ".join(f"`apt-get install {name}`" for name in (package, *alternatives))
            again = f"then run `make {self._name}` again"
            raise SetupError(f"{problem} On Debian and Ubuntu, {named} provides it; {again}.")
        self.say(problem)
        with self.step(f"Debian package {package}"):
            environ = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
            run(["apt-get", "update", "-qq"], env=environ)
            run(["apt-get", "install", "-y", "-qq", "--no-install-recommends", package], env=environ)

    def run_quietly(self, argv: list[str], log: Path, cwd: Path = ROOT, env: dict[str, str] | None = None) -> None:
        """Runs a command whose output goes to a log; where it fails, its end is shown and where the rest is."""
        with log.open("wb") as output:
            done = subprocess.run(argv, cwd=cwd, env=env, stdout=output, stderr=subprocess.STDOUT, check=False)
        if done.returncode != 0:
            for line in log.read_text(encoding="utf-8", errors="replace").splitlines()[-SHOWN_LINES:]:
                print(line, file=sys.stderr)
            print(f"{self._name}: all of its output is in {log}", file=sys.stderr)
            done.check_returncode()


def run(argv: list[str], cwd: Path = ROOT, env: dict[str, str] | None = None) -> None:
    """Runs a command whose output the user sees."""
    subprocess.run(argv, cwd=cwd, env=env, check=True)


def go_environ() -> dict[str, str]:
    """What Go runs with: no flags of the user's, and a newer Go from its own modules where this one is too old."""
    environ = {"GOTOOLCHAIN": "auto", **os.environ, "GOFLAGS": ""}
    if not environ.get("HOME"):  # Go keeps its caches there
        environ.update(GOPATH=str(TOOLS / "go"), GOCACHE=str(TOOLS / "go-build"))
    return environ
