"""One connection to a port of a pod, through the API server.

The protocol is that of kubectl's WebSocket port-forward: two channels a port, data and errors, each of which begins
with the port's number (https://github.com/kubernetes/enhancements/tree/master/keps/sig-api-machinery/4006-transition-spdy-to-websockets).
The client library's own forwarder loses the last bytes where a pod ends the connection after its answer, and waits
for ever for an API server that is silent; so it is done here.
"""

from __future__ import annotations

import select
import socket
import ssl
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from kubernetes.client import ApiClient
    from websocket import WebSocket

_PROTOCOL = "v4.channel.k8s.io"
_DATA, _ERROR = 0, 1
_CHUNK = 32 * 1024
_IDLE_SECONDS = 300.0


class ForwardFailed(Exception):
    """A port of a pod cannot be reached; `str()` says why."""


def connect(client: ApiClient, namespace: str, pod: str, port: int, *, timeout: float) -> WebSocket:
    """Return the open connection; `timeout` in seconds bounds each of its reads and writes too.

    Raises:
        ForwardFailed: the API server refuses it or does not answer.
    """
    import websocket

    configuration: Any = client.configuration
    host = configuration.host
    url = f"{host}/api/v1/namespaces/{namespace}/pods/{pod}/portforward?ports={port}"
    headers = [
        f"{auth['key']}: {auth['value']}"
        for auth in configuration.auth_settings().values()
        if auth["in"] == "header" and auth["value"]
    ]
    opened = websocket.WebSocket(sslopt=_tls(configuration))
    opened.settimeout(timeout)
    try:
        opened.connect(  # type: ignore[no-untyped-call]
            "ws" + url.removeprefix("http"),
            header=headers,
            subprotocols=[_PROTOCOL],
            timeout=timeout,
            **_proxy(configuration),
        )
    except (websocket.WebSocketException, OSError) as error:
        raise ForwardFailed(f"port {port} of pod {pod} cannot be reached: {error}") from error
    return opened


def pump(stream: WebSocket, local: socket.socket) -> str | None:
    """Pass bytes in both directions until either side ends; return what the pod's node said went wrong, if anything.

    Raises:
        OSError: a side broke.
        WebSocketException: likewise.
    """
    remote: Any = stream.sock
    channels = _Channels(stream, local)
    while not channels.ended:
        # What TLS has decrypted already, `select` does not see.
        waiting = isinstance(remote, ssl.SSLSocket) and remote.pending() > 0
        ready, _, _ = select.select([remote, local], [], [], 0 if waiting else _IDLE_SECONDS)
        if not ready and not waiting:
            break
        if local in ready:
            channels.send()
        if remote in ready or waiting:
            channels.receive()
    return channels.error


class _Channels:
    """Both channels of one port."""

    def __init__(self, stream: WebSocket, local: socket.socket) -> None:
        self._stream, self._local = stream, local
        self._begun: set[int] = set()
        self.ended = False
        self.error: str | None = None

    def send(self) -> None:
        """Pass on what came from here."""
        if content := self._local.recv(_CHUNK):
            self._stream.send_binary(bytes((_DATA,)) + content)
        else:
            self.ended = True

    def receive(self) -> None:
        """Pass on what came from the pod."""
        import websocket

        try:
            opcode, frame = self._stream.recv_data_frame(control_frame=True)
        except websocket.WebSocketConnectionClosedException:
            self.ended = True
            return
        self.ended = opcode == websocket.ABNF.OPCODE_CLOSE
        if opcode != websocket.ABNF.OPCODE_BINARY or not frame.data:
            return
        channel, content = frame.data[0], frame.data[1:]
        if channel not in self._begun:
            self._begun.add(channel)  # the port's number
        elif channel == _DATA:
            self._local.sendall(content)
        elif channel == _ERROR:
            self.error = content.decode(errors="replace").strip()
            self.ended = True


def _tls(configuration: Any) -> dict[str, Any]:  # noqa: ANN401
    if not configuration.host.startswith("https"):
        return {}
    options: dict[str, Any] = {"cert_reqs": ssl.CERT_REQUIRED if configuration.verify_ssl else ssl.CERT_NONE}
    if configuration.ssl_ca_cert:
        options["ca_certs"] = configuration.ssl_ca_cert
    if not configuration.verify_ssl or configuration.assert_hostname is False:
        options["check_hostname"] = False
    if configuration.cert_file:
        options["certfile"] = configuration.cert_file
    if configuration.key_file:
        options["keyfile"] = configuration.key_file
    if configuration.tls_server_name:
        options["server_hostname"] = configuration.tls_server_name
    return options


def _proxy(configuration: Any) -> dict[str, Any]:  # noqa: ANN401
    from urllib.parse import urlsplit

    if not configuration.proxy:
        return {}
    proxy = urlsplit(configuration.proxy)
    return {
        "http_proxy_host": proxy.hostname,
        "http_proxy_port": proxy.port,
        "proxy_type": proxy.scheme or "http",
        "http_proxy_auth": (proxy.username, proxy.password) if proxy.username else None,
    }
