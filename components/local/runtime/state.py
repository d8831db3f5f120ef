"""What a supervisor writes down of itself, and what a reader makes of it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from components.local.runtime.files import Layout, read_json, write_json
from components.local.runtime.identity import Identity

Phase = Literal["starting", "running", "restarting", "failed"]


@dataclass(frozen=True, slots=True)
class ProcessStatus:
    """A supervised process as it is now."""

    state: Literal["running", "stopped", "restarting"]
    """`stopped`: no supervisor lives, so nothing would restart the process."""
    supervisor_pid: int
    pid: int | None
    """The process itself; with `stopped`, one that its dead supervisor left running."""
    port: int
    url: str
    log: Path
    restarts: int
    spec_digest: str


@dataclass(frozen=True, slots=True)
class Record:
    """The content of a state file. It holds no part of the environment."""

    phase: Phase
    """`starting` until it was seen ready; `failed`: it ended before that, and its supervisor with it."""
    supervisor: Identity
    child: Identity | None
    ports: tuple[int, ...]
    urls: tuple[str, ...]
    restarts: int
    digest: str
    ended: str | None = None
    """How the last child ended, in words."""

    def write(self, layout: Layout) -> None:
        """Replace the state file."""
        write_json(
            layout.state,
            {
                "phase": self.phase,
                "supervisor": self.supervisor.as_json(),
                "child": self.child and self.child.as_json(),
                "ports": list(self.ports),
                "urls": list(self.urls),
                "restarts": self.restarts,
                "digest": self.digest,
                "ended": self.ended,
            },
        )

    @classmethod
    def read(cls, layout: Layout) -> Record | None:
        """The state file, or None where there is none or it is damaged."""
        value = read_json(layout.state)
        return None if value is None else cls._parse(value)

    @classmethod
    def _parse(cls, value: dict[str, Any]) -> Record | None:
        supervisor = Identity.parse(value.get("supervisor"))
        try:
            if supervisor is None or value["phase"] not in {"starting", "running", "restarting", "failed"}:
                return None
            return cls(
                phase=value["phase"],
                supervisor=supervisor,
                child=Identity.parse(value["child"]),
                ports=tuple(int(port) for port in value["ports"]),
                urls=tuple(str(url) for url in value["urls"]),
                restarts=int(value["restarts"]),
                digest=str(value["digest"]),
                ended=value["ended"],
            )
        except (KeyError, TypeError, ValueError):
            return None

    def supervised(self) -> bool:
        """Whether the supervisor that wrote this still lives."""
        return self.supervisor.alive()

    def child_alive(self) -> bool:
        """Whether the child still lives, supervised or not."""
        return self.child is not None and self.child.alive()

    def status(self, layout: Layout) -> ProcessStatus:
        """The record, held against the processes that really run."""
        child = self.child if self.child is not None and self.child.alive() else None
        state: Literal["running", "stopped", "restarting"]
        state = ("running" if child is not None else "restarting") if self.supervised() else "stopped"
        return ProcessStatus(
            state=state,
            supervisor_pid=self.supervisor.pid,
            pid=child.pid if child is not None else None,
            port=self.ports[0],
            url=self.urls[0],
            log=layout.log,
            restarts=self.restarts,
            spec_digest=self.digest,
        )
