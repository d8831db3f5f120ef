"""HTTP on a connection that is kept, as whoever is in a hurry has it; one thread each."""

from __future__ import annotations

import http.client
import json
import socket
import ssl
import time
from pathlib import Path
from typing import Any, Self
from urllib.parse import quote, urlsplit

MERGE = "application/merge-patch+json"


class Kept:
    """A connection to one server.

    Args:
        url: of the server.
        tls: for https.
    """

    def __init__(self, url: str, tls: ssl.SSLContext | None = None) -> None:
        address = urlsplit(url)
        host, port = address.hostname or "", address.port
        self._connection = (
            http.client.HTTPConnection(host, port, timeout=30)
            if tls is None
            else http.client.HTTPSConnection(host, port, timeout=30, context=tls)
        )
        self._connection.connect()
        self._connection.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    @classmethod
    def to_cluster(cls, kubeconfig: Path) -> Self:
        """Return a connection to the API server of a kubeconfig that names files with a client's certificate."""
        document = json.loads(kubeconfig.read_text(encoding="utf-8"))
        cluster, user = document["clusters"][0]["cluster"], document["users"][0]["user"]
        tls = ssl.create_default_context(cafile=cluster["certificate-authority"])
        tls.load_cert_chain(user["client-certificate"], user["client-key"])
        made = cls(cluster["server"], tls)
        made.ask("GET", "/version")
        return made

    def ask(self, method: str, path: str, body: object = None, kind: str = "application/json") -> Any:  # noqa: ANN401
        """Return what is answered.

        Raises:
            RuntimeError: it is not a success.
            OSError: there is no answer.
        """
        data = None if body is None else json.dumps(body).encode()
        self._connection.request(method, path, data, {"Content-Type": kind})
        answer = self._connection.getresponse()
        text = answer.read()
        if answer.status >= http.client.BAD_REQUEST:
            raise RuntimeError(f"{method} {path}: {answer.status} {text.decode(errors='replace')}")
        return json.loads(text) if text else None


class Asked:
    """A Prometheus that is asked one query, again and again.

    Args:
        url: of Prometheus.
        query: its value is one number.
    """

    def __init__(self, url: str, query: str) -> None:
        self._kept = Kept(url)
        self._path = f"/api/v1/query?query={quote(query)}"

    def value(self) -> float:
        """Return the number as of now; 0 while there is none."""
        found = self._kept.ask("GET", self._path)["data"]["result"]
        return float(found[0]["value"][1]) if found else 0.0

    def wait_until_over(self, limit: float, every: float) -> float:
        """Ask every so many seconds until it is over a limit; return when that was known, by the system's clock."""
        due = time.monotonic()
        while not self.value() > limit:
            due = max(due + every, time.monotonic())
            time.sleep(max(due - time.monotonic(), 0))
        return time.time()
