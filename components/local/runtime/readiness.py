"""Wait until a process that was just started answers."""

from __future__ import annotations

import http.client
import time
from collections.abc import Mapping
from urllib.parse import urlsplit

from components.local.runtime.errors import RuntimeFailure
from components.local.runtime.files import Layout
from components.local.runtime.logs import redact, tail
from components.local.runtime.spec import Readiness
from components.local.runtime.state import Record

_SETTLE = 0.3
"""Seconds a process without a readiness check has to stay alive to count as started."""
_ANSWER = 2.0
"""Seconds one answer may take, at most: a slow one is not ready, and there is a next try."""


def await_ready(
    layout: Layout,
    record: Record,
    readiness: Readiness | None,
    *,
    index: int = 0,
    environment: Mapping[str, str],
    since: int = 0,
) -> Record:
    """Return the record of the running process once it is ready.

    Args:
        layout: The directory's files.
        record: What the supervisor wrote first.
        readiness: What ready means; None: that it does not end at once.
        index: Which of the process's addresses is asked.
        environment: Its values are masked in the message.
        since: Where in the log this start began.

    Raises:
        RuntimeFailure: It ended, or was not ready in time. The message has the last HTTP status or error, or
            how it ended, and the last lines of its log.
    """
    timeout = _SETTLE if readiness is None else readiness.timeout
    deadline = time.monotonic() + timeout
    url = record.urls[index] if index < len(record.urls) else ""
    seen = "nothing"
    while True:
        record = Record.read(layout) or record
        if record.phase == "failed" or not record.supervised():
            how = record.ended or "ended, and its supervisor with it"
            raise RuntimeFailure(f"the process {how} before it was ready; {_last(layout, environment, since)}")
        if readiness is not None and record.child_alive():
            seen = probe(url, readiness, within=deadline - time.monotonic())
            if seen == "ready" and record.child_alive():  # or another program has its port
                return record
        if time.monotonic() >= deadline:
            if readiness is None:
                return record
            raise RuntimeFailure(
                f"the process was not ready within {timeout:g} s: GET {url}{readiness.path} last saw {seen}, "
                f"expected {readiness.status}; {_last(layout, environment, since)}"
            )
        time.sleep(max(0.0, min(0.05 if readiness is None else readiness.interval, deadline - time.monotonic())))


def probe(url: str, readiness: Readiness, *, within: float = _ANSWER) -> str:
    """One look: "ready", or what was seen instead."""
    parts = urlsplit(url)
    connection = http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=max(0.05, min(_ANSWER, within)))
    try:
        connection.request("GET", readiness.path, headers={"Connection": "close"})
        status = connection.getresponse().status
    except TimeoutError:
        return "no answer"
    except (OSError, http.client.HTTPException) as error:
        return str(error) or type(error).__name__
    finally:
        connection.close()
    return "ready" if status == readiness.status else f"status {status}"


def _last(layout: Layout, environment: Mapping[str, str], since: int) -> str:
    lines = redact(tail(layout.log, since=since), environment)
    if not lines:
        return f"it printed nothing ({layout.log})"
    return f"the last lines of {layout.log}:\n" + "\n".join(f"  {line}" for line in lines)
