"""One HTTP request that always ends in time, as gates, synthetic transactions and health checks need it."""

from __future__ import annotations

import threading
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from phases.durations import show

if TYPE_CHECKING:
    import urllib3

BODY_LIMIT = 4 * 1024 * 1024
"""Bytes of a body that are kept; the rest is not read."""
_POLL_SECONDS = 0.02
_CHUNK = 64 * 1024
_MAX_REDIRECTS = 5
_LATE = "no whole answer in time"


@dataclass(frozen=True, slots=True)
class Probe:
    """What one request met.

    Attributes:
        status: the HTTP status; None where no response came.
        seconds: from before the connection to the last byte of the body, or to the failure.
        body: at most `BODY_LIMIT` bytes, decoded from gzip and the like.
        headers: of the response, by lower-case name.
        error: why there is no (whole) response, in a few words without the URL; None where there is one.
    """

    status: int | None
    seconds: float
    body: bytes = b""
    headers: Mapping[str, str] = field(default_factory=dict)
    error: str | None = None

    @property
    def answered(self) -> bool:
        """Return whether a whole response came."""
        return self.error is None

    @property
    def text(self) -> str:
        """Return the body as text; bytes that are no UTF-8 are replaced."""
        return self.body.decode(errors="replace")


def probe(
    url: str,
    *,
    method: str = "GET",
    headers: Mapping[str, str] | None = None,
    body: bytes | None = None,
    timeout: float = 5.0,
    redirects: bool = False,
    stop: threading.Event | None = None,
) -> Probe:
    """Send one request on a connection of its own and return what came back.

    The request runs in a thread, because socket timeouts bound each read and not the whole: a server that sends a
    byte a second would otherwise hold the caller for ever. Proxies of the environment are not used.

    Args:
        url: `http://` or `https://`, with path and query.
        method: the HTTP method.
        headers: request headers.
        body: request body.
        timeout: seconds for everything, from the name look-up to the last byte.
        redirects: whether up to five redirects are followed.
        stop: when it is set, the call returns within a few hundredths of a second.

    Returns:
        The response, or the reason why there is none. Never raises for what the other side does.
    """
    started = time.perf_counter()
    request = _Request(url, method, dict(headers or {}), body, started + timeout, redirects)
    thread = threading.Thread(target=request.run, name="launch-probe", daemon=True)
    thread.start()
    while not request.done.wait(min(_POLL_SECONDS, max(0.0, request.deadline - time.perf_counter())) or 0.001):
        seconds = time.perf_counter() - started
        if stop is not None and stop.is_set():
            request.give_up()
            return Probe(None, seconds, error="stopped")
        if seconds >= timeout:
            request.give_up()
            return Probe(request.status, seconds, error=f"{_LATE} ({show(timeout)})")
    error = f"{_LATE} ({show(timeout)})" if request.error == _LATE else request.error
    return Probe(request.status, request.ended - started, request.body, request.headers, error)


class _Request:
    """One request under way; `done` is set when the other fields hold their last values."""

    def __init__(
        self, url: str, method: str, headers: Mapping[str, str], body: bytes | None, deadline: float, redirects: bool
    ) -> None:
        self._url, self._method, self._headers, self._body = url, method, headers, body
        self._redirects = redirects
        self.deadline = deadline
        self.done = threading.Event()
        self._response: urllib3.BaseHTTPResponse | None = None
        self.status: int | None = None
        self.ended = 0.0
        self.body = b""
        self.headers: Mapping[str, str] = {}
        self.error: str | None = None

    def run(self) -> None:
        try:
            self._send()
        except Exception as error:  # noqa: BLE001 - whatever it is, it is what the caller asked to hear
            self.error = explain(error)
        finally:
            self.ended = time.perf_counter()
            self.done.set()

    def give_up(self) -> None:
        """End the thread soon, even while the other side sends a byte now and then."""
        if self._response is not None:
            # It may have ended by itself in this moment: then there is nothing to shut down.
            with suppress(Exception):
                self._response.shutdown()

    def _send(self) -> None:
        import urllib3

        if not self._url.startswith(("http://", "https://")):
            raise urllib3.exceptions.LocationValueError
        left = max(0.001, self.deadline - time.perf_counter())
        retry = urllib3.Retry(
            connect=0, read=0, status=0, other=0, redirect=_MAX_REDIRECTS if self._redirects else 0, total=None
        )
        with urllib3.PoolManager(num_pools=_MAX_REDIRECTS + 1) as manager:
            response = manager.request(
                self._method,
                self._url,
                headers=self._headers,
                body=self._body,
                timeout=urllib3.Timeout(total=left),
                retries=retry,
                redirect=self._redirects,
                preload_content=False,
            )
            self._response = response
            self.status = response.status
            self.headers = {name.lower(): value for name, value in response.headers.items()}
            try:
                self._read(response)
            finally:
                response.close()

    def _read(self, response: urllib3.BaseHTTPResponse) -> None:
        parts: list[bytes] = []
        size = 0
        for chunk in response.stream(_CHUNK):
            parts.append(chunk)
            size += len(chunk)
            if time.perf_counter() >= self.deadline:
                raise TimeoutError
            if size >= BODY_LIMIT:
                break
        self.body = b"".join(parts)[:BODY_LIMIT]


def explain(error: BaseException) -> str:
    """Return what went wrong in a few words, without the URL (it may hold a password)."""
    import urllib3.exceptions as http

    if isinstance(error, http.MaxRetryError) and error.reason is not None:
        error = error.reason
    cause = error.__cause__ or error.__context__
    match error:
        case http.NameResolutionError():
            return "the host's name is unknown"
        case http.NewConnectionError() if isinstance(cause, OSError):  # before its base class, ConnectTimeoutError
            return (cause.strerror or str(cause)).lower()
        case http.TimeoutError() | TimeoutError():
            return _LATE
        case http.SSLError():
            return f"TLS failed: {error.args[0] if error.args else error}"
        case http.ProtocolError():
            reason = error.args[-1] if error.args else error
            return f"the connection broke: {getattr(reason, 'strerror', None) or reason}"
        case http.LocationValueError() | http.URLSchemeUnknown():
            return "the URL is not valid"
        case http.ResponseError():
            return "too many redirects"
        case _:
            return type(error).__name__
