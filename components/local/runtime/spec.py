"""What is to run, and how a later command recognises that it already does."""

from __future__ import annotations

import hashlib
import hmac
import json
import os
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

_INHERITED = (
    "HOME", "LANG", "LC_ALL", "LC_CTYPE", "LOGNAME", "PATH", "SHELL", "SSL_CERT_DIR", "SSL_CERT_FILE", "TMPDIR", "TZ",
    "USER",
)  # fmt: skip
"""The variables a process gets from the caller; all else (a pipeline's tokens, a passphrase) stays behind."""

_SCRYPT = {"n": 2**14, "r": 8, "p": 1}
"""About 50 ms and 16 MiB a guess (RFC 7914; the parameters OWASP names for interactive use)."""


@dataclass(frozen=True, slots=True)
class Readiness:
    """How to see that a process is ready: GET `path` answers `status` within `timeout` seconds."""

    path: str = "/health"
    status: int = 200
    timeout: float = 15.0
    interval: float = 0.1


@dataclass(frozen=True, slots=True)
class ProcessSpec:
    """A process to keep running.

    `${PORT}` in `command` becomes the port, which is in the environment as PORT too. The environment holds
    `environment` and, from the caller, only what programs need to find their way (PATH, HOME, LANG, ...).
    """

    directory: Path
    """Absolute; belongs to this process alone: its state, log and locks."""
    command: tuple[str, ...]
    environment: Mapping[str, str]
    """May hold secrets: kept in memory, written to no file and no command line."""
    cwd: Path
    port: int = 0
    """0: the system chooses one, which this directory then keeps."""
    readiness: Readiness | None = None
    stop_grace: float = 5.0
    """Seconds between SIGTERM and SIGKILL."""


@dataclass(frozen=True, slots=True)
class Port:
    """A port of a supervised process."""

    host: str
    number: int
    """0: what the directory had before, or the system's choice."""
    listen: bool
    """The supervisor listens, and hands the socket on; otherwise the child opens the port itself."""


@dataclass(frozen=True, slots=True)
class Order:
    """All that a supervisor is told when it is born, over a pipe."""

    directory: Path
    command: tuple[str, ...]
    environment: Mapping[str, str] = field(repr=False)
    cwd: Path
    ports: tuple[Port, ...]
    stop_grace: float
    digest: str
    life_lock: int
    """The inherited descriptor that holds the life lock."""
    adopt: Mapping[str, Any] | None = None
    """The child that an earlier supervisor left running."""

    def to_json(self) -> bytes:
        """One line for the pipe."""
        return (
            json.dumps(
                {
                    "directory": str(self.directory),
                    "command": self.command,
                    "environment": dict(self.environment),
                    "cwd": str(self.cwd),
                    "ports": [[port.host, port.number, port.listen] for port in self.ports],
                    "stop_grace": self.stop_grace,
                    "digest": self.digest,
                    "life_lock": self.life_lock,
                    "adopt": self.adopt,
                }
            ).encode()
            + b"\n"
        )

    @classmethod
    def from_json(cls, line: bytes) -> Order:
        """Read what `to_json` wrote.

        Raises:
            ValueError: The line is not whole: its writer was killed.
        """
        if not line.endswith(b"\n"):
            raise ValueError("the order is not whole")
        value = json.loads(line)
        return cls(
            directory=Path(value["directory"]),
            command=tuple(value["command"]),
            environment=value["environment"],
            cwd=Path(value["cwd"]),
            ports=tuple(Port(*port) for port in value["ports"]),
            stop_grace=value["stop_grace"],
            digest=value["digest"],
            life_lock=value["life_lock"],
            adopt=value["adopt"],
        )


def inherited(source: Mapping[str, str] | None = None) -> dict[str, str]:
    """What a supervised process gets from the caller's environment (`os.environ` unless told)."""
    source = os.environ if source is None else source
    return {name: source[name] for name in _INHERITED if name in source}


def digest(spec: ProcessSpec, salt: str | None = None) -> str:
    """A digest of everything in the spec but its directory.

    The environment may hold secrets as short as a PIN, and the digest lies in a file: so it is salted and, where
    there is an environment, costly to guess at (scrypt).
    """
    salt = salt or secrets.token_hex(16)
    readiness = spec.readiness
    public = json.dumps(
        [
            list(spec.command),
            str(spec.cwd),
            spec.port,
            spec.stop_grace,
            readiness and [readiness.path, readiness.status, readiness.timeout, readiness.interval],
        ]
    )
    result = hashlib.sha256(f"{salt}{public}".encode())
    if spec.environment:
        text = json.dumps(sorted(spec.environment.items())).encode()
        result.update(hashlib.scrypt(text, salt=bytes.fromhex(salt), **_SCRYPT))
    return f"{salt}:{result.hexdigest()}"


def matches(spec: ProcessSpec, known: str) -> bool:
    """Whether `known` is the digest of this spec."""
    salt = known.partition(":")[0]
    try:
        return bool(salt) and hmac.compare_digest(digest(spec, salt), known)
    except ValueError:  # a salt that is not hexadecimal: a damaged file
        return False
