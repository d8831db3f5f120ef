"""Configure, look at and stop the router of a runtime directory.

The router runs under a supervisor daemon of its own, like any process of the local platform.
"""

from __future__ import annotations

import hashlib
import http.client
import json
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from components.local.runtime import daemon
from components.local.runtime.errors import RuntimeFailure
from components.local.runtime.files import Layout, write_json
from components.local.runtime.locks import exclusive
from components.local.runtime.logs import size
from components.local.runtime.readiness import await_ready
from components.local.runtime.routing import Backend, RouterConfig, Sticky
from components.local.runtime.spec import Order, Port, Readiness, inherited
from components.local.runtime.state import Record

__all__ = ["Backend", "RouterStatus", "RuntimeFailure", "Sticky", "configure", "router_status", "stop_router"]

_MODULE = "components.local.runtime.route"
_LOOPBACK = "127.0.0.1"
_READINESS = Readiness(path="/healthz", timeout=15.0, interval=0.02)
_STOP_GRACE = 6.0
"""Seconds between SIGTERM and SIGKILL: more than the router takes to drain."""
_ADMIN_TIMEOUT = 10.0
_LOCK_TIMEOUT = 60.0


@dataclass(frozen=True, slots=True)
class RouterStatus:
    """A router as it is now."""

    port: int
    url: str
    admin: str
    """URL of the admin listener: /metrics, /config, /healthz."""
    pid: int
    """The process that serves; its supervisor, which would start it again, is its parent."""
    backends: tuple[Backend, ...]


def configure(
    directory: Path,
    *,
    host: str = _LOOPBACK,
    port: int = 0,
    backends: Sequence[Backend],
    sticky: Sticky | None = None,
) -> RouterStatus:
    """Put weights in force, starting the router first if it does not run; returns when they are in force.

    Args:
        directory: Absolute; belongs to this router alone.
        host: Where it listens.
        port: 0: the system chooses one, which this directory then keeps.
        backends: The slots; their weights add up to 100, or are all 0: then every request gets 503.
        sticky: How users are recognised, if they are to stay on their slot.

    Raises:
        RuntimeFailure: The backends are not such, the port is taken, or the router does not start or answer.
    """
    try:
        config = RouterConfig.build(backends, sticky)
    except ValueError as error:
        raise RuntimeFailure(f"the router of {directory} cannot be configured: {error}") from error
    layout = Layout(directory)
    layout.create()
    digest = _digest(host, port)
    with exclusive(layout.command_lock, timeout=_LOCK_TIMEOUT):
        record = Record.read(layout)
        if record is None or record.digest != digest or not record.supervised():
            record = _start(layout, record if record and record.digest == digest else None, host, port, config, digest)
        try:
            _admin(record, "PUT", config.to_json())
        except OSError as error:
            raise RuntimeFailure(f"the router of {directory} does not answer at {record.urls[1]}: {error}") from error
        return _status(Record.read(layout) or record, config)


def router_status(directory: Path) -> RouterStatus | None:
    """The router as it answers now, or None if none runs, or it does not answer."""
    record = Record.read(Layout(directory))
    if record is None or not record.child_alive() or len(record.urls) < 2:
        return None
    try:
        config = RouterConfig.from_json(_admin(record, "GET", None))
    except (OSError, RuntimeFailure, ValueError):
        return None
    return _status(record, config)


def stop_router(directory: Path) -> None:
    """Stop the router, if it runs, letting requests under way end for a few seconds. Keeps log and port number.

    Raises:
        RuntimeFailure: Another command has been at work on the directory for a minute.
    """
    if not directory.is_dir():
        return
    layout = Layout(directory)
    with exclusive(layout.command_lock, timeout=_LOCK_TIMEOUT):
        daemon.halt(layout, grace=_STOP_GRACE)


def _start(layout: Layout, orphaned: Record | None, host: str, port: int, config: RouterConfig, digest: str) -> Record:
    since = size(layout.log)
    adopt = orphaned.child if orphaned is not None and orphaned.child_alive() else None
    if adopt is None:
        daemon.halt(layout, grace=_STOP_GRACE)
        write_json(layout.router, config.to_json())
    record = daemon.launch(
        Order(
            directory=layout.directory,
            command=(sys.executable, "-m", _MODULE, str(layout.directory)),
            environment=inherited(),
            cwd=daemon.ROOT,
            ports=(Port(host, port, listen=True), Port(_LOOPBACK, 0, listen=True)),
            stop_grace=_STOP_GRACE,
            digest=digest,
            life_lock=-1,
            adopt=None if adopt is None else adopt.as_json(),
        )
    )
    try:
        record = await_ready(layout, record, _READINESS, index=1, environment={}, since=since)
    except BaseException:
        daemon.halt(layout, grace=_STOP_GRACE)
        raise
    daemon.confirm(record)
    return record


def _digest(host: str, port: int) -> str:
    return hashlib.sha256(json.dumps([host, port, sys.executable, str(daemon.ROOT)]).encode()).hexdigest()


def _admin(record: Record, method: str, body: dict[str, Any] | None) -> Any:  # noqa: ANN401 - JSON
    parts = urlsplit(record.urls[1])
    connection = http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=_ADMIN_TIMEOUT)
    try:
        connection.request(method, "/config", body=None if body is None else json.dumps(body))
        response = connection.getresponse()
        text = response.read()
    except http.client.HTTPException as error:
        raise OSError(f"{type(error).__name__}: {error}") from error
    finally:
        connection.close()
    if response.status != http.HTTPStatus.OK:
        raise RuntimeFailure(f"the router at {record.urls[1]} answered {response.status}: {text.decode().strip()}")
    return json.loads(text)


def _status(record: Record, config: RouterConfig) -> RouterStatus:
    return RouterStatus(
        port=record.ports[0],
        url=record.urls[0],
        admin=record.urls[1],
        pid=record.child.pid if record.child is not None else record.supervisor.pid,
        backends=config.backends,
    )
