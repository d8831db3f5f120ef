"""The API of a test's control plane without a client library: JSON in, JSON out."""

from __future__ import annotations

import http.client
import json
import ssl
from collections.abc import Generator, Mapping
from typing import Any
from urllib.parse import urlsplit

from tests.cluster.certificates import Pair

_TIMEOUT_SECONDS = 30.0
APPLY = "application/apply-patch+yaml"
MERGE = "application/merge-patch+json"
JSON_PATCH = "application/json-patch+json"


class Refused(RuntimeError):
    """The API server did not do it.

    Attributes:
        status: of HTTP.
    """

    def __init__(self, status: int, what: str, answer: str) -> None:
        self.status = status
        super().__init__(f"{what}: {status} {answer}")


class Rest:
    """Speaks to one API server as one user. Each request has a connection of its own, so threads may share this."""

    def __init__(self, url: str, authority: str, user: Pair) -> None:
        address = urlsplit(url)
        self._host, self._port = address.hostname or "", address.port
        self._tls = ssl.create_default_context(cafile=authority)
        self._tls.load_cert_chain(user.certificate, user.key)

    def get(self, path: str) -> Any:  # noqa: ANN401 - whatever the API answers
        """The object or list at a path."""
        return self.request("GET", path)

    def post(self, path: str, body: Mapping[str, Any]) -> Any:  # noqa: ANN401
        """Creates an object in the collection at a path."""
        return self.request("POST", path, body)

    def patch(self, path: str, body: object, kind: str = MERGE) -> Any:  # noqa: ANN401
        """Changes an object; `kind` is MERGE, JSON_PATCH or APPLY (whose body may be YAML, as bytes)."""
        return self.request("PATCH", path, body, kind)

    def delete(self, path: str) -> Any:  # noqa: ANN401
        """Deletes an object, with what it owns, in the background."""
        return self.request("DELETE", path, {"propagationPolicy": "Background"})

    def text(self, path: str) -> str:
        """What is at a path, as it comes; for health, metrics and logs."""
        return self._raw("GET", path, None, "application/json")

    def request(
        self,
        method: str,
        path: str,
        body: object = None,
        kind: str = "application/json",
        timeout: float = _TIMEOUT_SECONDS,
    ) -> Any:  # noqa: ANN401
        """One request.

        Raises:
            Refused: the answer is not 2xx.
            OSError: there is no answer.
        """
        return json.loads(self._raw(method, path, body, kind, timeout))

    def watch(self, path: str, *, seconds: float = 30.0) -> Generator[dict[str, Any]]:
        """Events of a collection as they come, until it has been silent for so many seconds.

        The watch has begun, and what is there already has been sent as ADDED, when the first event is taken.
        """
        connection = self._connection(seconds)
        try:
            sign = "&" if "?" in path else "?"
            answer = self._answer(connection, "GET", f"{path}{sign}watch=true", None, "application/json")
            while True:
                try:
                    line = answer.readline()
                except TimeoutError:
                    return
                if not line:
                    return
                yield json.loads(line)
        finally:
            connection.close()

    def _raw(self, method: str, path: str, body: object, kind: str, timeout: float = _TIMEOUT_SECONDS) -> str:
        connection = self._connection(timeout)
        try:
            return self._answer(connection, method, path, body, kind).read().decode()
        finally:
            connection.close()

    def _connection(self, timeout: float) -> http.client.HTTPSConnection:
        return http.client.HTTPSConnection(self._host, self._port, timeout=timeout, context=self._tls)

    def _answer(
        self, connection: http.client.HTTPSConnection, method: str, path: str, body: object, kind: str
    ) -> http.client.HTTPResponse:
        data = body if body is None or isinstance(body, bytes) else json.dumps(body).encode()
        connection.request(method, path, data, {"Content-Type": kind, "Accept": "application/json, */*"})
        answer = connection.getresponse()
        if not http.client.OK <= answer.status < http.client.MULTIPLE_CHOICES:
            raise Refused(answer.status, f"{method} {path}", answer.read().decode(errors="replace"))
        return answer
