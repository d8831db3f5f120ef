"""`command`: a program of the team's own decides."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import tempfile
from contextlib import suppress
from pathlib import Path
from typing import IO, ClassVar

from pydantic import Field

from phases.durations import Duration, show
from phases.gates.base import Gate, GateContext
from phases.gates.bounds import left, over
from phases.redact import redact, redact_result
from phases.verdict import GateResult, failed, inconclusive, passed

_POLL_SECONDS = 0.05
_TAIL = 2000
_READ = 64 * 1024


class Command(Gate):
    """Runs a program: exit code 0 passes, `inconclusive_exit_code` could not tell, any other fails.

    It finds the launch in its environment: `LAUNCH_ENVIRONMENT`, `LAUNCH_PHASE`, `LAUNCH_MOMENT`, `LAUNCH_IMAGE`,
    `LAUNCH_DIGEST`, and where there are such things `LAUNCH_REVISION`, `LAUNCH_SLOT`, `LAUNCH_SLOT_URL` and
    `LAUNCH_ROUTER_URL`.
    """

    type: ClassVar[str] = "command"

    run: tuple[str, ...] = Field(min_length=1)
    """The program and its arguments; it runs in the project's directory."""
    timeout: Duration = 60.0
    """After this it is ended, with all that it started, and the gate is inconclusive."""
    inconclusive_exit_code: int = 75
    """The exit code that says "could not tell" (75 is EX_TEMPFAIL of sysexits.h)."""

    def problems(self, root: Path) -> tuple[str, ...]:
        """Return that the program is not there, if so."""
        name = self.run[0]
        found = os.access(root / name, os.X_OK) if "/" in name else shutil.which(name) is not None
        where = f"in {root}" if "/" in name else "on PATH"
        return () if found else (f"{name} is no program {where}",)

    def check(self, context: GateContext) -> GateResult:
        """Run the program and judge its exit code."""
        # A file and not a pipe: something the program leaves running in the background would keep a pipe open.
        with tempfile.TemporaryFile() as output:
            return redact_result(self._run(context, output), context.secrets)

    def _run(self, context: GateContext, output: IO[bytes]) -> GateResult:
        evidence: dict[str, object] = {"command": list(self.run)}
        try:
            process = subprocess.Popen(
                self.run,
                cwd=context.root,
                env={**os.environ, **_environment(context)},
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        except OSError as error:
            return failed(f"{self.run[0]} cannot be run: {error.strerror or error}", evidence)
        ended = self._wait(context, process)
        evidence["output"] = _tail(output, context.secrets)
        if ended is not None:
            return inconclusive(f"{self.run[0]} was ended: {ended}", evidence)
        evidence["exit_code"] = process.returncode
        if process.returncode == 0:
            return passed(f"{self.run[0]} ended with 0", evidence)
        if process.returncode == self.inconclusive_exit_code:
            return inconclusive(f"{self.run[0]} could not tell (exit code {process.returncode})", evidence)
        return failed(f"{self.run[0]} ended with {process.returncode}", evidence)

    def _wait(self, context: GateContext, process: subprocess.Popen[bytes]) -> str | None:
        """Wait for the program's end; return why it was ended by us, or None."""
        limit, given = context.clock.monotonic() + self.timeout, left(context)
        while True:
            with suppress(subprocess.TimeoutExpired):
                process.wait(_POLL_SECONDS)
                return None
            reason = over(context)
            if reason is None and context.clock.monotonic() >= limit:
                reason = f"its timeout of {show(self.timeout)} was over"
            elif reason is not None and not context.stop.is_set():
                reason = f"the {show(given)} that phase {context.phase} had left were over"
            if reason is not None:
                with suppress(ProcessLookupError):
                    os.killpg(process.pid, signal.SIGKILL)  # its own session: what it started goes too
                process.wait()
                return reason


def perform(argv: tuple[str, ...], context: GateContext) -> GateResult:
    """Run the program of an action, `run: [program, arguments]`, which may take as long as its phase."""
    return Command(run=argv, timeout=left(context)).check(context)


def _environment(context: GateContext) -> dict[str, str]:
    known = {
        "ENVIRONMENT": context.environment,
        "PHASE": context.phase,
        "MOMENT": context.moment.value,
        "IMAGE": context.release.image,
        "DIGEST": context.release.digest,
        "REVISION": context.release.revision,
        "SLOT": context.slot,
        "SLOT_URL": context.slot_url,
        "ROUTER_URL": context.router_url,
    }
    return {f"LAUNCH_{name}": value for name, value in known.items() if value is not None}


def _tail(output: IO[bytes], secrets: tuple[str, ...]) -> str:
    """Return the last lines; secrets go first, since half a secret would no longer be found."""
    size = output.seek(0, os.SEEK_END)
    output.seek(max(0, size - _READ))
    return redact(output.read().decode(errors="replace"), secrets)[-_TAIL:]
