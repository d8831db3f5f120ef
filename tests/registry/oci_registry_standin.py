"""A stand-in for a registry of container images: the pull and push of the distribution specification, in memory.

https://github.com/opencontainers/distribution-spec/blob/main/spec.md. With `users` it wants a token first, which it
gives out itself, as Docker Hub and the cloud providers' registries do.
"""

from __future__ import annotations

import base64
import hashlib
import json
import re
import secrets
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlsplit


@dataclass
class Standin:
    """What the registry holds, and what a test wants of it.

    Attributes:
        host: with its port.
        users: passwords by user; with any, everything needs a token.
        basic: ask for the password itself instead of a token.
        states_digest: whether it sends `Docker-Content-Digest`, which is optional.
        status: answers this to everything, where it is not None.
        asked: method and path of every request.
    """

    host: str = ""
    users: dict[str, str] = field(default_factory=dict)
    basic: bool = False
    states_digest: bool = True
    status: int | None = None
    asked: list[str] = field(default_factory=list)
    blobs: dict[str, bytes] = field(default_factory=dict)
    manifests: dict[tuple[str, str], tuple[str, bytes]] = field(default_factory=dict)
    tags: dict[str, dict[str, str]] = field(default_factory=dict)
    tokens: set[str] = field(default_factory=set)


@contextmanager
def registry() -> Iterator[Standin]:
    """Run one on a port of the system's choice."""
    standin = Standin()

    class Handler(_Handler):
        pass

    Handler.standin = standin
    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as http:
        http.daemon_threads = True
        http.block_on_close = False
        standin.host = f"127.0.0.1:{http.server_port}"
        thread = threading.Thread(target=http.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield standin
        finally:
            http.shutdown()
            thread.join()


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    standin: Standin

    def do_GET(self) -> None:
        self._handle()

    def do_HEAD(self) -> None:
        self._handle()

    def do_POST(self) -> None:
        self._handle()

    def do_PUT(self) -> None:
        self._handle()

    def _handle(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        self.standin.asked.append(f"{self.command} {self.path}")
        path = urlsplit(self.path)
        if path.path == "/token":
            self._token(body)
        elif self.standin.status is not None:
            self._answer(self.standin.status, b"")
        elif not self._allowed(path.path):
            self._challenge(path.path)
        elif match := re.fullmatch(r"/v2/(.+)/manifests/([^/]+)", path.path):
            self._manifest(match[1], match[2], body)
        elif match := re.fullmatch(r"/v2/(.+)/blobs/uploads/", path.path):
            self._upload(match[1], body)
        elif match := re.fullmatch(r"/v2/(.+)/blobs/(sha256:[0-9a-f]{64})", path.path):
            found = self.standin.blobs.get(match[2])
            self._answer(404 if found is None else 200, found or b"")
        elif match := re.fullmatch(r"/v2/(.+)/tags/list", path.path):
            tags = self.standin.tags.get(match[1])
            if tags is None:
                self._error(404, "NAME_UNKNOWN")
            else:
                self._answer(200, json.dumps({"name": match[1], "tags": sorted(tags)}).encode())
        else:
            self._answer(200 if path.path == "/v2/" else 404, b"{}")

    def _manifest(self, name: str, version: str, body: bytes) -> None:
        digest = "sha256:" + hashlib.sha256(body).hexdigest()
        if self.command == "PUT":
            kind = self.headers["Content-Type"]
            self.standin.manifests[name, digest] = (kind, body)
            tags = self.standin.tags.setdefault(name, {})
            if not version.startswith("sha256:"):
                tags[version] = digest
            self._answer(201, b"", {"Docker-Content-Digest": digest, "Location": self.path})
            return
        pinned = version if version.startswith("sha256:") else self.standin.tags.get(name, {}).get(version, "")
        found = self.standin.manifests.get((name, pinned))
        # A registry turns away who does not accept what it has.
        if found is None or found[0] not in self.headers.get("Accept", ""):
            self._error(404, "MANIFEST_UNKNOWN")
            return
        stated = {"Docker-Content-Digest": pinned} if self.standin.states_digest else {}
        self._answer(200, found[1], {"Content-Type": found[0], **stated})

    def _upload(self, name: str, body: bytes) -> None:
        """Take a blob in one request, `POST ...?digest=`."""
        self.standin.tags.setdefault(name, {})
        digest = parse_qs(urlsplit(self.path).query)["digest"][0]
        self.standin.blobs[digest] = body
        self._answer(201, b"", {"Location": f"/v2/{name}/blobs/{digest}"})

    def _allowed(self, path: str) -> bool:
        if not self.standin.users:
            return True
        given = self.headers.get("Authorization", "")
        if self.standin.basic:
            return self._user(given) is not None
        name = re.match(r"/v2/(.+?)/(manifests|blobs|tags)/", path)
        return given.removeprefix("Bearer ") in self.standin.tokens and name is not None

    def _user(self, header: str) -> str | None:
        if not header.startswith("Basic "):
            return None
        user, _, password = base64.b64decode(header.removeprefix("Basic ")).decode().partition(":")
        return user if self.standin.users.get(user) == password else None

    def _challenge(self, path: str) -> None:
        name = re.match(r"/v2/(.+?)/(manifests|blobs|tags)/", path)
        scope = f"repository:{name[1] if name else 'x'}:pull"
        wanted = (
            'Basic realm="standin"'
            if self.standin.basic
            else f'Bearer realm="http://{self.standin.host}/token",service="standin",scope="{scope}"'
        )
        self._error(401, "UNAUTHORIZED", {"WWW-Authenticate": wanted})

    def _token(self, body: bytes) -> None:
        form = parse_qs(body.decode()) if self.command == "POST" else {}
        refreshed = form.get("refresh_token", [""])[0] == "identity"
        if not refreshed and self._user(self.headers.get("Authorization", "")) is None:
            self._error(401, "UNAUTHORIZED")
            return
        token = secrets.token_hex(8)
        self.standin.tokens.add(token)
        self._answer(200, json.dumps({"access_token" if refreshed else "token": token}).encode())

    def _error(self, status: int, code: str, headers: dict[str, str] | None = None) -> None:
        self._answer(status, json.dumps({"errors": [{"code": code, "message": code}]}).encode(), headers)

    def _answer(self, status: int, body: bytes, headers: dict[str, str] | None = None) -> None:
        self.send_response(status)
        for name, value in (headers or {}).items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002
        pass
