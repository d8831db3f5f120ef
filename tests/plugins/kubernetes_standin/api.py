"""Requests to the API server, over connections that are kept."""

from __future__ import annotations

import json
import socket
import ssl
import tempfile
import time
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import urllib3

from .kubeconfig import Access
from .objects import Kind, kind_of, object_name
from .rest import Mapper, Resource
from .values import Object

APPLY = "application/apply-patch+yaml"
JSON_PATCH = "application/json-patch+json"

_CONNECTIONS = 32
_TIMEOUT = urllib3.Timeout(connect=10.0, read=60.0)
_TRIES = 6
"""How often a request is sent to an API server that is too busy to answer."""

_NO_DELAY = (socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)


class ApiError(Exception):
    """The API server refused.

    Attributes:
        code: the HTTP status.
        reason: the word that Kubernetes has for it, such as `Conflict`.
        status: the whole answer.
    """

    def __init__(self, code: int, status: Object) -> None:
        super().__init__(str(status.get("message") or status.get("reason") or f"the API server answered {code}"))
        self.code = code
        self.reason = str(status.get("reason") or "")
        self.status = status


class Unreachable(Exception):
    """The API server did not answer."""


class Api:
    """One API server.

    Args:
        access: how to reach it.
    """

    def __init__(self, access: Access) -> None:
        self._server = access.server
        self.namespace = access.namespace
        options: dict[str, Any] = {}
        if access.server.startswith("https:"):
            options = {"ssl_context": _tls(access)}
            if access.server_name:
                options["server_hostname"] = access.server_name
            if not access.verify:
                options["assert_hostname"] = False
        self._pool = urllib3.PoolManager(
            num_pools=1,
            maxsize=_CONNECTIONS,
            timeout=_TIMEOUT,
            retries=False,
            headers={"Accept": "application/json", "User-Agent": "pulumi-resource-kubernetes", **access.headers},
            socket_options=[_NO_DELAY],
            **options,
        )
        self._mapper = Mapper(self._find)

    def resource(self, kind: Kind) -> Resource:
        """Return where the objects of a kind live.

        Raises:
            NoSuchKind: the API server does not have it.
        """
        return self._mapper.resource(kind)

    def _find(self, path: str) -> Object | None:
        try:
            return self.request("GET", path)
        except ApiError as error:
            if error.code == 404:
                return None
            raise

    def request(
        self,
        method: str,
        path: str,
        body: Object | list[Object] | None = None,
        *,
        content: str = "application/json",
        **query: str | int,
    ) -> Object:
        """Ask, and return what is answered.

        Raises:
            ApiError: the API server refused.
            Unreachable: it did not answer.
        """
        url = f"{self._server}{path}"
        if query:
            url += f"?{urlencode(query)}"
        data = None if body is None else json.dumps(body, separators=(",", ":")).encode()
        headers = {**self._pool.headers, "Content-Type": content} if data is not None else None
        for turn in range(_TRIES):
            try:
                answer = self._pool.request(method, url, body=data, headers=headers)
            except urllib3.exceptions.ProtocolError as error:
                # A kept connection that the API server has just given up; what was asked can be asked twice.
                if turn == 0 and method != "POST":
                    continue
                raise Unreachable(f"{method} {url}: {error}") from error
            except urllib3.exceptions.HTTPError as error:
                raise Unreachable(f"{method} {url}: {error}") from error
            if answer.status != 429 or turn == _TRIES - 1:
                return _understood(answer.status, answer.data)
            time.sleep(min(float(answer.headers.get("Retry-After") or 1), 5.0))
        raise AssertionError  # the last turn returns or raises

    def stream(self, path: str, *, limit: float, **query: str | int) -> urllib3.BaseHTTPResponse:
        """Begin a watch and return the answer, from which lines are read as they come.

        Args:
            path: of the collection.
            limit: seconds after which the API server ends it; silence may last as long.
            query: selectors and where to begin.

        Raises:
            ApiError: the API server refused.
            Unreachable: it did not answer.
        """
        whole = max(1, int(limit))
        url = f"{self._server}{path}?{urlencode({'watch': 1, 'timeoutSeconds': whole, **query})}"
        try:
            answer = self._pool.request(
                "GET", url, preload_content=False, timeout=urllib3.Timeout(connect=10.0, read=whole + 5.0)
            )
            if answer.status != 200:
                _understood(answer.status, answer.data)
        except urllib3.exceptions.HTTPError as error:
            raise Unreachable(f"watch {url}: {error}") from error
        return answer

    def path_of(self, obj: Object, name: str | None = None) -> str:
        """Return the path of an object in its namespace, or in the default one.

        Args:
            obj: which says its kind and namespace.
            name: the object's, where it is not in `obj`; an empty one means the collection.

        Raises:
            NoSuchKind: the API server does not have the kind.
        """
        held = obj.get("metadata")
        namespace = held.get("namespace") if isinstance(held, dict) else None
        where = self.resource(kind_of(obj))
        return where.path(str(namespace or self.namespace), object_name(obj) if name is None else name)

    def get(self, obj: Object, name: str | None = None) -> Object:
        """Read the live state of an object."""
        return self.request("GET", self.path_of(obj, name))

    def create(self, obj: Object, manager: str, *, dry_run: bool = False) -> Object:
        """Create an object; fails where there is one of its name."""
        return self.request("POST", self.path_of(obj, ""), obj, fieldManager=manager, **_dry(dry_run))

    def apply(
        self, obj: Object, manager: str, *, name: str | None = None, force: bool = False, dry_run: bool = False
    ) -> Object:
        """Apply an object server-side: create it, or make it have these fields."""
        query: dict[str, str | int] = {"fieldManager": manager, "force": str(force).lower(), **_dry(dry_run)}
        return self.request("PATCH", self.path_of(obj, name), obj, content=APPLY, **query)

    def patch(self, obj: Object, operations: list[Object], name: str) -> Object:
        """Patch an object by the operations of RFC 6902."""
        return self.request("PATCH", self.path_of(obj, name), operations, content=JSON_PATCH)

    def replace(self, obj: Object, manager: str, *, name: str, dry_run: bool = False) -> Object:
        """Put an object in the place of the one of that name."""
        return self.request("PUT", self.path_of(obj, name), obj, fieldManager=manager, **_dry(dry_run))

    def delete(self, obj: Object, name: str, propagation: str) -> Object:
        """Begin to delete an object."""
        options = {"kind": "DeleteOptions", "apiVersion": "v1", "propagationPolicy": propagation}
        return self.request("DELETE", self.path_of(obj, name), options)


def _dry(dry_run: bool) -> dict[str, str]:
    return {"dryRun": "All"} if dry_run else {}


def _understood(code: int, data: bytes) -> Object:
    try:
        answer = json.loads(data) if data else {}
    except ValueError:
        answer = {"message": data.decode(errors="replace").strip()}
    if code >= 300:
        raise ApiError(code, answer if isinstance(answer, dict) else {})
    found: Object = answer
    return found


def _tls(access: Access) -> ssl.SSLContext:
    context = ssl.create_default_context(cadata=access.ca.decode() if access.ca else None)
    if not access.verify:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    if access.certificate:
        # The ssl module reads a client's key from files only; nobody but this user sees them, for a moment.
        with tempfile.TemporaryDirectory(prefix="kubernetes-standin-") as folder:
            certificate, key = Path(folder, "client.crt"), Path(folder, "client.key")
            certificate.write_bytes(access.certificate)
            key.touch(mode=0o600)
            key.write_bytes(access.key)
            context.load_cert_chain(certificate, key)
    return context
