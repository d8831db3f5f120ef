"""Requests to one registry: authorised where it asks for it, bounded in time and size."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from phases.errors import LaunchError
from phases.http import explain
from phases.oci.challenge import Challenge, TokenRequest, parse, token_request
from phases.oci.credentials import Credentials

if TYPE_CHECKING:
    from urllib3 import PoolManager

_LIMIT = 8 * 1024 * 1024
_REDIRECTS = 5
_OK, _UNAUTHORIZED = 200, 401
_CHUNK = 64 * 1024
_CONNECTIONS = 8
"""Kept open; as many as images of a launch are asked for at once."""


class RegistryUnavailable(LaunchError):
    """A registry does not answer, or not to us: which says nothing about an image."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What a registry answered."""

    status: int
    headers: Mapping[str, str] = field(default_factory=dict)
    """By lower-case name."""
    body: bytes = b""


class Transport:
    """Talks to the registry at one host.

    Args:
        host: with its port where it has one.
        secure: whether by HTTPS.
        credentials: who we are there, asked for when the registry wants to know.
        timeout: seconds for one question, with all that belongs to it.
    """

    def __init__(
        self, host: str, *, secure: bool, credentials: Callable[[], Credentials | None], timeout: float
    ) -> None:
        self._base = f"{'https' if secure else 'http'}://{host}"
        self._host, self._secure = host, secure
        self._credentials = credentials
        self._timeout = timeout
        self._authorization: dict[str, str] = {}
        self._pool: PoolManager | None = None

    def ask(self, method: str, path: str, *, scope: str, accept: str = "*/*") -> Answer:
        """Send a request; where the registry wants a token first, get one and send it again.

        Args:
            method: `GET` or `HEAD`.
            path: from `/v2` on.
            scope: what is done, as tokens name it: `repository:NAME:pull`.
            accept: media types.

        Raises:
            RegistryUnavailable: it does not answer in time, or will not give a token.
        """
        deadline = time.monotonic() + self._timeout
        answer = self._send(method, self._base + path, self._headers(scope, accept), None, deadline)
        if answer.status != _UNAUTHORIZED:
            return answer
        challenge = parse(answer.headers.get("www-authenticate", ""))
        if challenge is None:
            return answer
        self._authorize(challenge, scope, deadline)
        return self._send(method, self._base + path, self._headers(scope, accept), None, deadline)

    def _headers(self, scope: str, accept: str) -> dict[str, str]:
        authorization = self._authorization.get(scope)
        return {"Accept": accept, **({"Authorization": authorization} if authorization else {})}

    def _authorize(self, challenge: Challenge, scope: str, deadline: float) -> None:
        known = self._credentials()
        if challenge.scheme == "basic":
            if known is not None:
                self._authorization[scope] = known.basic
            return
        if known is not None and self._secure and not challenge.realm.startswith("https://"):
            raise RegistryUnavailable(f"the registry {self._host} wants the password sent in plain text: refused")
        request = token_request(challenge, known, scope=scope)
        answer = self._token(request, deadline)
        try:
            content = json.loads(answer.body)
            token = content.get("token") or content["access_token"]
        except (ValueError, KeyError, AttributeError, TypeError) as error:
            raise RegistryUnavailable(f"the registry {self._host} gives something else than a token") from error
        self._authorization[scope] = f"Bearer {token}"

    def _token(self, request: TokenRequest, deadline: float) -> Answer:
        answer = self._send(request.method, request.url, dict(request.headers), request.body, deadline)
        if answer.status != _OK:
            raise RegistryUnavailable(
                f"the registry {self._host} gives no token (status {answer.status}): check `docker login {self._host}`"
            )
        return answer

    def _send(self, method: str, url: str, headers: dict[str, str], body: str | None, deadline: float) -> Answer:
        import urllib3

        if self._pool is None:
            self._pool = urllib3.PoolManager(maxsize=_CONNECTIONS)
        left = max(deadline - time.monotonic(), 0.001)
        # Blobs often lie elsewhere; urllib3 does not take the authorization along to another host.
        retries = urllib3.Retry(total=None, connect=0, read=0, status=0, other=1, redirect=_REDIRECTS)
        try:
            response = self._pool.request(
                method,
                url,
                headers=headers,
                body=body,
                timeout=urllib3.Timeout(total=left),
                retries=retries,
                preload_content=False,
            )
            parts, size = [], 0
            while chunk := response.read1(_CHUNK):
                parts.append(chunk)
                size += len(chunk)
                if size > _LIMIT:
                    raise RegistryUnavailable(f"the registry {self._host} answers with more than {_LIMIT >> 20} MiB")
                if time.monotonic() >= deadline:
                    raise TimeoutError
        except (urllib3.exceptions.HTTPError, OSError) as error:
            raise RegistryUnavailable(f"the registry {self._host} cannot be asked: {explain(error)}") from error
        response.release_conn()
        found = {name.lower(): value for name, value in response.headers.items()}
        return Answer(response.status, found, b"".join(parts))
