"""What a test of the provider works with: a project, a stack, an artifact that runs."""

from __future__ import annotations

import contextlib
import json
import sys
import time
import urllib.request
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil
import pulumi

from components.local.artifact import digest
from stacks.engine import Engine, StackHandle

SERVER = '''
"""Answers with its version and with the environment that was asked for."""
import http.server
import json
import os
import sys

VERSION = "1.0"
print("version", VERSION, "starts", flush=True)


class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        status = int(os.environ.get("STATUS", "200"))
        self.send_response(status)
        body = json.dumps({"version": VERSION, "environment": dict(os.environ), "cwd": os.getcwd()}).encode()
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *arguments):
        pass


http.server.ThreadingHTTPServer(("127.0.0.1", int(sys.argv[1])), Handler).serve_forever()
'''


@dataclass(frozen=True)
class World:
    """Where a test's project lies and what it can do there."""

    root: Path
    engine: Engine
    stack: StackHandle

    @property
    def slot(self) -> Path:
        return self.root / "run" / "blue"

    @property
    def flags(self) -> Path:
        return self.root / "flags.json"

    def artifact(self, version: str = "1.0", source: str = SERVER) -> Path:
        path = self.root / "artifacts" / "shop" / version
        path.mkdir(parents=True, exist_ok=True)
        (path / "server.py").write_text(source.replace('VERSION = "1.0"', f"VERSION = {version!r}"))
        return path

    def props(self, *, version: str = "1.0", **changed: object) -> dict[str, Any]:
        """Inputs of a Process that runs the server."""
        path = self.artifact(version)
        return {
            "directory": str(self.slot),
            "artifact": str(path),
            "digest": digest(path),
            "command": [sys.executable, "${ARTIFACT}/server.py", "${PORT}"],
            "environment": {"COLOUR": "blue"},
            "readiness": {"path": "/", "timeoutSeconds": 20},
            **changed,
        }

    def program(
        self, token: str, props: dict[str, Any], name: str = "it", options: pulumi.ResourceOptions | None = None
    ) -> Callable[[], None]:
        """An inline program with one resource; its outputs become the stack's."""

        def run() -> None:
            wanted = {"port", "url", "pid", "log", "admin", "digest", "owner"}
            resource = pulumi.CustomResource(
                token, name, {**dict.fromkeys(wanted - set(props)), **_inputs(props)}, options
            )
            for output in sorted(wanted):
                pulumi.export(output, getattr(resource, output, None))

        return run

    def state(self, name: str = "it") -> dict[str, Any]:
        """The recorded resource, secrets in plain text."""
        checkpoint = self.stack.checkpoint() or {"resources": []}
        return next(found for found in checkpoint["resources"] if found["urn"].endswith(f"::{name}"))

    def recorded(self) -> list[str]:
        """Types of everything recorded, without the stack itself."""
        checkpoint = self.stack.checkpoint() or {"resources": []}
        types = [found["type"] for found in checkpoint["resources"]]
        return [token for token in types if not token.startswith("pulumi:")]

    def processes(self) -> list[psutil.Process]:
        """Everything that runs for this test."""
        found = []
        for process in psutil.process_iter():
            with contextlib.suppress(psutil.Error):
                if str(self.root) in " ".join(process.cmdline()) and runs(process.pid):
                    found.append(process)
        return found


class Secret(str):
    """Text that a program passes as a secret."""

    __slots__ = ()


def _inputs(value: Any) -> Any:  # noqa: ANN401 - any property value
    """With secrets made where they have to be made: in the running program."""
    if isinstance(value, Secret):
        return pulumi.Output.secret(str(value))
    if isinstance(value, dict):
        return {key: _inputs(item) for key, item in value.items()}
    return [_inputs(item) for item in value] if isinstance(value, list) else value


def runs(pid: int) -> bool:
    """Whether a process runs; one that has ended and that nobody has waited for does not."""
    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def ask(url: str, path: str = "/") -> dict[str, Any]:
    """The JSON that a server answers."""
    with urllib.request.urlopen(f"{url}{path}", timeout=10) as response:  # noqa: S310 - our own server
        return dict(json.load(response))


def eventually(condition: Callable[[], object], seconds: float = 20.0) -> None:
    """Wait until something is so."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it never came to be"
        time.sleep(0.02)
